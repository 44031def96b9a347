"""Gates of the features: the columns and levels that the model was trained on, and how far the day lies from training."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from kizuna.config_gates import Gates
from kizuna.data.store import Store
from kizuna.evaluation.drift.day import DayCounts, count_day, drifted, feature_drift
from kizuna.evaluation.drift.reference import Reference
from kizuna.features.families import families_for, families_of
from kizuna.features.history import History
from kizuna.features.plan import IS_TREATED, FeaturePlan
from kizuna.features.planning import columns_of
from kizuna.features.rows import every_pair
from kizuna.scoring.champion import LoadedModels
from kizuna.scoring.gates.gate import Gate

_SHOWN = 5
# So few texts tell nothing of their levels.
_FEWEST_TEXTS = 20


def feature_gates(store: Store, models: LoadedModels, as_of: int, limits: Gates) -> list[Gate]:
    """The columns, then, of a model that knows what it was trained beside, its levels and the drift of its features."""
    columns = columns_gate(store, models.plan)
    reference = Reference.from_contract(models.contract)
    if columns.status == "fail" or reference is None:
        return [columns]
    day = count_day(store, models.plan, models.definition.eligible, reference, as_of)
    return [columns, *level_gates(reference, day, limits), drift_gate(models.plan, reference, day, limits)]


def columns_gate(store: Store, plan: FeaturePlan) -> Gate:
    """Whether today's tables give the model's columns; the value counts those that are missing. What is new warns.

    ModelError where a file of the shop's own families is gone or has changed.
    """
    today = {(column.name, column.family) for column in columns_of(store, plan)}
    missing = [c.name for c in plan.columns if (c.name, c.family) not in today and c != IS_TREATED]
    if missing:
        said = f"the model asks for {len(plan.columns)} features, but today's tables do not give {_some(missing)}."
        return Gate(
            "features",
            "fail",
            float(len(missing)),
            0.0,
            said,
            "Bring the table or column back, or train again",
            12,
            waivable=False,
        )
    if new := _new_since(store, plan):
        said = f"{_some(new)} {'is' if len(new) == 1 else 'are'} new since the model was trained and not used."
        return Gate("features", "warn", 0.0, 0.0, said, "Train again to use them", 12, waivable=False)
    return Gate("features", "pass", 0.0, 0.0, exit_code=12, waivable=False)


def level_gates(reference: Reference, day: DayCounts, limits: Gates) -> list[Gate]:
    """One gate per text column: the share of its texts that the model has a column for, beside that share in training."""
    gates = []
    for text, then in sorted(reference.listed.items()):
        name, (known, listed) = f"levels.{text}", day.levels.get(text, (0, 0))
        if known < _FEWEST_TEXTS or not then:
            gates.append(Gate(name, "pass", None, limits.min_level_share, exit_code=12))
            continue
        now = listed / known
        if now / then >= limits.min_level_share:
            gates.append(Gate(name, "pass", now / then, limits.min_level_share, exit_code=12))
            continue
        said = (
            f"{now:.0%} of its texts are levels that the model learned, in training {then:.0%}; at least "
            f"{limits.min_level_share:.0%} of that share is asked for (gates.min_level_share)."
        )
        gates.append(
            Gate(
                name,
                "fail",
                now / then,
                limits.min_level_share,
                said,
                "Bring the old spelling back, or train again",
                12,
            )
        )
    return gates


def drift_gate(plan: FeaturePlan, reference: Reference, day: DayCounts, limits: Gates) -> Gate:
    """The feature that moved most, of those that moved further than chance and training's own days did; else the largest."""
    drift = feature_drift(plan, reference, day)
    largest = float(drift["psi"].iloc[0]) if len(drift) else None
    moved = drifted(drift, limits.warn_feature_psi)
    if moved.empty:
        return Gate("feature_drift", "pass", largest, limits.warn_feature_psi)
    most, stops = float(moved["psi"].iloc[0]), limits.max_feature_psi
    named = _some(f"{name} {psi:.2f}" for name, psi in zip(moved["feature"], moved["psi"], strict=True))
    said = f"{len(moved)} of {len(drift)} features lie further from training than its own days did: {named};"
    if stops is not None and not drifted(drift, stops).empty:
        said += f" a stability index of {stops:g} is allowed (gates.max_feature_psi)."
        return Gate("feature_drift", "fail", most, stops, said, "Look at the tables, or train again")
    said += f" {limits.warn_feature_psi:g} is usual (gates.warn_feature_psi)."
    return Gate("feature_drift", "warn", most, limits.warn_feature_psi, said, "Look at the tables")


def _new_since(store: Store, plan: FeaturePlan) -> list[str]:
    """Families, columns and texts that the day's tables would give a model of today, and that this one does not know."""
    asked = store.config.features
    families = [
        family.name
        for family in families_of(store.config)
        if family.table in store.tables and (asked.families == "all" or family.name in asked.families)
    ]
    new = [f"family {name}" for name in families if name not in plan.families]
    left_out = {reason.partition(":")[0] for reason in plan.left_out}
    known = {column.name for column in plan.columns} | left_out
    for column in columns_of(store, plan):
        excluded = any(fnmatch.fnmatchcase(column.name, pattern) for pattern in asked.exclude)
        if column.name not in known and not excluded:
            new.append(column.name)
    return new + [text for text in _texts(store, plan) if text not in plan.vocabularies and text not in left_out]


def _texts(store: Store, plan: FeaturePlan) -> list[str]:
    """``table.column`` of the text columns that the plan's families would turn into columns of levels."""
    tables, rows = store.block(0, 0).tables, every_pair(0, [0])
    return [
        f"{family.table}.{column}"
        for family in families_for(plan, store.config)
        if family.text_columns is not None and family.table in tables
        for column in family.text_columns(History(tables[family.table], rows, tables))
    ]


def _some(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - _SHOWN} others" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
