"""Months, quarters and fiscal years: where they begin, what they are called, what they are compared with."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.config_kpi import Kpi
from kizuna.errors import ConfigError
from kizuna.kpi.periods import KINDS, fiscal_year, grid_of, period_name
from kizuna.timeline import date_of, day_of

APRIL = Kpi()


def days(first: str, last: str) -> tuple[int, int]:
    return day_of(date.fromisoformat(first)), day_of(date.fromisoformat(last))


@pytest.mark.parametrize(
    ("day", "label", "month", "year"),
    [
        ("2026-03-31", "start", 4, 2025),
        ("2026-04-01", "start", 4, 2026),
        ("2026-03-31", "end", 4, 2026),
        ("2026-04-01", "end", 4, 2027),
        ("2026-12-31", "start", 1, 2026),
        ("2026-12-31", "end", 1, 2026),
        ("2026-09-30", "end", 10, 2026),
        ("2026-10-01", "end", 10, 2027),
    ],
)
def test_the_fiscal_year_of_the_last_and_the_first_day(day: str, label: str, month: int, year: int) -> None:
    section = Kpi(fiscal_year_start_month=month, fiscal_year_label=label)
    assert fiscal_year(date.fromisoformat(day), section) == year


def test_the_periods_of_a_japanese_fiscal_year() -> None:
    grid = grid_of(*days("2025-04-01", "2026-03-31"), known_before=day_of(date(2026, 4, 1)), section=APRIL)
    shown = [
        (period.name, str(date_of(period.start)), str(date_of(period.end))) for period in grid.periods if period.shown
    ]
    assert shown[:2] == [("2025-04", "2025-04-01", "2025-05-01"), ("2025-05", "2025-05-01", "2025-06-01")]
    assert shown[11] == ("2026-03", "2026-03-01", "2026-04-01")
    assert shown[12:] == [
        ("FY2025-Q1", "2025-04-01", "2025-07-01"),
        ("FY2025-Q2", "2025-07-01", "2025-10-01"),
        ("FY2025-Q3", "2025-10-01", "2026-01-01"),
        ("FY2025-Q4", "2026-01-01", "2026-04-01"),
        ("FY2025", "2025-04-01", "2026-04-01"),
    ]
    assert grid.finished(0).all()


def test_a_period_that_began_earlier_is_left_out_and_one_that_has_not_ended_is_not_finished() -> None:
    grid = grid_of(*days("2025-04-02", "2025-08-15"), known_before=day_of(date(2025, 8, 16)), section=APRIL)
    shown = {period.name: done for period, done in zip(grid.periods, grid.finished(0), strict=True) if period.shown}
    assert shown == {"2025-05": True, "2025-06": True, "2025-07": True, "2025-08": False, "FY2025-Q2": False}
    assert date_of(int(grid.ends[-1])) == date(2025, 8, 16)
    late = grid_of(*days("2025-05-01", "2025-08-15"), known_before=day_of(date(2025, 7, 1)), section=APRIL)
    assert [period.name for period in late.periods if period.shown] == ["2025-05", "2025-06"]


def test_days_without_a_month_are_refused() -> None:
    with pytest.raises(ConfigError) as told:
        grid_of(*days("2025-04-02", "2025-04-30"), known_before=day_of(date(2025, 8, 16)), section=APRIL)
    assert str(told.value) == (
        "KPIs were asked for 2025-04-02 to 2025-04-30, but no month begins on these days. "
        "Begin with the first day of a month."
    )


@given(
    first=st.dates(date(1999, 1, 1), date(2030, 1, 1)),
    length=st.integers(31, 1500),
    month=st.integers(1, 12),
    label=st.sampled_from(["start", "end"]),
)
def test_periods_of_a_kind_follow_one_another_and_earlier_ones_are_where_they_should_be(
    first: date, length: int, month: int, label: str
) -> None:
    section = Kpi(fiscal_year_start_month=month, fiscal_year_label=label)
    begin = day_of(first)
    grid = grid_of(begin, begin + length, begin + length + 1, section)
    for kind, months in KINDS.items():
        mine = [(place, period) for place, period in enumerate(grid.periods) if period.kind == kind]
        for (_, one), (_, other) in pairwise(mine):
            assert one.end == other.start
        for place, period in mine:
            start = date_of(period.start)
            assert start.day == 1
            assert (start.month - month) % months == 0
            assert period.name == period_name(kind, period.start, section)
            if not period.shown:
                continue
            assert begin <= period.start <= begin + length
            then = grid.periods[grid.year_before[place]]
            assert (then.kind, date_of(then.start)) == (kind, start.replace(year=start.year - 1))
            assert grid.periods[grid.before[place]].end == period.start
    for (low, high), start, end in zip(grid.spans, grid.starts, grid.ends, strict=True):
        assert (grid.days[low], grid.days[high]) == (start, end)
