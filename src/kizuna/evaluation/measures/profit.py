"""What a ranking is worth in money: profit curve, value reached, value-weighted lift, expected maximum profit.

Money is in the currency of the values given. Without a campaign's costs and an assumed save rate there is no profit,
only value reached. Tied customers share their mean, as in metrics.churned_found, so row order never matters; what cannot
be defined (no rows, no value to catch) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.config import Economics
from kizuna.evaluation.measures.metrics import FloatArray, outcomes, paired

DECILES = 10


@dataclass(frozen=True)
class ProfitCurve:
    """Profit of contacting the 0, 1, ... n highest-ranked customers, in money, and where it is largest.

    `best_count` is the smallest number of customers that reaches `best_profit`; 0 where every list loses money.
    """

    profit: FloatArray
    best_count: int
    best_profit: float


@dataclass(frozen=True)
class Campaign:
    """A retention campaign of equal customers, as in Verbraken et al. (2013), in money per customer.

    A churner accepts the incentive with a probability drawn from Beta(`alpha`, `beta`) and then stays, worth
    `customer_value` less the `incentive`; a customer who would have stayed always takes it; `contact_cost` is paid for
    everyone contacted.
    """

    customer_value: float = 200.0
    incentive: float = 10.0
    contact_cost: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0

    def __post_init__(self) -> None:
        """Refuses a campaign in which nobody is worth an incentive."""
        if not 0.0 <= self.incentive < self.customer_value or self.contact_cost < 0.0:
            raise ValueError(
                f"0 <= incentive < customer_value and contact_cost >= 0 are needed, got incentive {self.incentive:g}, "
                f"customer_value {self.customer_value:g}, contact_cost {self.contact_cost:g}"
            )
        if self.alpha <= 0.0 or self.beta <= 0.0:
            raise ValueError(f"alpha and beta must be above 0, got {self.alpha:g} and {self.beta:g}")


@dataclass(frozen=True)
class MaximumProfit:
    """Largest profit per customer of the whole base, and the share of the base contacted to earn it.

    `expected_` averages over the acceptance rate, each with its own best list; `fixed_` takes its mean as certain.
    """

    expected_profit: float
    expected_share: float
    fixed_profit: float
    fixed_share: float


def contact_gain(
    churned: npt.ArrayLike,
    value_lost: npt.ArrayLike,
    save_rate: float,
    contact_cost: float,
    offer_cost: float,
    accepted: npt.ArrayLike = 1.0,
) -> FloatArray:
    """What contacting each customer would have earned, in money: what is saved of the loss, less what it costs.

    save_rate · value_lost · churned − contact_cost − offer_cost · accepted. `value_lost` is what the customer's churn
    costs (value_if_kept − value_if_churned); `accepted` is the share who take the offer, one for all or one each.
    """
    outcome, loss = outcomes(churned, value_lost)
    taken = np.asarray(accepted, dtype=np.float64)
    for name, shares in (("save_rate", np.asarray(save_rate)), ("accepted", taken)):
        if not ((shares >= 0.0) & (shares <= 1.0)).all():
            raise ValueError(f"{name} must lie in [0, 1]")
    if not (contact_cost >= 0.0 and offer_cost >= 0.0):
        raise ValueError(f"costs must not be negative, got {contact_cost:g} and {offer_cost:g}")
    return np.asarray(save_rate * loss * outcome - contact_cost - offer_cost * taken, dtype=np.float64)


def campaign_gain(economics: Economics, churned: npt.ArrayLike, value_lost: npt.ArrayLike) -> FloatArray | None:
    """contact_gain under a shop's own assumptions; None unless both costs and the save rate are given."""
    contact, offer, rate = economics.contact_cost, economics.offer_cost, economics.assumed_save_rate
    if contact is None or offer is None or rate is None:
        return None
    return contact_gain(churned, value_lost, rate, contact, offer)


def total_of_first(amounts: npt.ArrayLike, score: npt.ArrayLike) -> FloatArray:
    """Total amount of the 1, 2, ... n customers with the highest scores; tied customers each count their mean."""
    values, scores = paired(amounts, score)
    group, rows = np.unique(-scores, return_inverse=True, return_counts=True)[1:]
    mean = np.bincount(group, weights=values, minlength=rows.size) / rows
    return np.asarray(np.cumsum(np.repeat(mean, rows)), dtype=np.float64)


def profit_curve(gain: npt.ArrayLike, score: npt.ArrayLike) -> ProfitCurve:
    """The profit of contacting the k highest scores, for every k from 0 to all; `gain` is contact_gain's."""
    profit = np.concatenate([[0.0], total_of_first(gain, score)])
    # Sums of equal gains differ in their last digits: the shorter of two equal lists is the best.
    rounding = 1e-9 * float(np.abs(profit).max())
    best = int(np.argmax(profit >= profit.max() - rounding))
    return ProfitCurve(profit, best, float(profit[best]))


def value_reached(churned: npt.ArrayLike, value: npt.ArrayLike, score: npt.ArrayLike) -> FloatArray:
    """Value of the churners among the 1, 2, ... n highest scores: what was at stake there, not what a contact saves."""
    outcome, values = outcomes(churned, value)
    return total_of_first(outcome * values, score)


def realised_table(expected: npt.ArrayLike, realised: npt.ArrayLike) -> pd.DataFrame:
    """Expected and realised value of each exact tenth of the customers by expectation; decile 10 holds the highest.

    Columns: decile, customers (a tenth, maybe a fraction), expected_mean, realised_mean, expected_total,
    realised_total, realised_share (realised over expected total; NaN where that is 0). Tied customers are spread over
    the deciles they straddle, each by its mean.
    """
    predictions, values = paired(expected, realised)
    promised, came = (np.diff(_at_deciles(amounts, predictions))[::-1] for amounts in (predictions, values))
    each = np.full(DECILES, values.size / DECILES)
    return pd.DataFrame(
        {
            "decile": np.arange(1, DECILES + 1),
            "customers": each,
            "expected_mean": _over(promised, each),
            "realised_mean": _over(came, each),
            "expected_total": promised,
            "realised_total": came,
            "realised_share": _over(came, promised),
        }
    )


def empc(y: npt.ArrayLike, p: npt.ArrayLike, campaign: Campaign | None = None) -> MaximumProfit:
    """Expected maximum profit per customer of contacting the customers that `p` ranks first, all of equal value.

    Verbraken, Verbeke & Baesens (2013), A novel profit maximizing metric for measuring classification performance of
    customer churn prediction models, IEEE TKDE 25(5), eq. 9-14; exact: only vertices of the ROC curve's convex hull
    are ever best, each on one range of acceptance rates, and over a range the profit is linear in the rate, so the
    integral is a difference of regularised incomplete beta functions. NaN with one class.
    """
    from scipy.special import betainc

    chosen = campaign or Campaign()
    outcome, scores = outcomes(y, p)
    churners, stayers = float(outcome.sum()), float((1.0 - outcome).sum())
    if not churners or not stayers:
        return MaximumProfit(*[float("nan")] * 4)
    churner_share, stayer_share = _hull(outcome, scores) / outcome.size
    # Profit at a vertex is rate · slope − cost: what accepting churners bring, what everybody contacted costs.
    slope = (chosen.customer_value - chosen.incentive) * churner_share
    cost = chosen.contact_cost * churner_share + (chosen.incentive + chosen.contact_cost) * stayer_share
    rise, more = np.diff(slope), np.diff(cost)
    turning = np.divide(more, rise, out=np.full(rise.size, np.inf), where=rise > 0)
    limits = np.concatenate([[0.0], np.clip(turning, 0.0, 1.0), [1.0]])
    alpha, beta = chosen.alpha, chosen.beta
    mean = alpha / (alpha + beta)
    weight = np.diff(betainc(alpha, beta, limits))
    weighted_rate = mean * np.diff(betainc(alpha + 1.0, beta, limits))
    fixed = mean * slope - cost
    best = int(np.argmax(fixed))
    contacted = churner_share + stayer_share
    return MaximumProfit(
        expected_profit=float(slope @ weighted_rate - cost @ weight),
        expected_share=float(contacted @ weight),
        fixed_profit=float(fixed[best]),
        fixed_share=float(contacted[best]),
    )


def _hull(outcome: FloatArray, scores: FloatArray) -> FloatArray:
    """Churners and stayers above each vertex of the ROC curve's upper hull, two rows, from nobody to everybody."""
    group = np.unique(-scores, return_inverse=True)[1]
    churners = np.cumsum(np.bincount(group, weights=outcome))
    stayers = np.cumsum(np.bincount(group, weights=1.0 - outcome))
    vertices: list[tuple[float, float]] = [(0.0, 0.0)]
    for point in zip(churners.tolist(), stayers.tolist(), strict=True):
        while len(vertices) > 1 and not _turns_right(vertices[-2], vertices[-1], point):
            vertices.pop()
        vertices.append(point)
    return np.array(vertices).T


def _turns_right(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether churners per stayer fall at the middle point. Counts, so the products are exact."""
    return (middle[0] - first[0]) * (last[1] - middle[1]) > (last[0] - middle[0]) * (middle[1] - first[1])


def _at_deciles(amounts: FloatArray, score: FloatArray) -> FloatArray:
    """Running total of the amounts, highest scores first, after 0, 1, ... 10 exact tenths of the rows."""
    total = np.concatenate([[0.0], total_of_first(amounts, score)])
    places = np.arange(DECILES + 1) * amounts.size / DECILES
    return np.asarray(np.interp(places, np.arange(total.size), total), dtype=np.float64)


def _over(amounts: FloatArray, parts: FloatArray) -> FloatArray:
    defined = parts != 0.0
    return np.asarray(np.where(defined, amounts, np.nan) / np.where(defined, parts, 1.0), dtype=np.float64)
