"""Attributes whose present value was written over that of the snapshot days, after the outcome.

A value that was so all along tells the outcomes of every day about alike. One that was written later knows what came last:
it tells the outcomes of the days before it was written far better than those of older days, since which customers came
back. So each day's odds ratio is held against that of the older days (Woolf 1955); unlike the AUC it stays the same where
a new campaign brings more customers of one kind. Values that sum up a whole life, such as a tier by all that was ever
spent, may tell every day alike and are not found this way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.evaluation.leaks.bins import PRIOR_ROWS, auc_of_groups, bins_of, edges_of, numbers_of
from kizuna.evaluation.measures.intervals import decimals
from kizuna.evaluation.measures.metrics import FloatArray, IntArray
from kizuna.timeline import date_of

# All must hold of a day: beyond chance, and large enough to be no drift of an honest value.
CHANCE = 0.01
MIN_AUC = 0.70
MIN_AUC_GAP = 0.05
MIN_SLOPE_RATIO = 2.0

_STEPS = 50
_LONGEST_STEP = 2.0


@dataclass(frozen=True)
class Overwritten:
    """An attribute with its columns, the day whose outcomes it tells too well, with what AUC, and that of older days."""

    attribute: str
    columns: tuple[str, ...]
    day: int
    auc: float
    older_auc: float

    @property
    def text(self) -> str:
        """The evidence in a few words."""
        return f"{self.attribute} (AUC {decimals(self.auc)} on {date_of(self.day)}, {decimals(self.older_auc)} before)"


@dataclass(frozen=True)
class _Rise:
    z: float
    day: int
    auc: float
    older_auc: float


def overwritten(
    features: pd.DataFrame, outcome: FloatArray, days: IntArray, undated: Collection[str]
) -> tuple[Overwritten, ...]:
    """Attributes of which a column tells some day's outcomes beyond chance better than older days', in their order.

    ``undated``: the columns to look at; those of one attribute (``status=open``, ``status=closed``) stand together.
    ``days``: each row's snapshot day. None is found where there is one day.
    """
    names = [str(label) for label in features.columns]
    looked = [place for place, name in enumerate(names) if name in undated]
    known, day = np.unique(days, return_inverse=True)
    tests = len(looked) * (known.size - 1)
    if not tests:
        return ()
    from scipy.stats import norm

    limit = float(norm.isf(CHANCE / tests))
    together: dict[str, list[str]] = {}
    plainest: dict[str, _Rise] = {}
    for place in looked:
        attribute = names[place].partition("=")[0]
        together.setdefault(attribute, []).append(names[place])
        for rise in _rises(numbers_of(features.iloc[:, place]), outcome, day, known):
            if rise.z >= limit and (attribute not in plainest or rise.z > plainest[attribute].z):
                plainest[attribute] = rise
    return tuple(
        Overwritten(name, tuple(columns), plainest[name].day, plainest[name].auc, plainest[name].older_auc)
        for name, columns in together.items()
        if name in plainest
    )


def _rises(values: FloatArray, outcome: FloatArray, day: IntArray, known: IntArray) -> Iterator[_Rise]:
    """Days with both outcomes that the value tells much better than the older ones together."""
    edges = edges_of(values)
    bins, width = bins_of(values, edges), edges.size + 2
    cell, size = day * width + bins, known.size * width
    rows = np.bincount(cell, minlength=size).reshape(-1, width).astype(np.float64)
    churned = np.bincount(cell, weights=outcome, minlength=size).reshape(-1, width)
    both = (churned.sum(axis=1) > 0) & (churned.sum(axis=1) < rows.sum(axis=1))
    rows, churned, known = rows[both], churned[both], known[both]
    used = rows.sum(axis=0) > 0
    rows, churned = rows[:, used], churned[:, used]
    prior = outcome.mean()
    rate = (churned.sum(axis=0) + PRIOR_ROWS * prior) / (rows.sum(axis=0) + PRIOR_ROWS)
    score = np.log(rate / (1.0 - rate))
    score -= score.mean()
    if known.size < 2 or np.ptp(score) == 0:
        return
    slopes, errors = np.array([_slope(*one, score) for one in zip(rows, churned, strict=True)]).T
    aucs = [auc_of_groups(score, one, all_ - one) for all_, one in zip(rows, churned, strict=True)]
    weights, sizes = errors**-2.0, rows.sum(axis=1)
    for place in range(1, known.size):
        slope = float(np.average(slopes[:place], weights=weights[:place]))
        older = float(np.average(aucs[:place], weights=sizes[:place]))
        apart = slopes[place] - slope
        large = slopes[place] >= MIN_SLOPE_RATIO * slope and aucs[place] >= max(MIN_AUC, older + MIN_AUC_GAP)
        if apart > 0 and large:
            error = float(np.sqrt(errors[place] ** 2 + 1.0 / weights[:place].sum()))
            yield _Rise(float(apart) / error, int(known[place]), aucs[place], older)


def _slope(rows: FloatArray, churned: FloatArray, score: FloatArray) -> tuple[float, float]:
    """Slope of a logistic regression of one day's bins on their score, and its standard error.

    Half a row of either outcome at both ends keeps it finite where the two do not overlap (Haldane 1956).
    """
    rows, churned = rows.copy(), churned.copy()
    for end in (int(score.argmin()), int(score.argmax())):
        rows[end] += 1.0
        churned[end] += 0.5
    design = np.column_stack([np.ones(score.size), score])
    weights, information = np.zeros(2), np.eye(2)
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-design @ weights))
        information = (design * (rows * p * (1.0 - p))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (churned - rows * p))
        weights = weights + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))
