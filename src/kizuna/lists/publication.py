"""The publication of one day's results: complete before anyone sees it, never changed afterwards.

``<output.dir>/<as_of>`` and ``<output.dir>/latest`` are relative links to ``<output.dir>/.revisions/<as_of>/rN``.
A revision is written in a staging folder beside its place, hashed, made durable, renamed, and only then linked, so that
a reader sees the old day or the new one and a killed run leaves nothing but a staging folder, which the next run
removes. Only ``_linked`` and ``_link`` know that a published day is a link.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kizuna import journal
from kizuna.errors import ConfigError, LockHeld, ResultError
from kizuna.fingerprint import file_sha256

MANIFEST = "manifest.json"
SUCCESS = "_SUCCESS"
LATEST = "latest"
_REVISIONS = ".revisions"
_STAGING = ".staging-"
_LINKING = ".link-"


@dataclass(frozen=True)
class Publication:
    """One complete revision of one day: its folder and what its manifest says."""

    as_of: date
    revision: int
    folder: Path
    manifest: dict[str, Any]

    @property
    def fingerprint(self) -> dict[str, str]:
        """What the results were made from, by name."""
        return dict(self.manifest["fingerprints"])


@dataclass(frozen=True)
class LockedOutput:
    """An output folder that this process alone may write, as long as ``locked`` is open."""

    folder: Path


@contextmanager
def locked(output_dir: Path) -> Iterator[LockedOutput]:
    """The output folder, held by this process; LockHeld when another run has it, ConfigError when it cannot be written.

    The kernel frees the lock when its holder ends, however it ends, so there are no stale locks. The file stays.
    """
    path = output_dir / ".lock"
    try:
        output_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"output.dir asks for {output_dir}, which cannot be written: {error.strerror}. "
            "Choose another folder, or mend its permissions."
        ) from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(
                f"The output folder {output_dir} was asked for, but another run holds it: {_holder(path)}. "
                "Wait until it ends, or stop it, and run again."
            ) from None
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.truncate()
        file.flush()
        try:
            yield LockedOutput(output_dir)
        finally:
            os.truncate(descriptor, 0)


def published(output_dir: Path, as_of: date) -> Publication | None:
    """What is linked for a day now, or None. A link to an incomplete or missing revision counts as none."""
    folder = _linked(output_dir, as_of.isoformat())
    return _read(folder) if folder else None


def lists_before(output_dir: Path, as_of: date) -> list[Publication]:
    """What is published for the days before ``as_of``, oldest first. Later days are not seen."""
    earlier = (published(output_dir, day) for day in _days(output_dir) if day < as_of)
    return [publication for publication in earlier if publication]


def revisions_of(output_dir: Path, as_of: date) -> list[Publication]:
    """Every complete revision of a day, in their order, whichever is linked."""
    home = output_dir / _REVISIONS / as_of.isoformat()
    found = (_read(home / f"r{number}") for number in _revisions(home))
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
    which adds a revision.
    """
    _clear_staging(output)
    _refuse_foreign(output, as_of)
    current = published(output.folder, as_of)
    if current and not republish:
        if changes := difference(current.fingerprint, fingerprint):
            raise ConfigError(
                f"{as_of} was asked for, but it is published already (r{current.revision}) from other inputs: "
                f"{'; '.join(changes)}.\nLeave it, or add a revision with --republish, "
                f"which keeps r{current.revision}."
            )
        _link_latest(output.folder)
        return current
    home = output.folder / _REVISIONS / as_of.isoformat()
    revision = max(_revisions(home), default=0) + 1
    staging = home / f"{_STAGING}r{revision}"
    for folder in (home.parent, home, staging):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        rows = {name: int(count) for name, count in write(staging).items()}
        named = {"as_of": as_of.isoformat(), "revision": revision, "fingerprints": fingerprint}
        with journal.stage("seal"):
            _seal(staging, manifest | named | {"files": _files(staging, rows)})
        staging.rename(home / f"r{revision}")
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    _sync(home)
    with journal.stage("link"):
        return _show(output, as_of, revision)


def restore(output: LockedOutput, as_of: date, revision: int) -> Publication:
    """The earlier revision of a published day, linked again; ConfigError names those that exist."""
    _refuse_foreign(output, as_of)
    home = output.folder / _REVISIONS / as_of.isoformat()
    complete = [number for number in _revisions(home) if _read(home / f"r{number}")]
    if revision not in complete:
        known = ", ".join(f"r{number}" for number in complete) or "none"
        raise ConfigError(
            f"Revision {revision} of {as_of} was asked for, but it is not in {output.folder}; complete revisions of "
            f"that day: {known}. Choose one of them{'' if complete else ', or score the day'}."
        )
    return _show(output, as_of, revision)


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


def _clear_staging(output: LockedOutput) -> None:
    # The lock makes every staging folder and half-made link found here a dead run's.
    for folder in (output.folder / _REVISIONS).glob(f"*/{_STAGING}*"):
        shutil.rmtree(folder)
    for link in output.folder.glob(f"{_LINKING}*"):
        link.unlink()


def _refuse_foreign(output: LockedOutput, as_of: date) -> None:
    for path in (output.folder / as_of.isoformat(), output.folder / LATEST):
        if path.exists() and not path.is_symlink():
            raise ConfigError(
                f"{path} should become a link to the published results, but it is a file or folder that kizuna did "
                "not write. Move it away, or choose another output.dir."
            )


def _short(fingerprint: str) -> str:
    return fingerprint if len(fingerprint) <= 16 else f"{fingerprint[:12]}…"


def _holder(path: Path) -> str:
    # The holder empties and rewrites the file a moment after it takes the lock, so it may be unreadable just now.
    with suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return f"process {held['pid']} on {held['host']}, since {since:%Y-%m-%d %H:%M} UTC"
    return "it began or ended just now"


def _days(output_dir: Path) -> list[date]:
    names = [path.name for path in output_dir.iterdir()] if output_dir.is_dir() else []
    days = []
    for name in names:
        with suppress(ValueError):
            day = date.fromisoformat(name)
            days += [day] if day.isoformat() == name else []
    return sorted(days)


def _revisions(home: Path) -> list[int]:
    names = [path.name for path in home.iterdir()] if home.is_dir() else []
    return sorted(int(name[1:]) for name in names if name[:1] == "r" and name[1:].isdecimal())


def _read(folder: Path) -> Publication | None:
    if not (folder / SUCCESS).is_file():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Publication(date.fromisoformat(manifest["as_of"]), manifest["revision"], folder, manifest)
    except (OSError, ValueError, KeyError, TypeError):
        raise ResultError(
            f"{folder} was published, but its {MANIFEST} cannot be read. Somebody changed it by hand: "
            "put the file back, or remove the folder and publish the day again."
        ) from None


def _files(staging: Path, rows: dict[str, int]) -> list[dict[str, Any]]:
    paths = {path.relative_to(staging).as_posix(): path for path in staging.rglob("*") if path.is_file()}
    if missing := sorted(rows.keys() - paths.keys()):
        raise ResultError(f"{', '.join(missing)} should have been written, but was not. Nothing was published.")
    return [{"path": name, "rows": rows.get(name), "sha256": file_sha256(path)} for name, path in sorted(paths.items())]


def _seal(staging: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    (staging / MANIFEST).write_text(text + "\n", encoding="utf-8")
    _make_durable(staging)
    (staging / SUCCESS).touch(mode=0o600)
    _sync(staging / SUCCESS)
    _sync(staging)


def _make_durable(staging: Path) -> None:
    for path in sorted(staging.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    _sync(staging)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _show(output: LockedOutput, as_of: date, revision: int) -> Publication:
    _link(output.folder, as_of.isoformat(), as_of, revision)
    _link_latest(output.folder)
    shown = published(output.folder, as_of)
    if shown is None:
        raise ResultError(f"{as_of} was published in {output.folder}, but somebody removed it. Run again.")
    return shown


def _link_latest(output_dir: Path) -> None:
    shown = (published(output_dir, day) for day in reversed(_days(output_dir)))
    newest = next((publication for publication in shown if publication), None)
    if newest and _linked(output_dir, LATEST) != newest.folder:
        _link(output_dir, LATEST, newest.as_of, newest.revision)


def _linked(output_dir: Path, name: str) -> Path | None:
    path = output_dir / name
    return output_dir / path.readlink() if path.is_symlink() else None


def _link(output_dir: Path, name: str, as_of: date, revision: int) -> None:
    aside = output_dir / f"{_LINKING}{name}"
    aside.symlink_to(Path(_REVISIONS) / as_of.isoformat() / f"r{revision}")
    aside.replace(output_dir / name)
    _sync(output_dir)
