"""The lock of an output folder: one run at a time writes there, and the others learn which.

On one host the kernel keeps the lock (``flock`` on ``<output.dir>/.lock``) and frees it when its holder ends, however it
ends. The file holds the owner's record and is touched by a heartbeat, for the cases that the kernel does not see:
another host, or another container, on a shared file system without shared locks. A run that has lost its lock, because
it stood still for longer than the heartbeat allows or because somebody removed the file, finds it out before it
publishes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kizuna.errors import ConfigError, LockHeld
from kizuna.lists.owner import (
    TTL_SECONDS,
    Owner,
    beating,
    held_by_another,
    lost,
    parse_owner,
    say_taken_over,
    shows_life,
    this_owner,
)

FILE = ".lock"
_LARGEST_RECORD = 4096
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
# Descriptors that a forked child must not keep: its copy would hold the lock of a parent that is dead.
_held: set[int] = set()


@dataclass(frozen=True)
class HeldFolder:
    """A folder that this process alone may write, as long as ``held_folder`` is open."""

    folder: Path
    owner: Owner
    descriptor: int

    def require(self) -> None:
        """LockHeld where this run has lost its lock: asked before anything is shown to readers."""
        path = self.folder / FILE
        now = _read_record(path)
        if not _is_same_file(self.descriptor, path):
            by = f"{now.words} has taken it" if now else f"{path} was removed"
        elif now is None:
            _write_record(self.descriptor, self.owner, path)
            return
        elif now.run == self.owner.run:
            return
        else:
            by = f"{now.words} has taken it"
        raise lost(f"The output folder {self.folder}", by)


@contextmanager
def held_folder(output_dir: Path) -> Iterator[HeldFolder]:
    """The output folder, held by this process; LockHeld when another run has it, ConfigError when it cannot be written.

    What a holder that died left behind is taken over, with a warning; at once where it ran on this host.
    """
    path = output_dir / FILE
    descriptor = _taken(output_dir, path)
    owner = this_owner()
    try:
        _take_over(output_dir, path, descriptor)
        _write_record(descriptor, owner, path)
        with beating(lambda: os.utime(descriptor)):
            yield HeldFolder(output_dir, owner, descriptor)
    finally:
        # A child that was forked within has closed its copy, and the lock is not its to give back.
        if os.getpid() == owner.pid:
            _give_back(descriptor, owner)


def holder_of(output_dir: Path) -> str | None:
    """Who holds the lock of a folder now, in words; None where nobody does, or it cannot be told."""
    path = output_dir / FILE
    with suppress(OSError):
        owner = _read_record(path)
        if owner is None or owner.has_ended:
            return None
        if owner.is_near or _age_seconds(path) <= TTL_SECONDS:
            return _holder(path)
    return None


def _taken(output_dir: Path, path: Path) -> int:
    """The lock file's descriptor, locked."""
    while True:
        descriptor = _opened(output_dir, path)
        _held.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have removed the file between the two calls; a lock on it then keeps nobody out.
            if _is_same_file(descriptor, path):
                return descriptor
        except BlockingIOError:
            _close(descriptor)
            raise _lock_held(output_dir, path) from None
        except OSError as error:
            _close(descriptor)
            raise ConfigError(
                f"output.dir asks for {output_dir}, but its file system has no locks: {error.strerror}. "
                "Choose a folder on another one."
            ) from None
        _close(descriptor)


def _opened(output_dir: Path, path: Path) -> int:
    try:
        output_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno in _FULL:
            raise
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO) and os.path.lexists(path):
            raise _foreign(path) from None
        raise ConfigError(
            f"output.dir asks for {output_dir}, which cannot be written: {error.strerror}. "
            "Choose another folder, or mend its permissions."
        ) from None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise _foreign(path)


def _foreign(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} should be the lock file of the output folder, but it is a link, a folder or a device that kizuna did not "
        "make. Move it away and run again."
    )


def _lock_held(output_dir: Path, path: Path) -> LockHeld:
    return held_by_another(f"The output folder {output_dir}", _holder(path))


def _take_over(output_dir: Path, path: Path, descriptor: int) -> None:
    """Lets pass what a dead holder left; LockHeld where a live one of another host did."""
    if os.fstat(descriptor).st_size == 0:
        return
    owner = _record_in(descriptor)
    if owner and not owner.is_of_this_host and shows_life(_age_seconds(path), lambda: path.stat().st_mtime_ns):
        raise _lock_held(output_dir, path)
    say_taken_over(str(output_dir), owner)


def _age_seconds(path: Path) -> float:
    """How long ago the lock last beat, by the clock of the file system, which all who share it share."""
    now = time.time()
    with suppress(OSError), tempfile.TemporaryFile(dir=path.parent) as probe:
        now = os.fstat(probe.fileno()).st_mtime
    return now - path.stat().st_mtime


def _holder(path: Path) -> str:
    # The holder empties and rewrites the file a moment after it takes the lock, so it may be unreadable just now.
    with suppress(OSError):
        if owner := _read_record(path):
            return f"{owner.words}, last sign of life {max(_age_seconds(path), 0):.0f} s ago"
    return "it began or ended just now"


def _read_record(path: Path) -> Owner | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return _record_in(descriptor)
    finally:
        os.close(descriptor)


def _record_in(descriptor: int) -> Owner | None:
    with suppress(OSError):
        return parse_owner(os.pread(descriptor, _LARGEST_RECORD, 0).decode("utf-8", errors="replace"))
    return None


def _write_record(descriptor: int, owner: Owner, path: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, owner.to_json().encode(), 0)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _give_back(descriptor: int, owner: Owner) -> None:
    try:
        now = _record_in(descriptor)
        if now is None or now.run == owner.run:
            os.ftruncate(descriptor, 0)
    finally:
        _close(descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _close(descriptor: int) -> None:
    _held.discard(descriptor)
    os.close(descriptor)


def _close_in_child() -> None:
    for descriptor in list(_held):
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
