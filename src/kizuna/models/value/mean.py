"""The value model of ``auto``: the mean of trees, a regression and buy-till-you-die.

The first two see the customer's rhythm as columns. Trees win where there are many rows and columns, the other two where
there are few, and their mean is behind none of them by much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.value.btyd import RhythmValue
from kizuna.models.value.conditional import ENOUGH_ROWS, ConditionalModel, fit_conditional, highest_taught, in_pieces
from kizuna.models.value.regression import LOG_COLUMNS, ValueRegression, fit_value_regression, log_positions
from kizuna.models.value.rhythm import RHYTHM_COLUMNS

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeanModel:
    """The mean of what the three say, never negative. ``rhythm.rhythm`` gives the columns that the others see beside X."""

    trees: ConditionalModel
    regression: ValueRegression
    rhythm: RhythmValue

    def predict(self, X: Floats) -> Floats:
        """Expected value over the value window, (n,), at least 0, in the unit of the training values."""
        return in_pieces(self._mean, X)

    def _mean(self, X: Floats) -> Floats:
        wide = np.column_stack([X, self.rhythm.rhythm.columns(X)])
        return (self.trees.predict(wide) + self.regression.predict(wide) + self.rhythm.predict(X)) / 3


def lacking_columns(names: Sequence[str]) -> list[str]:
    """The columns that the mean needs and ``names`` lacks."""
    needed = dict.fromkeys((*RHYTHM_COLUMNS, *LOG_COLUMNS))
    return [name for name in needed if name not in set(names)]


@dataclass(frozen=True)
class MeanTask:
    """What the mean is fitted with: column names, LightGBM's parameters, seed and threads."""

    names: Sequence[str]
    params: dict[str, Any]
    seed: int
    threads: int


def fit_mean(X: Floats, value: Floats, rhythm: RhythmValue | None, task: MeanTask) -> MeanModel | ConditionalModel:
    """The model of the rows given, which all share one outcome; trees alone where columns are missing, and one mean for
    everybody where fewer than 20 values are positive.

    X: (n, features), gaps as NaN. value: net of returns, may be negative. rhythm: buy-till-you-die for that outcome, its
    level not yet learned; None where it is not to be had.
    """
    machine, logs = (task.seed, task.threads), log_positions(task.names)
    if rhythm is None or logs is None or (value > 0).sum() < ENOUGH_ROWS or value.sum() <= 0:
        return fit_conditional(X, value, "tweedie", task.params, machine)
    told = rhythm.rhythm.columns(X)
    trees = fit_conditional(X, value, "tweedie", task.params, machine, told)
    narrow, added = np.column_stack([X[:, logs], told]), range(X.shape[1], X.shape[1] + told.shape[1])
    first, rest = tuple(range(len(logs))), tuple(range(len(logs), narrow.shape[1]))
    regression = fit_value_regression(narrow, value, first, rest, highest_taught(value[value > 0]))
    return MeanModel(trees, replace(regression, positions=(*logs, *added)), rhythm.levelled(X, value))
