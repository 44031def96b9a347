"""The publication of one day's results: complete before anyone sees it, never changed afterwards.

``<output.dir>/<as_of>`` and ``<output.dir>/latest`` are relative links to ``<output.dir>/.revisions/<as_of>/rN``.
A revision is written in a staging folder beside its place, hashed, made durable, renamed, and only then linked, so that
a reader sees the old day or the new one. A note beside it says that it is about to be linked; what a killed run leaves
behind, a staging folder or a revision that was never shown, is known by these and removed by the next run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kizuna import journal
from kizuna.errors import ConfigError, ResultError
from kizuna.lists.erasure import finish_rewriting
from kizuna.lists.links import (
    ABOUT_TO_SHOW,
    LINKING,
    REVISIONS,
    STAGING,
    days_with_revisions,
    home_of,
    link_day,
    link_latest,
    linked_days,
    linked_revision,
    refuse_foreign,
)
from kizuna.lists.output import LockedOutput as LockedOutput
from kizuna.lists.output import locked as locked
from kizuna.lists.revision import Publication as Publication
from kizuna.lists.revision import read_revision, revision_numbers, seal
from kizuna.whole_file import sync


def published(output_dir: Path, as_of: date) -> Publication | None:
    """What is linked for a day now, or None. A link to an incomplete or missing revision counts as none.

    ResultError for a link that leads elsewhere, or a manifest that was changed by hand.
    """
    number = linked_revision(output_dir, as_of)
    return None if number is None else read_revision(home_of(output_dir, as_of) / f"r{number}")


def lists_before(output_dir: Path, as_of: date) -> list[Publication]:
    """What is published for the days before ``as_of``, oldest first. Later days are not seen.

    ResultError where a list that was published is gone: what came after it would take its customers for new ones.
    """
    days = sorted({*linked_days(output_dir), *days_with_revisions(output_dir)})
    earlier = (_still_there(output_dir, day) for day in days if day < as_of)
    return [publication for publication in earlier if publication]


def readable_lists(output_dir: Path) -> list[Publication]:
    """What is published and can be read, oldest first; what is gone or was changed by hand is left out, and said elsewhere."""
    found = []
    for day in linked_days(output_dir):
        with suppress(ResultError):
            found.append(published(output_dir, day))
    return [publication for publication in found if publication]


def revisions_of(output_dir: Path, as_of: date) -> list[Publication]:
    """Every complete revision of a day, in their order, whichever is linked."""
    home = home_of(output_dir, as_of)
    found = (
        read_revision(home / f"r{number}") for number in revision_numbers(home) if not _note(home, number).exists()
    )
    return [publication for publication in found if publication]


def publish(
    output: LockedOutput,
    as_of: date,
    fingerprint: dict[str, str],
    write: Callable[[Path], dict[str, int]],
    manifest: dict[str, Any],
    republish: bool = False,
) -> Publication:
    """The revision that is linked for the day afterwards.

    ``write`` puts the files into an empty folder and returns the rows of each by its relative path; when it fails,
    nothing is visible. ``manifest`` is read after it. A day that is published from the same ``fingerprint`` is left
    untouched. One published from another is refused with a ConfigError that says what differs, unless ``republish``,
    which adds a revision. LockHeld where the lock was lost meanwhile.
    """
    clear_leftovers(output)
    refuse_foreign(output.folder, as_of)
    current = published(output.folder, as_of) or _unlinked(output.folder, as_of, fingerprint)
    if current and not republish:
        _refuse_other_inputs(current, fingerprint)
        current.require_whole()
        return _show(output, as_of, current.revision)
    home = home_of(output.folder, as_of)
    revision = max(revision_numbers(home), default=0) + 1
    staging = home / f"{STAGING}r{revision}-{output.run[:8]}"
    for folder in (home.parent, home, staging):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (output.folder, home.parent):
        sync(folder)
    try:
        rows = {name: int(count) for name, count in write(staging).items()}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        named = {"as_of": as_of.isoformat(), "revision": revision, "fingerprints": fingerprint}
        with journal.stage("seal"):
            seal(staging, rows, {"published_at": now} | manifest | named)
        output.require()
        _note(home, revision).touch(mode=0o600)
        sync(home)
        staging.rename(home / f"r{revision}")
        sync(home)
        with journal.stage("link"):
            return _show(output, as_of, revision)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        # Without the lock, what else lies here may be another run's, and what is missing was cleared by it.
        output.require()
        _undo(output, as_of, revision)
        raise


def restore(output: LockedOutput, as_of: date, revision: int) -> Publication:
    """The earlier revision of a published day, linked again; ConfigError names those that exist."""
    clear_leftovers(output)
    refuse_foreign(output.folder, as_of)
    complete = {found.revision: found for found in revisions_of(output.folder, as_of)}
    if revision not in complete:
        known = ", ".join(f"r{number}" for number in complete) or "none"
        raise ConfigError(
            f"Revision {revision} of {as_of} was asked for, but it is not in {output.folder}; complete revisions of "
            f"that day: {known}. Choose one of them{'' if complete else ', or score the day'}."
        )
    complete[revision].require_whole()
    return _show(output, as_of, revision)


def clear_leftovers(output: LockedOutput) -> None:
    """Removes or completes what dead runs left in the middle: none other can be at work while the lock is held."""
    finish_rewriting(output)
    for path in (output.folder / REVISIONS).glob(f"*/{STAGING}*"):
        shutil.rmtree(path)
    for note in (output.folder / REVISIONS).glob(f"*/{ABOUT_TO_SHOW}*"):
        revision = int(note.name.removeprefix(ABOUT_TO_SHOW))
        _undo(output, date.fromisoformat(note.parent.name), revision)
    for link in output.folder.glob(f"{LINKING}*"):
        link.unlink()


def difference(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Which fingerprints differ, in words, by name; empty when nothing does."""
    words = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None:
            words.append(f"{name} is new ({_short(str(after))})")
        elif after is None:
            words.append(f"{name} is gone ({_short(before)})")
        elif before != after:
            words.append(f"{name} changed ({_short(before)} to {_short(after)})")
    return words


def _short(fingerprint: str) -> str:
    return fingerprint if len(fingerprint) <= 16 else f"{fingerprint[:12]}…"


def _still_there(output_dir: Path, as_of: date) -> Publication | None:
    found = published(output_dir, as_of)
    if found is not None:
        return found
    complete = revisions_of(output_dir, as_of)
    if not complete and linked_revision(output_dir, as_of) is None:
        return None
    known = ", ".join(f"r{one.revision}" for one in complete)
    what_to_do = (
        f"Show one again (kizuna score CONFIG --as-of {as_of} --restore {complete[-1].revision})"
        if complete
        else "Put it back from a backup"
    )
    raise ResultError(
        f"The list of {as_of} was published in {output_dir}, but no link shows a complete revision of it any more"
        f"{f' (there: {known})' if known else ''}. {what_to_do}; or, to go on without that list, "
        f"remove {output_dir / as_of.isoformat()} and {home_of(output_dir, as_of)}."
    )


def _refuse_other_inputs(current: Publication, fingerprint: dict[str, str]) -> None:
    changes = difference(current.fingerprint, fingerprint)
    if not changes:
        return
    if gone := current.manifest.get("erased", 0):
        changes.append(f"{gone:,} of its customers {'is' if gone == 1 else 'are'} forgotten since")
    raise ConfigError(
        f"{current.as_of} was asked for, but it is published already (r{current.revision}) from other inputs: "
        f"{'; '.join(changes)}.\nLeave it, or add a revision with --republish, which keeps r{current.revision}."
    )


def _unlinked(output_dir: Path, as_of: date, fingerprint: dict[str, str]) -> Publication | None:
    """The newest complete revision of a day that lost its link, where it was made from the same inputs."""
    same = [found for found in revisions_of(output_dir, as_of) if found.fingerprint == fingerprint]
    return same[-1] if same else None


def _undo(output: LockedOutput, as_of: date, revision: int) -> None:
    """Removes what a revision left that is not shown; one that is keeps nothing but its folder."""
    home = home_of(output.folder, as_of)
    note = _note(home, revision)
    if not note.exists():
        return
    if linked_revision(output.folder, as_of) != revision:
        shutil.rmtree(home / f"r{revision}", ignore_errors=True)
    note.unlink(missing_ok=True)


def _note(home: Path, revision: int) -> Path:
    """A file that is there while a revision is about to be shown for the first time."""
    return home / f"{ABOUT_TO_SHOW}{revision}"


def _show(output: LockedOutput, as_of: date, revision: int) -> Publication:
    output.require()
    if linked_revision(output.folder, as_of) != revision:
        link_day(output.folder, as_of, revision)
    _show_latest(output.folder)
    output.show()
    _note(home_of(output.folder, as_of), revision).unlink(missing_ok=True)
    shown = published(output.folder, as_of)
    if shown is None:
        raise ResultError(f"{as_of} was published in {output.folder}, but somebody removed it. Run again.")
    return shown


def _show_latest(output_dir: Path) -> None:
    shown = (published(output_dir, day) for day in reversed(linked_days(output_dir)))
    newest = next((publication for publication in shown if publication), None)
    if newest:
        link_latest(output_dir, newest.as_of, newest.revision)
