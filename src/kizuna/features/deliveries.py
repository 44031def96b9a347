"""Deliveries: returns and refunds, and orders that came when they were promised, later, or not yet.

The promise of an order is the earliest ``promised_at`` of its first rows: those known first, and of these the earliest.
It has come when all first rows with that promise have come. It is late from the day after its promise, whether it has
come since or not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.data.events import NEVER
from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings
from kizuna.features.purchases import is_purchase, is_return, net_amount

TABLE = "purchases"
WINDOWS_DAYS = (90, 365)


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of returns, refunds and deliveries."""
    returned, amount = is_return(h), net_amount(h)
    for w in WINDOWS_DAYS:
        if settings.fits(w):
            yield Feature(f"returns_{w}d", "RETURN_DELIVERY", "count", h.count(w, returned))
    if settings.fits(365):
        refunded = -h.sum(amount, 365, returned) + 0.0
        yield Feature("refund_amount_365d", "RETURN_DELIVERY", "money", refunded)
    share = ratio(-h.sum(amount, where=returned), h.sum(amount, where=is_purchase(h))) + 0.0
    yield Feature("return_share", "RETURN_DELIVERY", "share", share)
    if h.has("refunded_at"):
        refunds = h.on("refunded_at")
        of_return = is_return(refunds)
        if settings.fits(365):
            took = (refunds.days("refunded_at") - refunds.days("occurred_at")).astype(np.float64)
            yield Feature("refund_days_365d", "RETURN_DELIVERY", "days", refunds.mean(took, 365, of_return))
        pending = h.count(where=returned) - refunds.count(where=of_return)
        yield Feature("refunds_pending", "RETURN_DELIVERY", "count", pending)
    if h.has("promised_at", "delivered_at"):
        yield from _promises(promised_orders(h), settings)


def promised_orders(h: History) -> History:
    """One event for each order with a promise, on the order's day; ``delivered_at`` is the day by which it had come."""
    promised, day, known = h.days("promised_at"), h.events.day, h.events.known
    leader = h.leader_of("order_id", is_purchase(h))
    first = np.flatnonzero((leader >= 0) & (day == day[leader]) & (known == known[leader]))
    earliest = np.full(len(day), NEVER, dtype=np.int32)
    np.minimum.at(earliest, leader[first], promised[first])
    spoken = first[promised[first] == earliest[leader[first]]]
    speaker = np.full(len(day), len(day), dtype=np.int64)
    np.minimum.at(speaker, leader[spoken], spoken)
    speaker = np.where(leader >= 0, speaker[leader], -1)
    complete = h.completed("delivered_at", speaker, "promised_at")
    speaks = (speaker == np.arange(len(day))) & (promised != NEVER)
    return complete.dated_as(np.where(speaks, day, NEVER).astype(np.int32))


def late_orders(orders: History) -> History:
    """Of promised orders those that had not come by their promise, dated by the day after it."""
    return orders.overdue(orders.days("promised_at"), "delivered_at")


def fallen_due(orders: History) -> History:
    """Promised orders, dated by the day after their promise."""
    return orders.dated_as(orders.days("promised_at") + np.int32(1))


def _promises(orders: History, settings: Settings) -> Iterator[Feature]:
    late, came = late_orders(orders), orders.on("delivered_at")
    took = (came.days("delivered_at") - came.days("promised_at")).astype(np.float64)
    for w in WINDOWS_DAYS:
        if settings.fits(w):
            yield Feature(f"late_deliveries_{w}d", "RETURN_DELIVERY", "count", late.count(w))
    if settings.fits(180):
        share = ratio(late.count(180), fallen_due(orders).count(180))
        yield Feature("late_delivery_share_180d", "RETURN_DELIVERY", "share", share)
        longest = np.fmax(
            came.largest(took, 180, took > 0), late.days_since_first(still="delivered_at", window=180) + 1
        )
        yield Feature("late_days_max_180d", "RETURN_DELIVERY", "days", longest)
    overdue = late.count() - late.on("delivered_at").count()
    yield Feature("overdue_deliveries", "RETURN_DELIVERY", "count", overdue)
    if settings.fits(365):
        yield Feature("delivery_vs_promise_days_365d", "RETURN_DELIVERY", "days", came.mean(took, 365))
