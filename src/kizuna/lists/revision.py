"""One revision of a published day: a folder that is complete before it gets its name, and never changes afterwards.

``manifest.json`` names every file with its sha256, and has its own; ``_SUCCESS`` is written last. What is read of an
earlier list is compared with its manifest first, so that a file that was changed or lost shapes no later list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kizuna.errors import ListDamaged, ResultError
from kizuna.fingerprint import file_sha256
from kizuna.whole_file import sync

MANIFEST = "manifest.json"
SUCCESS = "_SUCCESS"
_OWN = "manifest_sha256"


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

    @property
    def is_for_the_record(self) -> bool:
        """Whether ``kizuna backfill`` made it: sent to nobody, then or later."""
        return bool(self.manifest.get("backfill"))

    @property
    def hashes(self) -> dict[str, str]:
        """The sha256 of each of its files as it was published, by relative path."""
        return {item["path"]: item["sha256"] for item in self.manifest["files"]}

    def file(self, name: str) -> Path:
        """The path of one of its files, which is as it was when it was published; ResultError otherwise."""
        path = self.folder / name
        state = _state(path, self.hashes.get(name))
        if state != "sound":
            raise ListDamaged(
                f"{path} belongs to the published list of {self.as_of}, but {state}. Put the file back from a backup, "
                f"or show another revision of that day with --restore, or write one with --republish."
            )
        return path

    def require_whole(self) -> None:
        """ResultError where one of its files is not as it was when it was published."""
        for name in self.hashes:
            self.file(name)


def read_revision(folder: Path) -> Publication | None:
    """The publication of a folder; None where it is not complete. ResultError for a manifest that was changed by hand."""
    if not (folder / SUCCESS).is_file():
        return None
    try:
        manifest = _read_manifest(folder / MANIFEST)
        found = Publication(date.fromisoformat(manifest["as_of"]), manifest["revision"], folder, manifest)
        named = (found.as_of.isoformat(), f"r{found.revision}") == (folder.parent.name, folder.name)
        if named and isinstance(manifest["fingerprints"], dict) and all(_is_listed(item) for item in manifest["files"]):
            return found
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ListDamaged(
        f"{folder} was published, but its {MANIFEST} cannot be read. Somebody changed it by hand: "
        "put the file back, or remove the folder and publish the day again."
    )


def revision_numbers(home: Path) -> list[int]:
    """The numbers of the revisions that lie in a day's folder, complete or not, in their order."""
    names = [path.name for path in home.iterdir()] if home.is_dir() else []
    return sorted(int(name[1:]) for name in names if name[:1] == "r" and name[1:].isascii() and name[1:].isdecimal())


def seal(staging: Path, rows: dict[str, int], manifest: dict[str, Any]) -> None:
    """Completes a folder of written files with a manifest that has the rows and the sha256 of each."""
    complete(staging, manifest | {"files": _files(staging, rows)})


def complete(staging: Path, manifest: Mapping[str, Any]) -> None:
    """Completes a folder of written files: this manifest, all private and durable, ``_SUCCESS`` last."""
    (staging / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")
    for path in sorted(staging.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        sync(path)
    sync(staging)
    (staging / SUCCESS).touch(mode=0o600)
    sync(staging / SUCCESS)
    sync(staging)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """A manifest as it is written: with the sha256 of everything else in it, so that a change by hand is seen."""
    own = {_OWN: _digest(manifest)}
    return json.dumps(dict(manifest) | own, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _read_manifest(path: Path) -> dict[str, Any]:
    """What a manifest says; ValueError where it was changed since it was written."""
    # Nobody waits for a pipe that was put in its place.
    if not path.is_file():
        raise ValueError
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if manifest[_OWN] != _digest(manifest):
        raise ValueError
    return manifest


def _digest(manifest: Mapping[str, Any]) -> str:
    others = {name: value for name, value in manifest.items() if name != _OWN}
    return hashlib.sha256(json.dumps(others, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _files(staging: Path, rows: dict[str, int]) -> list[dict[str, Any]]:
    paths = {path.relative_to(staging).as_posix(): path for path in staging.rglob("*") if path.is_file()}
    if missing := sorted(rows.keys() - paths.keys()):
        raise ResultError(f"{', '.join(missing)} should have been written, but was not. Nothing was published.")
    return [{"path": name, "rows": rows.get(name), "sha256": file_sha256(path)} for name, path in sorted(paths.items())]


def _is_listed(item: Any) -> bool:
    path, digest = item["path"], item["sha256"]
    if not (isinstance(path, str) and isinstance(digest, str)):
        return False
    return not path.startswith("/") and ".." not in path.split("/")


def _state(path: Path, expected: str | None) -> str:
    """``sound``, or what is wrong in words."""
    if expected is None:
        return "its manifest does not name it"
    # Nobody waits for a pipe that was put in its place.
    if path.exists() and not path.is_file():
        return "it is no file any more"
    try:
        return "sound" if file_sha256(path) == expected else "it was changed since"
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
