"""The blend: the weighted mean of several models' log odds, from predictions that they have made already.

What three columns say by theory, what a few say plainly and what all of them say together err differently; their mean errs
less than any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from kizuna.models.churn.calibration import probability
from kizuna.models.churn.ladder import Rung, Trial, best_of, log_loss
from kizuna.models.churn.task import MarginModel, Setting, TaughtRows
from kizuna.models.learners.splits import Split

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
    """The blend of tried rungs at their best settings, with non-negative weights from out of fold.

    The weights that ship come from all tests. A test's own margins are blended by what was known on its day: the tests
    of ``calibrated_by``, or even weights where there are none.
    """
    everything = range(len(splits))
    weights = _weights(parts, y, splits, everything)
    counting = [weight > 0 for weight in weights]
    own = {trial.rung.name: trial.setting for trial in parts}

    def fit(rows: TaughtRows, settings: Sequence[Setting]) -> Sequence[MarginModel]:
        models = tuple(trial.rung.fit(rows, [trial.setting])[0] for trial in compress(parts, counting))
        return [BlendModel(models, tuple(compress(weights, counting))) for _ in settings]

    def blended(number: int, by: Sequence[float]) -> Floats:
        return _mean(by, [trial.margins[number] for trial in parts])

    rung = Rung("blend", ({"weights": list(weights), **own},), fit)
    shipped = best_of(rung, [[blended(number, weights) for number in everything]], y, splits)
    by_then = [_weights(parts, y, splits, split.calibrated_by) for split in splits]
    return replace(shipped, margins=tuple(blended(number, by_then[number]) for number in everything))


def _mean(weights: Sequence[float], parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))


def _weights(parts: Sequence[Trial], y: Floats, splits: Sequence[Split], numbers: Sequence[int]) -> tuple[float, ...]:
    """Weights of the lowest log loss over the tests of these numbers; even ones without a test.

    They are held to even weights, the harder the fewer the rows of a test. The loss is convex in them, so that there is
    one answer. Hundredths are kept.
    """
    from scipy.optimize import minimize

    even = np.full(len(parts), 1 / len(parts))
    if not numbers:
        return tuple(even.tolist())
    told = np.stack([np.concatenate([trial.margins[number] for number in numbers]) for trial in parts])
    churned = np.concatenate([y[splits[number].test] for number in numbers])
    hold = _HELD_TO_EVEN * len(numbers) / len(churned)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin, away = weights @ told, weights - even
        missed = probability(margin) - churned
        return log_loss(churned, margin) + hold * float(away @ away), told @ missed / len(churned) + 2 * hold * away

    together = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
    found = minimize(loss, even, jac=True, method="SLSQP", bounds=[(0, 1)] * len(parts), constraints=[together])
    hundredths = np.round(np.maximum(found.x, 0), 2) if found.success else even
    return tuple((hundredths / hundredths.sum()).tolist())
