"""The same events on other days, and which event leads its group: what History does with the days of its events.

A row speaks from the day on which it happened and was known, even on another timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.features import sweep

if TYPE_CHECKING:
    from kizuna.features.rows import Rows

Mask = NDArray[np.bool_]
Value = TypeVar("Value")


def redated(events: Events, day: NDArray[np.int32]) -> Events:
    """The same events, each on another day; NEVER leaves one out. None is known before its own day."""
    order = sweep.order_by_day(events.starts, day, NEVER)
    customer = events.customer[order]
    return Events(
        customer=customer,
        day=day[order],
        known=np.maximum(events.known[order], events.day[order]),
        starts=starts_of(customer, events.customers),
        numbers=_Taken(events.numbers, lambda values: values[order]),
        days=_Taken(events.days, lambda values: values[order]),
        texts=_Taken(events.texts, lambda coded: replace(coded, codes=coded.codes[order])),
    )


def missed(events: Events, due: NDArray[np.int32], column: str) -> NDArray[np.int32]:
    """The day after ``due`` of each event whose ``column`` had not come by then, else NEVER."""
    late = (due != NEVER) & (events.days[column] > due)
    return np.where(late, due + 1, NEVER).astype(np.int32)


def earliest(events: Events, columns: tuple[str, ...]) -> NDArray[np.int32]:
    """The earliest of several columns of each event, NEVER where none has come."""
    never = np.full(len(events.day), NEVER, dtype=np.int32)
    days: NDArray[np.int32] = np.minimum.reduce(
        [never, *(events.days[name] for name in columns if name in events.days)]
    )
    return days


def leaders(events: Events, column: str, where: Mask) -> NDArray[np.int64]:
    """For each event of ``where`` the position of the first known one with the same customer and text, else −1.

    An event without the text stands for its day.
    """
    # Days lie after UNDATED, so that these codes are below 0, and another for each day.
    by_day = np.int32(UNDATED - 2) - events.day
    coded: Coded | None = events.texts.get(column)
    codes, levels = (by_day, 0) if coded is None else (np.where(coded.codes < 0, by_day, coded.codes), coded.size)
    return np.asarray(sweep.leaders(events.starts, events.known, codes, where, levels))


def completed(events: Events, column: str, leader: NDArray[np.int64], promise: str) -> Events:
    """The same events; ``column`` of each group's leader is the day by which it had come for its whole first batch.

    The batch: events of the group with the leader's day, known day and ``promise``. Which of these equals leads must
    not depend on a value that fills in later.
    """
    member = np.flatnonzero(leader >= 0)
    lead = leader[member]
    alike = (events.day[member] == events.day[lead]) & (events.known[member] == events.known[lead])
    alike &= events.days[promise][member] == events.days[promise][lead]
    came = np.full(len(events.day), sweep.NO_DAY, dtype=np.int32)
    np.maximum.at(came, lead[alike], events.days[column][member][alike])
    days = dict(events.days) | {column: np.where(leader == np.arange(len(leader)), came, events.days[column])}
    return replace(events, days=days)


def in_force(events: Events, rows: Rows, until: str, text: str, unnamed: str) -> NDArray[np.object_]:
    """The text of a row in force on each day (begun on or before as_of, not ended), the first by name; else None."""
    ends = events.days.get(until, np.full(len(events.day), NEVER, dtype=np.int32))
    named = events.texts.get(text)
    out = np.full(len(rows), None, dtype=object)
    for row in np.flatnonzero(np.diff(events.starts)[rows.customer] > 0):
        customer, as_of = rows.customer[row], rows.as_of[row]
        mine = np.arange(events.starts[customer], events.starts[customer + 1])
        mine = mine[(events.day[mine] <= as_of) & (ends[mine] > as_of)]
        if len(mine):
            said = [named.levels[code] for code in named.codes[mine] if code >= 0] if named else []
            out[row] = min(said, default=unnamed)
    return out


@dataclass(frozen=True)
class _Taken(Mapping[str, Value]):
    """Columns in another order, each taken when it is first asked for."""

    columns: Mapping[str, Value]
    take: Callable[[Value], Value]

    def __getitem__(self, name: str) -> Value:
        return self.take(self.columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)
