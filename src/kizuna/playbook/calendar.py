"""When people work and when they may be called, in one market: weekdays, holidays, hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from kizuna.errors import ConfigError, nearest

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = ("working_days", "holidays", "public_holidays", "call_hours")
# Nobody is called at night, whatever a playbook says.
EARLIEST_CALL, LATEST_CALL = "08:00", "21:00"
DAYTIME = f"{EARLIEST_CALL}-{LATEST_CALL}"
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_YEARLY = re.compile(r"\d\d-\d\d")


@dataclass(frozen=True)
class Calendar:
    """``working_days``: weekdays, 0 Monday. ``holidays``: ISO days, or ``12-31`` for every year. ``public_holidays``: the
    country (``JP``), or part of one (``US-CA``), whose holidays are free as well, by the library holidays.

    ``call_hours``: ``10:00-18:00``, local to the customer; None: nobody is called.
    """

    working_days: frozenset[int] = frozenset(range(7))
    holidays: frozenset[str] = frozenset()
    public_holidays: str | None = None
    call_hours: str | None = DAYTIME

    def is_working_day(self, day: date) -> bool:
        """Whether anybody works on that day."""
        text = day.isoformat()
        free = (
            text in self.holidays
            or text[5:] in self.holidays
            or day in _public_holidays(self.public_holidays, day.year)
        )
        return day.weekday() in self.working_days and not free

    def last_working_day(self, first: date, last: date) -> date:
        """The latest working day from ``first`` to ``last``; where there is none, the next one after ``last``."""
        for days in range((last - first).days + 1):
            if self.is_working_day(last - timedelta(days=days)):
                return last - timedelta(days=days)
        # A year of holidays has no working day at all.
        later = (last + timedelta(days=days) for days in range(1, 367))
        return next((day for day in later if self.is_working_day(day)), last)


def parse_calendar(node: Any, where: str) -> Calendar:
    """The checked calendar of a plain tree; what is left out is that of ``Calendar()``. ConfigError says what to mend."""
    if not isinstance(node, dict):
        raise ConfigError(f"{where} must be a section with {', '.join(KEYS)}; found {node!r}.")
    for key in node:
        if key not in KEYS:
            raise ConfigError(
                f"{where}: unknown key '{key}'.{nearest(str(key), KEYS)} Keys here are {', '.join(KEYS)}."
            )
    usual = Calendar()
    return Calendar(
        _working_days(node["working_days"], where) if "working_days" in node else usual.working_days,
        _holidays(node["holidays"], where) if "holidays" in node else usual.holidays,
        _country(node["public_holidays"], where) if "public_holidays" in node else usual.public_holidays,
        _call_hours(node["call_hours"], where) if "call_hours" in node else usual.call_hours,
    )


def _working_days(node: Any, where: str) -> frozenset[int]:
    if not isinstance(node, list) or not node:
        raise ConfigError(f"{where}.working_days must be a list such as [mon, tue]; found {node!r}.")
    for name in node:
        if name not in WEEKDAYS:
            raise ConfigError(
                f"{where}.working_days: there is no weekday '{name}'.{nearest(str(name), WEEKDAYS)} "
                f"Known are {', '.join(WEEKDAYS)}."
            )
    return frozenset(WEEKDAYS.index(name) for name in node)


def _holidays(node: Any, where: str) -> frozenset[str]:
    if not isinstance(node, list):
        raise ConfigError(f"{where}.holidays must be a list of days such as [2026-01-02, '12-31']; found {node!r}.")
    found = set()
    for day in node:
        text = day.isoformat() if isinstance(day, date) else str(day)
        # The leap year 2000 has every day that a year can have.
        whole = f"2000-{text}" if _YEARLY.fullmatch(text) else text
        try:
            date.fromisoformat(whole)
        except ValueError:
            raise ConfigError(
                f"{where}.holidays: {text!r} is no day. Write 2026-01-02, or '12-31' for every year."
            ) from None
        found.add(text if _YEARLY.fullmatch(text) else whole)
    return frozenset(found)


def _country(node: Any, where: str) -> str:
    try:
        _public_holidays(str(node), 2026)
    except NotImplementedError:
        raise ConfigError(
            f"{where}.public_holidays: no holidays are known of {node!r}. Write a country such as JP, or a part of one "
            "such as US-CA; put quotes around 'NO'."
        ) from None
    return str(node)


@cache
def _public_holidays(country: str | None, year: int) -> frozenset[date]:
    """The public holidays of a country in a year; NotImplementedError where the country is not known."""
    if country is None:
        return frozenset()
    from holidays import country_holidays

    name, _, part = country.partition("-")
    return frozenset(country_holidays(name, subdiv=part or None, years=year))


def _call_hours(node: Any, where: str) -> str | None:
    if node is None:
        return None
    match = _HOURS.fullmatch(str(node))
    if match is None:
        raise ConfigError(f"{where}.call_hours must be hours such as '10:00-18:00', or null; found {node!r}.")
    begin, end = str(node).split("-")
    if not EARLIEST_CALL <= begin < end <= LATEST_CALL:
        raise ConfigError(
            f"{where}.call_hours must begin before they end, from {EARLIEST_CALL} to {LATEST_CALL}; found {node!r}. "
            "Nobody is called at night."
        )
    return f"{begin}-{end}"
