"""Purchases: how often, how recent, how regular, how much; returns, discounts, late deliveries.

An order is one ``order_id`` or, without it, a customer's purchase rows of one day. It is dated by its row that was known
first. Revenue is net: a return counts as −|amount| on its own day.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.features import sweep
from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings

TABLE = "purchases"
_GAPS = 12


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of frequency, money, recency, rhythm and experience."""
    bought, amount = ~is_return(h), net_amount(h)
    order = h.first_of("order_id", bought)
    orders, gross = h.count(where=order), h.sum(amount, where=bought)
    for w in settings.windows_days:
        yield Feature(f"orders_{w}d", "FREQ_DOWN", "count", h.count(w, order))
        yield Feature(f"revenue_{w}d", "SPEND_DOWN", "money", h.sum(amount, w))
    for w in (30, 90, 180):
        if w in settings.windows_days:
            before = (-2 * w, -w)
            yield Feature(f"orders_change_{w}d", "FREQ_DOWN", "count", h.count(w, order) - h.count(before, order))
            yield Feature(f"revenue_change_{w}d", "SPEND_DOWN", "money", h.sum(amount, w) - h.sum(amount, before))
    yield Feature("orders", "FREQ_DOWN", "count", orders)
    yield Feature("revenue", "SPEND_DOWN", "money", h.sum(amount))
    yield Feature("order_value", "SPEND_DOWN", "money", ratio(gross, orders))
    yield Feature("is_one_time", "ONE_TIME", "flag", (orders == 1).astype(np.float64))
    yield Feature("tenure_days", "TENURE", "days", h.days_since_first(bought))
    yield from _rhythm(h, bought)
    yield from _returns(h, settings, bought, amount)
    yield from _deliveries(h, settings, order, bought)
    yield from _discounts(h, settings, order, bought)
    if h.has("category"):
        new = h.first_of("category", bought & (h.texts("category").codes >= 0))
        yield Feature("categories", "VARIETY", "count", h.count(where=new))
        if 365 in settings.windows_days:
            yield Feature("new_categories_365d", "VARIETY", "count", h.count(365, new))


def is_return(h: History) -> NDArray[np.bool_]:
    """Events that give money back: ``is_return``, or a negative amount where that is not said."""
    negative = h.numbers("amount") < 0
    if not h.has("is_return"):
        return negative
    said = h.numbers("is_return")
    return np.where(np.isnan(said), negative, said == 1)


def net_amount(h: History) -> NDArray[np.float64]:
    """The signed amount of each event: purchases positive, returns −|amount|."""
    amount = h.numbers("amount")
    return np.where(is_return(h), -np.abs(amount), amount)


def rhythm_of(days: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median of the gaps between consecutive days and their coefficient of variation, from (rows, n) days, newest first.

    The median is NaN below two days, the variation below three.
    """
    gaps = (days[:, :-1] - days[:, 1:]).astype(np.float64)
    gaps[(days[:, 1:] == sweep.NO_DAY)] = np.nan
    known = np.sum(~np.isnan(gaps), axis=1)
    ordered = np.sort(gaps, axis=1)
    rows, half = np.arange(len(gaps)), np.maximum(known - 1, 0)
    median = (ordered[rows, half // 2] + ordered[rows, (half + 1) // 2]) / 2
    filled = np.nan_to_num(gaps)
    mean = ratio(filled.sum(axis=1), known.astype(np.float64))
    spread = np.sqrt(
        ratio(np.where(np.isnan(gaps), 0, (gaps - mean[:, None]) ** 2).sum(axis=1), known.astype(np.float64))
    )
    return np.where(known >= 1, median, np.nan), np.where(known >= 2, ratio(spread, mean), np.nan)


def _rhythm(h: History, bought: NDArray[np.bool_]) -> Iterator[Feature]:
    """Usual gap: the median of the last 12 gaps between purchase days."""
    since = h.days_since_last(bought)
    usual, variation = rhythm_of(h.recent_days(_GAPS + 1, bought))
    yield Feature("days_since_order", "RECENCY", "days", since)
    yield Feature("usual_gap_days", "RECENCY", "days", usual)
    yield Feature("gap_cv", "RECENCY", "ratio", variation)
    yield Feature("overdue_ratio", "RECENCY", "ratio", ratio(since, usual))


def _returns(
    h: History, settings: Settings, bought: NDArray[np.bool_], amount: NDArray[np.float64]
) -> Iterator[Feature]:
    for w in settings.windows_days:
        if w >= 30:
            yield Feature(f"returns_{w}d", "RETURN_DELIVERY", "count", h.count(w, ~bought))
            yield Feature(f"refund_amount_{w}d", "RETURN_DELIVERY", "money", -h.sum(amount, w, ~bought) + 0.0)
    share = ratio(-h.sum(amount, where=~bought), h.sum(amount, where=bought)) + 0.0
    yield Feature("return_share", "RETURN_DELIVERY", "share", share)


def _deliveries(
    h: History, settings: Settings, order: NDArray[np.bool_], bought: NDArray[np.bool_]
) -> Iterator[Feature]:
    """An order is late from the day after its promise, whether it has come since or not."""
    if not h.has("promised_at", "delivered_at"):
        return
    due = np.where(order, h.days("promised_at"), NEVER).astype(np.int32)
    late = h.completed("delivered_at", h.leader_of("order_id", bought), "promised_at").overdue(due, "delivered_at")
    for w in settings.windows_days:
        if w >= 30:
            yield Feature(f"late_deliveries_{w}d", "RETURN_DELIVERY", "count", late.count(w))
    yield Feature("overdue_deliveries", "RETURN_DELIVERY", "count", late.count() - late.on("delivered_at").count())


def _discounts(
    h: History, settings: Settings, order: NDArray[np.bool_], bought: NDArray[np.bool_]
) -> Iterator[Feature]:
    if not h.has("discount_amount") or 365 not in settings.windows_days:
        return
    reduced = h.first_of("order_id", bought & (np.nan_to_num(h.numbers("discount_amount")) != 0))
    # Whichever line bears the discount, the order counts on its own day.
    ordered_on = h.events.day[h.leader_of("order_id", bought)]
    orders = h.count(365, order)
    discounted = h.dated_as(np.where(reduced, ordered_on, NEVER).astype(np.int32)).count(365)
    yield Feature("discount_share_365d", "DISCOUNT_DEP", "share", ratio(discounted, orders))
    yield Feature("full_price_orders_365d", "DISCOUNT_DEP", "count", orders - discounted)
