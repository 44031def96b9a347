"""When a customer buys next: a day and an 80 % interval, given that there is a next purchase within a year.

The day says when, never whether: it is conditional on a purchase within ``within_days``, so that the churn model's
probability stays the only one of the customer. A customer who buys again was alive, and an MBG/NBD customer (Batislam,
Denizel & Filiztekin 2007) who made x repeat purchases in an age of T buys at a rate of Gamma(r + x, alpha + T), however
long the last silence. So P(next purchase later than t) = ((alpha + T) / (alpha + T + t))^(r + x), cut at ``within_days``.

Some shops' customers are much steadier or burstier than that. On an earlier day, by what was known then, each purchase
that followed stands at some share of its customer's distribution. Where far from 80 % of them lie between the 10 % and
the 90 %, the distribution is read where those shares have their own 10 %, 50 % and 90 %, drawn towards the nominal ones
where few bought (quantile recalibration: Kuleshov, Fenner & Ermon 2018). Every other buyer teaches this; the rest test it.

A customer who has been silent for more than four of his usual gaps has changed his rhythm, and comes back later than his
rate says. Where enough of them have come back since the earlier day, theirs are levels of their own, never earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kizuna.labels.purchase_pasts import Followed, PurchasePasts

SHARES = (0.1, 0.5, 0.9)
WITHIN_DAYS = 365
# Seasons alone move what an 80 % interval holds by several points; mending that would miss the next season by as much.
_HOLDS_ENOUGH = (0.7, 0.9)
# So many purchases that were followed weigh as much as the levels that they are drawn towards.
_AS_MUCH_AS_NOMINAL = 100
_OVERDUE_GAPS = 4
# Fewer of the long overdue teach nothing that held on later days.
_LEAST_OVERDUE = 50
_MOST_CUSTOMERS = 100_000

Floats = NDArray[np.float64]
Levels = tuple[float, float, float]


@dataclass(frozen=True)
class NextPurchase:
    """The fitted model: r and alpha (days) of the rates, and the levels at which SHARES of the purchases have come.

    ``overdue_levels``: those of the long overdue, see ``is_overdue``; the same where too few have taught others.
    ``tested``: purchases after the earlier day, of buyers who taught no levels. ``coverage``: how many of them lay between
    the outer levels; None where too little history could be held back.
    """

    r: float
    alpha: float
    levels: Levels
    overdue_levels: Levels
    within_days: int
    tested: int
    coverage: float | None

    def days(self, pasts: PurchasePasts) -> Floats:
        """(n, 3): whole days from now to the low end, the median and the high end; from 0 to within_days − 1."""
        levels = _levels_of(is_overdue(pasts), self.levels, self.overdue_levels)
        times = np.column_stack([self._quantile(pasts.repeats, pasts.age_days, level) for level in levels.T])
        # What falls on a day's edge may miss it by its last digit.
        return np.minimum(np.floor(times + 1e-9), self.within_days - 1)

    def share_by(self, repeats: Floats, age_days: Floats, days: Floats, within_days: float) -> Floats:
        """P(next purchase before so many days have passed | one within ``within_days``), (n,)."""
        shape, scale = self.r + repeats, self.alpha + age_days
        bought = np.expm1(-shape * np.log1p(np.minimum(days, within_days) / scale))
        return np.asarray(bought / np.expm1(-shape * np.log1p(within_days / scale)))

    def _quantile(self, repeats: Floats, age_days: Floats, share: float | Floats) -> Floats:
        shape, scale = self.r + repeats, self.alpha + age_days
        ever = -np.expm1(-shape * np.log1p(self.within_days / scale))
        return np.asarray(scale * np.expm1(-np.log1p(-share * ever) / shape))

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return {**vars(self), "levels": list(self.levels), "overdue_levels": list(self.overdue_levels)}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> NextPurchase:
        """The model that ``to_json`` wrote."""
        # Models of earlier versions were stored without levels for the overdue.
        levels, overdue = (_levels(tree.get(name, tree["levels"])) for name in ("levels", "overdue_levels"))
        coverage = None if tree["coverage"] is None else float(tree["coverage"])
        within, tested = int(tree["within_days"]), int(tree["tested"])
        return cls(float(tree["r"]), float(tree["alpha"]), levels, overdue, within, tested, coverage)


def is_overdue(pasts: PurchasePasts) -> NDArray[np.bool_]:
    """Who has been silent for more than four times the usual gap, (n,); nobody who bought on one day alone."""
    return np.asarray(pasts.age_days - pasts.recency_days > _OVERDUE_GAPS * pasts.usual_gap_days)


def fit_next_purchase(everybody: PurchasePasts, earlier: Followed | None, within_days: int) -> NextPurchase | None:
    """The model of all customers' pasts, its levels tested on the days after an earlier one; None where nobody came back."""
    plain = _fit(everybody, within_days)
    before = None if earlier is None else _fit(earlier.everybody, within_days)
    if plain is None or before is None or earlier is None or len(earlier.buyers) < 2:
        return plain
    pasts, days = earlier.buyers, earlier.next_days
    ends = [before.share_by(pasts.repeats, pasts.age_days, day, earlier.followed_days) for day in (days, days + 1)]
    # A purchase stands at the middle of its day.
    stood = (ends[0] + ends[1]) / 2
    # Buyers come in the order of their ids.
    late = is_overdue(pasts)
    taught, tested = stood[::2], stood[1::2]
    held = _coverage(taught, np.array([SHARES]))
    levels = SHARES if _HOLDS_ENOUGH[0] <= held <= _HOLDS_ENOUGH[1] else _mended(taught, SHARES)
    overdue, returned = levels, taught[late[::2]]
    if len(returned) >= _LEAST_OVERDUE:
        overdue = _levels(np.maximum(_mended(returned, levels), levels))
    coverage = _coverage(tested, _levels_of(late[1::2], levels, overdue))
    return NextPurchase(plain.r, plain.alpha, levels, overdue, within_days, len(tested), coverage)


def _levels_of(late: NDArray[np.bool_], levels: Levels, overdue: Levels) -> Floats:
    """The levels of each customer, (n, 3)."""
    return np.where(late[:, None], overdue, levels)


def _coverage(stood: Floats, levels: Floats) -> float:
    return float(np.mean((stood >= levels[:, 0]) & (stood <= levels[:, 2])))


def _mended(stood: Floats, towards: Levels) -> Levels:
    """Where these purchases have their own 10 %, 50 % and 90 %, drawn towards other levels where they are few."""
    weight = len(stood) / (len(stood) + _AS_MUCH_AS_NOMINAL)
    return _levels(weight * np.quantile(stood, SHARES) + (1 - weight) * np.array(towards))


def _levels(found: Iterable[float]) -> Levels:
    low, middle, high = (float(level) for level in found)
    return low, middle, high


def _fit(pasts: PurchasePasts, within_days: int) -> NextPurchase | None:
    from kizuna.models.btyd import MBGNBD

    # Evenly through the customers, so that it does not depend on a draw.
    some = pasts.where(slice(None, None, max(1, -(-len(pasts) // _MOST_CUSTOMERS))))
    if not some.repeats.any():
        return None
    known = MBGNBD().fit(some.repeats, some.recency_days, some.age_days).params_
    return NextPurchase(known["r"], known["alpha"], SHARES, SHARES, within_days, 0, None)
