"""The blend: the weighted mean of several models' log odds, from predictions that they have made already.

What three columns say by theory, what a few say plainly and what all of them say together err differently; their mean errs
less than any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.models.ladder import Rung, Trial, best_of
from kizuna.models.splits import Split
from kizuna.models.task import MarginModel, Setting, TaughtRows

# How much more than the others one of the models may count.
_EMPHASIS = 2.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlendModel:
    """The weighted mean of the log odds of its parts; weights sum to 1."""

    parts: tuple[MarginModel, ...]
    weights: tuple[float, ...]

    def margin(self, X: Floats) -> Floats:
        """Log odds, (n,)."""
        return _mean(self.weights, [part.margin(X) for part in self.parts])

    def contributions(self, X: Floats) -> Floats:
        """The weighted mean of the parts' contributions, (n, features + 1), the bias last."""
        return _mean(self.weights, [part.contributions(X) for part in self.parts])


def blend_trial(parts: Sequence[Trial], y: Floats, splits: Sequence[Split]) -> Trial:
    """The blend of tried rungs at their best settings, with the weights of the lowest log loss out of fold.

    Even weights come first; the others, in which one model counts twice, must earn their place.
    """
    choices = _weights(len(parts))
    own = {trial.rung.name: trial.setting for trial in parts}
    settings = tuple({"weights": list(weights), **own} for weights in choices)

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        models = tuple(trial.rung.fit(rows, [trial.setting])[0] for trial in parts)
        return [BlendModel(models, tuple(setting["weights"])) for setting in settings]

    margins = [
        [_mean(weights, split) for split in zip(*(trial.margins for trial in parts), strict=True)]
        for weights in choices
    ]
    return best_of(Rung("blend", settings, fit), margins, y, splits)


def _mean(weights: Sequence[float], parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))


def _weights(count: int) -> list[tuple[float, ...]]:
    """Even weights, then each model in turn emphasised; they sum to 1."""
    even = np.ones(count)
    emphasised = [even + (_EMPHASIS - 1) * (np.arange(count) == one) for one in range(count)]
    return [tuple(float(weight) for weight in weights / weights.sum()) for weights in (even, *emphasised)]
