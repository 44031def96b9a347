"""Days only, no data: snapshot days, label windows, maturity and folds.

A day is the number of whole days since 1970-01-01 (a plain int), in the shop's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from kizuna.errors import ConfigError

_EPOCH = date(1970, 1, 1)


def day_of(when: date) -> int:
    """The day number of a calendar date: 1970-01-01 is 0."""
    return (date(when.year, when.month, when.day) - _EPOCH).days


def date_of(day: int) -> date:
    """The calendar date of a day number."""
    return _EPOCH + timedelta(days=int(day))


def parse_day(text: str, option: str) -> int:
    """The day number of an ISO date given on the command line or in a call."""
    try:
        return day_of(date.fromisoformat(text.strip()))
    except ValueError:
        raise ConfigError(
            f"{option} asks for a day like 2026-01-31; found {text!r}. Write it as YYYY-MM-DD, with a day that exists."
        ) from None


@dataclass(frozen=True)
class LabelWindow:
    """The days ``[as_of + gap_days, as_of + gap_days + horizon_days)`` in which an outcome is observed.

    ``arrives_after_days``: how long after its day a row of the label table may still arrive.
    """

    horizon_days: int
    gap_days: int = 0
    arrives_after_days: int = 0

    def start(self, as_of: int) -> int:
        """First day of the window of a snapshot."""
        return as_of + self.gap_days

    def end(self, as_of: int) -> int:
        """The day after the last day of the window of a snapshot."""
        return as_of + self.gap_days + self.horizon_days

    def matured_on(self, as_of: int) -> int:
        """The first day T on which training may use the label of this snapshot."""
        return self.end(as_of) + self.arrives_after_days

    def is_matured(self, as_of: int, train_day: int) -> bool:
        """Whether the label of a snapshot is complete for training that stands on ``train_day``."""
        return self.matured_on(as_of) <= train_day


@dataclass(frozen=True)
class Fold:
    """One out-of-time test: a test snapshot and the snapshots whose labels had ended by that day."""

    test_day: int
    train_days: tuple[int, ...]


def snapshot_days(train_day: int, window: LabelWindow, first_day: int, every_days: int, max_count: int) -> list[int]:
    """Snapshot days, newest first: ``S_k = T − gap − horizon − k · every_days``, none before ``first_day``.

    Steps are multiples from the newest day, so that nothing drifts. ``window`` is the churn label's: there is one grid.
    """
    newest = train_day - window.gap_days - window.horizon_days
    days = [newest - k * every_days for k in range(max_count)]
    return [day for day in days if day >= first_day]


def out_of_time_folds(matured_days: list[int], window: LabelWindow, count: int) -> list[Fold]:
    """At most ``count`` folds, newest first: each tests one of the newest matured snapshots.

    A snapshot S trains a fold when ``S + gap + horizon <= test day``, so that no label reaches into the test.
    Fewer folds, or none, come back where history is too short.
    """
    folds = []
    for test_day in sorted(matured_days, reverse=True)[:count]:
        train = tuple(day for day in sorted(matured_days) if window.end(day) <= test_day)
        if train:
            folds.append(Fold(test_day, train))
    return folds
