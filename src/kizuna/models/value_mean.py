"""The value model of ``auto``: the mean of trees, a regression and buy-till-you-die.

The first two see the customer's rhythm as columns. Trees win where there are many rows and columns, the other two where
there are few, and their mean is behind none of them by much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.conditional import ENOUGH_ROWS, ConditionalModel, fit_conditional, highest_taught
from kizuna.models.rhythm import RHYTHM_COLUMNS, RhythmModel
from kizuna.models.value_btyd import RhythmValue
from kizuna.models.value_regression import LOG_COLUMNS, ValueRegression, fit_value_regression, log_positions

# Columns are added to so many rows at a time: millions of them are never copied at once.
_ROWS_AT_ONCE = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeanModel:
    """The mean of what the three say, never negative. ``rhythm.rhythm`` gives the columns that the others see beside X."""

    trees: ConditionalModel
    regression: ValueRegression
    rhythm: RhythmValue

    def predict(self, X: Floats) -> Floats:
        """Expected value over the value window, (n,), at least 0, in the unit of the training values."""
        out = np.empty(len(X))
        for start in range(0, len(X), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            wide = _widened(X[part], self.rhythm.rhythm)
            both = self.trees.predict(wide) + self.regression.predict(wide)
            out[part] = (both + self.rhythm.predict(X[part])) / 3
        return out


def lacking_columns(names: Sequence[str]) -> list[str]:
    """The columns that the mean needs and ``names`` lacks."""
    needed = dict.fromkeys((*RHYTHM_COLUMNS, *LOG_COLUMNS))
    return [name for name in needed if name not in set(names)]


@dataclass(frozen=True)
class MeanTask:
    """What the mean is fitted with: column names, the shop's rhythm (None: unknown), LightGBM's parameters, seed, threads."""

    names: Sequence[str]
    rhythm: RhythmModel | None
    params: dict[str, Any]
    seed: int
    threads: int


def fit_mean(X: Floats, value: Floats, churned: bool, task: MeanTask) -> MeanModel | ConditionalModel:
    """The model of the rows given, which all share one outcome; trees alone where columns are missing, and one mean for
    everybody where fewer than 20 values are positive.

    X: (n, features), gaps as NaN. value: net of returns, may be negative.
    """
    machine = (task.seed, task.threads)
    rhythm, logs = task.rhythm, log_positions(task.names)
    if rhythm is None or logs is None or (value > 0).sum() < ENOUGH_ROWS or value.sum() <= 0:
        return fit_conditional(X, value, "tweedie", task.params, machine)
    wide = _widened(X, rhythm)
    trees = fit_conditional(wide, value, "tweedie", task.params, machine)
    added = tuple(range(X.shape[1], wide.shape[1]))
    regression = fit_value_regression(wide, value, logs, added, highest_taught(value[value > 0]))
    return MeanModel(trees, regression, RhythmValue(rhythm, churned).levelled(X, value))


def _widened(X: Floats, rhythm: RhythmModel) -> Floats:
    return np.column_stack([X, rhythm.columns(X)])
