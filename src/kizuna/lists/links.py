"""The links that show published days: ``<output.dir>/<as_of>`` and ``<output.dir>/latest``.

They are relative, replaced in one step, and nobody else knows that a published day is a link. A link that kizuna would
not have made is never followed.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import date
from pathlib import Path

from kizuna.errors import ConfigError, ResultError
from kizuna.whole_file import sync

LATEST = "latest"
REVISIONS = ".revisions"
LINKING = ".link-"
# In a day's folder: what whoever holds the lock removes, for it never is the only copy of anything.
STAGING = ".staging-"
# Begins the name of what says of a revision, by its number, that it is about to be shown for the first time.
ABOUT_TO_SHOW = ".showing-r"


def home_of(output_dir: Path, as_of: date) -> Path:
    """The folder of a day's revisions."""
    return output_dir / REVISIONS / as_of.isoformat()


def linked_revision(output_dir: Path, as_of: date) -> int | None:
    """The number of the revision that a day's link names, whether it is there or not; None without a link.

    ResultError for a link that leads anywhere else.
    """
    path = output_dir / as_of.isoformat()
    if not path.is_symlink():
        return None
    target = os.readlink(path)
    match = re.fullmatch(rf"\.revisions/{as_of.isoformat()}/r([1-9][0-9]{{0,8}})", target)
    if match is None:
        raise ResultError(
            f"The link {path} should show a revision of {as_of} in {output_dir / REVISIONS}, but leads elsewhere. "
            "Somebody changed it by hand: remove it, and publish the day again."
        )
    return int(match[1])


def linked_days(output_dir: Path) -> list[date]:
    """The days that have a link, or anything else of their name, in their order."""
    names = [path.name for path in output_dir.iterdir()] if output_dir.is_dir() else []
    return _days_in(names)


def days_with_revisions(output_dir: Path) -> list[date]:
    """The days that have a folder of revisions, in their order."""
    home = output_dir / REVISIONS
    return _days_in([path.name for path in home.iterdir()] if home.is_dir() else [])


def link_day(output_dir: Path, as_of: date, revision: int) -> None:
    """The day's link shows this revision afterwards, in one step."""
    _link(output_dir, as_of.isoformat(), as_of, revision)


def link_latest(output_dir: Path, as_of: date, revision: int) -> None:
    """``latest`` shows this revision afterwards, in one step; left alone where it does already."""
    path = output_dir / LATEST
    if not path.is_symlink() or os.readlink(path) != _target(as_of, revision):
        _link(output_dir, LATEST, as_of, revision)


def refuse_foreign(output_dir: Path, as_of: date) -> None:
    """ConfigError where a file or folder of somebody else stands in a link's place, or something else in that of revisions."""
    for path in (output_dir / as_of.isoformat(), output_dir / LATEST):
        if path.exists() and not path.is_symlink():
            raise ConfigError(
                f"{path} should become a link to the published results, but it is a file or folder that kizuna did "
                "not write. Move it away, or choose another output.dir."
            )
    revisions = output_dir / REVISIONS
    if revisions.is_symlink() or (revisions.exists() and not revisions.is_dir()):
        raise ConfigError(
            f"{revisions} should be the folder of all published revisions, but it is a link or a file. Put the folder back "
            "from a backup, or choose another output.dir."
        )


def _target(as_of: date, revision: int) -> str:
    return f"{REVISIONS}/{as_of.isoformat()}/r{revision}"


def _link(output_dir: Path, name: str, as_of: date, revision: int) -> None:
    aside = output_dir / f"{LINKING}{name}"
    try:
        aside.symlink_to(_target(as_of, revision))
        aside.replace(output_dir / name)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    sync(output_dir)


def _days_in(names: list[str]) -> list[date]:
    days = []
    for name in names:
        with suppress(ValueError):
            day = date.fromisoformat(name)
            days += [day] if day.isoformat() == name else []
    return sorted(days)
