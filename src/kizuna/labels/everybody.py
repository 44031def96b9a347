"""Everybody who ever bought, as he stood on some days: what a buy-till-you-die model is fitted to.

The rows of a training set are eligible customers. Who has been silent for long is missing there, and a model fitted to
them sees nobody leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.data.store import Store
from kizuna.features.frame import Frame, Tables, build_frame
from kizuna.features.history import History
from kizuna.features.plan import FeaturePlan
from kizuna.features.purchases import is_purchase
from kizuna.features.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

TABLE = "purchases"
HISTORY_COLUMNS = ("orders", "tenure_days", "days_since_order", "revenue")


def everybody_on(store: Store, plan: FeaturePlan, days: Sequence[int]) -> Frame | None:
    """The columns ``HISTORY_COLUMNS`` of every customer who had bought, for each of the days; None where one is missing."""
    columns = tuple(column for column in plan.columns if column.name in HISTORY_COLUMNS)
    if len(columns) < len(HISTORY_COLUMNS) or not days:
        return None
    families = tuple(dict.fromkeys(column.family for column in columns))
    return build_frame(store, replace(plan, columns=columns, families=families), sorted(days), _has_bought)


def pasts_of(store: Store, plan: FeaturePlan) -> Callable[[int], pd.DataFrame | None]:
    """``everybody_on`` for one day at a time, as columns, each day read once."""

    @cache
    def on(day: int) -> pd.DataFrame | None:
        frame = everybody_on(store, plan, [day])
        return None if frame is None else frame.columns()

    return on


def _has_bought(tables: Tables, rows: Rows) -> NDArray[np.bool_]:
    history = History(tables[TABLE], rows, tables)
    return np.asarray(history.count(where=is_purchase(history)) > 0)
