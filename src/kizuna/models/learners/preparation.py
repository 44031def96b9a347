"""Preparation: columns made fit for linear models, with every number of it saved as plain JSON.

A heavy-tailed column is passed through sign(x) · log1p(|x| / s), s the median size of its non-zero values, so that the
currency does not matter. Then a gap takes the median, and everything is centred, scaled and held within five standard
deviations. A column with gaps also yields an indicator of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAVY_TAIL_SKEWNESS = 2.0
_FURTHEST = 5.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Preparation:
    """What was learned of each used column, all arrays of one length.

    positions: where the column stands. log_scale: s, or 0 for a column left as it is. fill: the median, in the scale
    after the logarithm. centre, spread: mean and standard deviation. gap_centre, gap_spread: the same of the indicator,
    spread 0 for a column without gaps (or without anything else).
    """

    positions: NDArray[np.intp]
    log_scale: Floats
    fill: Floats
    centre: Floats
    spread: Floats
    gap_centre: Floats
    gap_spread: Floats

    @property
    def gap_columns(self) -> NDArray[np.intp]:
        """Which of the used columns have an indicator."""
        return np.flatnonzero(self.gap_spread > 0)

    @property
    def owner(self) -> NDArray[np.intp]:
        """Per prepared column, the position of the column it was made from."""
        return np.concatenate([self.positions, self.positions[self.gap_columns]])

    def apply(self, X: Floats) -> Floats:
        """The prepared matrix, (n, used + with gaps), column by column in memory: no gap, centred, scaled."""
        with_gaps = self.gap_columns
        out = np.empty((len(X), len(self.positions) + len(with_gaps)), order="F")
        indicator = dict(zip(with_gaps.tolist(), range(len(self.positions), out.shape[1]), strict=True))
        for column, position in enumerate(self.positions):
            values = X[:, position].copy()
            gaps = np.isnan(values)
            if self.log_scale[column] > 0:
                values = _signed_log(values, self.log_scale[column])
            values[gaps] = self.fill[column]
            values = (values - self.centre[column]) / self.spread[column]
            out[:, column] = np.clip(values, -_FURTHEST, _FURTHEST)
            if column in indicator:
                shown = (gaps - self.gap_centre[column]) / self.gap_spread[column]
                out[:, indicator[column]] = np.clip(shown, -_FURTHEST, _FURTHEST)
        return out

    def to_json(self) -> dict[str, Any]:
        """All numbers as plain lists."""
        return {name: np.asarray(values).tolist() for name, values in vars(self).items()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Preparation:
        """What ``to_json`` wrote."""
        numbers = {name: np.asarray(values, dtype=np.float64) for name, values in tree.items() if name != "positions"}
        return cls(positions=np.asarray(tree["positions"], dtype=np.intp), **numbers)


def fit_preparation(X: Floats, positions: NDArray[np.intp]) -> Preparation:
    """The preparation of the columns at ``positions``; constant and empty columns come out as zeros."""
    learned = np.array([_learn(X[:, position].copy()) for position in positions]).reshape(-1, 6)
    return Preparation(np.asarray(positions, dtype=np.intp), *np.ascontiguousarray(learned.T))


def _learn(values: Floats) -> tuple[float, float, float, float, float, float]:
    gaps = np.isnan(values)
    known = values[~gaps]
    if not len(known):
        return 0.0, 0.0, 0.0, 1.0, 0.0, 0.0
    log_scale = _log_scale(known)
    if log_scale > 0:
        known = _signed_log(known, log_scale)
    fill = float(np.median(known))
    centre = float((known.sum() + gaps.sum() * fill) / len(values))
    spread = float(np.sqrt((((known - centre) ** 2).sum() + gaps.sum() * (fill - centre) ** 2) / len(values)))
    share = float(gaps.mean())
    constant = known.min() == known.max() or spread <= 1e-12 * abs(centre)
    return log_scale, fill, centre, 1.0 if constant else spread, share, float(np.sqrt(share * (1 - share)))


def _log_scale(known: Floats) -> float:
    """The median size of the non-zero values where the column is heavy-tailed, else 0."""
    size = np.abs(known)
    largest = size.max()
    if largest == 0 or known.min() == known.max():
        return 0.0
    scaled = known / largest
    deviation = scaled - scaled.mean()
    squared = deviation * deviation
    variance = float(squared.mean())
    if variance == 0 or abs(float((squared * deviation).mean())) <= HEAVY_TAIL_SKEWNESS * variance**1.5:
        return 0.0
    # A rare yes/no column is skewed as well, and no logarithm would change that.
    if ((known == known.min()) | (known == known.max())).all():
        return 0.0
    return float(np.median(size[size > 0]))


def _signed_log(values: Floats, scale: float) -> Floats:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values) / scale))
