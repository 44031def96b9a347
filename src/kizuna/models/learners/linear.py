"""Regularised logistic regression on prepared columns: the model that small and noisy shops want."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.learners.preparation import Preparation, fit_preparation

# Inverse strengths of the L2 penalty (scikit-learn's C), the strongest penalty first. Snapshots repeat customers, so
# rows are worth less than they count, and strong penalties win more often than the usual C = 1.
PENALTIES = (0.003, 0.03, 0.3)

# More than this teaches a regression nothing that an even selection of the rows does not.
_MOST_ROWS = 100_000
_MOST_CELLS = 4_000_000
_PURCHASE_COLUMN = re.compile(
    r"(days_since_order|usual_gap_days|gap_cv|overdue_ratio|is_one_time|tenure_days|order_value"
    r"|(orders|revenue)(_change)?(_\d+d)?)"
)
RFM_COLUMNS = ("days_since_order", "orders", "revenue")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Log odds that are linear in the prepared columns. ``usual``: the training mean of each prepared column."""

    n_features: int
    preparation: Preparation
    weights: Floats
    usual: Floats
    intercept: float

    def margin(self, X: Floats) -> Floats:
        """Log odds, (n,), summed column by column, so that a row's does not depend on the rows beside it."""
        total = np.full(len(X), self.intercept)
        for values, weight in zip(self.preparation.apply(X).T, self.weights, strict=True):
            total += values * weight
        return total

    def contributions(self, X: Floats) -> Floats:
        """Weight times distance from the training mean, summed by feature, (n, features + 1), the bias last."""
        parts = (self.preparation.apply(X) - self.usual) * self.weights
        out = np.zeros((len(X), self.n_features + 1))
        for column, owner in enumerate(self.preparation.owner):
            out[:, owner] += parts[:, column]
        out[:, -1] = self.intercept + self.usual @ self.weights
        return out

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return {
            "n_features": self.n_features,
            "preparation": self.preparation.to_json(),
            "weights": self.weights.tolist(),
            "usual": self.usual.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> LinearModel:
        """The model that ``to_json`` wrote."""
        return cls(
            int(tree["n_features"]),
            Preparation.from_json(tree["preparation"]),
            np.asarray(tree["weights"], dtype=np.float64),
            np.asarray(tree["usual"], dtype=np.float64),
            float(tree["intercept"]),
        )


def purchase_positions(names: Sequence[str]) -> list[int]:
    """Where the RFM-type columns stand: recency, frequency and revenue windows, tenure, gaps, overdue ratio."""
    return [position for position, name in enumerate(names) if _PURCHASE_COLUMN.fullmatch(name)]


def rfm_positions(names: Sequence[str]) -> list[int]:
    """Where recency, frequency and money stand, the three that are hardest to beat on small shops; empty if one is missing."""
    return [names.index(name) for name in RFM_COLUMNS] if set(RFM_COLUMNS) <= set(names) else []


def thinned(rows: int, columns: int) -> slice:
    """The rows that teach a regression: evenly spaced ones, about 100,000 and four million cells of them at most."""
    return slice(None, None, max(1, rows // _MOST_ROWS, rows * columns // _MOST_CELLS))


def fit_linear(
    X: Floats, y: Floats, positions: Sequence[int] | None = None, penalties: Sequence[float] = PENALTIES
) -> list[LinearModel]:
    """One model per penalty, which must come strongest first, since each starts from the one before.

    X: (n, features) with gaps as NaN. y: 0/1. positions: the columns to use (None: all). Where y holds one class there
    is nothing to learn, and the models say (ones + 1/2) / (n + 1) to everybody. Of millions of rows, evenly spaced ones
    teach.
    """
    from sklearn.linear_model import LogisticRegression

    used = np.arange(X.shape[1]) if positions is None else np.asarray(positions)
    some = thinned(len(X), max(1, len(used)))
    X, y = X[some], y[some]
    preparation = fit_preparation(X, used.astype(np.intp))
    prepared = preparation.apply(X)
    usual = prepared.mean(axis=0)
    share = (y.sum() + 0.5) / (len(y) + 1)
    if y.min() == y.max() or not prepared.shape[1]:
        flat = np.zeros(prepared.shape[1])
        return [
            LinearModel(X.shape[1], preparation, flat, usual, float(np.log(share / (1 - share)))) for _ in penalties
        ]
    solver = LogisticRegression(solver="newton-cholesky", tol=1e-6, max_iter=200, warm_start=True)
    models = []
    for penalty in penalties:
        solver.set_params(C=penalty).fit(prepared, y)
        weights, intercept = solver.coef_[0].copy(), float(solver.intercept_[0])
        models.append(LinearModel(X.shape[1], preparation, weights, usual, intercept))
    return models
