"""Which version was champion on a past day, as the registry tells it today.

Two clocks could tell. The registry's own log of promotions is the truth from the day of the first promotion on: whatever
was promoted last by the end of a day was champion on it, and a rollback counts like any promotion. Before that day nothing
was in use. There the models' own days count: a version trained on data until T could have been champion from T on, until
the next one was trained. So a shop that trains on its past, all today, still has a champion for each week of it. Neither
clock ever names a version that was trained on data later than the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from kizuna.timeline import day_of
from kizuna.tracking.registry import Registry


@dataclass(frozen=True)
class Champions:
    """The versions that were champion at any time.

    ``promoted``: (day in the shop's zone, version), in the order of promotion. ``train_days``: the day that each was trained
    until, None for one of undated labels, which knows no day.
    """

    promoted: tuple[tuple[int, str], ...]
    train_days: Mapping[str, int | None]

    def on(self, day: int) -> str | None:
        """The version that was champion on a day; None where there was none yet."""
        able = {version: -1 if until is None else until for version, until in self.train_days.items()}
        able = {version: until for version, until in able.items() if until <= day}
        in_use = [version for since, version in self.promoted if since <= day and version in able]
        if in_use:
            return in_use[-1]
        # Of versions trained until the same day, the one promoted last.
        order = {version: place for place, (_, version) in enumerate(self.promoted)}
        return max(able, key=lambda version: (able[version], order.get(version, -1)), default=None)

    @property
    def first_day(self) -> int | None:
        """The first day that has a champion; None where no version ever was one."""
        return min((-1 if until is None else until for until in self.train_days.values()), default=None)


def champions_of(registry: Registry, timezone: str) -> Champions:
    """Every version that was champion, those deleted since among them.

    One whose alias was set past kizuna has no promotion on record; it counts from the day that it was trained until.
    """
    zone = ZoneInfo(timezone)
    promoted = tuple((day_of(one.at.astimezone(zone).date()), one.version) for one in registry.promotions())
    now, until = registry.champion(), registry.trained_until()
    # Of a version that was deleted before its train day was kept, the day of its promotion is all that is known.
    train_days: dict[str, int | None] = {}
    for since, version in promoted:
        train_days.setdefault(version, _day(until.get(version), since))
    if now is not None and now.churn.version not in train_days:
        train_days[now.churn.version] = _day(until.get(now.churn.version), None)
    return Champions(promoted, train_days)


def _day(text: str | None, otherwise: int | None) -> int | None:
    if text == "":
        return None
    with suppress(ValueError, TypeError):
        return day_of(date.fromisoformat(text or "-"))
    return otherwise
