"""A model that is told what the buy-till-you-die model says, as one column more.

Theory knows how silence, number of orders and tenure belong together, which trees learn slowly and a regression not at
all; the other columns know what theory does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.models.churn.silence import SilenceModel
from kizuna.models.churn.task import MarginModel
from kizuna.models.learners.trees import TreeModel, staged_margins

# So many rows are copied at a time.
_ROWS_AT_ONCE = 65_536

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WithSilence:
    """``inner`` reads the columns at ``positions`` (None: all), then the log odds of ``silence``."""

    inner: MarginModel
    silence: SilenceModel
    positions: tuple[int, ...] | None

    def margin(self, X: Floats) -> Floats:
        """Log odds, (n,)."""
        parts = [self.inner.margin(self.told(some)) for some in _pieces(X)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def contributions(self, X: Floats) -> Floats:
        """Additive parts of the log odds, (n, features + 1), the bias last.

        The part of the added column goes to the three columns that it is made of: to those that move it in the
        direction of that part, by how much each moves it (all three, where none does).
        """
        read = np.arange(X.shape[1]) if self.positions is None else np.asarray(self.positions)
        made_of = list(self.silence.positions)
        out = np.zeros((len(X), X.shape[1] + 1))
        done = 0
        for some in _pieces(X):
            here = slice(done, done + len(some))
            parts = self.inner.contributions(self.told(some))
            out[here, read] = parts[:, :-2]
            out[here, -1] = parts[:, -1]
            out[here, made_of] += _shared(parts[:, -2], self.silence.contributions(some)[:, made_of])
            done += len(some)
        return out

    def told(self, X: Floats) -> Floats:
        """What ``inner`` reads: the columns and the added one, (n, columns + 1)."""
        read = X if self.positions is None else X[:, list(self.positions)]
        return np.column_stack([read, self.silence.margin(X)])


def margins_of(models: Sequence[MarginModel], X: Floats) -> list[Floats]:
    """What each of several models says, (n,) each; those that share their trees run them once."""
    first = models[0]
    inner = [model.inner if isinstance(model, WithSilence) else model for model in models]
    trees = [model for model in inner if isinstance(model, TreeModel)]
    if len(trees) < 2 or len(trees) < len(models) or any(model.booster is not trees[0].booster for model in trees):
        return [model.margin(X) for model in models]
    if not isinstance(first, WithSilence):
        return staged_margins(trees, X)
    parts = [staged_margins(trees, first.told(some)) for some in _pieces(X)]
    return [np.concatenate(of_model) for of_model in zip(*parts, strict=True)] if parts else [np.zeros(0)] * len(models)


def _pieces(X: Floats) -> Iterator[Floats]:
    return (X[start : start + _ROWS_AT_ONCE] for start in range(0, len(X), _ROWS_AT_ONCE))


def _shared(part: Floats, moves: Floats) -> Floats:
    """``part`` (n,) split by ``moves`` (n, 3) of its sign, (n, 3)."""
    agreeing = np.maximum(moves * np.sign(part)[:, None], 0.0)
    agreeing[agreeing.sum(axis=1) == 0] = 1.0
    return np.asarray(part[:, None] * agreeing / agreeing.sum(axis=1, keepdims=True))
