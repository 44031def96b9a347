"""All that was known of a block of customers on each snapshot day: the past, and only the past.

A family is a short function of a History and cannot see the other side: every count, sum and date here uses rows with
``day < as_of`` and ``known < as_of`` alone, and a value that fills in later (``resolved_at``) is reachable only on the
timeline of the day on which it filled in (``timelines.py``). The files history, sweep, scan, timelines and ``labels/``
hold the only comparisons with ``as_of``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import COMES_WITH, FILLS_IN_LATER
from kizuna.data.events import NEVER, Coded, Events
from kizuna.features import scan, sweep, timelines
from kizuna.features.rows import Rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Window = int | tuple[int | None, int] | None
"""``90``: ``[as_of − 90, as_of)``. ``(−180, −90)``: offsets from as_of, the first may be None. None: all the past."""
Made = TypeVar("Made")

_LONG_AGO = -1_500_000_000
# An event that was known more than this many days after it happened is looked at alone.
_PROMPT_DAYS = 31


@dataclass(frozen=True)
class History:
    """One table's past on every row. Arrays that come back have one float64 per row; event masks one bool per event.

    ``others``: the Histories of tables on the same rows that somebody holds, and ``memo``: what was computed once for
    these events and rows; the families of a block share both.
    """

    events: Events
    rows: Rows
    tables: Mapping[str, Events]
    matured: frozenset[str] = frozenset()
    others: WeakValueDictionary[str, History] = field(default_factory=WeakValueDictionary, repr=False, compare=False)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    # ---- what the table holds -------------------------------------------------------------------------------------

    def table(self, name: str) -> History | None:
        """The same rows' History of another table, or None where it is not configured."""
        if name not in self.tables:
            return None
        past = self.others.get(name)
        if past is None:
            past = self.others[name] = History(self.tables[name], self.rows, self.tables, others=self.others)
        return past

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

        def find() -> Mask:
            coded = self.events.texts[column]
            # Code −1, the null, finds the last place.
            wanted = np.array([*(level in values for level in coded.levels), False], dtype=np.bool_)
            return np.asarray(sweep.pick(wanted, coded.codes))

        return self.once(("equals", column, values), find)

    def kinds(self, *values: str) -> Mask:
        """Events of these kinds; where the table has no kind, all events."""
        return self.equals("kind", *values) if self.has("kind") else self.all_events()

    def all_events(self) -> Mask:
        """A mask of every event."""
        return self.once("all", lambda: np.ones(len(self.events.day), dtype=np.bool_))

    def days_ago(self, days: int) -> History:
        """The same table as it was known so many days before each row's day."""
        return History(self.events, replace(self.rows, as_of=self.rows.as_of - np.int32(days)), self.tables)

    def once(self, key: Any, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made once for these events and rows; an array that several share is not to be changed."""
        if key not in self.memo:
            self.memo[key] = make()
        made: Made = self.memo[key]
        return made

    # ---- the same events on other days; a row speaks from the day on which it happened and was known ----------------

    def on(self, column: str) -> History:
        """The same events, dated by the day on which ``column`` came (``resolved_at``); those where it did not are out."""
        companions = {name for name, comes in COMES_WITH.items() if comes == column}
        matured = self.matured | {column} | companions
        return replace(self.dated_as(self.events.days[column]), matured=matured)

    def overdue(self, due: NDArray[np.int32], column: str) -> History:
        """The same events, dated by the day after ``due`` if ``column`` had not come by then; the others are out."""
        return self.dated_as(timelines.missed(self.events, due, column))

    def finished_by(self, *columns: str) -> History:
        """The same events, dated by the earliest of several columns (``ended_at``, ``notice_at``)."""
        return self.dated_as(timelines.earliest(self.events, columns))

    def dated_as(self, day: NDArray[np.int32]) -> History:
        """The same events on other days of the past (an order's line on its order's day), NEVER to leave one out."""
        return self._holding(timelines.redated(self.events, day))

    def completed(self, column: str, leader: NDArray[np.int64], promise: str) -> History:
        """The same events; ``column`` of each group's leader is the day by which it had come for its whole first batch."""
        return self._holding(timelines.completed(self.events, column, leader, promise))

    def in_force(self, until: str, text: str, unnamed: str) -> NDArray[np.object_]:
        """The text of a row in force on the day (begun on or before as_of, not ended), the first by name; else None."""
        return timelines.in_force(self.events, self.rows, until, text, unnamed)

    # ---- groups ---------------------------------------------------------------------------------------------------

    def first_of(self, column: str, where: Mask | None = None) -> Mask:
        """A mask of one event for each customer and distinct text (an order, a category): the one known first.

        An event without the text stands for its day. As the choice rests on what was known first, later arrivals never
        change what an earlier as_of saw.
        """
        mask = self.all_events() if where is None else where
        return np.asarray(mask & (self.leader_of(column, mask) == np.arange(len(mask))))

    def leader_of(self, column: str, where: Mask) -> NDArray[np.int64]:
        """For each event of ``where`` the position of the first known one with the same customer and text, else −1."""
        # A mask is kept with what was made of it, here and below, so that no other array takes its identity.
        key = ("leaders", column, id(where))
        leaders, _ = self.once(key, lambda: (timelines.leaders(self.events, column, where), where))
        return leaders

    def repeats(self, column: str, within_days: int, where: Mask) -> Mask:
        """Events of ``where`` that follow one of the same customer and text by 1 … ``within_days`` days, known no later."""
        codes = self.events.texts[column].codes
        return scan.repeats(self.events.starts, self._event(None), codes, where, within_days)

    # ---- windows --------------------------------------------------------------------------------------------------

    def count(self, window: Window = None, where: Mask | None = None) -> Floats:
        """How many events."""
        return self._total(None, window, where)

    def sum(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The sum of ``values`` over events of the window, nulls left out; 0 where nothing happened."""
        return self._total(values, window, where)

    def mean(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The mean of ``values`` over events of the window that have one; NaN where there is none."""
        mask = ~np.isnan(values) if where is None else where & ~np.isnan(values)
        return ratio(self.sum(values, window, mask), self.count(window, mask))

    def largest(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The largest of ``values`` over events of the window; NaN where there is none."""
        low, high = (self._edge(offset) for offset in _offsets(window))
        mask = self.all_events() if where is None else where
        return np.asarray(scan.largest(self.events.known, self.rows.as_of, low, high, mask, values))

    def smallest(self, values: Floats, window: Window = None, where: Mask | None = None) -> Floats:
        """The smallest of ``values`` over events of the window; NaN where there is none."""
        return -self.largest(-values, window, where)

    def distinct(self, column: str, window: Window = None, where: Mask | None = None) -> Floats:
        """How many different texts, nulls left out."""
        return np.asarray(self._tally(column, window, where)[0])

    def top_share(self, column: str, window: Window = None, where: Mask | None = None) -> Floats:
        """The most frequent text's share of the events that have a text; NaN where there is none."""
        _, most, total = self._tally(column, window, where)
        return ratio(most, total)

    # ---- moments; ``still``: only events whose column of that name (resolved_at) had not come by as_of ----------------

    def days_since_last(self, where: Mask | None = None, still: str | None = None) -> Floats:
        """Whole days since the last event, at least 1; NaN where it never happened."""
        return np.asarray(self.rows.as_of - self.last_day(where, still))

    def days_since_first(self, where: Mask | None = None, still: str | None = None, window: Window = None) -> Floats:
        """Whole days since the first event (of the window), at least 1; NaN where it never happened."""
        return np.asarray(self.rows.as_of - self.first_day(where, still, window))

    def last_day(self, where: Mask | None = None, still: str | None = None) -> Floats:
        """The day of the last event; NaN where it never happened."""
        mask = self.all_events() if where is None else where
        # A mask is kept with what was made of it, here and below, so that no other array takes its identity.
        key = ("last day", id(mask), still)
        found = self.once(key, lambda: (scan.last_day(self.events.starts, self._event(still), self._row, mask), mask))
        return np.asarray(found[0])

    def first_day(self, where: Mask | None = None, still: str | None = None, window: Window = None) -> Floats:
        """The day of the first event (of the window); NaN where it never happened."""
        return _floats(self.first_days(1, where, still, window)[:, 0])

    def first_days(
        self, count: int, where: Mask | None = None, still: str | None = None, window: Window = None
    ) -> NDArray[np.int64]:
        """(rows, count): the first distinct days with an event, oldest first, sweep.NO_DAY where there are fewer."""
        mask = self.all_events() if where is None else where
        low, high = (self._edge(offset) for offset in _offsets(window))
        row = (self.rows.customer, self.rows.as_of, high)
        return scan.first_days(low, self._event(still), row, mask, count)

    def rhythm(self, where: Mask | None = None, gaps: int = 12) -> tuple[Floats, Floats]:
        """Median of the last ``gaps`` gaps between days with an event, and their coefficient of variation (population).

        The median is NaN below two days, the variation below three.
        """
        mask = self.all_events() if where is None else where
        # What is known at once stays the same until the next event.
        steady = self.events.lag_days == 0
        usual, variation = scan.rhythm(self.events.starts, self._event(None), self._row, mask, gaps, steady)
        return usual, variation

    def last(self, values: Floats, where: Mask | None = None, back: int = 0, still: str | None = None) -> Floats:
        """The mean value on the last day that has one (``back``: so many such days earlier); NaN if there is none."""
        mask = self.all_events() if where is None else where
        return scan.mean_on_day(self.events.starts, self._event(still), self._row, mask, values, back)

    def first(self, values: Floats, where: Mask | None = None) -> Floats:
        """The mean value on the first day that has one; NaN if there is none."""
        mask = self.all_events() if where is None else where
        return scan.mean_on_first_day(self.events.starts, self._event(None), self._row, mask, values)

    def current(self, values: Floats) -> Floats:
        """The value of the last row, null if it is null there; NaN where there is no row."""
        position = self.once("last", lambda: scan.last_position(self.events.starts, self.events.known, self._row))
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

    # ---- spans between days of each row's own -----------------------------------------------------------------------

    def count_between(self, start: Floats, end: Floats | None = None, where: Mask | None = None) -> Floats:
        """Events with ``start <= day < end``, days of each row's own (None: as_of); NaN where either is."""
        return self.sum_between(self.once("ones", lambda: np.ones(len(self.events.day))), start, end, where)

    def sum_between(
        self, values: Floats, start: Floats, end: Floats | None = None, where: Mask | None = None
    ) -> Floats:
        """The sum of ``values`` over those events, nulls left out; NaN where start or end is."""
        mask = self.all_events() if where is None else where
        span = (start, self.rows.as_of.astype(np.float64) if end is None else end)
        return scan.sum_between(self.events.starts, self._event(None), self._row, span, mask, values)

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _total(self, values: Floats | None, window: Window, where: Mask | None) -> Floats:
        """The number of events, or the sum of their values."""
        low, high = _offsets(window)
        mask = self.all_events() if where is None else where
        lag = self.events.lag_days
        if lag is not None:
            # Every row is known so many days after its day: the window just ends earlier.
            return self._between(values, mask, low, min(high, -lag))
        # What may be known late is kept out of the running totals, whichever rows are asked for. Only an event's own dates
        # decide where it is added, so that other events never change a bit.
        prompt, single = self._promptness(mask)
        middle = max(low, min(high, -_PROMPT_DAYS))
        out = self._between(values, prompt, low, middle)
        each = self.once("ones", lambda: np.ones(len(self.events.day))) if values is None else values
        if high > middle:
            known, as_of = self.events.known, self.rows.as_of
            sweep.add_recent(out, as_of, self._edge(middle), self._edge(high), known, each, prompt)
        if len(single):
            rows, event = (
                (self.rows.starts, self.rows.as_of),
                (self.events.customer, self.events.day, self.events.known),
            )
            sweep.add_single(out, rows, event, single, each, low, high)
        return out

    def _between(self, values: Floats | None, mask: Mask, low: int, high: int) -> Floats:
        """The number or sum of the mask's events on ``[as_of + low, as_of + high)``, known or not."""
        if high <= low:
            return np.zeros(len(self.rows))
        starts, customer, edges = self.events.starts, self.rows.customer, (self._edge(low), self._edge(high))
        if values is None:
            before, _ = self.once(("counts", id(mask)), lambda: (sweep.counts_before(starts, mask), mask))
            return np.asarray(sweep.window_counts(before, customer, *edges))
        key = ("sums", id(values), id(mask))
        sums, *_ = self.once(key, lambda: (sweep.sums_before(starts, values, mask), values, mask))
        return np.asarray(sweep.window_sums(sums, customer, *edges))

    def _promptness(self, mask: Mask) -> tuple[Mask, NDArray[np.int64]]:
        """The events of a mask that were known within a month, and the positions of the others."""

        def split() -> tuple[Mask, NDArray[np.int64], Mask]:
            prompt = self.events.known - self.events.day <= _PROMPT_DAYS
            return mask & prompt, np.flatnonzero(mask & ~prompt), mask

        return self.once(("prompt", id(mask)), split)[:2]

    def _tally(self, column: str, window: Window, where: Mask | None) -> NDArray[np.float64]:
        low, high = (self._edge(offset) for offset in _offsets(window))
        mask, coded = self.all_events() if where is None else where, self.texts(column)
        return scan.tally(self.events.known, self.rows.as_of, low, high, mask, coded.codes, coded.size)

    def _event(self, still: str | None) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Day, known day, and the day until which each event is open: that of column ``still``, or for ever."""
        never = self.once("never", lambda: np.full(len(self.events.day), NEVER, dtype=np.int32))
        return self.events.day, self.events.known, never if still is None else self.events.days.get(still, never)

    @property
    def _row(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        return self.rows.customer, self.rows.as_of, self._edge(0)

    def _edge(self, offset: int) -> NDArray[np.int32]:
        if offset == _LONG_AGO:
            return self.once(("edge", offset), lambda: self.events.starts[self.rows.customer].astype(np.int32))
        rows = self.rows
        return self.once(
            ("edge", offset),
            lambda: sweep.edges(self.events.starts, self.events.day, rows.customer, rows.as_of, offset),
        )

    def _holding(self, events: Events) -> History:
        return replace(self, events=events, memo={})

    def _refuse_immature(self, column: str) -> None:
        if column in FILLS_IN_LATER - self.matured:
            own = COMES_WITH.get(column, column)
            raise LookupError(f"{column} fills in later; read it on its own timeline: h.on({own!r}).")


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Elementwise quotient; NaN where the denominator is 0 or null."""
    return np.asarray(sweep.ratio(numerator, denominator))


def _floats(days: NDArray[np.int64]) -> Floats:
    return np.where(days == sweep.NO_DAY, np.nan, days.astype(np.float64))


def _offsets(window: Window) -> tuple[int, int]:
    if window is None:
        return _LONG_AGO, 0
    if isinstance(window, tuple):
        return _LONG_AGO if window[0] is None else window[0], window[1]
    return -window, 0
