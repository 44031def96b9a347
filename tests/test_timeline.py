"""Days, windows, maturity and folds: half open, no drift, no label that reaches into a test."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ConfigError
from kizuna.timeline import (
    LabelWindow,
    date_of,
    day_of,
    out_of_time_folds,
    parse_day,
    snapshot_days,
)

days = st.integers(-20_000, 40_000)
windows = st.builds(LabelWindow, st.integers(1, 400), st.integers(0, 60), st.integers(0, 30))


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_a_day_is_whole_days_since_1970(when: date) -> None:
    assert date_of(day_of(when)) == when
    assert day_of(when) == (when - date(1970, 1, 1)) // timedelta(days=1)
    assert parse_day(f" {when.isoformat()} ", "--as-of") == day_of(when)


def test_leap_days_exist_where_the_calendar_has_them() -> None:
    assert day_of(date(2024, 3, 1)) - day_of(date(2024, 2, 28)) == 2
    assert day_of(date(2000, 3, 1)) - day_of(date(2000, 2, 28)) == 2
    assert day_of(date(1969, 12, 31)) == -1
    assert date_of(day_of(date(2024, 2, 29)) + 365) == date(2025, 2, 28)


@pytest.mark.parametrize("text", ["2025-02-29", "2025-13-01", "yesterday", "", "R7-01-01", "01/02/2025"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_day(text, "--as-of")
    assert str(error.value) == (
        f"--as-of asks for a day like 2026-01-31; found {text!r}. Write it as YYYY-MM-DD, with a day that exists."
    )


@given(windows, days)
def test_a_label_window_is_half_open_and_matures_when_its_last_day_is_over(window: LabelWindow, as_of: int) -> None:
    inside = [day for day in range(as_of - 1, as_of + 600) if window.start(as_of) <= day < window.end(as_of)]
    assert len(inside) == window.horizon_days
    assert inside[0] == as_of + window.gap_days
    last_arrival = inside[-1] + window.arrives_after_days
    assert window.is_matured(as_of, last_arrival + 1)
    assert not window.is_matured(as_of, last_arrival)
    assert window.matured_on(as_of) == last_arrival + 1


@given(days, windows, days, st.integers(1, 60), st.integers(1, 30))
def test_snapshots_are_multiples_back_from_the_newest(
    train_day: int, window: LabelWindow, first_day: int, every: int, most: int
) -> None:
    grid = snapshot_days(train_day, window, first_day, every, most)
    assert grid == sorted(grid, reverse=True)
    assert len(grid) <= most
    newest = train_day - window.gap_days - window.horizon_days
    assert all(day == newest - k * every for k, day in enumerate(grid))
    assert all(day >= first_day for day in grid)
    assert len(grid) == most or newest - len(grid) * every < first_day
    later = snapshot_days(train_day + every, window, first_day, every, most + 1)
    assert later[1:] == grid or newest + every < first_day


def test_steps_do_not_drift_over_month_ends_and_leap_days() -> None:
    grid = snapshot_days(day_of(date(2024, 8, 29)), LabelWindow(90), day_of(date(2023, 1, 1)), 28, 6)
    assert [str(date_of(day)) for day in grid] == [
        *("2024-05-31", "2024-05-03", "2024-04-05", "2024-03-08", "2024-02-09", "2024-01-12")
    ]


@given(st.sets(st.integers(0, 900), max_size=15), windows, st.integers(1, 6))
def test_folds_test_the_newest_days_and_no_training_label_reaches_into_them(
    matured: set[int], window: LabelWindow, count: int
) -> None:
    folds = out_of_time_folds(sorted(matured), window, count)
    tests = [fold.test_day for fold in folds]
    assert tests == sorted(tests, reverse=True)
    assert set(tests) <= set(sorted(matured, reverse=True)[:count])
    for fold in folds:
        assert fold.train_days
        assert set(fold.train_days) == {day for day in matured if window.end(day) <= fold.test_day}
        assert all(label_day < fold.test_day for day in fold.train_days for label_day in (window.end(day) - 1,))
    without = set(sorted(matured, reverse=True)[:count]) - set(tests)
    assert not any(window.end(day) <= test for test in without for day in matured)


def test_folds_of_a_short_history_are_fewer_or_none() -> None:
    window = LabelWindow(90)
    assert out_of_time_folds([0, 28, 56], window, 3) == []
    (only,) = out_of_time_folds([0, 28, 90], window, 3)
    assert (only.test_day, only.train_days) == (90, (0,))
