"""All gates of a day: those of its tables and features before it is scored, those of its result before it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kizuna import journal
from kizuna.config import Config
from kizuna.data.knowable import known_rows
from kizuna.data.store import Store
from kizuna.evaluation.drift.reference import Reference
from kizuna.lists.publication import lists_before
from kizuna.scoring.champion import LoadedModels, is_hindsight
from kizuna.scoring.day import Scored
from kizuna.scoring.gates.features import feature_gates
from kizuna.scoring.gates.gate import Accepted, Gate, recorded, refuse_failing
from kizuna.scoring.gates.results import DayResult, last_list_gates, possible_gate, recent, size_gates, training_gate
from kizuna.scoring.gates.tables import PastRows, freshness_gates, recent_gates, rows_gates
from kizuna.timeline import date_of


def gates_before(store: Store, config: Config, models: LoadedModels, as_of: int) -> tuple[list[Gate], dict[str, int]]:
    """The gates of the tables and of the features, and how many rows of each table were known."""
    rows = known_rows(store, as_of)
    earlier, day = lists_before(config.output_dir, date_of(as_of)), date_of(as_of)
    reference = Reference.from_contract(models.contract)
    manifests = [publication.manifest for publication in earlier]
    # What a later training knew is no measure of an earlier day.
    known = reference.tables if reference and not is_hindsight(models, as_of) else {}
    past = PastRows(manifests, recent(earlier, day) is not None, known)
    gates = freshness_gates(store, as_of)
    gates += rows_gates(rows, past, config.gates, models.definition.table)
    gates += recent_gates(store, as_of, config.gates, manifests)
    # A table that is not whole says nothing of the features.
    if not any(gate.status == "fail" for gate in gates):
        gates += feature_gates(store, models, as_of, config.gates)
    return gates, rows


def gates_after(config: Config, models: LoadedModels, scored: Scored) -> list[Gate]:
    """The gates of the probabilities and of the list."""
    day = date_of(scored.as_of)
    earlier = lists_before(config.output_dir, day)
    p = scored.scores["churn_probability"].to_numpy(dtype=np.float64)
    value = scored.scores["cltv"].to_numpy(dtype=np.float64, na_value=np.nan)
    result = DayResult(p, value, len(scored.at_risk), config.at_risk.size)
    manifests = [publication.manifest for publication in earlier]
    shift = models.season.shift(scored.as_of) if models.season else 0.0
    return [
        possible_gate(p),
        training_gate(p, Reference.from_contract(models.contract), shift, config.gates),
        *last_list_gates(result, models.names, recent(earlier, day), config),
        *size_gates(result, manifests, models.definition.to_json(), config.gates),
    ]


def passed(gates: Sequence[Gate], accepted: Accepted) -> list[dict[str, Any]]:
    """The gates as the manifest records them, told where they do not simply pass; raises the refusal where one stops the day."""
    records = tell(gates, accepted)
    refuse_failing(gates, accepted)
    return records


def tell(gates: Sequence[Gate], accepted: Accepted) -> list[dict[str, Any]]:
    """The gates as the manifest records them, each that warns or is accepted being told."""
    records = recorded(gates, accepted)
    earlier: list[Mapping[str, Any]] = opened.notes.get("gates", []) if (opened := journal.open_journal()) else []
    journal.note(gates=[*earlier, *records])
    for gate, record in zip(gates, records, strict=True):
        if gate.status == "warn":
            journal.warn(f"gate {gate.name} warns: {gate.said} {gate.remedy}.")
        elif record["accepted_by"] is not None:
            journal.warn(
                f"gate {gate.name} fails and is accepted by {record['accepted_by']} ({record['reason']}): {gate.said}"
            )
    return records


def say_idle(accepted: Accepted, records: Sequence[Mapping[str, Any]]) -> None:
    """Tells which accepted gates did not fail."""
    used = {record["name"] for record in records if record["accepted_by"] is not None}
    for name in accepted.reasons:
        if name not in used:
            journal.warn(f"gate {name} was accepted but does not fail: nothing is recorded of it")
