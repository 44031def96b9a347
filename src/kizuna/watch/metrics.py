"""The metrics of a run, merged with those that were there: what a failure must not erase stays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from kizuna.journal import Journal
from kizuna.watch.exposition import Sample

# Of the run that ended last: replaced, or gone, with every run.
RUN = {
    "kizuna_last_run_timestamp_seconds": "When the command ended last, well or not.",
    "kizuna_last_exit_code": "The exit code that it ended with.",
    "kizuna_run_duration_seconds": "How long it took.",
    "kizuna_stage_seconds": "How long each of its steps took.",
    "kizuna_rows": "Rows of each table that it read.",
    "kizuna_source_age_days": "Days from the newest row of each table to the day of the list.",
    "kizuna_late_rows": "Rows of each table that were not known yet on the day of the list, and not used.",
    "kizuna_gates_failed": "Whether a gate failed, and nobody accepted it: 1 or 0.",
    "kizuna_gates_warned": "Whether a gate warned: 1 or 0.",
    "kizuna_deliveries_failed": "Whether a destination failed: 1 or 0.",
    "kizuna_model_age_days": "Days from the day on which the champion was trained to the day of the list.",
}
# Of the newest result: kept until there is another.
RESULT = {
    "kizuna_last_success_timestamp_seconds": "When the command last came to its end: for score, with a list published.",
    "kizuna_list_day_timestamp_seconds": "The day of the newest list, as midnight UTC.",
    "kizuna_eligible": "Customers who could be lost, on the list's day.",
    "kizuna_listed": "Customers on the list.",
    "kizuna_to_contact": "Customers on the list who are to be contacted.",
    "kizuna_degraded": "Whether the newest list was made without a table that may be missing: 1 or 0.",
    "kizuna_score_mean": "Mean churn probability of all who are eligible.",
    "kizuna_score_psi": "Population stability index of the probabilities against training.",
    "kizuna_feature_psi_max": "The greatest population stability index of a feature against training.",
    "kizuna_expected_precision": "Share of the newest list expected to leave, by its own probabilities.",
    "kizuna_realised_precision": "Share of the newest matured list that left, on customers whom no list has treated.",
    "kizuna_promised_precision": "What had been promised for that list: the mean of its probabilities.",
    "kizuna_lists_below_promise": "Matured lists in a row, up to the newest, that kept less than they promised.",
}
HELPS = RESULT | RUN
# A note that is a plain number, by its own name.
_NUMBERS = [
    *("eligible", "listed", "to_contact", "degraded", "score_mean", "model_age_days"),
    *("expected_precision", "realised_precision", "promised_precision", "lists_below_promise"),
]
_PSI = {"score_drift": "kizuna_score_psi", "feature_drift": "kizuna_feature_psi_max"}
_BY_TABLE = ("rows", "source_age_days", "late_rows")
# Published, though a destination failed.
_PUBLISHED = (0, 15)


def merged(before: Mapping[Sample, float], journal: Journal, shop: str, exit_code: int) -> dict[Sample, float]:
    """The samples of the file after a run that just ended, given those before it.

    The last success and what is known of the newest result stay until there is another; of a day before the newest list,
    that day stays.
    """
    mine = _samples(journal, shop, exit_code)
    kept = {
        sample: value
        for sample, value in before.items()
        if sample.name in HELPS
        and not (sample.name in RUN and sample.label("shop") == shop and sample.label("command") == journal.command)
    }
    day = Sample("kizuna_list_day_timestamp_seconds", _labels(shop, journal.command))
    if day in mine:
        mine[day] = max(mine[day], kept.get(day, mine[day]))
    return kept | mine


def _came_to_its_end(journal: Journal, exit_code: int) -> bool:
    """Whether the run did what its command is for: score has published, or found its list published."""
    if journal.command == "score":
        return exit_code in _PUBLISHED and "published" in journal.notes
    return exit_code == 0


def _samples(journal: Journal, shop: str, exit_code: int) -> dict[Sample, float]:
    notes, labels, now = journal.notes, _labels(shop, journal.command), datetime.now(UTC).timestamp()
    found: dict[Sample, float] = {
        Sample("kizuna_last_run_timestamp_seconds", labels): round(now, 3),
        Sample("kizuna_last_exit_code", labels): exit_code,
        Sample("kizuna_run_duration_seconds", labels): round(journal.seconds, 3),
    }
    for stage in journal.stages:
        # The days of a backfill together: a label for each would grow with every one.
        name = "day" if stage.name.startswith("day ") else stage.name
        sample = Sample("kizuna_stage_seconds", (*labels, ("stage", name)))
        found[sample] = round(found.get(sample, 0.0) + stage.seconds, 3)
    for name in _NUMBERS:
        _add(found, Sample(f"kizuna_{name}", labels), notes.get(name))
    for name in _BY_TABLE:
        by_table = notes.get(name)
        for table, value in by_table.items() if isinstance(by_table, Mapping) else ():
            _add(found, Sample(f"kizuna_{name}", (*labels, ("table", str(table)))), value)
    for gate in _each(notes.get("gates")):
        for name, status in (("kizuna_gates_failed", "fail"), ("kizuna_gates_warned", "warn")):
            stands = gate.get("status") == status and gate.get("accepted_by") is None
            found[Sample(name, (*labels, ("gate", str(gate.get("name")))))] = float(stands)
        if gate.get("name") in _PSI:
            _add(found, Sample(_PSI[str(gate["name"])], labels), gate.get("value"))
    for name, failed in (notes.get("deliveries") or {}).items():
        found[Sample("kizuna_deliveries_failed", (*labels, ("destination", str(name))))] = float(bool(failed))
    if _came_to_its_end(journal, exit_code):
        found[Sample("kizuna_last_success_timestamp_seconds", labels)] = round(now, 3)
        if journal.command == "score":
            midnight = datetime.combine(date.fromisoformat(str(notes["published"])), datetime.min.time(), UTC)
            found[Sample("kizuna_list_day_timestamp_seconds", labels)] = midnight.timestamp()
    return found


def _labels(shop: str, command: str) -> tuple[tuple[str, str], ...]:
    return (("shop", shop), ("command", command))


def _add(found: dict[Sample, float], sample: Sample, value: Any) -> None:
    if isinstance(value, int | float) and math.isfinite(value):
        found[sample] = float(value)


def _each(gates: Any) -> Iterable[Mapping[str, Any]]:
    return [gate for gate in gates if isinstance(gate, Mapping)] if isinstance(gates, list) else []
