"""Whether features together tell one snapshot day from another, as a calendar does and drift does not.

Drift is gradual: it may part the newest day from the oldest, but not a day from its neighbour. A calendar, even one
spread over several features (a date as a number, plus an age), parts any two days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kizuna.evaluation.measures.metrics import FloatArray, IntArray, auc

DAYS_APART_AUC = 0.95
ROWS_PER_DAY = 3_000
NEIGHBOURS = 3
NAMED = 3

# A share of each column's variance that keeps twin columns from cancelling one another with huge weights.
RIDGE = 1e-6

SHALLOW_TREES = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.2,
    "min_data_in_leaf": 20,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 7,
    "verbosity": -1,
}
TREES = 40

MatrixOf = Callable[[IntArray], FloatArray]


@dataclass(frozen=True)
class DaysApart:
    """How well the features together tell days apart on customers not learned from, and the columns that do most.

    `auc`: newest against oldest day; `neighbours_auc`: the least of neighbouring days, NaN where `auc` is below the
    limit already.
    """

    auc: float
    neighbours_auc: float
    columns: tuple[int, ...]

    @property
    def is_calendar(self) -> bool:
        """Whether neighbouring days are told apart too, which drift cannot do."""
        return self.neighbours_auc >= DAYS_APART_AUC


def days_apart(matrix_of: MatrixOf, days: IntArray, sides: IntArray) -> DaysApart | None:
    """How well days are told apart; None with one day.

    `matrix_of` gives the features, maybe null, of the rows asked for; `days` are the rows' days; `sides` are 0 or 1 per
    customer: learned from 0, measured on 1. At most 3,000 rows a day are used.
    """
    known = np.unique(days)
    if known.size < 2:
        return None
    where = days, sides
    found, columns = _told_apart(matrix_of, where, (int(known[0]), int(known[-1])))
    if not found >= DAYS_APART_AUC:
        return DaysApart(found, float("nan"), columns)
    first = np.unique(np.linspace(0, known.size - 2, NEIGHBOURS).round().astype(np.int64))
    each = [_told_apart(matrix_of, where, (int(known[place]), int(known[place + 1]))) for place in first[::-1]]
    least = min(each, key=lambda told: told[0])
    return DaysApart(found, least[0], least[1])


def _told_apart(
    matrix_of: MatrixOf, where: tuple[IntArray, IntArray], pair: tuple[int, int]
) -> tuple[float, tuple[int, ...]]:
    """AUC of the later day against the earlier by the better of two models, and the columns it leans on."""
    days, sides = where
    rows = np.concatenate(
        [_thinned(np.flatnonzero((days == day) & (sides == side))) for day in pair for side in (0, 1)]
    )
    matrix, later, learned = matrix_of(rows), (days[rows] == pair[1]).astype(np.float64), sides[rows] == 0
    known, tested, is_later, answer = matrix[learned], matrix[~learned], later[learned], later[~learned]
    if not matrix.shape[1] or np.unique(is_later).size < 2 or np.unique(answer).size < 2:
        return float("nan"), ()
    told = [model(known, is_later, tested) for model in (_linear, _trees)]
    aucs = [auc(answer, scores) for scores, _ in told]
    best = int(np.argmax(aucs))
    weight = told[best][1]
    top = [place for place in np.argsort(-weight, kind="stable")[:NAMED].tolist() if weight[place] > 0]
    return aucs[best], tuple(top)


def _linear(known: FloatArray, later: FloatArray, tested: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scores and column weights of a linear rule (Fisher 1936): it sees sums, such as a date plus an age."""
    filled = [np.where(np.isfinite(part), part, np.nan) for part in (known, tested)]
    some = ~np.isnan(filled[0])
    count = np.maximum(some.sum(axis=0), 1)
    mean = np.where(some, filled[0], 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(some, filled[0] - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(spread > 0, spread, 1.0)
    learned, measured = (np.nan_to_num((part - mean) / scale) for part in filled)
    square = learned.T @ learned / len(learned) + RIDGE * np.eye(learned.shape[1])
    weights = np.linalg.solve(square, learned.T @ (later - later.mean()) / len(learned))
    return measured @ weights, np.abs(weights)


def _trees(known: FloatArray, later: FloatArray, tested: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scores and column gains of a few shallow trees: they see ranges, and values missing."""
    import lightgbm

    model = lightgbm.train(SHALLOW_TREES, lightgbm.Dataset(known, later), num_boost_round=TREES)
    scores = np.asarray(model.predict(tested, num_threads=1), dtype=np.float64)
    return scores, np.asarray(model.feature_importance("gain"), dtype=np.float64)


def _thinned(rows: IntArray) -> IntArray:
    half = ROWS_PER_DAY // 2
    return rows if rows.size <= half else rows[np.arange(half) * rows.size // half]


def sides_of(customers: npt.ArrayLike | None, rows: int) -> IntArray:
    """0 or 1 per customer, alternating in the order of their ids; per row where customers are not known."""
    if customers is None:
        return np.arange(rows) % 2
    return np.asarray(np.unique(np.asarray(customers).astype(str), return_inverse=True)[1] % 2, dtype=np.int64)
