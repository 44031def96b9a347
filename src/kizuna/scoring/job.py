"""The batch job: one day scored and published at once or not at all, or the same day found published already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna import journal
from kizuna.config import Config
from kizuna.data.forgotten import require_none_since
from kizuna.data.knowable import knowable_fingerprints
from kizuna.data.store import Store
from kizuna.delivery.deliver import deliver, owed
from kizuna.exports.destinations.files import settings_of
from kizuna.exports.failed import failed_exports
from kizuna.fingerprint import file_sha256
from kizuna.lists.publication import (
    LockedOutput,
    Publication,
    difference,
    lists_before,
    locked,
    publish,
    published,
    restore,
)
from kizuna.lists.witness import KEY as MODEL_FILES
from kizuna.lists.witness import model_files
from kizuna.scoring.champion import LoadedModels, is_hindsight, load_models, refuse_hindsight
from kizuna.scoring.day import Scored, score_day
from kizuna.scoring.files import contact_rows, summary_of, write_files
from kizuna.scoring.gates.day import gates_after, gates_before, passed, say_idle, tell
from kizuna.scoring.gates.gate import Accepted, failing
from kizuna.scoring.inputs import inputs_of, late_line
from kizuna.scoring.noted import note_models, note_publication, note_tables
from kizuna.scoring.past import before_of, freeze_kpis
from kizuna.scoring.settings import refuse_list_settings
from kizuna.timeline import date_of
from kizuna.version import VERSION

Say = Callable[[str], None]


@dataclass(frozen=True)
class ScoreOptions:
    """How a day is scored. ``hindsight``: a champion that knows later days is allowed, and the manifest says so.

    ``version``: this churn version and its partner instead of today's champion. ``backfill``: a list for the record, which
    is delivered nowhere, and the manifest says so. ``accepted``: gates that may fail.
    """

    republish: bool = False
    hindsight: bool = False
    version: str | None = None
    backfill: bool = False
    accepted: Accepted = field(default_factory=Accepted)


def score(
    store: Store, config: Config, as_of: int, options: ScoreOptions | None = None, say: Say = lambda line: None
) -> Publication:
    """The day's publication, written now or found with the same inputs.

    Errors: ModelError for no usable model; ConfigError for a published day whose inputs changed; LockHeld; DataMissing,
    ModelError or ResultError for a gate that fails; DestinationFailed for a day that is published, but not yet everywhere.
    """
    options = options or ScoreOptions()
    refuse_list_settings(config)
    with journal.stage("model"):
        models = _models(store, config, as_of, options)
        note_models(models, as_of)
    if models.missing:
        journal.warn(f"without {' and '.join(models.missing)}: the models that were taught without it stand in")
    inputs = inputs_of(store, as_of)
    note_tables(inputs, as_of)
    if late := late_line(inputs):
        say(late)
    with journal.stage("fingerprint"):
        fingerprint = _fingerprint(store, config, models, as_of)
    manifest = _manifest(store, config, models, options.hindsight and is_hindsight(models, as_of))
    manifest |= {"backfill": options.backfill, "inputs": inputs}
    write = partial(_written, _Day(store, config, models, as_of, options, say), manifest)
    with locked(config.output_dir) as output:
        require_none_since(config.output_dir, store.forgotten)
        with journal.stage("publish"):
            publication = None
            if not options.republish and not options.backfill:
                publication = _owing(output, config, date_of(as_of), fingerprint, say)
            if publication is None:
                publication = publish(output, date_of(as_of), fingerprint, write, manifest, options.republish)
        note_publication(publication)
        if not options.backfill:
            with journal.stage("deliver"):
                _deliver(output, config, publication, lambda: store, say)
    return publication


def _models(store: Store, config: Config, as_of: int, options: ScoreOptions) -> LoadedModels:
    """The models that the day is scored by; ModelError where they know later days, and that was not allowed."""
    models = load_models(config, options.version, missing=store.missing)
    if not options.hindsight:
        refuse_hindsight(models, as_of)
    return models


@dataclass(frozen=True)
class _Day:
    """What a day is scored from, and how."""

    store: Store
    config: Config
    models: LoadedModels
    as_of: int
    options: ScoreOptions
    say: Say


def _written(day: _Day, manifest: dict[str, Any], folder: Path) -> dict[str, int]:
    """The day scored and its files written into a folder, their rows by name; what is found on the way goes to the manifest."""
    store, config, models, as_of, accepted = day.store, day.config, day.models, day.as_of, day.options.accepted
    with journal.stage("gates_before"):
        gates, manifest["rows_known"] = gates_before(store, config, models, as_of)
        manifest["gates"] = passed(gates, accepted)
    with journal.stage("past"):
        before = before_of(store, config, as_of, day.say, day.options.backfill)
    with journal.stage("score"):
        scored = score_day(store, config, models, as_of, before.proven, day.options.backfill)
    with journal.stage("gates_after"):
        manifest["gates"] += passed(gates_after(config, models, scored), accepted)
        say_idle(accepted, manifest["gates"])
    _count(scored, manifest["counts"], day.say)
    manifest["summary"] = summary_of(scored)
    manifest["proven"] = sorted(before.proven)
    with journal.stage("files"):
        rows = write_files(folder, store, config, models, scored, before)
    manifest["failed_exports"] = failed_exports(rows)
    manifest["destinations"] = settings_of(config)
    # Before the link: a run that dies between the two is made good by the next, which finds the day unpublished.
    freeze_kpis(before, config, day.say)
    return rows


def _owing(
    output: LockedOutput, config: Config, as_of: date, fingerprint: dict[str, str], say: Say
) -> Publication | None:
    """The publication of a day whose inputs have changed, where it is still owed to a destination; else None.

    Who runs a failed delivery again means that one; that the day cannot be published anew is told the next time.
    """
    found = published(output.folder, as_of)
    if found is None or not owed(output.folder, found, config):
        return None
    changes = difference(found.fingerprint, fingerprint)
    if not changes:
        return None
    say(f"r{found.revision} of {as_of} stays as it is, though its inputs have changed since: {'; '.join(changes)}")
    return found


def _deliver(
    output: LockedOutput, config: Config, publication: Publication, opened: Callable[[], Store], say: Say
) -> None:
    """Delivers a list, but none that was made for the record."""
    if not publication.is_for_the_record:
        deliver(output, config, publication, opened, say)
        return
    say(
        f"{publication.as_of} was published by kizuna backfill (r{publication.revision}), which is delivered nowhere; "
        "--republish adds a revision that is"
    )


def _manifest(store: Store, config: Config, models: LoadedModels, hindsight: bool) -> dict[str, Any]:
    """What is known of a publication before its day is scored; ``counts`` is filled afterwards."""
    return {
        "schema_version": 1,
        "shop": config.name,
        "counts": {},
        "experiment": config.experiment,
        "control_share": config.at_risk.control_share,
        "models": models.names,
        MODEL_FILES: model_files(models.pair),
        "definition": models.definition.to_json(),
        "cltv_horizon_days": models.contract["cltv_horizon_days"],
        "grade": models.contract["evaluation"]["grade"],
        "hindsight": hindsight,
        "degraded": bool(models.missing),
        "missing_tables": list(models.missing),
        "no_value": models.contract["no_value"],
        "list_size": config.at_risk.size,
        "quarantined_rows": sum(info.bad_rows for info in store.tables.values()),
    }


def _count(scored: Scored, counts: dict[str, int], say: Say) -> None:
    say(f"{len(scored.scores):,} eligible, {len(scored.at_risk):,} listed")
    for market in scored.selection.unknown_markets:
        say(f"at_risk.per_market: nobody eligible is of market {market}; its limit limits nothing")
    counts.update(scored.selection.counts)
    arm = scored.at_risk["arm"]
    counts.update({name: int((arm == name).sum()) for name in ("target", "control", "exempt")})
    counts["to_contact"] = len(contact_rows(scored.at_risk))


def dry_run_day(store: Store, config: Config, as_of: int, options: ScoreOptions) -> dict[str, Any]:
    """What publishing the day would change against the last list: counts, customers who come and go, gates.

    ``exit_code``, ``refusal``: what the day would end with where a gate of its result fails. Errors: those of ``score``.
    """
    refuse_list_settings(config)
    models = _models(store, config, as_of, options)
    gates = passed(gates_before(store, config, models, as_of)[0], options.accepted)
    scored, day = score_day(store, config, models, as_of), date_of(as_of)
    after = gates_after(config, models, scored)
    gates += tell(after, options.accepted)
    stopping = failing(after, options.accepted)
    before = published(config.output_dir, day) or next(reversed(lists_before(config.output_dir, day)), None)
    now, last = scored.at_risk["customer_id"].tolist(), []
    if before:
        last = pd.read_csv(before.file("at_risk.csv"), dtype=str, keep_default_na=False)["customer_id"].tolist()
    return {
        "last_list": before.as_of.isoformat() if before else None,
        "listed": len(now),
        "come": sorted(set(now) - set(last)),
        "go": sorted(set(last) - set(now)),
        "gates": gates,
        "exit_code": stopping[0].exit_code if stopping else 0,
        "refusal": stopping[0].refusal if stopping else None,
    }


def restore_day(
    config: Config, as_of: int, revision: int, opened: Callable[[], Store], say: Say = lambda line: None
) -> Publication:
    """An earlier revision of a published day, linked again and delivered. ``opened``: the tables, read where that needs them."""
    with locked(config.output_dir) as output:
        publication = restore(output, date_of(as_of), revision)
        with journal.stage("deliver"):
            _deliver(output, config, publication, opened, say)
    return publication


def _fingerprint(store: Store, config: Config, models: LoadedModels, as_of: int) -> dict[str, str]:
    asked = {
        "at_risk": config.at_risk.model_dump(),
        "currency": config.data.currency,
        "timezone": config.data.timezone,
        "economics": config.economics.model_dump(),
        "name": config.name,
    }
    settings = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    return knowable_fingerprints(store, as_of) | {
        "config": settings,
        "churn model": models.names["churn"],
        "cltv model": models.names.get("cltv", "none"),
        "playbook": file_sha256(config.playbook_path)[:16] if config.playbook_path else "builtin",
        "kizuna": VERSION,
    }
