"""All that was known of a block of customers on each snapshot day: the past, and only the past.

A family is a short function of a History and cannot see the other side: every count, sum and date here uses rows with
``day < as_of`` and ``known < as_of`` alone, and a value that fills in later (``resolved_at``) is reachable only on the
timeline of the day on which it filled in. This file and ``labels/`` hold the only comparisons with ``as_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import FILLS_IN_LATER
from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.features import sweep

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Window = int | tuple[int | None, int] | None
"""``90``: ``[as_of − 90, as_of)``. ``(−180, −90)``: offsets from as_of, the first may be None. None: all the past."""

_LONG_AGO = -1_500_000_000


@dataclass(frozen=True)
class Rows:
    """Keys of a feature frame in one block: ``customer`` (position in the block) and ``as_of``, sorted by both."""

    customer: NDArray[np.int32]
    as_of: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.customer)

    def where(self, keep: Mask) -> Rows:
        """The rows that a mask keeps."""
        return rows_of(self.customer[keep], self.as_of[keep], len(self.starts) - 1)


def rows_of(customer: NDArray[np.int32], as_of: NDArray[np.int32], customers: int) -> Rows:
    """Rows from sorted keys of a block with ``customers`` customers."""
    return Rows(customer, as_of, starts_of(customer, customers))


def every_pair(customers: int, days: list[int]) -> Rows:
    """Each customer of a block on each day."""
    ascending = np.array(sorted(days), dtype=np.int32)
    customer = np.repeat(np.arange(customers, dtype=np.int32), len(ascending))
    return rows_of(customer, np.tile(ascending, customers), customers)


@dataclass(frozen=True)
class History:
    """One table's past on every row. Arrays that come back have one float64 per row; event masks one bool per event."""

    events: Events
    rows: Rows
    tables: Mapping[str, Events]
    matured: frozenset[str] = frozenset()

    # ---- what the table holds -------------------------------------------------------------------------------------

    def table(self, name: str) -> History | None:
        """The same rows' History of another table, or None where it is not configured."""
        return History(self.tables[name], self.rows, self.tables) if name in self.tables else None

    def has(self, *columns: str) -> bool:
        """Whether the table has all these columns."""
        return all(c in self.events.numbers or c in self.events.days or c in self.events.texts for c in columns)

    def numbers(self, column: str) -> Floats:
        """A number column, one value per event."""
        self._refuse_immature(column)
        return self.events.numbers[column]

    def days(self, column: str) -> NDArray[np.int32]:
        """A date column as day numbers, one per event, NEVER where null."""
        self._refuse_immature(column)
        return self.events.days[column]

    def texts(self, column: str) -> Coded:
        """A text column, one code per event."""
        return self.events.texts[column]

    def equals(self, column: str, *values: str) -> Mask:
        """Events whose text is one of ``values``."""
        coded = self.events.texts[column]
        wanted = [code for code, level in enumerate(coded.levels) if level in values]
        return np.isin(coded.codes, wanted)

    def kinds(self, *values: str) -> Mask:
        """Events of these kinds; where the table has no kind, all events."""
        return self.equals("kind", *values) if self.has("kind") else self.all_events()

    def all_events(self) -> Mask:
        """A mask of every event."""
        return np.ones(len(self.events.day), dtype=np.bool_)

    # ---- windows --------------------------------------------------------------------------------------------------

    def count(self, window: Window = None, where: Mask | None = None) -> Floats:
        """How many events."""
        return self.sum(np.ones(len(self.events.day)), window, where)

    def sum(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The sum of ``values`` over events of the window, nulls left out; 0 where nothing happened."""
        low, high = _offsets(window)
        mask = self.all_events() if where is None else where
        # What may be known late is kept out of the running sums, whichever rows are asked for: a huge amount that was
        # taken out again would leave its rounding behind.
        late = self.events.known > self.events.day - high
        sums = sweep.running_sums(self.events.starts, values, mask & ~late)
        out = sweep.window_sums(self.events.starts, sums, self.rows.customer, self._edge(low), self._edge(high))
        if (mask & late).any():
            rows, event = (
                (self.rows.starts, self.rows.as_of),
                (self.events.customer, self.events.day, self.events.known),
            )
            sweep.add_late(out, rows, event, values, mask & late, low, high)
        return out

    def mean(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The mean of ``values`` over events of the window that have one; NaN where there is none."""
        mask = ~np.isnan(values) if where is None else where & ~np.isnan(values)
        return ratio(self.sum(values, window, mask), self.count(window, mask))

    # ---- moments; ``still``: only events whose column of that name (resolved_at) had not come by as_of ----------------

    def days_since_last(self, where: Mask | None = None, still: str | None = None) -> Floats:
        """Whole days since the last event, at least 1; NaN where it never happened."""
        return self._days_since(self.recent_days(1, where, still)[:, 0])

    def days_since_first(self, where: Mask | None = None, still: str | None = None) -> Floats:
        """Whole days since the first event, at least 1; NaN where it never happened."""
        mask = self.all_events() if where is None else where
        return self._days_since(sweep.first_day(self.events.starts, self._event(still), self._row, mask))

    def recent_days(self, count: int, where: Mask | None = None, still: str | None = None) -> NDArray[np.int64]:
        """(rows, count): the last distinct days with an event, newest first, sweep.NO_DAY where there are fewer."""
        mask = self.all_events() if where is None else where
        return sweep.recent_days(self.events.starts, self._event(still), self._row, mask, count)

    def last(self, values: Floats, where: Mask | None = None, back: int = 0, still: str | None = None) -> Floats:
        """The mean value on the last day that has one (``back``: so many such days earlier); NaN if there is none."""
        mask = self.all_events() if where is None else where
        return sweep.mean_on_day(self.events.starts, self._event(still), self._row, mask, values, back)

    def current(self, values: Floats) -> Floats:
        """The value of the last row, null if it is null there; NaN where there is no row."""
        position = sweep.last_position(self.events.starts, self.events.known, self._row)
        if not len(values):
            return np.full(len(self.rows), np.nan)
        return np.where(position >= 0, values[np.maximum(position, 0)], np.nan)

    def days_until(self, column: str, where: Mask | None = None, still: str | None = None) -> Floats:
        """Days from as_of to the last event's date in ``column`` (``renews_at``), negative if past; NaN if none."""
        days = self.days(column).astype(np.float64)
        days[self.days(column) == NEVER] = np.nan
        return self.last(days, where, still=still) - self.rows.as_of

    def days_since_date(self, column: str) -> Floats:
        """Days since the last event's date in ``column`` (``birth_date``), at least 1; NaN where it is not yet past."""
        since = -self.days_until(column)
        return np.where(since > 0, since, np.nan)

    def in_force(self, until: str, text: str, unnamed: str) -> NDArray[np.object_]:
        """The text of a row in force on the day (begun on or before as_of, not ended), the first by name; else None."""
        events, none = self.events, np.full(len(self.events.day), NEVER, dtype=np.int32)
        ends, named = events.days.get(until, none), events.texts.get(text)
        out = np.full(len(self.rows), None, dtype=object)
        for row, (customer, as_of) in enumerate(zip(self.rows.customer, self.rows.as_of, strict=True)):
            mine = np.arange(events.starts[customer], events.starts[customer + 1])
            mine = mine[(events.day[mine] <= as_of) & (ends[mine] > as_of)]
            if len(mine):
                said = [named.levels[code] for code in named.codes[mine] if code >= 0] if named else []
                out[row] = min(said, default=unnamed)
        return out

    # ---- other timelines ------------------------------------------------------------------------------------------

    def on(self, column: str) -> History:
        """The same events, dated by the day on which ``column`` came (``resolved_at``); those where it did not are out."""
        return replace(
            self._redated(self.events.days[column]), matured=self.matured | {column, *_COMES_WITH.get(column, ())}
        )

    def overdue(self, due: NDArray[np.int32], column: str) -> History:
        """The same events, dated by the day after ``due`` if ``column`` had not come by then; the others are out."""
        missed = (due != NEVER) & (self.events.days[column] > due)
        return self._redated(np.where(missed, due + 1, NEVER).astype(np.int32))

    def dated_as(self, day: NDArray[np.int32]) -> History:
        """The same events on other days of the past (an order's line on its order's day), NEVER to leave one out."""
        return self._redated(day)

    def finished_by(self, *columns: str) -> History:
        """The same events, dated by the earliest of several columns (``ended_at``, ``notice_at``)."""
        present = [self.events.days[column] for column in columns if column in self.events.days]
        never = np.full(len(self.events.day), NEVER, dtype=np.int32)
        return self._redated(np.minimum.reduce([never, *present]))

    def first_of(self, column: str, where: Mask | None = None) -> Mask:
        """A mask of one event for each customer and distinct text (an order, a category): the one known first.

        An event without the text stands for its day. As the choice rests on what was known first, later arrivals never
        change what an earlier as_of saw.
        """
        mask = self.all_events() if where is None else where
        leads: Mask = self.leader_of(column, mask) == np.arange(len(mask))
        return mask & leads

    def leader_of(self, column: str, where: Mask) -> NDArray[np.int64]:
        """For each event of ``where`` the position of the first known one with the same customer and text, else −1."""
        events = self.events
        codes = events.texts[column].codes.astype(np.int64) if self.has(column) else np.full(len(where), -1, np.int64)
        codes = np.where(codes < 0, -2 - events.day.astype(np.int64) + UNDATED, codes)
        index = np.flatnonzero(where)
        order = index[np.lexsort((index, events.day[index], events.known[index], codes[index], events.customer[index]))]
        begins = np.ones(len(order), dtype=np.bool_)
        same = (codes[order][1:] == codes[order][:-1]) & (events.customer[order][1:] == events.customer[order][:-1])
        begins[1:] = ~same
        out = np.full(len(where), -1, dtype=np.int64)
        out[order] = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))] if len(order) else order
        return out

    def completed(self, column: str, leader: NDArray[np.int64], promise: str) -> History:
        """The same events; ``column`` of each group's leader is the day by which it had come for its whole first batch.

        The batch: events of the group with the leader's day, known day and ``promise``. Which of these equals leads must
        not depend on a value that fills in later.
        """
        events = self.events
        member = np.flatnonzero(leader >= 0)
        lead = leader[member]
        alike = (events.day[member] == events.day[lead]) & (events.known[member] == events.known[lead])
        alike &= events.days[promise][member] == events.days[promise][lead]
        came = np.zeros(len(events.day), dtype=np.int32)
        np.maximum.at(came, lead[alike], events.days[column][member][alike])
        days = dict(events.days) | {column: np.where(leader == np.arange(len(leader)), came, events.days[column])}
        return replace(self, events=replace(events, days=days))

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _event(self, still: str | None) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Day, known day, and the day until which each event is open: that of column ``still``, or for ever."""
        never = np.full(len(self.events.day), NEVER, dtype=np.int32)
        return self.events.day, self.events.known, never if still is None else self.events.days.get(still, never)

    @property
    def _row(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        return self.rows.customer, self.rows.as_of, self._edge(0)

    def _edge(self, offset: int) -> NDArray[np.int64]:
        if offset == _LONG_AGO:
            edge: NDArray[np.int64] = self.events.starts[self.rows.customer]
            return edge
        return sweep.edges(self.events.starts, self.events.day, self.rows.customer, self.rows.as_of + np.int32(offset))

    def _days_since(self, day: NDArray[np.int64]) -> Floats:
        return np.where(day != sweep.NO_DAY, self.rows.as_of - day, np.nan).astype(np.float64)

    def _redated(self, day: NDArray[np.int32]) -> History:
        events = self.events
        keep = np.flatnonzero(day != NEVER)
        order = keep[np.lexsort((keep, day[keep], events.customer[keep]))]
        customer = events.customer[order]
        redated = Events(
            customer=customer,
            day=day[order],
            # A row speaks from the day on which it happened and was known, even on another timeline.
            known=np.maximum(events.known[order], events.day[order]),
            starts=starts_of(customer, events.customers),
            numbers={name: values[order] for name, values in events.numbers.items()},
            days={name: values[order] for name, values in events.days.items()},
            texts={name: Coded(coded.codes[order], coded.levels) for name, coded in events.texts.items()},
        )
        return replace(self, events=redated)

    def _refuse_immature(self, column: str) -> None:
        if column in FILLS_IN_LATER - self.matured:
            raise LookupError(f"{column} fills in later; read it on its own timeline: h.on({column!r}).")


_COMES_WITH = {"ended_at": ("voluntary",)}


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Elementwise quotient; NaN where the denominator is 0 or null."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def _offsets(window: Window) -> tuple[int, int]:
    if window is None:
        return _LONG_AGO, 0
    if isinstance(window, tuple):
        return _LONG_AGO if window[0] is None else window[0], window[1]
    return -window, 0
