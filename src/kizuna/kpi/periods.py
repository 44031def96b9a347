"""Months, quarters and fiscal years as days, each with the period before it and the same one a year earlier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kizuna.config_kpi import Kpi
from kizuna.errors import ConfigError
from kizuna.timeline import date_of, day_of

KINDS = {"month": 1, "quarter": 3, "fiscal_year": 12}
"""The kinds of periods and how many months each has. Quarters are those of the fiscal year."""


@dataclass(frozen=True)
class Period:
    """The days ``[start, end)``. ``shown``: asked for, and not only there to be compared with."""

    kind: str
    name: str
    start: int
    end: int
    shown: bool


@dataclass(frozen=True)
class Grid:
    """Periods of each kind, oldest first, and the day before whose morning everything must have been known.

    Arrays (periods,): ``before`` and ``year_before`` are the places of the periods compared with, −1 where there is none.
    """

    periods: tuple[Period, ...]
    before: NDArray[np.int64]
    year_before: NDArray[np.int64]
    known_before: int

    @cached_property
    def starts(self) -> NDArray[np.int32]:
        """The first day of each period."""
        return np.array([period.start for period in self.periods], dtype=np.int32)

    @cached_property
    def ends(self) -> NDArray[np.int32]:
        """The day after the last day of each period, of an unfinished one the day that is stood on."""
        return np.array([min(period.end, self.known_before) for period in self.periods], dtype=np.int32)

    @cached_property
    def days(self) -> NDArray[np.int32]:
        """Every day on which a period starts or ends, ascending."""
        return np.unique(np.concatenate([self.starts, self.ends]))

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """For each period the places of its start and its end among ``days``."""
        low, high = np.searchsorted(self.days, self.starts), np.searchsorted(self.days, self.ends)
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def finished(self, after_days: int) -> NDArray[np.bool_]:
        """(periods,) whether each had ended, and so many days gone by since, on the day that is stood on."""
        return np.array([period.end + after_days <= self.known_before for period in self.periods], dtype=np.bool_)


def grid_of(first: int, last: int, known_before: int, section: Kpi) -> Grid:
    """The periods that begin on the days ``first`` … ``last``, and those a year earlier to compare them with.

    Periods that begin on or after ``known_before`` are left out. ConfigError where none is left.
    """
    found: list[Period] = []
    before: list[int] = []
    year_before: list[int] = []
    for kind, months in KINDS.items():
        per_year, offset = 12 // months, (section.fiscal_year_start_month - 1) % months
        numbers = [n for n in range(*_numbers(first, last, months, offset)) if first <= _day(n, months, offset) <= last]
        numbers = [n for n in numbers if _day(n, months, offset) < known_before]
        if not numbers:
            continue
        base = len(found)
        for place, number in enumerate(range(numbers[0] - per_year, numbers[-1] + 1)):
            start, end = _day(number, months, offset), _day(number + 1, months, offset)
            found.append(Period(kind, period_name(kind, start, section), start, end, number >= numbers[0]))
            before.append(base + place - 1 if place else -1)
            year_before.append(base + place - per_year if place >= per_year else -1)
    if not found:
        raise ConfigError(
            f"KPIs were asked for {date_of(first)} to {date_of(last)}, but no month begins on these days. "
            "Begin with the first day of a month."
        )
    return Grid(tuple(found), np.array(before), np.array(year_before), known_before)


def period_name(kind: str, start: int, section: Kpi) -> str:
    """``2025-04``, ``FY2025-Q1`` or ``FY2025``, for the period that starts on a day."""
    day = date_of(start)
    if kind == "month":
        return f"{day.year}-{day.month:02d}"
    year = fiscal_year(day, section)
    quarter = (day.month - section.fiscal_year_start_month) % 12 // 3 + 1
    return f"FY{year}" if kind == "fiscal_year" else f"FY{year}-Q{quarter}"


def fiscal_year(day: date, section: Kpi) -> int:
    """The number by which a day's fiscal year goes: the calendar year in which it starts, or in which it ends."""
    starts_in = day.year - (day.month < section.fiscal_year_start_month)
    runs_over = section.fiscal_year_start_month > 1
    return starts_in + (section.fiscal_year_label == "end" and runs_over)


def _numbers(first: int, last: int, months: int, offset: int) -> tuple[int, int]:
    """Numbers of periods around two days, those of other days among them."""
    low, high = date_of(first), date_of(last)
    return (
        (low.year * 12 + low.month - 1 - offset) // months,
        (high.year * 12 + high.month - 1 - offset) // months + 1,
    )


def _day(number: int, months: int, offset: int) -> int:
    """The first day of the period of a number: whole months since year 0, shifted to the fiscal year's month."""
    month = number * months + offset
    return day_of(date(month // 12, month % 12 + 1, 1))
