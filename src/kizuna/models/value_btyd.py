"""Value by buy-till-you-die alone: expected orders times expected money an order, given the outcome of the label window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kizuna.models.conditional import ENOUGH_ROWS
from kizuna.models.rhythm import RhythmModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RhythmValue:
    """Expected money given an order in the label window, or, where ``churned``, given none.

    ``level``: what puts the total of the training rows right.
    """

    rhythm: RhythmModel
    churned: bool
    level: float = 1.0

    def predict(self, X: Floats) -> Floats:
        """Expected value over the value window, (n,), at least 0, in the unit of the training values."""
        orders = self.rhythm.expected_orders_if_silent(X) if self.churned else self.rhythm.expected_orders_if_active(X)
        return self.level * orders * self.rhythm.order_value(X)

    def levelled(self, X: Floats, value: Floats) -> RhythmValue:
        """The same model, the total of these rows right."""
        return replace(self, level=self.level * _ratio(float(value.sum()), float(self.predict(X).sum())))


def fit_rhythm_values(X: Floats, value: Floats, lost: Floats, rhythm: RhythmModel) -> tuple[RhythmValue, RhythmValue]:
    """The models of who stays and of who leaves.

    X: (n, features). value: net of returns. lost: 1 who left, else 0. Each total of the training rows comes out right;
    where fewer than 20 rows of a kind hold money, both kinds share one level.
    """
    kept, churned = RhythmValue(rhythm, False), RhythmValue(rhythm, True)
    stayed, left = lost == 0, lost == 1
    shared = _ratio(float(value.sum()), float(kept.predict(X[stayed]).sum() + churned.predict(X[left]).sum()))

    def levelled(model: RhythmValue, rows: NDArray[np.bool_]) -> RhythmValue:
        enough = (value[rows] > 0).sum() >= ENOUGH_ROWS
        return model.levelled(X[rows], value[rows]) if enough else replace(model, level=shared)

    return levelled(kept, stayed), levelled(churned, left)


def _ratio(found: float, said: float) -> float:
    return max(found, 0.0) / said if said > 0 else 0.0
