"""Value by regression: a Tweedie model with a log link on recency, frequency, money, tenure, and the customer's rhythm.

Few columns and a smooth form keep the order of customers where trees of many columns lose it: in small shops, and above
and below what was seen in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.models.learners.linear import RFM_COLUMNS

# Their logarithms are read; the rest of the columns as they are.
LOG_COLUMNS = (*RFM_COLUMNS, "tenure_days")

_POWER = 1.5
_PENALTY = 0.01
# Money is measured in hundredths of its median, so that the currency does not matter; days and counts are themselves.
_FINE = 100.0
_FURTHEST = 5.0
_HIGHEST_LOG = 6.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ValueRegression:
    """level · exp(intercept + weights · standardised columns).

    positions: of the columns read. fills: the training median of each, which fills gaps. scales: what a column is divided by
    before log1p, 0 for a column left as it is.
    """

    positions: tuple[int, ...]
    fills: tuple[float, ...]
    scales: tuple[float, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    level: float

    def predict(self, X: Floats) -> Floats:
        """Expected value, (n,), above 0, summed column by column, so that a row's does not depend on the rows beside it."""
        total = np.full(len(X), self.intercept)
        standard = zip(self.centre, self.spread, self.weights, strict=True)
        for column, (centre, spread, weight) in zip(
            _columns(X, self.positions, self.fills, self.scales), standard, strict=True
        ):
            total += weight * _standardised(column, centre, spread)
        return np.asarray(self.level * np.exp(np.minimum(total, _HIGHEST_LOG)))

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> ValueRegression:
        """The model that ``to_json`` wrote."""
        listed = ("fills", "scales", "centre", "spread", "weights")
        numbers = {name: tuple(float(value) for value in tree[name]) for name in listed}
        positions = tuple(int(value) for value in tree["positions"])
        return cls(positions=positions, intercept=float(tree["intercept"]), level=float(tree["level"]), **numbers)


def log_positions(names: Sequence[str]) -> tuple[int, ...] | None:
    """Where the columns stand whose logarithms are read; None where one is missing."""
    names = list(names)
    return tuple(names.index(name) for name in LOG_COLUMNS) if set(LOG_COLUMNS) <= set(names) else None


def fit_value_regression(
    X: Floats, value: Floats, logs: tuple[int, ...], plain: tuple[int, ...], cap: float
) -> ValueRegression:
    """The regression of value on the columns at ``logs`` and ``plain``.

    X: (n, columns), gaps as NaN, which take the median. value: net, with a sum above 0; taught between 0 and ``cap``, and
    the level puts its sum right again.
    """
    from sklearn.linear_model import TweedieRegressor

    target = np.clip(value, 0.0, cap)
    positions = (*logs, *plain)
    fills = tuple(_median(X[:, position]) for position in positions)
    scales = tuple(_scale(X[:, position], name) for position, name in zip(logs, LOG_COLUMNS, strict=True))
    scales += (0.0,) * len(plain)
    columns = _columns(X, positions, fills, scales)
    centre = tuple(float(column.mean()) for column in columns)
    spread = tuple(float(column.std()) or 1.0 for column in columns)
    prepared = np.column_stack([_standardised(*piece) for piece in zip(columns, centre, spread, strict=True)])
    model = TweedieRegressor(power=_POWER, alpha=_PENALTY, link="log", solver="newton-cholesky", max_iter=300)
    model.fit(prepared, target / target.mean())
    weights = tuple(float(weight) for weight in model.coef_)
    shape = ValueRegression(positions, fills, scales, centre, spread, weights, float(model.intercept_), 1.0)
    return replace(shape, level=float(value.sum() / shape.predict(X).sum()))


def _scale(column: Floats, name: str) -> float:
    if name != "revenue":
        return 1.0
    positive = column[column > 0]
    return float(np.median(positive)) / _FINE if len(positive) else 1.0


def _median(column: Floats) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else 0.0


def _columns(X: Floats, positions: Sequence[int], fills: Sequence[float], scales: Sequence[float]) -> list[Floats]:
    filled = [np.where(np.isnan(X[:, at]), fill, X[:, at]) for at, fill in zip(positions, fills, strict=True)]
    return [
        np.log1p(np.maximum(column, 0.0) / scale) if scale > 0 else column
        for column, scale in zip(filled, scales, strict=True)
    ]


def _standardised(column: Floats, centre: float, spread: float) -> Floats:
    return np.clip((column - centre) / spread, -_FURTHEST, _FURTHEST)
