"""What one kind of destination demands of its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kizuna.config_exports import DestinationExport

DayText = Callable[[date, str, str | None], str]
"""A day in a zone, by the config's ``date_format`` where there is one."""


@dataclass(frozen=True)
class Rules:
    """A kind of destination, by its name in the config.

    ``mistakes``: what is wrong with the config of one, in words. ``refusal``: why a cell of one of their columns cannot
    be taken, as a code, or None. ``blank``: what is written where a value is missing, unless the config says it.
    ``must_clear``: every column of the list needs a value that says "nothing any more". ``once``: their columns in which no
    text may come twice, upper and lower case being the same. ``channels``: those that the
    destination sends over, unless the config says them; none: it knows what its own customers agreed to.
    ``largest_mb``: of the file.
    """

    name: str
    mistakes: Callable[[DestinationExport], list[str]]
    refusal: Callable[[str, str], str | None]
    day_text: DayText
    blank: str = "empty"
    must_clear: bool = False
    once: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    largest_mb: float | None = None


def plain_day(day: date, timezone: str, date_format: str | None) -> str:
    """The day as ISO 8601, or by the format; ``%z`` is the zone's own offset at that midnight."""
    return midnight(day, timezone).strftime(date_format or "%Y-%m-%d")


def midnight(day: date, timezone: str) -> datetime:
    """The beginning of a day in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
