"""The shifted-beta-geometric model: how long contracts are renewed, and how much longer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from kizuna.errors import ContractError
from kizuna.models.btyd.estimate import Estimate, make_estimate
from kizuna.models.btyd.histories import check_rows, collapse, read_columns, read_weights
from kizuna.models.btyd.maximum import Edge, Surface, find_maximum
from kizuna.models.btyd.renewals import discounted_renewals

# The coordinates: the log odds of the mean probability to be lost, alpha / (alpha + beta), and log(alpha + beta).
_LOW = np.array([-16.0, np.log(1e-3)])
_HIGH = np.array([16.0, np.log(1e4)])
_EDGES = (
    Edge(0, -16.0, ("alpha", "beta"), "No contract is ever lost: the data hold too few losses to say when.", {1: 0.0}),
    Edge(0, 16.0, ("alpha", "beta"), "Every contract is lost at its first renewal.", {1: 0.0}),
    Edge(1, np.log(1e4), ("alpha", "beta"), "Customers do not differ: the retention rate stays the same over time."),
    Edge(1, np.log(1e-3), ("alpha", "beta"), "Contracts are lost at the first renewal or never."),
)

Floats = NDArray[np.float64]


class ShiftedBetaGeometric(BaseEstimator):  # type: ignore[misc]
    """Shifted-beta-geometric model of contracts. Fader & Hardie (2007), "How to project customer retention".

    At each renewal a customer is lost with a probability of his own, drawn from Beta(alpha, beta). After ``fit``:
    ``params_`` (alpha, beta), ``log_likelihood_``, ``standard_errors_``, ``at_boundary_``, ``warnings_``, ``customers_``.
    """

    def fit(self, periods: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """The model of highest likelihood; columns (n,).

        periods: renewals survived so far, 0 for a contract in its first period. churned: 1 where the next renewal was
        refused, 0 where it has not come yet. weights: customers per row (None: 1 each). ValueError for impossible rows,
        ContractError where no renewal has come up yet.
        """
        survived, lost = read_columns({"periods": periods, "churned": churned})
        _check_whole(survived)
        check_rows("neither 0 nor 1 in churned", (lost != 0) & (lost != 1), {"churned": lost}, "1 means lost.")
        given = read_weights(weights, len(survived))
        (survived, lost), weight = collapse([survived, lost], given)
        if not weight.size:
            raise ValueError(
                "ShiftedBetaGeometric is fitted to at least one customer; found none. Give contracts to learn from."
            )
        if not (survived.any() or lost.any()):
            raise ContractError(
                f"ShiftedBetaGeometric needs contracts that came up for renewal; found {weight.sum():,.0f} customers in "
                "their first period. Wait for the first renewals."
            )
        surface = _surface(survived, lost, weight)
        starts = [np.array([odds, spread]) for odds in (-2.0, 0.0) for spread in (0.0, 2.0)]
        maximum = find_maximum(surface, starts, _EDGES, surface)
        alpha, beta = (float(value) for value in _letters(maximum.point))
        params = {"alpha": alpha, "beta": beta}
        jacobian = _jacobian(maximum.point)
        self._take(make_estimate(maximum, params, jacobian, maximum.log_likelihood), float(weight.sum()))
        return self

    def _take(self, estimate: Estimate, customers: float) -> None:
        self.params_ = estimate.params
        self.log_likelihood_ = estimate.log_likelihood
        self.standard_errors_ = estimate.standard_errors
        self.at_boundary_ = estimate.at_boundary
        self.warnings_ = estimate.warnings
        self.customers_ = customers
        self._estimate = estimate

    def survival(self, periods: ArrayLike) -> Floats:
        """Share of new customers that survive so many renewals, (n,): B(alpha, beta + t) / B(alpha, beta), 1 at 0."""
        from scipy.special import gammaln

        alpha, beta, t = *self._known(), _read_periods(periods)
        # The ratio of gamma functions from the larger of both pairs, for the digits.
        return np.asarray(np.exp(gammaln(beta + t) - gammaln(alpha + beta + t) + gammaln(alpha + beta) - gammaln(beta)))

    def retention(self, periods: ArrayLike) -> Floats:
        """Share of those before the t-th renewal who survive it, (n,): (beta + t − 1) / (alpha + beta + t − 1); 1 at 0."""
        alpha, beta, t = *self._known(), _read_periods(periods)
        return np.where(t > 0, (beta + t - 1) / (alpha + beta + t - 1), 1.0)

    def expected_residual_lifetime(self, periods: ArrayLike, discount: float = 0.0) -> Floats:
        """Discounted expected renewals to come of customers who survived so many, (n,), just before the next is due.

        The next renewal counts in full, the one after it 1 / (1 + discount), and so on: the paper's DERL. discount: per
        period, 0 or more. Without it the sum is (beta + k) / (alpha − 1), infinite where alpha ≤ 1.
        Fader & Hardie (2010), "Customer-base valuation in a contractual setting", equation 6.
        """
        alpha, beta, k = *self._known(), _read_periods(periods)
        if not (np.isfinite(discount) and discount >= 0):
            raise ValueError(
                f"A discount of {discount} was asked for. Give a rate per period of 0 or more, such as 0.1."
            )
        if discount == 0:
            return (beta + k) / (alpha - 1) if alpha > 1 else np.full(k.shape, np.inf)
        return discounted_renewals(alpha, beta, k, discount)

    def expected_lifetime(self, discount: float = 0.0) -> float:
        """Discounted expected periods of a new customer, the first in full: the paper's DEL."""
        return 1 + float(self.expected_residual_lifetime(0, discount)[0]) / (1 + discount)

    def _known(self) -> tuple[float, float]:
        check_is_fitted(self, "params_")
        return self.params_["alpha"], self.params_["beta"]

    def to_json(self) -> dict[str, Any]:
        """The fitted model as plain JSON."""
        check_is_fitted(self, "params_")
        return {"model": "ShiftedBetaGeometric", "customers": self.customers_, **self._estimate.to_json()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        """The model that ``to_json`` wrote."""
        if tree["model"] != "ShiftedBetaGeometric":
            raise ValueError(
                f"A ShiftedBetaGeometric was asked for; the tree holds a {tree['model']}. Read it as that."
            )
        model = cls()
        model._take(Estimate.from_json(tree), float(tree["customers"]))
        return model


def _read_periods(periods: ArrayLike) -> Floats:
    (read,) = read_columns({"periods": np.atleast_1d(np.asarray(periods, dtype=np.float64))})
    _check_whole(read)
    return read


def _check_whole(periods: Floats) -> None:
    whole = {"periods": periods}
    check_rows("periods that are not whole", periods != np.floor(periods), whole, "Count the renewals survived.")


def _surface(survived: Floats, lost: Floats, weight: Floats) -> Surface:
    """The log-likelihood as a sum over renewals: those who survived the j-th, and those who were lost at it."""
    renewals = np.arange(survived.max() + 1)
    size = len(renewals)
    ends = np.bincount(survived.astype(np.intp), weights=weight, minlength=size)
    # beyond[j]: survived more than j renewals. lost_at[j]: survived j and no more.
    beyond = ends[::-1].cumsum()[::-1] - ends
    lost_at = np.bincount(survived.astype(np.intp), weights=weight * lost, minlength=size)

    def slope(point: Floats) -> tuple[float, Floats]:
        alpha, beta = _letters(point)
        total = alpha + beta + renewals
        due = beyond + lost_at
        value = float(beyond @ np.log((beta + renewals) / total) + lost_at @ np.log(alpha / total))
        by_alpha = lost_at.sum() - alpha * float(np.sum(due / total))
        by_beta = beta * float(np.sum(beyond / (beta + renewals) - due / total))
        return value, np.array([by_alpha, by_beta]) @ _jacobian(point)

    return Surface(slope, _LOW, _HIGH, float(weight.sum()))


def _letters(point: Floats) -> Floats:
    """alpha and beta at a point, (2,)."""
    share = 1 / (1 + np.exp([-point[0], point[0]]))
    return np.asarray(np.exp(point[1]) * share)


def _jacobian(point: Floats) -> Floats:
    """Derivatives of log alpha and log beta by the coordinates, (2, 2)."""
    leave, stay = 1 / (1 + np.exp([-point[0], point[0]]))
    return np.array([[stay, 1.0], [-leave, 1.0]])
