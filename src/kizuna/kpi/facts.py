"""What a block's customers did, as it was known on the day that is stood on: the only place that looks at ``known``.

A month's KPIs may use what came in after the month, so a fact is dated by its day alone once it is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import FILLS_IN_LATER
from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.features import timelines

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Days = NDArray[np.int32]


@dataclass(frozen=True)
class Facts:
    """The rows of a block's tables with ``day`` and ``known`` before ``known_before``; what filled in later is NEVER."""

    tables: Mapping[str, Events]
    known_before: int
    customers: int
    read: dict[str, Events] = field(default_factory=dict, repr=False)

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table, or a column of it, is there."""
        if table not in self.tables:
            return False
        events = self.tables[table]
        return column is None or any(column in of for of in (events.numbers, events.days, events.texts))

    def table(self, name: str) -> Events:
        """The known rows of a table."""
        if name not in self.read:
            self.read[name] = known_rows(self.tables[name], self.known_before)
        return self.read[name]

    def of_kind(self, table: str, *kinds: str) -> Mask:
        """Rows of a table of these kinds; all of them where it has no kind."""
        events = self.table(table)
        if "kind" not in events.texts:
            return np.ones(len(events.day), dtype=np.bool_)
        return says(events.texts["kind"], kinds)

    @cached_property
    def purchases(self) -> Purchases:
        """The purchases; of a shop without that table none."""
        if not self.has("purchases"):
            nobody = np.zeros(0, dtype=np.int32)
            return _purchases(
                Events(nobody, nobody, nobody, starts_of(nobody, self.customers), {"amount": np.zeros(0)}, {}, {})
            )
        return _purchases(self.table("purchases"))


@dataclass(frozen=True)
class Purchases:
    """Rows of purchases: ``bought`` and ``order`` (one row of each order, that known first) are masks of them.

    ``net``: amounts, a return's below 0. ``order_day``: for each bought row the day of its order.
    """

    events: Events
    bought: Mask
    order: Mask
    net: Floats
    order_day: Days


def known_rows(events: Events, known_before: int) -> Events:
    """The rows of a table that had happened and were known before a day; later values in them have not come yet."""
    keep = (events.day < known_before) & (events.known < known_before)
    customer = events.customer[keep]
    days = {}
    for name, values in events.days.items():
        kept = values[keep]
        days[name] = np.where(kept < known_before, kept, NEVER) if name in FILLS_IN_LATER else kept
    return Events(
        customer=customer,
        day=events.day[keep],
        known=events.known[keep],
        starts=starts_of(customer, events.customers),
        numbers={name: values[keep] for name, values in events.numbers.items()},
        days=days,
        texts={name: replace(coded, codes=coded.codes[keep]) for name, coded in events.texts.items()},
    )


def says(coded: Coded, words: tuple[str, ...] | list[str]) -> Mask:
    """Which rows' text is one of some words, case and blanks around it aside; a null is none."""
    wanted = {word.strip().lower() for word in words}
    # Code −1, the null, finds the last place.
    listed = np.array([*(level.strip().lower() in wanted for level in coded.levels), False], dtype=np.bool_)
    return np.asarray(listed[coded.codes])


def by_period(customers: int, edges: Days, customer: Days, day: Days, values: Floats | None = None) -> Floats:
    """(len(edges) − 1, customers): how many rows, or their sum, on the days from each edge to the next."""
    place = np.searchsorted(edges, day, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    cell = place[inside] * customers + customer[inside]
    weights = None if values is None else values[inside]
    found = np.bincount(cell, weights, minlength=(len(edges) - 1) * customers)
    return found.astype(np.float64).reshape(len(edges) - 1, customers)


def first_days(customers: int, customer: Days, day: Days) -> NDArray[np.int64]:
    """The first day of each customer among some rows, NEVER where there is none."""
    first = np.full(customers, NEVER, dtype=np.int64)
    np.minimum.at(first, customer, day)
    return first


def days_until_next(customer: Days, day: Days, then_customer: Days, then_day: Days) -> NDArray[np.int64]:
    """Days from each row to the same customer's next of other rows, on that day at the earliest; NEVER where none came."""
    span = np.int64(NEVER)
    later = np.sort(then_customer.astype(np.int64) * span + (then_day.astype(np.int64) - UNDATED))
    asked = customer.astype(np.int64) * span + (day.astype(np.int64) - UNDATED)
    place = np.searchsorted(later, asked)
    found = np.append(later, np.int64(-1))[place]
    same = (found >= 0) & (found // span == customer)
    return np.where(same, found - asked, NEVER)


def _purchases(events: Events) -> Purchases:
    amount = events.numbers["amount"]
    returned = amount < 0
    if "is_return" in events.numbers:
        said = events.numbers["is_return"]
        returned = np.where(np.isnan(said), returned, said == 1)
    bought = ~returned
    leader = timelines.leaders(events, "order_id", bought)
    order = bought & (leader == np.arange(len(leader)))
    order_day = np.where(bought, events.day[leader] if len(leader) else events.day, events.day)
    net = np.where(returned, -np.abs(amount), amount)
    return Purchases(events, bought, order, net, order_day.astype(np.int32))
