"""History against brute force on random events: what lies before as_of and was known before it, and nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from statistics import mean, median, pstdev

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.data.events import NEVER, Coded, Events, starts_of
from kizuna.features.history import FILLS_IN_LATER, History, ratio
from kizuna.features.rows import every_pair
from kizuna.features.sweep import NO_DAY

CUSTOMERS = 3
LEVELS = pa.array(["x", "y", "z"])


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, float]]:
    """Rows of three customers on few days, so that ties and late news are common."""
    row = st.fixed_dictionaries(
        {
            "customer": st.integers(0, CUSTOMERS - 1),
            "day": st.integers(-3, 12),
            "late": st.sampled_from([0, 0, 0, 1, 2, 9, 40]),
            "value": st.sampled_from([np.nan, 0.0, 1.0, -2.0, 4.0, 0.5]),
            "done": st.sampled_from([NEVER, -5, 0, 3, 6, 9, 14]),
            "text": st.integers(-1, len(LEVELS) - 1),
        }
    )
    rows = draw(st.lists(row, max_size=14))
    return sorted(rows, key=lambda r: (r["customer"], r["day"], r["day"] + r["late"], r["text"]))


def history_of(rows: list[dict[str, float]], days: list[int], lag_days: int | None = None) -> History:
    customer = np.array([r["customer"] for r in rows], dtype=np.int32)
    day = np.array([r["day"] for r in rows], dtype=np.int32)
    table = Events(
        customer=customer,
        day=day,
        known=day + np.array([r["late"] if lag_days is None else lag_days for r in rows], dtype=np.int32),
        starts=starts_of(customer, CUSTOMERS),
        numbers={"value": np.array([r["value"] for r in rows], dtype=np.float64)},
        days={"resolved_at": np.array([r["done"] for r in rows], dtype=np.int32), "occurred_at": day},
        texts={"order_id": Coded(np.array([r["text"] for r in rows], dtype=np.int32), LEVELS)},
        lag_days=lag_days,
    )
    return History(table, every_pair(CUSTOMERS, days), {"events": table})


def brute(h: History, answer: Callable[[int, list[int]], float]) -> np.ndarray:
    """``answer(as_of, positions of what was known)`` of every row."""
    e = h.events
    out = []
    for customer, as_of in zip(h.rows.customer, h.rows.as_of, strict=True):
        known = [i for i in range(len(e.day)) if e.customer[i] == customer and e.day[i] < as_of and e.known[i] < as_of]
        out.append(answer(int(as_of), known))
    return np.array(out, dtype=np.float64)


DAYS = [-2, 0, 1, 4, 7, 8, 13, 30, 55]
same = np.testing.assert_array_equal


WINDOWS = [None, 1, 3, 7, 45, (-6, -3), (-9, -2), (-50, -35), (None, -4)]


@given(events(), st.sampled_from(WINDOWS), st.sampled_from([None, None, 0, 2]))
@settings(max_examples=200)
def test_counts_sums_and_means_of_windows(rows: list[dict[str, float]], window: object, lag: int | None) -> None:
    h = history_of(rows, DAYS, lag)
    value = h.numbers("value")
    low, high = (None, 0) if window is None else window if isinstance(window, tuple) else (-window, 0)

    def inside(as_of: int, known: list[int]) -> list[int]:
        return [i for i in known if (low is None or h.events.day[i] >= as_of + low) and h.events.day[i] < as_of + high]

    def values(as_of: int, known: list[int]) -> list[float]:
        return [value[i] for i in inside(as_of, known) if not np.isnan(value[i])]

    same(h.count(window), brute(h, lambda a, k: len(inside(a, k))))
    same(h.sum(value, window), brute(h, lambda a, k: sum(values(a, k))))
    same(h.mean(value, window), brute(h, lambda a, k: mean(values(a, k)) if values(a, k) else np.nan))
    same(h.count(window, value == 4), brute(h, lambda a, k: values(a, k).count(4)))
    same(h.largest(value, window), brute(h, lambda a, k: max(values(a, k), default=np.nan)))
    same(h.smallest(value, window), brute(h, lambda a, k: min(values(a, k), default=np.nan)))

    def texts(as_of: int, known: list[int]) -> list[int]:
        codes = h.texts("order_id").codes
        return [int(codes[i]) for i in inside(as_of, known) if codes[i] >= 0]

    def share(as_of: int, known: list[int]) -> float:
        found = texts(as_of, known)
        return max(map(found.count, found)) / len(found) if found else np.nan

    same(h.distinct("order_id", window), brute(h, lambda a, k: len(set(texts(a, k)))))
    same(h.top_share("order_id", window), brute(h, share))


@given(events(), st.sampled_from([None, None, 0, 2]))
@settings(max_examples=120)
def test_spans_and_rhythm(rows: list[dict[str, float]], lag: int | None) -> None:
    h = history_of(rows, DAYS, lag)
    day, value = h.events.day, h.numbers("value")
    start, end = h.first_day() + 1, h.last_day()

    def span(known: list[int]) -> list[int]:
        return [i for i in known if min(day[known]) + 1 <= day[i] < max(day[known])]

    same(h.count_between(start, end), brute(h, lambda a, k: len(span(k)) if k else np.nan))
    same(h.count_between(start), brute(h, lambda a, k: sum(day[k] > min(day[k])) if k else np.nan))
    same(
        h.sum_between(value, start, end),
        brute(h, lambda a, k: sum(value[i] for i in span(k) if value[i] == value[i]) if k else np.nan),
    )

    def gaps(known: list[int]) -> list[int]:
        days = sorted({int(day[i]) for i in known}, reverse=True)
        return [later - earlier for later, earlier in itertools.pairwise(days)][:2]

    usual, variation = h.rhythm(gaps=2)
    same(usual, brute(h, lambda a, k: median(gaps(k)) if gaps(k) else np.nan))
    wanted = brute(h, lambda a, k: pstdev(gaps(k)) / mean(gaps(k)) if len(gaps(k)) > 1 else np.nan)
    np.testing.assert_allclose(variation, wanted, rtol=1e-12)


@given(events())
@settings(max_examples=120)
def test_repeats_follow_the_same_text_by_at_most_so_many_days(rows: list[dict[str, float]]) -> None:
    h = history_of(rows, DAYS)
    e, codes = h.events, h.texts("order_id").codes
    wanted = [
        any(
            e.customer[j] == e.customer[i] and codes[j] == codes[i] >= 0 and 1 <= e.day[i] - e.day[j] <= 4
            for j in range(len(e.day))
            if e.known[j] <= e.known[i]
        )
        for i in range(len(e.day))
    ]
    assert h.repeats("order_id", 4, h.all_events()).tolist() == wanted


@given(events())
@settings(max_examples=120)
def test_moments(rows: list[dict[str, float]]) -> None:
    h = history_of(rows, DAYS)
    day, value, done = h.events.day, h.numbers("value"), h.events.days["resolved_at"]

    def last_values(known: list[int], back: int) -> float:
        days = sorted({day[i] for i in known if not np.isnan(value[i])}, reverse=True)
        return (
            mean(value[i] for i in known if day[i] == days[back] and value[i] == value[i])
            if len(days) > back
            else np.nan
        )

    same(h.days_since_last(), brute(h, lambda a, k: a - max(day[i] for i in k) if k else np.nan))
    same(h.days_since_first(), brute(h, lambda a, k: a - min(day[i] for i in k) if k else np.nan))
    same(h.last(value), brute(h, lambda a, k: last_values(k, 0)))
    same(h.last(value, back=1), brute(h, lambda a, k: last_values(k, 1)))

    def first_values(known: list[int]) -> float:
        valued = [i for i in known if value[i] == value[i]]
        return mean(value[i] for i in valued if day[i] == min(day[valued])) if valued else np.nan

    same(h.first(value), brute(h, lambda a, k: first_values(k)))
    same(h.current(value), brute(h, lambda a, k: value[k[-1]] if k else np.nan))

    def oldest_open(as_of: int, known: list[int]) -> float:
        still = [day[i] for i in known if done[i] >= as_of]
        return as_of - min(still) if still else np.nan

    same(h.days_since_first(still="resolved_at"), brute(h, oldest_open))
    early = h.first_days(2)
    same(early[:, 1], brute(h, lambda a, k: sorted({*day[k]})[1] if len({*day[k]}) > 1 else NO_DAY))


@given(events())
@settings(max_examples=120)
def test_other_timelines(rows: list[dict[str, float]]) -> None:
    h = history_of(rows, DAYS)
    day, done = h.events.day, h.events.days["resolved_at"]
    resolved = h.on("resolved_at")
    same(resolved.count(), brute(h, lambda a, k: sum(done[i] < a for i in k)))
    same(resolved.count(5), brute(h, lambda a, k: sum(a - 5 <= done[i] < a for i in k)))
    slow = h.overdue(h.events.day + np.int32(2), "resolved_at")
    same(slow.count(), brute(h, lambda a, k: sum(day[i] + 3 < a and done[i] > day[i] + 2 for i in k)))
    still = slow.count() - slow.on("resolved_at").count()
    same(still, brute(h, lambda a, k: sum(day[i] + 3 < a and done[i] >= a for i in k)))
    same(h.finished_by("resolved_at", "no_such_column").count(), resolved.count())


@given(events())
@settings(max_examples=120)
def test_first_of_marks_one_event_per_text_and_never_moves_later(rows: list[dict[str, float]]) -> None:
    h = history_of(rows, DAYS)
    day, known, codes = h.events.day, h.events.known, h.texts("order_id").codes
    first = h.first_of("order_id")

    def orders(as_of: int, positions: list[int]) -> dict[object, list[int]]:
        out: dict[object, list[int]] = {}
        for i in positions:
            out.setdefault(int(codes[i]) if codes[i] >= 0 else ("day", int(day[i])), []).append(i)
        return out

    same(h.count(where=first), brute(h, lambda a, k: len(orders(a, k))))

    def in_window(as_of: int, positions: list[int]) -> float:
        dates = [day[min(lines, key=lambda i: (known[i], day[i]))] for lines in orders(as_of, positions).values()]
        return sum(as_of - 4 <= date for date in dates)

    same(h.count(4, first), brute(h, in_window))


def test_a_value_that_fills_in_later_is_refused_on_the_event_s_own_timeline() -> None:
    h = history_of([{"customer": 0, "day": 1, "late": 0, "value": 1.0, "done": 3, "text": 0}], [2])
    with pytest.raises(
        LookupError, match=r"^resolved_at fills in later; read it on its own timeline: h\.on\('resolved_at'\)\.$"
    ):
        h.days("resolved_at")
    assert h.on("resolved_at").days("resolved_at").tolist() == [3]
    assert {
        "resolved_at",
        "first_response_at",
        "followed_up_at",
        "delivered_at",
        "ended_at",
        "voluntary",
    } <= FILLS_IN_LATER


def test_a_huge_amount_before_the_window_leaves_no_rounding_behind() -> None:
    amounts = [1e15, 0.03, -1e15, 123_456_789.01, 0.1, 0.2, 0.3, -0.3, 0.07]
    rows = [
        {"customer": 0, "day": day, "late": 0, "value": value, "done": NEVER, "text": -1}
        for day, value in enumerate(amounts)
    ]
    for lag in (None, 0):
        h = history_of(rows, [*range(1, len(amounts) + 1), 60, 100], lag)
        for window in (1, 2, (-60, -58)):
            low, high = window if isinstance(window, tuple) else (-window, 0)
            wanted = [
                math.fsum(v for d, v in enumerate(amounts) if a + low <= d < a + high) if c == 0 else 0
                for c, a in zip(h.rows.customer, h.rows.as_of, strict=True)
            ]
            np.testing.assert_allclose(h.sum(h.numbers("value"), window), wanted, rtol=1e-15)


def test_ratio_of_nothing_is_null() -> None:
    same(ratio(np.array([1.0, 0.0, np.nan]), np.array([2.0, 0.0, 1.0])), [0.5, np.nan, np.nan])
