"""The purchase-rate rule: a probability that nobody has to train, for shops too small for a model.

Orders are taken as a Poisson stream whose rate is (orders + 1/2) / (tenure + 90 days): the Gamma(1/2, 90 days)
posterior mean. The customer churns when the stream is silent for the whole horizon:
p = exp(−horizon · (orders + 1/2) / (tenure_days + 90)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RULE_COLUMNS = ("orders", "tenure_days")

Floats = NDArray[np.float64]


def expected_orders(orders: Floats, tenure_days: Floats, horizon_days: float) -> Floats:
    """How many orders the rule expects within the horizon: horizon · (orders + 1/2) / (tenure_days + 90)."""
    return np.asarray(horizon_days * (np.maximum(orders, 0) + 0.5) / (np.maximum(tenure_days, 0) + 90))


@dataclass(frozen=True)
class RuleModel:
    """The rule, with where its columns stand and the training medians that fill gaps and serve as the reference."""

    n_features: int
    positions: tuple[int, int]
    median: tuple[float, float]
    horizon_days: float

    def margin(self, X: Floats) -> Floats:
        """Log odds of churn, (n,): −log(exp(expected orders) − 1)."""
        orders, tenure = (self._column(X, which) for which in (0, 1))
        return self._log_odds(orders, tenure)

    def contributions(self, X: Floats) -> Floats:
        """Shapley values of the two columns against the training medians, (n, features + 1), the bias last."""
        orders, tenure = (self._column(X, which) for which in (0, 1))
        usual_orders, usual_tenure = (np.full(len(X), value) for value in self.median)
        both, neither = self._log_odds(orders, tenure), self._log_odds(usual_orders, usual_tenure)
        only_orders, only_tenure = self._log_odds(orders, usual_tenure), self._log_odds(usual_orders, tenure)
        out = np.zeros((len(X), self.n_features + 1))
        out[:, self.positions[0]] = ((only_orders - neither) + (both - only_tenure)) / 2
        out[:, self.positions[1]] = ((only_tenure - neither) + (both - only_orders)) / 2
        out[:, -1] = neither
        return out

    def _column(self, X: Floats, which: int) -> Floats:
        values = X[:, self.positions[which]]
        return np.where(np.isnan(values), self.median[which], values)

    def _log_odds(self, orders: Floats, tenure_days: Floats) -> Floats:
        # Beyond 50 expected orders the probability of silence is below 1e-21: kept finite.
        return -np.log(np.expm1(np.minimum(expected_orders(orders, tenure_days, self.horizon_days), 50.0)))


def rule_positions(names: Sequence[str]) -> tuple[int, int] | None:
    """Where the rule's columns, ``orders`` and ``tenure_days``, stand; None where one is missing."""
    names = list(names)
    if not all(column in names for column in RULE_COLUMNS):
        return None
    return names.index(RULE_COLUMNS[0]), names.index(RULE_COLUMNS[1])


def fit_rule(X: Floats, positions: tuple[int, int], horizon_days: float) -> RuleModel:
    """The rule with the medians of the training rows (0 where a column holds nothing)."""
    columns = [X[:, position] for position in positions]
    filled = [column[~np.isnan(column)] for column in columns]
    medians = [float(np.median(column)) if len(column) else 0.0 for column in filled]
    return RuleModel(X.shape[1], positions, (medians[0], medians[1]), float(horizon_days))
