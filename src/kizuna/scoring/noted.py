"""What a run notes of its tables, its models and its list, as plain numbers, for whoever watches it."""

from __future__ import annotations

from kizuna import journal
from kizuna.data.events import UNDATED
from kizuna.data.store import Store
from kizuna.lists.publication import Publication
from kizuna.scoring.champion import LoadedModels


def note_tables(store: Store, as_of: int) -> None:
    """Notes rows of each table, days since its newest one that was known, and rows of earlier days not known yet."""
    names = sorted(store.tables)
    dated = f"day > {UNDATED} AND day < {as_of}"
    found = store.select(
        *(
            f"SELECT max(day) FILTER (WHERE known < {as_of}), count(*) FILTER (WHERE known >= {as_of}) "
            f"FROM {store.relation(name)} WHERE {dated}"
            for name in names
        )
    )
    days = {name: [row for row in rows if row[0] is not None] for name, rows in zip(names, found, strict=True)}
    late = {name: sum(row[1] for row in rows) for name, rows in zip(names, found, strict=True)}
    journal.note(
        rows={name: store.tables[name].rows for name in names},
        source_age_days={name: as_of - max(row[0] for row in rows) for name, rows in days.items() if rows},
        late_rows={name: int(count) for name, count in late.items() if count},
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
