"""The same weeks of earlier years: what is believed to come again with the season, for churn and for value alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Whole weeks, so that weekdays match; snapshots usually stand four weeks apart.
_YEARS_DAYS = (364, 728)
# A day counts the less the further it is from there, and beyond this not at all: a week's step never makes a level jump.
_NEAR_DAYS = 42


def nearness(as_of: int, days: ArrayLike) -> NDArray[np.float64]:
    """How much each of these days tells of ``as_of``: 1 one or two years before, down to 0 six weeks from there, (n,)."""
    back = as_of - np.asarray(days, dtype=np.int64)
    away = np.min([np.abs(back - years) for years in _YEARS_DAYS], axis=0)
    return np.asarray(np.maximum(1 - away / _NEAR_DAYS, 0.0))
