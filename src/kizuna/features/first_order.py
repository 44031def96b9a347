"""First order: how the first experience went, and how soon a second order followed.

The first orders are those on the customer's earliest order day. Each column fills in as it becomes known.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features import sweep
from kizuna.features.deliveries import fallen_due, late_orders, promised_orders
from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings
from kizuna.features.purchases import discounted_orders, is_return, order_rows
from kizuna.features.surveys import share_of_scale

TABLE = "purchases"
FIRST_DAYS = 30


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the first order, of what followed within 30 days, and of the second."""
    returned = is_return(h)
    first, second = (_day(days) for days in h.first_days(2, order_rows(h)).T)
    yield Feature("days_to_second_order", "FIRST_EXPERIENCE", "days", second - first)
    if h.has("promised_at", "delivered_at"):
        orders = promised_orders(h)
        due, late = (_on_that_day(_by_order(dated), first) for dated in (fallen_due(orders), late_orders(orders)))
        yield Feature("first_order_late", "FIRST_EXPERIENCE", "flag", np.where(due > 0, _flag(late), np.nan))
    yield Feature("first_order_returned", "FIRST_EXPERIENCE", "flag", _flag(_soon_after(h, first, returned)))
    if h.has("discount_amount"):
        discounted = _on_that_day(discounted_orders(h), first)
        yield Feature("first_order_discounted", "FIRST_EXPERIENCE", "flag", _flag(discounted))
    surveys, complaints = h.table("surveys"), h.table("complaints")
    if surveys is not None:
        score = share_of_scale(surveys, 1, 5)
        answered = surveys.kinds("csat") & ~np.isnan(score)
        total = surveys.sum_between(score, first, first + FIRST_DAYS + 1, answered)
        mean = ratio(total, _soon_after(surveys, first, answered))
        yield Feature("first_order_csat", "FIRST_EXPERIENCE", "share", mean)
    if complaints is not None:
        complained = _soon_after(complaints, first, complaints.kinds("complaint"))
        yield Feature("first_order_complaint", "FIRST_EXPERIENCE", "flag", _flag(complained))


def _by_order(dated: History) -> History:
    """Orders back on their own days, each from the day on which they were dated so far."""
    return dated.dated_as(dated.days("occurred_at"))


def _on_that_day(h: History, day: NDArray[np.float64]) -> NDArray[np.float64]:
    return h.count_between(day, day + 1)


def _soon_after(h: History, day: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Events from a day up to 30 days after it."""
    return h.count_between(day, day + FIRST_DAYS + 1, where)


def _flag(count: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where something happened, 0 where not, null where that is unknown."""
    return np.where(np.isnan(count), np.nan, (count > 0).astype(np.float64))


def _day(days: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(days == sweep.NO_DAY, np.nan, days.astype(np.float64))
