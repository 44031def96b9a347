"""Where a shop stands: its last list, its models, its lists and tables.

Manifests, the registry and the newest day of each table are read, and nothing else; what cannot be read is said among the
problems, for a status is asked for when something is wrong.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kizuna.config import Config
from kizuna.data.newest import Newest, newest_days
from kizuna.errors import KizunaError
from kizuna.labels.definition import Definition, definition_of
from kizuna.lists.lock import holder_of
from kizuna.lists.publication import Publication, lists_before
from kizuna.lists.witness import refuse_replaced
from kizuna.timeline import date_of, day_of
from kizuna.tracking.registry import CHALLENGER, CHAMPION, ModelVersion, Registry


@dataclass(frozen=True)
class ModelState:
    """A version: its grade, the ISO day that it was trained until ("" undated), since when it is champion, or why refused."""

    version: str
    grade: str
    trained_until: str
    created: datetime
    refused: str
    since: datetime | None = None


@dataclass(frozen=True)
class ListState:
    """One published list. ``matures_on``: the first day on which its outcome is known. ``measured``: monitor has shown it."""

    as_of: date
    revision: int
    published_at: datetime
    backfill: bool
    matures_on: date
    matured: bool
    measured: bool


@dataclass(frozen=True)
class TableState:
    """One table. ``state``: fresh, late (past warn_after_days), stale (past error_after_days), undated, or unusable.

    A table without limits is always fresh. ``may_be_missing``: lists are made without it where it is not there.
    """

    newest: Newest
    state: str
    age_days: int | None = None
    allowed_days: int | None = None
    may_be_missing: bool = False


@dataclass(frozen=True)
class Status:
    """A shop at a moment. ``reached``: the day up to which the rows reach, as training and monitoring see it.

    ``lists``: oldest first. ``problems``: what could not be read, in words. ``lock``: who holds the output folder; "" nobody.
    """

    name: str
    now: datetime
    today: date
    reached: date | None
    champion: ModelState | None
    challenger: ModelState | None
    lists: tuple[ListState, ...]
    tables: tuple[TableState, ...]
    lock: str
    problems: tuple[str, ...]
    retrain_after_days: int

    @property
    def last(self) -> ListState | None:
        """The newest list."""
        return self.lists[-1] if self.lists else None

    @property
    def next_to_mature(self) -> ListState | None:
        """The list whose outcome is known next."""
        running = [one for one in self.lists if not one.matured]
        return min(running, key=lambda one: (one.matures_on, one.as_of), default=None)


def status(config: Config, now: datetime) -> Status:
    """Where the shop stands at ``now``."""
    problems: list[str] = []
    today = now.astimezone(ZoneInfo(config.data.timezone)).date()
    newest = newest_days(config, day_of(today))
    reached = _reached(definition_of(config), newest, day_of(today))
    champion, challenger = _models(config, problems)
    return Status(
        name=config.name,
        now=now,
        today=today,
        reached=None if reached is None else date_of(reached),
        champion=champion,
        challenger=challenger,
        lists=_lists(config, newest, day_of(today), problems),
        tables=tuple(_table(config, one, day_of(today)) for one in newest),
        lock=holder_of(config.output_dir) or "",
        problems=tuple(problems),
        retrain_after_days=config.snapshots.every_days,
    )


def _reached(definition: Definition, newest: list[Newest], today: int) -> int | None:
    """The day after the newest row that says how far the shop's rows go; None where nothing is dated.

    Contracts may run on for long without a new one: there the newest row of any table counts, as it does for a label made
    elsewhere.
    """
    days = {one.table: one.last_day for one in newest if one.last_day is not None}
    if definition.kind == "inactivity":
        return days["purchases"] + 1 if "purchases" in days else None
    return min(max(days.values()) + 1, today) if days else None


def _models(config: Config, problems: list[str]) -> tuple[ModelState | None, ModelState | None]:
    registry = Registry(config.tracking_uri, config.name)
    try:
        versions, promotions = registry.versions(), registry.promotions()
    except KizunaError as error:
        problems.append(str(error))
        return None, None
    found: list[ModelState | None] = []
    try:
        refuse_replaced(config.output_dir, registry.resolve(CHAMPION))
    except KizunaError as error:
        # That none is promoted is a state of the shop, and told as such.
        problems += [str(error)] if any(CHAMPION in one.aliases for one in versions) else []
    for alias in (CHAMPION, CHALLENGER):
        version = next((one for one in versions if alias in one.aliases), None)
        since = [one.at for one in promotions if version and one.version == version.version]
        found.append(_model(version, since[-1] if since and alias == CHAMPION else None) if version else None)
    return found[0], found[1]


def _model(version: ModelVersion, since: datetime | None) -> ModelState:
    grade, until = (version.tags.get(key, "") for key in ("grade", "train_day"))
    return ModelState(version.version, grade, until, version.created, version.refused, since)


def _lists(config: Config, newest: list[Newest], today: int, problems: list[str]) -> tuple[ListState, ...]:
    try:
        publications = lists_before(config.output_dir, date.max)
        shown = _measured(config.output_dir / "monitor" / "lists.csv")
        return tuple(_list(one, newest, today, shown) for one in publications)
    except KizunaError as error:
        problems.append(str(error))
    except (OSError, KeyError, TypeError, ValueError) as error:
        problems.append(
            f"The lists in {config.output_dir} cannot be read ({type(error).__name__}): a manifest was changed by hand. "
            "Put it back from a backup."
        )
    return ()


def _list(publication: Publication, newest: list[Newest], today: int, measured: set[str]) -> ListState:
    definition = Definition(**publication.manifest["definition"])
    matures = definition.window.matured_on(day_of(publication.as_of))
    reached = _reached(definition, newest, today)
    at = datetime.fromisoformat(publication.manifest["published_at"])
    return ListState(
        as_of=publication.as_of,
        revision=publication.revision,
        published_at=at,
        backfill=publication.is_for_the_record,
        matures_on=date_of(matures),
        matured=reached is not None and matures <= min(reached, today),
        measured=publication.as_of.isoformat() in measured,
    )


def _measured(file: Path) -> set[str]:
    """The lists whose outcome the last run of monitor has shown; none where there was no run."""
    if not file.is_file():
        return set()
    with file.open(encoding="utf-8", newline="") as stream:
        return {row["as_of"][:10] for row in csv.DictReader(stream) if row["state"] != "maturing"}


def _table(config: Config, found: Newest, today: int) -> TableState:
    source = config.data.tables[found.table]
    if found.problem:
        return TableState(found, "unusable", may_be_missing=source.on_missing == "degrade")
    if found.last_day is None:
        return TableState(found, "undated")
    age, allowed = today - found.last_day, None
    for state, limit in (("stale", source.error_after_days), ("late", source.warn_after_days)):
        allowed = limit if limit is not None else allowed
        if limit is not None and age > limit:
            return TableState(found, state, age, limit)
    return TableState(found, "fresh", age, allowed)
