"""The blend: the weighted mean of several models' log odds, from predictions that they have made already.

What three columns say by theory, what a few say plainly and what all of them say together err differently; their mean errs
less than any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from kizuna.models.ladder import Rung, Trial, best_of, log_loss
from kizuna.models.splits import Split
from kizuna.models.task import MarginModel, Setting, TaughtRows

# How much log loss, times the rows of a test, it must gain to move all weight from even to one model (about).
_HELD_TO_EVEN = 20.0

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
    """The blend of tried rungs at their best settings, with non-negative weights from out of fold."""
    weights = _weights(parts, y, splits)
    own = {trial.rung.name: trial.setting for trial in parts}
    counting = [weight > 0 for weight in weights]

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        models = tuple(trial.rung.fit(rows, [trial.setting])[0] for trial in compress(parts, counting))
        return [BlendModel(models, tuple(compress(weights, counting))) for _ in settings]

    margins = [_mean(weights, split) for split in zip(*(trial.margins for trial in parts), strict=True)]
    return best_of(Rung("blend", ({"weights": list(weights), **own},), fit), [margins], y, splits)


def _mean(weights: Sequence[float], parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))


def _weights(parts: Sequence[Trial], y: Floats, splits: Sequence[Split]) -> tuple[float, ...]:
    """Weights of the lowest log loss over all tests, held to even ones: the harder, the fewer the rows of a test.

    The loss is convex in the weights, so that there is one answer. Hundredths are kept; no test, even weights.
    """
    from scipy.optimize import minimize

    even = np.full(len(parts), 1 / len(parts))
    if not splits:
        return tuple(even.tolist())
    told = np.stack([np.concatenate(trial.margins) for trial in parts])
    churned = np.concatenate([y[split.test] for split in splits])
    hold = _HELD_TO_EVEN * len(splits) / len(churned)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin, away = weights @ told, weights - even
        missed = 1 / (1 + np.exp(-margin)) - churned
        return log_loss(churned, margin) + hold * float(away @ away), told @ missed / len(churned) + 2 * hold * away

    together = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
    found = minimize(loss, even, jac=True, method="SLSQP", bounds=[(0, 1)] * len(parts), constraints=[together])
    hundredths = np.round(np.maximum(found.x, 0), 2) if found.success else even
    return tuple((hundredths / hundredths.sum()).tolist())
