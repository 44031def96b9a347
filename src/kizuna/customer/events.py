"""Everything that was known of one customer before a day, row by row, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from kizuna.data.blocks import Block
from kizuna.data.contract import COMES_WITH, FILLS_IN_LATER
from kizuna.data.events import NEVER, UNDATED, Events
from kizuna.data.store import Store
from kizuna.timeline import date_of


@dataclass(frozen=True)
class Event:
    """One row of one table. ``day``: None for what has always been there. ``values``: what the row says, nulls left out;
    what fills in later is there once its own day had come.
    """

    table: str
    day: date | None
    values: Mapping[str, str | float | date]


def known_events(store: Store, customer_id: str, known_before: int) -> list[Event] | None:
    """The customer's events known before a day, newest first, those of one day by table; None where no table has the id."""

    def found(block: Block) -> list[Event] | None:
        at = np.flatnonzero(block.ids() == customer_id)
        if not len(at):
            return None
        return [
            event
            for table in sorted(block.tables)
            for event in _events(table, block.tables[table], int(at[0]), known_before)
        ]

    parts = [part for part in store.map(found, "customer") if part is not None]
    if not parts:
        return None
    # Undated rows come last.
    return sorted((event for part in parts for event in part), key=_newest_first)


def _newest_first(event: Event) -> tuple[int, str]:
    return (-event.day.toordinal() if event.day else 0), event.table


def _events(table: str, events: Events, customer: int, known_before: int) -> list[Event]:
    span = range(int(events.starts[customer]), int(events.starts[customer + 1]))
    known = [at for at in span if events.day[at] < known_before and events.known[at] < known_before]
    return [
        Event(table, None if events.day[at] == UNDATED else date_of(events.day[at]), _values(events, at, known_before))
        for at in reversed(known)
    ]


def _values(events: Events, at: int, known_before: int) -> dict[str, str | float | date]:
    values: dict[str, Any] = {}
    for name, coded in events.texts.items():
        if coded.codes[at] >= 0:
            values[name] = coded.levels[coded.codes[at]]
    for name, numbers in events.numbers.items():
        if np.isfinite(numbers[at]) and _has_come(events, name, at, known_before):
            values[name] = float(numbers[at])
    for name, days in events.days.items():
        if name != "occurred_at" and days[at] not in (NEVER, UNDATED) and _has_come(events, name, at, known_before):
            values[name] = date_of(days[at])
    return dict(sorted(values.items()))


def _has_come(events: Events, name: str, at: int, known_before: int) -> bool:
    """Whether a value that fills in later had done so."""
    own = COMES_WITH.get(name, name)
    return name not in FILLS_IN_LATER or (own in events.days and bool(events.days[own][at] < known_before))
