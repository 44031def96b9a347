"""The gamma-gamma model: what a customer's purchases are worth on average, shrunk towards everybody's."""

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

# The coordinates: log p, log q, log(p v / q). The last is near the mean of a purchase, and money is measured in means.
_LOW = np.array([np.log(1e-4), np.log(1e-2), -14.0])
_HIGH = np.array([np.log(1e4), np.log(1e4), 14.0])
_SPREADS = ((1.0, 2.0), (5.0, 3.0), (0.3, 10.0), (50.0, 1.2))
_ENOUGH_TO_BEGIN = 5_000

_EDGES = (
    Edge(1, np.log(1e4), ("q", "v"), "Customers do not differ in what their purchases are worth on average."),
    Edge(0, np.log(1e4), ("p", "v"), "Each customer's purchases are all worth the same: p is as large as it may be."),
    Edge(0, np.log(1e-4), ("p", "v"), "Purchases vary without end: p is as small as it may be."),
    Edge(1, np.log(1e-2), ("q", "v"), "Customers differ without end: q is as small as it may be."),
)

Floats = NDArray[np.float64]


class GammaGamma(BaseEstimator):  # type: ignore[misc]
    """Gamma-gamma model of purchase values. Fader & Hardie (2013), "The gamma-gamma model of monetary value".

    A purchase is Gamma(p, rate), the rate of a customer Gamma(q, v); how much one buys says nothing about how often.
    After ``fit``: ``params_`` (p, q, v), ``log_likelihood_``, ``standard_errors_``, ``at_boundary_``, ``warnings_``,
    ``population_mean_`` (p v / (q − 1), or, where that is infinite, the mean over the customers of ``fit``), ``customers_``.
    """

    def fit(self, frequency: ArrayLike, mean_value: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """The model of highest likelihood among customers with frequency above 0; columns (n,).

        frequency: transactions that ``mean_value`` is the mean of. By the papers' convention both count repeat
        transactions only, without the first purchase. mean_value: above 0 where frequency is, unread elsewhere; its
        currency becomes that of ``v``. ValueError for impossible rows, ContractError without a single transaction.
        """
        x, mean = _read(frequency, mean_value)
        weight = read_weights(weights, len(x))
        if not len(x):
            raise ValueError("GammaGamma is fitted to at least one customer; found none. Give values to learn from.")
        bought = x > 0
        worthless = bought & (mean <= 0)
        shown = {"frequency": x, "mean_value": mean}
        check_rows("transactions, but no mean value above 0", worthless, shown, "Leave free orders and returns out.")
        (x, mean), weight = collapse([x[bought], mean[bought]], weight[bought])
        if not weight.size:
            raise ContractError(
                f"GammaGamma needs customers with repeat transactions; found none among {len(bought):,} customers. "
                "Wait for repeat transactions, or use a longer history."
            )
        # Money is measured in means, so that the currency does not matter.
        observed = float(weight @ mean / weight.sum())
        mean = mean / observed
        part = slice(None, None, max(1, len(x) // _ENOUGH_TO_BEGIN))
        starts = [np.array([np.log(p), np.log(q), np.log(max(q - 1, 0.2) / q)]) for p, q in _SPREADS]
        surface, rough = _surface(x, mean, weight), _surface(x[part], mean[part], weight[part])
        maximum = find_maximum(surface, starts, _EDGES, rough)
        p, q, v = (float(value) for value in np.exp(_JACOBIAN @ maximum.point))
        params = {"p": p, "q": q, "v": v * observed}
        value = maximum.log_likelihood - float(weight.sum()) * np.log(observed)
        self._take(make_estimate(maximum, params, _JACOBIAN, value), float(weight.sum()), observed)
        return self

    def _take(self, estimate: Estimate, customers: float, observed: float) -> None:
        self.params_ = estimate.params
        self.log_likelihood_ = estimate.log_likelihood
        self.standard_errors_ = estimate.standard_errors
        self.at_boundary_ = estimate.at_boundary
        self.warnings_ = estimate.warnings
        self.customers_ = customers
        self._estimate, self._observed = estimate, observed
        p, q, v = self.params_.values()
        self.population_mean_ = p * v / (q - 1) if q > 1 else observed
        if q <= 1:
            self.warnings_ += (
                f"The population mean is infinite (q = {q:.3g} is not above 1): a few customers hold most of the money. "
                f"The mean over the customers, {observed:.6g}, stands in for it.",
            )

    def expected_value(self, frequency: ArrayLike, mean_value: ArrayLike) -> Floats:
        """Expected value of the customer's transactions to come, each, (n,): p (v + x · mean) / (p x + q − 1).

        frequency 0 gives ``population_mean_``, whatever ``mean_value`` says, a gap included. Where q ≤ 1 leaves this mean
        infinite for a customer (p x + q ≤ 1), it is the customer's own mean so far.
        """
        check_is_fitted(self, "params_")
        p, q, v = self.params_.values()
        x, mean = _read(frequency, mean_value)
        divisor = p * x + q - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = np.where(divisor > 0, p * (v + x * mean) / divisor, mean)
        return np.where(x > 0, expected, self.population_mean_)

    def to_json(self) -> dict[str, Any]:
        """The fitted model as plain JSON."""
        check_is_fitted(self, "params_")
        head = {"model": "GammaGamma", "customers": self.customers_, "observed_mean": self._observed}
        return {**head, **self._estimate.to_json()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        """The model that ``to_json`` wrote."""
        if tree["model"] != "GammaGamma":
            raise ValueError(f"A GammaGamma was asked for; the tree holds a {tree['model']}. Read it as that.")
        model = cls()
        model._take(Estimate.from_json(tree), float(tree["customers"]), float(tree["observed_mean"]))
        return model


# Derivatives of log p, log q, log v by the coordinates.
_JACOBIAN = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 1, 1]])


def _read(frequency: ArrayLike, mean_value: ArrayLike) -> tuple[Floats, Floats]:
    """Checked columns; the mean value of a customer without transactions becomes 0."""
    values = np.asarray(mean_value, dtype=np.float64)
    counts = np.asarray(frequency, dtype=np.float64)
    if values.shape == counts.shape:
        values = np.where(counts == 0, 0.0, values)
    x, mean = read_columns({"frequency": counts, "mean_value": values})
    whole = {"frequency": x}
    check_rows("a frequency that is not a whole number", x != np.floor(x), whole, "Count transactions.")
    return x, mean


def _surface(x: Floats, mean: Floats, weight: Floats) -> Surface:
    """The log-likelihood (equation 1a) with what depends on x alone summed over equal x."""
    counts, which = np.unique(x, return_inverse=True)
    by_count = np.bincount(which, weights=weight)
    logs = np.bincount(which, weights=weight * np.log(x * mean))
    base = float(-(weight @ np.log(mean)))
    spent = x * mean

    def slope(point: Floats) -> tuple[float, Floats]:
        from scipy.special import digamma, gammaln

        p, q, v = np.exp(_JACOBIAN @ point)
        size = p * counts
        total = np.log1p(spent / v)
        sum_total = np.bincount(which, weights=weight * total)
        sum_share = np.bincount(which, weights=weight * spent / (spent + v))
        pieces = by_count * (gammaln(size + q) - gammaln(size) - gammaln(q) - size * np.log(v))
        value = base + float(np.sum(pieces + size * logs - (size + q) * sum_total))
        by_p = size * (by_count * (digamma(size + q) - digamma(size) - np.log(v)) + logs - sum_total)
        by_q = q * (by_count * (digamma(size + q) - digamma(q)) - sum_total)
        by_v = -size * by_count + (size + q) * sum_share
        return value, np.array([by_p.sum(), by_q.sum(), by_v.sum()]) @ _JACOBIAN

    return Surface(slope, _LOW, _HIGH, float(weight.sum()))
