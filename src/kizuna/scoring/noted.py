"""What a run notes of its tables, its models and its list, as plain numbers, for whoever watches it."""

from __future__ import annotations

from typing import Any

from kizuna import journal
from kizuna.lists.publication import Publication
from kizuna.scoring.champion import LoadedModels
from kizuna.timeline import parse_day


def note_tables(inputs: list[dict[str, Any]], as_of: int) -> None:
    """Notes rows of each table, days since its newest one that was known, and rows of earlier days not known yet."""
    journal.note(
        rows={entry["table"]: entry["rows"] for entry in inputs},
        source_age_days={
            entry["table"]: as_of - parse_day(entry["newest"], "newest") for entry in inputs if entry["newest"]
        },
        late_rows={entry["table"]: entry["late_rows"] for entry in inputs if entry["late_rows"]},
    )


def note_models(models: LoadedModels, as_of: int) -> None:
    """Notes the models' names, and how many days before the list's day the champion was trained."""
    trained = models.contract["train_day"]
    journal.note(models=models.names)
    if trained is not None:
        journal.note(model_age_days=as_of - trained)


def note_publication(publication: Publication) -> None:
    """Notes the day that is published, its revision and its counts; of one made by an earlier version what it has."""
    manifest = publication.manifest
    summary = manifest.get("summary", {})
    journal.note(
        published=publication.as_of.isoformat(),
        revision=publication.revision,
        eligible=summary.get("eligible"),
        listed=summary.get("listed"),
        to_contact=summary.get("to_contact"),
        score_mean=summary.get("expected_share"),
        degraded=manifest.get("degraded"),
        gates=manifest.get("gates"),
    )
