"""The same events on other days: when a value filled in, when a promise was broken, which event leads its group.

A row speaks from the day on which it happened and was known, even on another timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import COMES_WITH
from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.features import scan, sweep

if TYPE_CHECKING:
    from typing import Self

    from kizuna.features.rows import Rows

Mask = NDArray[np.bool_]
Value = TypeVar("Value")


class Timelines:
    """What a History can do with the days of its events. Mixed into History, which holds the events."""

    events: Events
    rows: Rows
    matured: frozenset[str]

    def on(self, column: str) -> Self:
        """The same events, dated by the day on which ``column`` came (``resolved_at``); those where it did not are out."""
        companions = (name for name, comes in COMES_WITH.items() if comes == column)
        return self._redated(self.events.days[column], self.matured | {column, *companions})

    def overdue(self, due: NDArray[np.int32], column: str) -> Self:
        """The same events, dated by the day after ``due`` if ``column`` had not come by then; the others are out."""
        missed = (due != NEVER) & (self.events.days[column] > due)
        return self._redated(np.where(missed, due + 1, NEVER).astype(np.int32))

    def dated_as(self, day: NDArray[np.int32]) -> Self:
        """The same events on other days of the past (an order's line on its order's day), NEVER to leave one out."""
        return self._redated(day)

    def finished_by(self, *columns: str) -> Self:
        """The same events, dated by the earliest of several columns (``ended_at``, ``notice_at``)."""
        present = [self.events.days[column] for column in columns if column in self.events.days]
        never = np.full(len(self.events.day), NEVER, dtype=np.int32)
        return self._redated(np.minimum.reduce([never, *present]))

    def first_of(self, column: str, where: Mask | None = None) -> Mask:
        """A mask of one event for each customer and distinct text (an order, a category): the one known first.

        An event without the text stands for its day. As the choice rests on what was known first, later arrivals never
        change what an earlier as_of saw.
        """
        mask = np.ones(len(self.events.day), dtype=np.bool_) if where is None else where
        return np.asarray(mask & (self.leader_of(column, mask) == np.arange(len(mask))))

    def leader_of(self, column: str, where: Mask) -> NDArray[np.int64]:
        """For each event of ``where`` the position of the first known one with the same customer and text, else −1."""
        events = self.events
        # Days lie after UNDATED, so that these codes are below 0, and another for each day.
        by_day = np.int32(UNDATED - 2) - events.day
        if column not in events.texts:
            return sweep.leaders(events.starts, events.known, by_day, where, 0)
        coded = events.texts[column]
        codes = np.where(coded.codes < 0, by_day, coded.codes)
        return sweep.leaders(events.starts, events.known, codes, where, coded.size)

    def repeats(self, column: str, within_days: int, where: Mask) -> Mask:
        """Events of ``where`` that follow one of the same customer and text by 1 … ``within_days`` days, known no later."""
        coded = self.events.texts[column]
        event = (self.events.day, self.events.known, self.events.known)
        return scan.repeats(self.events.starts, event, coded.codes, where, within_days)

    def completed(self, column: str, leader: NDArray[np.int64], promise: str) -> Self:
        """The same events; ``column`` of each group's leader is the day by which it had come for its whole first batch.

        The batch: events of the group with the leader's day, known day and ``promise``. Which of these equals leads must
        not depend on a value that fills in later.
        """
        events = self.events
        member = np.flatnonzero(leader >= 0)
        lead = leader[member]
        alike = (events.day[member] == events.day[lead]) & (events.known[member] == events.known[lead])
        alike &= events.days[promise][member] == events.days[promise][lead]
        came = np.full(len(events.day), sweep.NO_DAY, dtype=np.int32)
        np.maximum.at(came, lead[alike], events.days[column][member][alike])
        days = dict(events.days) | {column: np.where(leader == np.arange(len(leader)), came, events.days[column])}
        return replace(self, events=replace(events, days=days), memo={})  # type: ignore[type-var]

    def in_force(self, until: str, text: str, unnamed: str) -> NDArray[np.object_]:
        """The text of a row in force on the day (begun on or before as_of, not ended), the first by name; else None."""
        events, none = self.events, np.full(len(self.events.day), NEVER, dtype=np.int32)
        ends, named = events.days.get(until, none), events.texts.get(text)
        out = np.full(len(self.rows), None, dtype=object)
        for row in np.flatnonzero(np.diff(events.starts)[self.rows.customer] > 0):
            customer, as_of = self.rows.customer[row], self.rows.as_of[row]
            mine = np.arange(events.starts[customer], events.starts[customer + 1])
            mine = mine[(events.day[mine] <= as_of) & (ends[mine] > as_of)]
            if len(mine):
                said = [named.levels[code] for code in named.codes[mine] if code >= 0] if named else []
                out[row] = min(said, default=unnamed)
        return out

    def _redated(self, day: NDArray[np.int32], matured: frozenset[str] | None = None) -> Self:
        events = self.events
        order = sweep.order_by_day(events.starts, day, NEVER)
        customer = events.customer[order]
        redated = Events(
            customer=customer,
            day=day[order],
            known=np.maximum(events.known[order], events.day[order]),
            starts=starts_of(customer, events.customers),
            numbers=_Taken(events.numbers, lambda values: values[order]),
            days=_Taken(events.days, lambda values: values[order]),
            texts=_Taken(events.texts, lambda coded: Coded(coded.codes[order], coded.dictionary)),
        )
        matured = self.matured if matured is None else matured
        return replace(self, events=redated, matured=matured, memo={})  # type: ignore[type-var]


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
