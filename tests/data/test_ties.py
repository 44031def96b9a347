"""One order of a day's rows, however a source gives them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kizuna.data.events import NEVER, Coded, Events, starts_of
from kizuna.data.ties import in_one_order

LEVELS = ("é", "b", "A", "a", "ab")
COLUMNS = ("amount", "promised_at", "order_id", "delivered_at")
Row = tuple[int, int, int, float | None, int | None, str | None, int | None]

rows_of_a_table = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 1),
        st.one_of(st.none(), st.sampled_from([-1.5, 0.0, 2.0])),
        st.one_of(st.none(), st.integers(0, 2)),
        st.one_of(st.none(), st.sampled_from(LEVELS)),
        st.one_of(st.none(), st.integers(0, 1)),
    ),
    max_size=20,
)


def events_from(rows: list[Row], levels: tuple[str, ...], lag: bool) -> Events:
    """The rows by customer, day and known day, in the order in which they come."""
    rows = sorted(rows, key=lambda row: row[:2] if lag else row[:3])
    customer = np.array([row[0] for row in rows], dtype=np.int32)
    day = np.array([row[1] for row in rows], dtype=np.int32)
    known = day + np.array([0 if lag else row[2] for row in rows], dtype=np.int32)
    codes = np.array([-1 if row[5] is None else levels.index(row[5]) for row in rows], dtype=np.int32)
    return Events(
        customer=customer,
        day=day,
        known=known,
        starts=starts_of(customer, 3),
        numbers={"amount": np.array([np.nan if row[3] is None else row[3] for row in rows])},
        days={
            name: np.array([NEVER if row[place] is None else row[place] for row in rows], dtype=np.int32)
            for name, place in (("promised_at", 4), ("delivered_at", 6))
        },
        texts={"order_id": Coded(codes, pa.array(levels), ascending=levels == tuple(sorted(levels, key=str.encode)))},
        lag_days=0 if lag else None,
    )


def as_rows(events: Events) -> list[tuple[object, ...]]:
    """The rows with their values spelled out."""
    order = events.texts["order_id"]
    return [
        (
            *(int(column[at]) for column in (events.customer, events.day, events.known)),
            None if np.isnan(events.numbers["amount"][at]) else float(events.numbers["amount"][at]),
            int(events.days["promised_at"][at]),
            None if order.codes[at] < 0 else order.levels[order.codes[at]],
            int(events.days["delivered_at"][at]),
        )
        for at in range(len(events.day))
    ]


def by_every_column(row: tuple[object, ...]) -> tuple[object, ...]:
    """Nulls, then the smallest; texts by their bytes."""
    *keys, amount, promised, order, delivered = row
    return (*keys, (amount is not None, amount), promised, b"" if order is None else b"." + order.encode(), delivered)


@given(rows_of_a_table, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_rows_come_in_one_order_however_they_came(rows: list[Row], lag: bool, listed: bool, random) -> None:
    levels = tuple(sorted(LEVELS, key=str.encode)) if listed else LEVELS
    found = in_one_order(events_from(rows, levels, lag), COLUMNS)
    assert as_rows(found) == sorted(as_rows(found), key=by_every_column)
    shuffled = random.sample(rows, len(rows))
    assert as_rows(in_one_order(events_from(shuffled, levels, lag), COLUMNS)) == as_rows(found)


@given(rows_of_a_table, st.booleans())
def test_what_fills_in_last_moves_nothing_that_was_known(rows: list[Row], lag: bool) -> None:
    events = in_one_order(events_from(rows, LEVELS, lag), COLUMNS)
    unknown = np.full(len(events.day), NEVER, dtype=np.int32)
    before = replace(events, days=events.days | {"delivered_at": unknown})
    later = replace(events, days=events.days | {"delivered_at": events.days["delivered_at"][::-1].copy()})
    known = [row[:-1] for row in as_rows(in_one_order(before, COLUMNS))]
    assert [row[:-1] for row in as_rows(in_one_order(later, COLUMNS))] == known


def test_rows_without_ties_are_left_alone() -> None:
    events = events_from([(0, 1, 0, 2.0, None, "a", None), (0, 2, 0, 1.0, None, "a", None)], LEVELS, True)
    assert in_one_order(events, COLUMNS) is events
