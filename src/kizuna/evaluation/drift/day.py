"""One day's features counted over the bins of a model's reference, and how far each lies from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.evaluation.drift.reference import Reference, level_counts
from kizuna.evaluation.drift.stability import Counts, stability
from kizuna.features.families import families_for
from kizuna.features.frame import Select, block_values, selected_rows
from kizuna.features.plan import FeaturePlan
from kizuna.features.rows import Rows
from kizuna.features.sample import Sample, narrowed

DRIFT_COLUMNS = ["feature", "driver", "psi", "by_chance", "usual", "missing_then", "missing_now"]
# As many customers tell a population as well as all of them do.
_ENOUGH = 50_000
_SEED = 0


@dataclass(frozen=True)
class DayCounts:
    """A day's eligible customers, or a sample of them: rows in each bin of each feature, as ``Histogram.count`` gives them.

    ``levels``: for each text column the rows whose text is known, and those whose level the model has a column for.
    """

    rows: int
    features: Mapping[str, Counts]
    levels: Mapping[str, tuple[int, int]]


def day_sample(store: Store) -> Sample | None:
    """The customers whom drift is measured on: about 50,000, the same ones from day to day; None for all of fewer."""
    return Sample(_SEED, _ENOUGH / store.customers) if store.customers > _ENOUGH else None


def count_day(store: Store, plan: FeaturePlan, eligible: Select, reference: Reference, as_of: int) -> DayCounts:
    """The counts of one day, of the customers of ``day_sample``.

    ModelError where the tables no longer give the plan's columns.
    """
    with narrowed(store, day_sample(store)) as (few, left):
        return _count(few, plan, lambda block: selected_rows(block, [as_of], eligible, left), reference)


def _count(store: Store, plan: FeaturePlan, choose: Callable[[Block], Rows], reference: Reference) -> DayCounts:
    families = families_for(plan, store.config)
    bins = [(index, name) for index, name in enumerate(plan.names) if name in reference.features]

    def count(block: Block) -> DayCounts:
        rows = choose(block)
        values = block_values(block.tables, rows, plan, families)
        features = {name: reference.features[name].count(values[:, index]) for index, name in bins}
        return DayCounts(len(rows), features, level_counts(values, plan))

    none = DayCounts(0, {name: np.zeros(len(found.counts), np.int64) for name, found in reference.features.items()}, {})
    total = none
    for part in store.map(count, "drift of features"):
        features = {name: total.features[name] + counts for name, counts in part.features.items()}
        known, listed = (
            Counter({text: pair[end] for text, pair in total.levels.items()})
            + Counter({text: pair[end] for text, pair in part.levels.items()})
            for end in (0, 1)
        )
        total = DayCounts(total.rows + part.rows, features, {text: (known[text], listed[text]) for text in known})
    return total


def feature_drift(plan: FeaturePlan, reference: Reference, day: DayCounts) -> pd.DataFrame:
    """``DRIFT_COLUMNS``, one row per feature that the reference knows, the most moved first; empty without rows.

    ``psi``: the population stability index; ``by_chance``: what it stays below 999 times in 1,000 where nothing moved;
    ``usual``: the largest of any training snapshot.
    ``missing_then``, ``missing_now``: shares of rows without a value.
    """
    rows = []
    for column in plan.columns:
        then = reference.features.get(column.name)
        if then is None or not then.rows or not day.rows:
            continue
        now = day.features[column.name]
        found, usual = stability(then, now), reference.usual.get(column.name, 0.0)
        missing = (then.counts[-1] / then.rows, int(now[-1]) / int(now.sum()))
        rows.append((column.name, column.driver, found.psi, found.by_chance, usual, *missing))
    frame = pd.DataFrame(rows, columns=DRIFT_COLUMNS)
    types = {"feature": "str", "driver": "str"} | dict.fromkeys(DRIFT_COLUMNS[2:], "float64")
    return frame.astype(types).sort_values(["psi", "feature"], ascending=[False, True], ignore_index=True)


def drifted(drift: pd.DataFrame, limit: float) -> pd.DataFrame:
    """The rows of ``feature_drift`` that are above the limit, and further than chance and training's own days went."""
    above = drift["psi"] > np.maximum(limit, drift[["by_chance", "usual"]].max(axis=1))
    return drift[above].reset_index(drop=True)
