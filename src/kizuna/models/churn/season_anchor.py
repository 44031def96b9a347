"""The season's anchor: log odds by which a day's probabilities are moved, after what the same weeks of a year before needed.

It goes with the day that is scored, never with the model: in another season another shift is due, and once nothing is
known of the year before there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.churn.calibration import probability

_YEAR_DAYS = 365
# A past day's weight falls in a straight line to 0 this far from the same day of the year before, so that a week's step
# never makes the shift jump.
_SAME_SEASON_DAYS = 60
_SHRUNK = 0.5
_MARGIN = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeasonAnchor:
    """What past days needed: ``needed`` holds (day, log odds) pairs, known ``window_days`` after their day."""

    needed: tuple[tuple[int, float], ...] = ()
    window_days: int = 0

    def shift(self, as_of: int) -> float:
        """Log odds to add on this day: half the weighted mean of what was needed a year before; 0 where nothing is known.

        Only days whose outcomes were known by then count. Weights that sum to less than 1 stay as small as they are.
        """
        total, weights = 0.0, 0.0
        for day, log_odds in self.needed:
            weight = 1 - abs(as_of - _YEAR_DAYS - day) / _SAME_SEASON_DAYS
            if weight > 0 and day + self.window_days <= as_of:
                total, weights = total + weight * log_odds, weights + weight
        return _SHRUNK * total / max(weights, 1.0)

    def moved(self, p: Floats, as_of: int) -> Floats:
        """The probabilities of one day with its shift, NaN kept; ``p`` itself where there is none."""
        return shifted(p, self.shift(as_of))

    def to_json(self) -> dict[str, Any]:
        """The anchor as plain JSON."""
        return {"needed": [list(pair) for pair in self.needed], "window_days": self.window_days}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> SeasonAnchor:
        """The anchor that ``to_json`` wrote."""
        return cls(tuple((int(day), float(odds)) for day, odds in tree["needed"]), int(tree["window_days"]))


def shifted(p: Floats, log_odds: float) -> Floats:
    """Probabilities moved by so many log odds, NaN kept; ``p`` itself for 0."""
    if log_odds == 0:
        return p
    known, out = ~np.isnan(p), p.copy()
    inside = np.clip(p[known], _MARGIN, 1 - _MARGIN)
    out[known] = probability(np.log(inside / (1 - inside)) + log_odds)
    return out
