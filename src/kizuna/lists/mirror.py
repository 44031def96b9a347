"""The private copy, on this machine, of what lies at an address in an object store, and what is known of it.

The store is the truth. Every command works in the copy, a folder as any other; ``pull`` brings it up to date before and
``push`` sends afterwards what was written.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kizuna.errors import ConfigError
from kizuna.lists.links import REVISIONS
from kizuna.lists.pointer import is_pointer
from kizuna.lists.remote import Remote, open_remote
from kizuna.lists.revision import SUCCESS
from kizuna.whole_file import written_whole

_RECORD = ".mirror.json"
_SYNCING = ".syncing"
# Locks, notes and half-written files of runs on this machine.
_LOCAL = re.compile(r"\.(lock|syncing|mirror\.json|(staging|link|showing|pulled|erased)-.*|.*\.[0-9]+)")
_SOUND_PART = re.compile(r"[^/\\\x00-\x1f]+")
_A_LINK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|latest")
_mirrors: dict[Path, Mirror] = {}


@dataclass(frozen=True)
class Mirror:
    """An address and the folder that copies it.

    ``known``: by name, the version in the store of a file ("": sent, and not looked at since), its size and time here.
    ``pointers``: by name, the version of a pointer and its text.
    """

    remote: Remote
    folder: Path
    known: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    pointers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def is_unchanged(self, name: str) -> bool:
        """Whether a file here is as it was when it was fetched or sent."""
        known, path = self.known.get(name), self.folder / name
        if known is None or not path.is_file():
            return False
        found = path.stat()
        return known[1:] == (found.st_size, found.st_mtime_ns)

    def has(self, name: str, version: str) -> bool:
        """Whether a file here is what the store holds."""
        return self.is_unchanged(name) and self.known[name][0] == version

    def note(self, name: str, version: str) -> None:
        """Keeps that a file here is this version of the store's."""
        found = (self.folder / name).stat()
        self.known[name] = (version, found.st_size, found.st_mtime_ns)

    def note_sent(self, below: str) -> None:
        """Keeps the versions that the store gave to what was sent, so that it is not fetched again."""
        for name, version in self.remote.listed(below).items():
            if self.known.get(name, ("-",))[0] == "":
                self.known[name] = (version, *self.known[name][1:])
            if self.pointers.get(name, ("-",))[0] == "":
                self.pointers[name] = (version, self.pointers[name][1])


def open_mirror(address: str, folder: Path) -> Mirror:
    """The copy of an address in a folder, for this process from now on; ConfigError where the folder is not private."""
    if folder not in _mirrors:
        _require_private(folder, address)
        _mirrors[folder] = Mirror(open_remote(address), folder)
    return _mirrors[folder]


def mirror_of(folder: Path) -> tuple[Mirror, str] | None:
    """The mirror that a folder is, or lies in, with its name there; None for a folder that copies nothing."""
    for home in (folder, *folder.parents):
        if home in _mirrors:
            below = folder.relative_to(home).as_posix()
            return _mirrors[home], "" if below == "." else below
    return None


@contextmanager
def syncing(mirror: Mirror) -> Iterator[None]:
    """Within this, no other process on this machine fetches or sends; what is known is read before and kept after."""
    descriptor = os.open(mirror.folder / _SYNCING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _read_record(mirror)
        before = json.dumps([mirror.known, mirror.pointers])
        try:
            yield
        finally:
            if json.dumps([mirror.known, mirror.pointers]) != before:
                write_record(mirror)
    finally:
        os.close(descriptor)


def files_here(mirror: Mirror, below: str) -> list[str]:
    """The names of all files of the copy that belong into the store: complete revisions, and what is no run's own."""
    names = []
    for path, folders, files in os.walk(mirror.folder / below):
        home = Path(path)
        folders[:] = [name for name in folders if not _LOCAL.fullmatch(name) and not (home / name).is_symlink()]
        names += [home / name for name in files if not _LOCAL.fullmatch(name) and not (home / name).is_symlink()]
    found = (path.relative_to(mirror.folder).as_posix() for path in names)
    return sorted(name for name in found if not is_pointer(name) and _is_of_a_complete_one(mirror.folder, name))


def is_sound(name: str) -> bool:
    """Whether an object's name can be a file of the copy; what else lies in the store is not kizuna's."""
    parts = name.split("/")
    if _A_LINK.fullmatch(parts[0]) or name == REVISIONS:
        return False
    return all(_SOUND_PART.fullmatch(part) and part not in (".", "..") and not _LOCAL.fullmatch(part) for part in parts)


def is_of_a_list(name: str) -> bool:
    """Whether an object belongs to a revision, or points to one."""
    return name.startswith(f"{REVISIONS}/") or is_pointer(name)


def lies_in(name: str, below: str) -> bool:
    """Whether a name is below a folder; every name is below the nameless one."""
    return not below or name.startswith(f"{below}/")


def _is_of_a_complete_one(folder: Path, name: str) -> bool:
    parts = name.split("/")
    return parts[0] != REVISIONS or (len(parts) > 3 and (folder.joinpath(*parts[:3]) / SUCCESS).is_file())


def _require_private(folder: Path, address: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    except OSError:
        is_private = False
    if not is_private:
        raise ConfigError(
            f"The copy of {address} is to lie in {folder}, which must be a folder of this user's own that nobody else may enter "
            "(mode 0700). Mend it, or name another as output.mirror."
        )


def _read_record(mirror: Mirror) -> None:
    """What the copy is known to hold; nothing where the record cannot be read: then all is fetched anew."""
    mirror.known.clear()
    mirror.pointers.clear()
    try:
        told = json.loads((mirror.folder / _RECORD).read_text(encoding="utf-8"))
        address = told["address"]
        known = {name: (str(version), int(size), int(time)) for name, (version, size, time) in told["known"].items()}
        pointers = {name: (str(version), str(text)) for name, (version, text) in told["pointers"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    if address != mirror.remote.address:
        raise ConfigError(
            f"{mirror.folder} is to hold the copy of {mirror.remote.address}, but it is that of another address. "
            "Name another folder as output.mirror."
        )
    mirror.known.update({name: what for name, what in known.items() if is_sound(name)})
    mirror.pointers.update({name: what for name, what in pointers.items() if is_pointer(name)})


def write_record(mirror: Mirror) -> None:
    """Keeps what is known, for whoever comes after this process."""
    told = {"address": mirror.remote.address, "known": mirror.known, "pointers": mirror.pointers}
    with written_whole(mirror.folder / _RECORD) as aside:
        aside.write_text(json.dumps(told), encoding="utf-8")
