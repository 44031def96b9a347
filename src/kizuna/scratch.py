"""Folders for what does not fit into memory: private, gone with their owner, and swept by the next run where it was killed.

The owner of a folder holds a lock on a file in it, which the kernel frees when the owner ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kizuna.file_lock import locked_within

_PREFIX = "kizuna-"
_OWNED = ".owned"


@dataclass(frozen=True)
class Scratch:
    """A folder of this process, and the descriptor that says so."""

    folder: Path
    descriptor: int

    def remove(self) -> None:
        """The folder is gone afterwards, with all that is in it."""
        with suppress(OSError):
            os.close(self.descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)


def new_scratch(parent: str | None = None) -> Scratch:
    """A new private folder, in the system's folder for such things or in ``parent``; those of dead processes go first."""
    place = Path(parent or tempfile.gettempdir())
    _swept(place)
    # It gets its name once it is held, so that nobody takes it for left.
    unnamed = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=place))
    descriptor = os.open(unnamed / _OWNED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    locked_within(0, descriptor)
    return Scratch(unnamed.rename(place / unnamed.name.removeprefix(".")), descriptor)


@contextmanager
def scratch_folder(parent: str | None = None) -> Iterator[Path]:
    """Such a folder within this, and none afterwards."""
    scratch = new_scratch(parent)
    try:
        yield scratch.folder
    finally:
        scratch.remove()


def sweep(place: Path) -> int:
    """How many folders of dead processes were removed from a folder of temporary files; only the user's own are looked at."""
    removed = 0
    for folder in sorted(place.glob(f"{_PREFIX}*")):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not _is_left(folder):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


@cache
def _swept(place: Path) -> int:
    return sweep(place)


def _is_left(folder: Path) -> bool:
    """Whether nobody holds the folder. One that has no such file is not ours to judge."""
    try:
        descriptor = os.open(folder / _OWNED, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return locked_within(0, descriptor)
    finally:
        os.close(descriptor)
