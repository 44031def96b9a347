"""The lock of an address in an object store: numbered records, each made by the store for one run alone.

A store has no lock that a kernel frees, but it can refuse to make an object that exists. So the newest of the objects
``.lock/00000001``, ``.lock/00000002``, … says who holds the address, and whoever takes it, from nobody, from a run that
gave it back or from one that is dead, makes the next: of two who try, the store lets one. Clocks only say how long a
holder of another host has been silent, and where they say too long, it is watched for longer than a heartbeat first.
"""

from __future__ import annotations

import functools
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from kizuna.errors import ConfigError, LockHeld, Transient
from kizuna.lists.owner import (
    Owner,
    beating,
    held_by_another,
    lost,
    parse_owner,
    say_taken_over,
    shows_life,
    this_owner,
)
from kizuna.lists.remote import Remote

FOLDER = ".lock"
# Runs of this process that hold an address now: one that could not give it back has ended, though the process has not.
_held: set[str] = set()


@dataclass(frozen=True)
class HeldRemote:
    """An address that this process alone may write, as long as ``held_remote`` is open."""

    remote: Remote
    folder: str
    number: int

    def require(self) -> None:
        """LockHeld where another run has taken the address meanwhile."""
        newest = _newest(self.remote, self.folder)
        if newest != self.number:
            owner = parse_owner(_record(self.remote, self.folder, newest)) if newest else None
            by = f"{owner.words} has taken it" if owner else "its lock was removed or taken"
            raise lost(self.remote.address, by)


@contextmanager
def held_remote(remote: Remote, below: str = "") -> Iterator[HeldRemote]:
    """The address, or a folder below it, held by this process; LockHeld when another run has it.

    ConfigError for a store that cannot make an object only where there is none.
    """
    folder = f"{below}/{FOLDER}" if below else FOLDER
    owner = this_owner()
    before = _newest(remote, folder)
    if before:
        _let_pass(remote, folder, before)
    held = HeldRemote(remote, folder, before + 1)
    name = _name(folder, held.number)
    if not remote.create(name, _beat(owner, 0)):
        raise _lock_held(remote, folder, held.number)
    _held.add(owner.run)
    try:
        if remote.create(name, _beat(owner, 0)):
            raise ConfigError(
                f"output.dir asks for {remote.address}, but that store makes an object a second time when it is asked to make "
                "it only once, so that two runs could not be kept apart. Choose another store, or a folder."
            )
        for number in _numbers(remote, folder):
            if number < held.number:
                remote.remove(_name(folder, number))
        count = 0

        def beat() -> None:
            nonlocal count
            count += 1
            remote.write(name, _beat(owner, count))

        with beating(beat):
            yield held
    finally:
        _held.discard(owner.run)
        # The newest number stays, for one that was removed could be made a second time. In a forked child it is not ours.
        if owner.pid == os.getpid():
            with suppress(Transient, ConfigError):
                remote.write(name, b"")


def _let_pass(remote: Remote, folder: str, number: int) -> None:
    """Comes back where the newest record names nobody who is at work; LockHeld otherwise."""
    text = _record(remote, folder, number)
    if not text:
        return
    owner = parse_owner(text)
    if owner:
        is_own = owner.is_near and owner.pid == os.getpid() and owner.run not in _held
        sign = functools.partial(_sign, remote, folder)
        if not (is_own or owner.has_ended) and shows_life(_silent_seconds(text), sign):
            raise _lock_held(remote, folder, number)
    say_taken_over(remote.address, owner)


def _sign(remote: Remote, folder: str) -> tuple[int, str]:
    """What changes when the holder beats, or another run takes the address."""
    newest = _newest(remote, folder)
    return newest, _record(remote, folder, newest)


def _silent_seconds(text: str) -> float | None:
    """How long ago a record was written, by this machine's clock and its writer's; None where it does not say."""
    with suppress(ValueError, KeyError, TypeError):
        return time.time() - float(json.loads(text)["beat_at"])
    return None


def _lock_held(remote: Remote, folder: str, number: int) -> LockHeld:
    text = _record(remote, folder, number)
    owner, silent = parse_owner(text), _silent_seconds(text)
    since = "" if silent is None else f", last sign of life {max(silent, 0):.0f} s ago"
    return held_by_another(remote.address, f"{owner.words}{since}" if owner else "it began or ended just now")


def _beat(owner: Owner, count: int) -> bytes:
    record: dict[str, Any] = json.loads(owner.to_json())
    return json.dumps(record | {"beat": count, "beat_at": round(time.time(), 3)}, sort_keys=True).encode()


def _name(folder: str, number: int) -> str:
    return f"{folder}/{number:08d}"


def _numbers(remote: Remote, folder: str) -> list[int]:
    names = (name.rpartition("/")[2] for name in remote.listed(folder))
    return sorted(int(name) for name in names if re.fullmatch(r"[0-9]{8,18}", name))


def _newest(remote: Remote, folder: str) -> int:
    return max(_numbers(remote, folder), default=0)


def _record(remote: Remote, folder: str, number: int) -> str:
    try:
        return remote.read(_name(folder, number)).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
