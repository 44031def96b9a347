"""BG/NBD and MBG/NBD: how often customers buy, and when they have left without a word."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from kizuna.errors import ContractError
from kizuna.models.btyd import purchasing
from kizuna.models.btyd.estimate import Estimate, make_estimate
from kizuna.models.btyd.histories import Histories, collapsed, read_histories, thinned
from kizuna.models.btyd.likelihood import Sums, log_likelihood, make_sums
from kizuna.models.btyd.maximum import Edge, Surface, climb, find_maximum
from kizuna.models.btyd.simulation import SimulatedCustomers, simulate_customers

# The coordinates in which the maximum is sought: log r, log(r / alpha), the log odds of the mean dropout probability
# a / (a + b), log(a + b). Means and spreads hardly depend on each other, as the letters do.
_LOW = np.array([np.log(1e-4), -14.0, -16.0, np.log(1e-3)])
_HIGH = np.array([np.log(1e4), 14.0, 16.0, np.log(1e4)])
_SPREADS = ((0.3, 0.25, 2.0), (1.0, 0.5, 1.0), (3.0, 0.05, 10.0), (0.1, 0.02, 0.5))
_ENOUGH_TO_BEGIN = 5_000
_LETTERS = ("r", "alpha", "a", "b")

_EDGES = (
    Edge(2, -16.0, ("a", "b"), "Nobody ever drops out: the histories fit a model without dropout as well.", {3: 0.0}),
    Edge(2, 16.0, ("a", "b"), "Everybody drops out at the first chance.", {3: 0.0}),
    Edge(3, np.log(1e4), ("a", "b"), "Customers do not differ in how likely they are to drop out after a purchase."),
    Edge(3, np.log(1e-3), ("a", "b"), "Customers drop out at the first chance or never."),
    Edge(0, np.log(1e4), ("r", "alpha"), "Customers do not differ in how often they buy."),
    Edge(0, np.log(1e-4), ("r", "alpha"), "Almost nobody buys again, and the few who do buy without end."),
)

Floats = NDArray[np.float64]


class _BetaGeometric(BaseEstimator):  # type: ignore[misc]
    """What both models share. After ``fit``: ``params_``, ``log_likelihood_``, ``standard_errors_``, ``at_boundary_``,
    ``warnings_``, ``customers_``.
    """

    _first_chance: ClassVar[int]

    def fit(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """The model of highest likelihood; columns (n,) of one unit of time, which becomes that of ``alpha``.

        frequency: repeat purchases. recency: time of the last purchase since the first, 0 without a repeat. age: time
        since the first purchase. weights: customers per row (None: 1 each). ValueError for impossible histories,
        ContractError where nobody came back or nobody was watched for any time.
        """
        rows = collapsed(read_histories(frequency, recency, age, weights))
        self._check_enough(rows)
        # Time is measured in mean ages, so that its unit does not matter.
        scale = float(rows.weight @ rows.age / rows.weight.sum())
        rows = Histories(rows.frequency, rows.recency / scale, rows.age / scale, rows.weight)
        sums = make_sums(rows, self._first_chance)
        rough = make_sums(thinned(rows, _ENOUGH_TO_BEGIN), self._first_chance)
        rate = float(sums.beyond.sum() / (rows.weight @ rows.age))
        starts = [_point(r, rate, dropout, spread) for r, dropout, spread in _SPREADS]
        maximum = find_maximum(_surface(sums), starts, _EDGES, _surface(rough))
        params = _named(maximum.point, scale)
        value = maximum.log_likelihood - float(sums.beyond.sum()) * np.log(scale)
        self._take(make_estimate(maximum, params, _jacobian(maximum.point), value), sums.customers)
        self._rows, self._scale, self._point = rows, scale, maximum.point
        return self

    def _check_enough(self, rows: Histories) -> None:
        name, customers = type(self).__name__, float(rows.weight.sum())
        if not customers:
            raise ValueError(f"{name} is fitted to at least one customer; found none. Give histories to learn from.")
        if not rows.age.any():
            raise ContractError(
                f"{name} needs customers who were watched for some time after their first purchase; "
                f"found {customers:,.0f} customers, all of age 0. Wait, or stand on a later day."
            )
        if not rows.frequency.any():
            raise ContractError(
                f"{name} needs customers who came back; found {customers:,.0f} customers without a repeat purchase. "
                "Wait for repeat purchases, or use a longer history."
            )

    def _take(self, estimate: Estimate, customers: float) -> None:
        self._estimate = estimate
        self.params_ = estimate.params
        self.log_likelihood_ = estimate.log_likelihood
        self.standard_errors_ = estimate.standard_errors
        self.at_boundary_ = estimate.at_boundary
        self.warnings_ = estimate.warnings
        self.customers_ = customers

    def _parameters(self) -> purchasing.Parameters:
        check_is_fitted(self, "params_")
        return purchasing.Parameters(**self.params_, first_chance=self._first_chance)

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """Probability that the customer will ever buy again, (n,). BG/NBD says 1 to all without a repeat purchase."""
        return purchasing.p_alive(self._parameters(), read_histories(frequency, recency, age))

    def probability_of_no_purchase(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, horizon: ArrayLike
    ) -> Floats:
        """Probability of no purchase in the next ``horizon``, (n,). horizon: one for all or one each, in the unit of age."""
        known = self._parameters()
        histories = read_histories(frequency, recency, age)
        return purchasing.probability_of_no_purchase(known, histories, purchasing.read_horizon(horizon, len(histories)))

    def expected_purchases(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, horizon: ArrayLike
    ) -> Floats:
        """Expected number of purchases in the next ``horizon``, (n,), dead customers included.

        Fader, Hardie & Lee (2005), equation 10, and its MBG/NBD counterpart.
        """
        known = self._parameters()
        histories = read_histories(frequency, recency, age)
        return purchasing.expected_purchases(known, histories, purchasing.read_horizon(horizon, len(histories)))

    def next_purchase_quantile(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, share: ArrayLike
    ) -> Floats:
        """Time from now until a purchase has happened with probability ``share``, (n,), in the unit of age.

        Not conditional on being alive: infinite where ``share`` is never reached. share: one for all or one each.
        """
        known = self._parameters()
        histories = read_histories(frequency, recency, age)
        return purchasing.next_purchase_quantile(known, histories, purchasing.read_share(share, len(histories)))

    def next_purchase_survival(
        self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, times: ArrayLike
    ) -> Floats:
        """Probability that the next purchase comes later than each of ``times`` from now, (n, times).

        It falls from 1 towards 1 − P(alive) and is the curve whose inverse is ``next_purchase_quantile``.
        """
        known = self._parameters()
        histories = read_histories(frequency, recency, age)
        moments = purchasing.read_horizon(times, np.size(times))
        columns = [
            purchasing.probability_of_no_purchase(known, histories, np.full(len(histories), moment))
            for moment in moments
        ]
        return np.column_stack(columns) if columns else np.zeros((len(histories), 0))

    def bootstrap(self, draws: int = 200, seed: int = 7) -> dict[str, tuple[float, float]]:
        """95 % intervals of the parameters, (low, high), from refits to customers drawn with replacement.

        Needs the customers of ``fit``, which JSON does not keep. The same seed gives the same intervals.
        """
        check_is_fitted(self, "params_")
        if not hasattr(self, "_rows"):
            raise ValueError(
                f"Intervals were asked of a {type(self).__name__} read from JSON, which holds no customers. "
                "Fit it, then ask."
            )
        if draws < 2:
            raise ValueError(f"{draws} draws were asked for. Intervals need at least 2; 200 are usual.")
        rows, random = self._rows, np.random.default_rng(seed)
        share = rows.weight / rows.weight.sum()
        found = []
        for _ in range(draws):
            weight = random.multinomial(max(1, round(rows.weight.sum())), share).astype(np.float64)
            drawn = weight > 0
            again = Histories(rows.frequency[drawn], rows.recency[drawn], rows.age[drawn], weight[drawn])
            surface = _surface(make_sums(again, self._first_chance))
            found.append(list(_named(climb(surface, self._point), self._scale).values()))
        low, high = np.quantile(np.array(found), [0.025, 0.975], axis=0)
        return {name: (float(low[at]), float(high[at])) for at, name in enumerate(_LETTERS)}

    def simulate(self, customers: int, age: ArrayLike, seed: int = 7) -> SimulatedCustomers:
        """Customers of this model watched for ``age`` (one for all, or one each), with the truth about each."""
        return simulate_customers(self._parameters(), customers, age, seed)

    def to_json(self) -> dict[str, Any]:
        """The fitted model as plain JSON, without its customers."""
        check_is_fitted(self, "params_")
        return {"model": type(self).__name__, "customers": self.customers_, **self._estimate.to_json()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        """The model that ``to_json`` wrote."""
        if tree["model"] != cls.__name__:
            raise ValueError(f"A {cls.__name__} was asked for; the tree holds a {tree['model']}. Read it as that.")
        model = cls()
        model._take(Estimate.from_json(tree), float(tree["customers"]))
        return model


class BGNBD(_BetaGeometric):
    """Beta-geometric / NBD: purchases at a customer's own rate, and after each repeat purchase a chance to drop out.

    Rates are Gamma(r, alpha), dropout probabilities Beta(a, b). Fader, Hardie & Lee (2005), "Counting your customers" the
    easy way. A customer without a repeat purchase is alive for certain; where that is wrong, take ``MBGNBD``.
    """

    _first_chance = 0


class MBGNBD(_BetaGeometric):
    """Modified BG/NBD: as BG/NBD, but a customer may drop out right after the first purchase too.

    Batislam, Denizel & Filiztekin (2007); Hoppe & Wagner (2007), who call it CBG/NBD.
    """

    _first_chance = 1


def _surface(sums: Sums) -> Surface:
    def slope(point: Floats) -> tuple[float, Floats]:
        value, gradient = log_likelihood(sums, _letters(point))
        return value, gradient @ _jacobian(point)

    return Surface(slope, _LOW, _HIGH, sums.customers)


def _point(r: float, rate: float, dropout: float, spread: float) -> Floats:
    return np.array([np.log(r), np.log(rate), np.log(dropout / (1 - dropout)), np.log(spread)])


def _letters(point: Floats) -> Floats:
    """r, alpha, a, b at a point, (4,)."""
    dropout = 1 / (1 + np.exp([-point[2], point[2]]))
    a, b = np.exp(point[3]) * dropout
    return np.array([np.exp(point[0]), np.exp(point[0] - point[1]), a, b])


def _jacobian(point: Floats) -> Floats:
    """Derivatives of log r, log alpha, log a, log b by the coordinates, (4, 4)."""
    leave, stay = 1 / (1 + np.exp([-point[2], point[2]]))
    return np.array([[1, 0, 0, 0], [1, -1, 0, 0], [0, 0, stay, 1], [0, 0, -leave, 1]], dtype=np.float64)


def _named(point: Floats, scale: float) -> dict[str, float]:
    """The letters at a point, alpha in the caller's unit of time."""
    r, alpha, a, b = (float(value) for value in _letters(point))
    return {"r": r, "alpha": alpha * scale, "a": a, "b": b}
