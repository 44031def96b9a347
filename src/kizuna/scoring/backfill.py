"""Past days published in order, each by the model that was champion then: for the record, and delivered nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kizuna import journal
from kizuna.config import Config
from kizuna.config_exports import DatabaseExport, DestinationExport
from kizuna.data.store import Store
from kizuna.errors import ConfigError, DataMissing, KizunaError, ModelError
from kizuna.lists.publication import Publication, published
from kizuna.scoring.gates.gate import Accepted
from kizuna.scoring.job import ScoreOptions, score
from kizuna.timeline import date_of
from kizuna.tracking.champions import Champions, champions_of
from kizuna.tracking.registry import Registry

Say = Callable[[str], None]
# A list tells of customers by what they did until the day before; without rows of its last week it would take the end of
# the data for silence.
_LAST_ROWS_DAYS = 7
_WORDS = {
    "published": "published",
    "left": "published before; left as it is",
    "skipped": "before the first champion; skipped",
}


@dataclass(frozen=True)
class Asked:
    """The days ``first``, ``first + every_days``, … up to ``last``; ConfigError where the last lies before the first.

    ``accepted``: gates that may fail, on each of them.
    """

    first: int
    last: int
    every_days: int = 7
    accepted: Accepted = field(default_factory=Accepted)

    @property
    def days(self) -> range:
        """The days in order."""
        return range(self.first, self.last + 1, self.every_days)

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ConfigError(
                f"Lists were asked for from {date_of(self.first)} to {date_of(self.last)}, which is earlier. "
                "Swap --from and --to."
            )


@dataclass(frozen=True)
class Backfilled:
    """One day afterwards. ``state``: published now, left (published before), or skipped (before the first champion)."""

    day: int
    state: str
    publication: Publication | None = None


def backfill(store: Store, config: Config, asked: Asked, say: Say = lambda line: None) -> list[Backfilled]:
    """Each day asked for, published now or before, or before there was a champion.

    Run again it goes on where it ended, to the same files. Errors: DataMissing for days that the rows do not reach, before
    anything is done; ModelError where none of the days has a champion; and what ``score`` raises of a day, with which
    everything ends: later days would build on a hole.
    """
    days = asked.days
    _refuse_days_without_rows(store, days)
    champions = champions_of(Registry(config.tracking_uri, config.name), config.data.timezone)
    done: list[Backfilled] = []
    for place, day in enumerate(days, start=1):
        version = champions.on(day)
        try:
            options = ScoreOptions(version=version, backfill=True, accepted=asked.accepted)
            done.append(_backfilled(store, _undelivered(config), day, options, say))
        except KizunaError as error:
            error.args = (f"{error}\n{_stopped(config, day, version, len(days) - place)}",)
            raise
        say(f"{date_of(day)}: {_WORDS[done[-1].state]} ({place} of {len(days)})")
    if all(one.state == "skipped" for one in done):
        raise _no_champion(config, days, champions)
    return done


def _backfilled(store: Store, config: Config, day: int, options: ScoreOptions, say: Say) -> Backfilled:
    if before := published(config.output_dir, date_of(day)):
        return Backfilled(day, "left", before)
    if options.version is None:
        return Backfilled(day, "skipped")
    with journal.stage(f"day {date_of(day)}"):
        return Backfilled(day, "published", score(store, config, day, options, say))


def _undelivered(config: Config) -> Config:
    """The same config without what leaves the output folder: databases, and files that destinations take in."""
    kept = [export for export in config.exports if not isinstance(export, (DatabaseExport, DestinationExport))]
    return config.model_copy(update={"exports": kept})


def _refuse_days_without_rows(store: Store, days: range) -> None:
    newest = max((info.last_day for info in store.tables.values() if info.last_day is not None), default=None)
    # Undated rows alone are of today.
    reach = store.today if newest is None else newest + _LAST_ROWS_DAYS
    if days[-1] > reach:
        last = store.today if newest is None else newest
        raise DataMissing(
            f"Lists were asked for until {date_of(days[-1])}, but the newest row is of {date_of(last)}. "
            f"Load newer rows, or ask for days until {date_of(last + 1)}."
        )


def _no_champion(config: Config, days: range, champions: Champions) -> ModelError:
    if champions.first_day is None:
        what, todo = "no version was ever champion", "Train one with 'kizuna train'"
    else:
        what = f"the first champion was trained on data until {date_of(champions.first_day)}"
        todo = f"Ask for days from then on, or train with --as-of {date_of(days[0])} or earlier"
    return ModelError(
        f"Lists of '{config.name}' were asked for {date_of(days[0])} to {date_of(days[-1])}, but {what}. {todo}."
    )


def _stopped(config: Config, day: int, version: str | None, later: int) -> str:
    whose = f", whose champion was version {version} of '{config.name}-churn'" if version else ""
    after = f"{later} later day{'' if later == 1 else 's'} not attempted" if later else "it was the last day"
    return f"The backfill ended at {date_of(day)}{whose}; the days before it stay, {after}. Run it again afterwards."
