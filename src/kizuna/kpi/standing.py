"""Where each customer stands on some days: active or not, at which stage of his life with the shop, bought how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.kpi.facts import Facts, first_days

STAGES = ("prospect", "first", "second", "occasional", "regular", "lapsing", "lapsed", "reactivated")
PROSPECT, FIRST, SECOND, OCCASIONAL, REGULAR, LAPSING, LAPSED, REACTIVATED = range(len(STAGES))
LAPSING_AFTER_GAPS = 2
_NONE = -NEVER
_YEAR_DAYS = 365


@dataclass(frozen=True)
class Base:
    """What makes a customer active: ``inactivity``, bought in the last ``active_days``, or ``cancellation``, a live contract.

    ``regular_orders``: so many orders in 365 days make a regular customer.
    """

    kind: str
    active_days: int
    regular_orders: int

    @property
    def table(self) -> str:
        """The table that decides."""
        return "subscriptions" if self.kind == "cancellation" else "purchases"


@dataclass(frozen=True)
class Standing:
    """Of each customer (columns) on the morning of each day (rows). ``first``: the day he first bought, NEVER if he has not.

    ``last``: the last such day before the morning, far below 0 if none. ``orders_year``: those of the last 365 days.
    Under contracts, to begin one stands for buying.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int32]
    orders: NDArray[np.int32]
    orders_year: NDArray[np.int32]
    active: NDArray[np.bool_]
    stage: NDArray[np.int8]


def standing(facts: Facts, base: Base, days: NDArray[np.int32]) -> Standing:
    """Where the block's customers stand on each of the days, ascending; nothing on or after a day plays a part in it."""
    return _of_contracts(facts, days) if base.kind == "cancellation" else _of_purchases(facts, base, days)


def _of_purchases(facts: Facts, base: Base, days: NDArray[np.int32]) -> Standing:
    of = facts.purchases
    shape = (len(days), facts.customers)
    last, orders, orders_year = (np.zeros(shape, dtype=np.int32) for _ in range(3))
    usual, returned = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    chosen = of.bought
    customer, day = of.events.customer[chosen], of.events.day[chosen]
    starts = np.searchsorted(customer, np.arange(facts.customers + 1))
    _walk(starts, day, of.order[chosen], days, base.active_days, (last, orders, orders_year, usual, returned))
    active = last >= (days - base.active_days)[:, None]
    silent = days[:, None] - last.astype(np.float64)
    stage = np.select(
        [
            last == _NONE,
            ~active,
            returned,
            orders <= 1,
            silent >= LAPSING_AFTER_GAPS * usual,
            orders == 2,
            orders_year >= base.regular_orders,
        ],
        [PROSPECT, LAPSED, REACTIVATED, FIRST, LAPSING, SECOND, REGULAR],
        OCCASIONAL,
    )
    return Standing(
        first_days(facts.customers, customer, day), last, orders, orders_year, active, stage.astype(np.int8)
    )


@njit(cache=True, nogil=True)
def _walk(starts: Any, day: Any, order: Any, days: Any, active_days: int, out: Any) -> None:
    """Fills (days, customers): last day, orders, orders of the year, median of the last 12 gaps, came back after a lapse."""
    last, orders, orders_year, usual, returned = out
    gaps = np.zeros(12, np.float64)
    for customer in range(len(starts) - 1):
        position, end = starts[customer], starts[customer + 1]
        old = position
        newest, distinct, count, dropped = _NONE, 0, 0, 0
        median, came_back = np.nan, False
        for row in range(len(days)):
            changed = False
            while position < end and day[position] < days[row]:
                if day[position] != newest:
                    if distinct > 0:
                        gap = day[position] - newest
                        gaps[(distinct - 1) % 12] = gap
                        came_back = gap > active_days
                        changed = True
                    newest = day[position]
                    distinct += 1
                if order[position]:
                    count += 1
                position += 1
            while old < end and day[old] < days[row] - _YEAR_DAYS:
                if order[old]:
                    dropped += 1
                old += 1
            if changed:
                median = np.median(gaps[: min(distinct - 1, 12)])
            last[row, customer] = newest
            orders[row, customer] = count
            orders_year[row, customer] = count - dropped
            usual[row, customer] = median
            returned[row, customer] = came_back


def _of_contracts(facts: Facts, days: NDArray[np.int32]) -> Standing:
    """A contract is live from the morning after it began to the morning of the day on which it ends or notice is given."""
    shape = (len(days), facts.customers)
    last = np.full(shape, _NONE, dtype=np.int32)
    begun, begun_year, live = (np.zeros(shape, dtype=np.int32) for _ in range(3))
    returned = np.zeros(shape, dtype=np.bool_)
    if not facts.has("subscriptions"):
        nobody = np.full(facts.customers, NEVER, dtype=np.int64)
        return Standing(nobody, last, begun, begun_year, live > 0, np.zeros(shape, dtype=np.int8))
    events = facts.table("subscriptions")
    never = np.full(len(events.day), NEVER, dtype=np.int32)
    finish = np.minimum(events.days.get("ended_at", never), events.days.get("notice_at", never))
    fresh = _after_a_break(events.customer, events.day, finish)
    for row, day in enumerate(days):
        before = events.day < day
        customer = events.customer[before]
        # Rows ascend by day within a customer, so that the newest is written last.
        last[row, customer] = events.day[before]
        returned[row, customer] = fresh[before]
        for out, chosen in (
            (begun, before),
            (begun_year, before & (events.day >= day - _YEAR_DAYS)),
            (live, before & (finish >= day)),
        ):
            out[row] = np.bincount(events.customer[chosen], minlength=facts.customers)
    stage = np.select(
        [begun == 0, live == 0, returned, begun == 1, begun == 2],
        [PROSPECT, LAPSED, REACTIVATED, FIRST, SECOND],
        REGULAR,
    )
    first = first_days(facts.customers, events.customer, events.day)
    return Standing(first, last, begun, begun_year, live > 0, stage.astype(np.int8))


@njit(cache=True, nogil=True)
def _after_a_break(customer: Any, day: Any, finish: Any) -> Any:
    """Whether each contract began on a day on which earlier ones of the customer, of which there are some, had all ended."""
    out = np.zeros(len(day), np.bool_)
    covered = _NONE
    for row in range(len(day)):
        if row == 0 or customer[row] != customer[row - 1]:
            covered = _NONE
        elif day[row] > covered:
            out[row] = True
        covered = max(covered, finish[row])
    return out
