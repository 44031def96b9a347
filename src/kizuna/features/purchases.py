"""Purchases: how often, how recent, how regular, how much, at what discount, through which channels.

An order is one ``order_id`` or, without it, a customer's purchase rows of one day. It is dated by its row that was known
first. Revenue is net: a return counts as −|amount| on its own day.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings

TABLE = "purchases"
CHANGE_WINDOWS_DAYS = (90, 180)


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of frequency, money, recency, rhythm, discounts and channels."""
    bought, amount = is_purchase(h), net_amount(h)
    order = order_rows(h)
    orders, gross = h.count(where=order), h.sum(amount, where=bought)
    for w in settings.windows_days:
        yield Feature(f"orders_{w}d", "FREQ_DOWN", "count", h.count(w, order))
        yield Feature(f"revenue_{w}d", "SPEND_DOWN", "money", h.sum(amount, w))
    for w in CHANGE_WINDOWS_DAYS:
        if settings.fits(2 * w):
            before = (-2 * w, -w)
            yield Feature(f"orders_change_{w}d", "FREQ_DOWN", "count", h.count(w, order) - h.count(before, order))
            yield Feature(f"revenue_change_{w}d", "SPEND_DOWN", "money", h.sum(amount, w) - h.sum(amount, before))
    yield Feature("orders", "FREQ_DOWN", "count", orders)
    yield Feature("revenue", "SPEND_DOWN", "money", h.sum(amount))
    yield Feature("order_value", "SPEND_DOWN", "money", ratio(gross, orders))
    yield Feature("is_one_time", "ONE_TIME", "flag", (orders == 1).astype(np.float64))
    yield Feature("tenure_days", "TENURE", "days", h.days_since_first(bought))
    since, (usual, variation) = h.days_since_last(bought), h.rhythm(bought)
    yield Feature("days_since_order", "RECENCY", "days", since)
    yield Feature("usual_gap_days", "RECENCY", "days", usual)
    yield Feature("gap_cv", "RECENCY", "ratio", variation)
    yield Feature("overdue_ratio", "RECENCY", "ratio", ratio(since, usual))
    if h.has("discount_amount") and settings.fits(365):
        discounted, within = discounted_orders(h).count(365), h.count(365, order)
        yield Feature("discount_share_365d", "DISCOUNT_DEP", "share", ratio(discounted, within))
        yield Feature("full_price_orders_365d", "FREQ_DOWN", "count", within - discounted)
    if h.has("channel"):
        if settings.fits(365):
            yield Feature("purchase_channels_365d", "VARIETY", "count", h.distinct("channel", 365, bought))
        yield Feature("channel_changed", "VARIETY", "flag", _channel_changed(h, bought))


def is_return(h: History) -> NDArray[np.bool_]:
    """Events that give money back: ``is_return``, or a negative amount where that is not said."""

    def find() -> NDArray[np.bool_]:
        negative = h.numbers("amount") < 0
        if not h.has("is_return"):
            return negative
        said = h.numbers("is_return")
        return np.where(np.isnan(said), negative, said == 1)

    return h.once("is_return", find)


def is_purchase(h: History) -> NDArray[np.bool_]:
    """Events that are no returns."""
    return h.once("is_purchase", lambda: ~is_return(h))


def net_amount(h: History) -> NDArray[np.float64]:
    """The signed amount of each event: purchases positive, returns −|amount|."""
    amount = h.numbers("amount")
    return h.once("net_amount", lambda: np.where(is_return(h), -np.abs(amount), amount))


def order_rows(h: History) -> NDArray[np.bool_]:
    """One event for each order: its row that was known first."""
    return h.once("order_rows", lambda: h.first_of("order_id", is_purchase(h)))


def discounted_orders(h: History) -> History:
    """One event for each order with a discounted line, on the order's own day, whichever line bears the discount."""

    def find() -> History:
        bought = is_purchase(h)
        reduced = h.first_of("order_id", bought & (np.nan_to_num(h.numbers("discount_amount")) != 0))
        return on_order_day(h, bought, reduced)

    return h.once("discounted_orders", find)


def on_order_day(h: History, bought: NDArray[np.bool_], where: NDArray[np.bool_]) -> History:
    """The purchase rows of ``where``, each on the day of its order; the other events are out."""
    return h.dated_as(np.where(where, order_day(h, bought), NEVER).astype(np.int32))


def order_day(h: History, bought: NDArray[np.bool_]) -> NDArray[np.int32]:
    """For each purchase row the day of its order; of other events nothing is said."""
    day: NDArray[np.int32] = h.events.day[h.leader_of("order_id", bought)]
    return day


def _channel_changed(h: History, bought: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 where the last two purchase days with a channel differ in it, 0 where not, null below two such days.

    A day's channel is that of its row known first; of several such rows, the channel that is first by name.
    """
    channel = h.texts("channel")
    place = np.argsort(np.argsort(np.array([*channel.levels, ""], dtype=object)[:-1], kind="stable"))
    name = np.where(channel.codes < 0, np.nan, np.append(place, -1).astype(np.float64)[channel.codes])
    said = np.flatnonzero(bought & (channel.codes >= 0))
    customer, day, known = h.events.customer[said], h.events.day[said], h.events.known[said]
    new_day = np.ones(len(said), dtype=np.bool_)
    new_day[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    new_batch = new_day.copy()
    new_batch[1:] |= known[1:] != known[:-1]
    batches = np.flatnonzero(new_batch)
    first_names = np.minimum.reduceat(name[said], batches) if len(said) else name[:0]
    of_day = np.full(len(name), np.nan)
    of_day[said[new_day]] = first_names[new_day[batches]]
    last, before = h.last(of_day), h.last(of_day, back=1)
    return np.where(np.isnan(before), np.nan, (last != before).astype(np.float64))
