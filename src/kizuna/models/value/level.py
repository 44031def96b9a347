"""Level: how far the model is off as a whole on a day, by what its training snapshots show.

A model that was taught on all seasons says the same of each, and what it missed in the same weeks a year ago it will
miss again by about as much. What it missed on the newest snapshot tells of a shop that grows or shrinks. Either is
believed in part, no snapshot twice, and a level moves little from one week to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizuna.models.same_weeks import nearness

# Measured on 45 cases of eight shops, the future held back: the mean error of the total's logarithm falls from .158 to
# .139 by earlier years and to .129 by both.
_YEARS_BELIEVED = 0.6
_NEWEST_BELIEVED = 0.5
_DOUBT_ROWS = 20
_FURTHEST_LOG = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ValueLevel:
    """Per training snapshot, oldest first: its day, the log of money found over money said, drawn to 0 where few rows hold
    money, and how many do.
    """

    days: tuple[int, ...] = ()
    logs: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()

    def factor(self, as_of: ArrayLike) -> Floats:
        """What expected value is multiplied by on each of these days, in the shape of ``as_of``."""
        asked, which = np.unique(np.asarray(as_of, dtype=np.int64), return_inverse=True)
        factors = np.array([self._factor(int(day)) for day in asked], dtype=np.float64)
        return np.asarray(factors[which].reshape(np.shape(as_of)))

    def _factor(self, as_of: int) -> float:
        if not self.days:
            return 1.0
        near = nearness(as_of, self.days[:-1])
        rows = near * np.array(self.rows[:-1], dtype=np.float64)
        earlier = float(rows @ np.array(self.logs[:-1]) / rows.sum()) if rows.any() else 0.0
        # Where little is near, little is known.
        years = _YEARS_BELIEVED * min(float(near.sum()), 1.0)
        believed = years * earlier + _NEWEST_BELIEVED * self.logs[-1]
        return float(np.exp(believed / max(years + _NEWEST_BELIEVED, 1.0)))

    def to_json(self) -> dict[str, Any]:
        """The level as plain JSON."""
        return {"days": list(self.days), "logs": list(self.logs), "rows": list(self.rows)}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> ValueLevel:
        """The level that ``to_json`` wrote."""
        days, rows = (tuple(int(value) for value in tree[name]) for name in ("days", "rows"))
        return cls(days, tuple(float(value) for value in tree["logs"]), rows)


def fit_level(as_of: NDArray[np.int64], found: Floats, said: Floats) -> ValueLevel:
    """The level of training rows: day, value and expected value of each, all (n,). Snapshots without money say nothing."""
    days, logs, rows = [], [], []
    for day in np.unique(as_of):
        here = as_of == day
        money, expected, positive = float(found[here].sum()), float(said[here].sum()), int((found[here] > 0).sum())
        if money <= 0 or expected <= 0:
            continue
        log = float(np.clip(np.log(money / expected), -_FURTHEST_LOG, _FURTHEST_LOG))
        days.append(int(day))
        logs.append(log * positive / (positive + _DOUBT_ROWS))
        rows.append(positive)
    return ValueLevel(tuple(days), tuple(logs), tuple(rows))
