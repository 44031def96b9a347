"""The blend: the weighted mean of logistic's and lightgbm's log odds, from predictions that both have made already.

What a few columns say plainly and what all of them say together err differently; their mean errs less than either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.models.ladder import MarginModel, Rung, Setting, Trial, best_of
from kizuna.models.splits import Split

# The weight of lightgbm, the even one first: the others must earn their place.
WEIGHTS = (0.5, 0.25, 0.75)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlendModel:
    """The weighted mean of the log odds of its parts; weights sum to 1."""

    parts: tuple[MarginModel, ...]
    weights: tuple[float, ...]

    def margin(self, X: Floats) -> Floats:
        """Log odds, (n,)."""
        return np.asarray(sum(w * part.margin(X) for w, part in zip(self.weights, self.parts, strict=True)))

    def contributions(self, X: Floats) -> Floats:
        """The weighted mean of the parts' contributions, (n, features + 1), the bias last."""
        return np.asarray(sum(w * part.contributions(X) for w, part in zip(self.weights, self.parts, strict=True)))


def blend_trial(linear: Trial, trees: Trial, y: Floats, splits: Sequence[Split]) -> Trial:
    """The blend of two tried rungs at their best settings, with the weight of the lowest log loss out of fold."""
    settings = tuple({"weight": weight, "logistic": linear.setting, "lightgbm": trees.setting} for weight in WEIGHTS)

    def fit(X: Floats, y: Floats, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        (first,) = linear.rung.fit(X, y, [linear.setting])
        (second,) = trees.rung.fit(X, y, [trees.setting])
        return [BlendModel((first, second), (1 - s["weight"], s["weight"])) for s in settings]

    margins = [
        [(1 - weight) * first + weight * second for first, second in zip(linear.margins, trees.margins, strict=True)]
        for weight in WEIGHTS
    ]
    return best_of(Rung("blend", settings, fit), margins, y, splits)
