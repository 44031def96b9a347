"""Value by buy-till-you-die alone: expected orders times expected money an order, given what is known of the label window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kizuna.models.value.conditional import ENOUGH_ROWS
from kizuna.models.value.rhythm import RhythmModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RhythmValue:
    """Expected money given an order in the label window (active), given none (silent), or whatever happens in it (either).

    ``level``: what puts the total of the training rows right.
    """

    rhythm: RhythmModel
    given: Literal["active", "silent", "either"]
    level: float = 1.0

    def predict(self, X: Floats) -> Floats:
        """Expected value over the value window, (n,), at least 0, in the unit of the training values."""
        orders = {
            "active": self.rhythm.expected_orders_if_active,
            "silent": self.rhythm.expected_orders_if_silent,
            "either": self.rhythm.expected_orders,
        }
        return self.level * orders[self.given](X) * self.rhythm.order_value(X)

    def levelled(self, X: Floats, value: Floats) -> RhythmValue:
        """The same model, the total of these rows right."""
        return replace(self, level=self.level * _ratio(float(value.sum()), float(self.predict(X).sum())))


def rhythm_value(rhythm: RhythmModel, outcome: int, churn_is_silence: bool) -> RhythmValue:
    """The model of one outcome, 0 kept or 1 churned, its level not yet learned.

    A contract that goes on, or an outcome that somebody else provides, says nothing certain of orders.
    """
    if not churn_is_silence:
        return RhythmValue(rhythm, "either")
    return RhythmValue(rhythm, "silent" if outcome else "active")


def fit_rhythm_values(
    X: Floats, value: Floats, lost: Floats, models: tuple[RhythmValue, RhythmValue]
) -> tuple[RhythmValue, RhythmValue]:
    """The models of who stays and of who leaves, with their levels.

    X: (n, columns that the models read). value: net of returns. lost: 1 who left, else 0. Each total of the training rows
    comes out right; where fewer than 20 rows of a kind hold money, both kinds share one level.
    """
    kept, churned = models
    stayed, left = lost == 0, lost == 1
    shared = _ratio(float(value.sum()), float(kept.predict(X[stayed]).sum() + churned.predict(X[left]).sum()))

    def levelled(model: RhythmValue, rows: NDArray[np.bool_]) -> RhythmValue:
        enough = (value[rows] > 0).sum() >= ENOUGH_ROWS
        return model.levelled(X[rows], value[rows]) if enough else replace(model, level=shared)

    return levelled(kept, stayed), levelled(churned, left)


def _ratio(found: float, said: float) -> float:
    return max(found, 0.0) / said if said > 0 else 0.0
