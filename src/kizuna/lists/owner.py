"""Who holds a lock: the run, its process and its machine, in one record that another run can judge it by.

A process id alone says little: ids are used again, and containers count their own. So the record names the boot of the
machine, the space in which the id counts, and when the process began.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from kizuna import journal
from kizuna.errors import LockHeld

BEAT_SECONDS = 10.0
_LOOK_SECONDS = 1.0
# Thirty beats: longer than a long call without Python, a slow disk or a paused virtual machine lasts, and shorter than
# the waits between the tries of every scheduler in deploy/, so that the next try takes over what nobody holds any more.
TTL_SECONDS = 300.0


@dataclass(frozen=True)
class Owner:
    """A run that holds a lock. ``began``: its process's start in clock ticks since ``boot``; "" and 0 where unknown."""

    pid: int
    host: str
    since: str
    run: str = ""
    machine: str = ""
    boot: str = ""
    space: str = ""
    began: int = 0

    @property
    def words(self) -> str:
        """The same for a reader."""
        return f"process {self.pid} on {self.host}, since {self.since}"

    @property
    def is_near(self) -> bool:
        """Whether its process can be looked for from here: the same boot, the same space of process ids."""
        here = this_owner()
        return bool(self.boot and self.space) and (self.boot, self.space) == (here.boot, here.space)

    @property
    def is_of_this_host(self) -> bool:
        """Whether it ran on this machine, perhaps before the last boot."""
        here = this_owner()
        same_boot = bool(self.boot) and self.boot == here.boot
        return same_boot or (self.host == here.host and self.machine in ("", here.machine))

    @property
    def has_ended(self) -> bool:
        """Whether its process is known to be gone; false where that cannot be told from here."""
        return self.is_near and _ticks(self.pid) != self.began

    def to_json(self) -> str:
        """The record."""
        return json.dumps(asdict(self), sort_keys=True)


def this_owner() -> Owner:
    """The record of this process, for a lock taken now."""
    return Owner(
        pid=os.getpid(),
        host=socket.gethostname(),
        since=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        run=uuid.uuid4().hex,
        machine=_text(Path("/etc/machine-id")),
        boot=_text(Path("/proc/sys/kernel/random/boot_id")),
        space=_space(),
        began=_ticks(os.getpid()),
    )


def parse_owner(text: str) -> Owner | None:
    """The owner that a record names; None where it is empty, torn or something else."""
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        found = json.loads(text)
        known = {name: found[name] for name in Owner.__dataclass_fields__ if name in found}
        owner = Owner(**({"since": "an unknown time"} | known))
        texts = (owner.host, owner.since, owner.run, owner.machine, owner.boot, owner.space)
        numbers = (owner.pid, owner.began)
        # The record may come from anyone who may write the file, and is shown on a terminal.
        if all(text.isprintable() and len(text) < 256 for text in texts) and all(type(n) is int for n in numbers):
            return owner
    return None


def held_by_another(place: str, who: str) -> LockHeld:
    """The refusal of a run that wanted a place which another one holds."""
    return LockHeld(
        f"{place} was asked for, but another run holds it: {who}. Wait until it ends, or stop it, and run again."
    )


def lost(place: str, by: str) -> LockHeld:
    """The end of a run that held a place and holds it no more."""
    return LockHeld(
        f"{place} was locked by this run, but no longer is: {by}. Nothing was published. "
        "Run again when no other run is at work."
    )


def say_taken_over(place: str, owner: Owner | None) -> None:
    """Warns of what a dead holder left; None where its record cannot be read."""
    if owner is None:
        journal.warn(f"the lock of {place} held no readable record of a run; it is taken over")
    else:
        journal.warn(f"the lock of {place} was not given back by {owner.words}, which has ended; it is taken over")


def shows_life(silent_seconds: float | None, sign: Callable[[], object]) -> bool:
    """Whether a holder that cannot be looked for still beats. ``silent_seconds``: for how long it has not, None: unknown.

    A clock that was set makes a beat look old or yet to come; a ``sign`` that is seen to change does not depend on clocks.
    """
    if silent_seconds is not None and abs(silent_seconds) <= TTL_SECONDS:
        return True
    before, until = sign(), time.monotonic() + 1.5 * BEAT_SECONDS
    while time.monotonic() < until:
        time.sleep(min(_LOOK_SECONDS, BEAT_SECONDS))
        if sign() != before:
            return True
    return False


@contextmanager
def beating(beat: Callable[[], None]) -> Iterator[None]:
    """Calls ``beat`` every ``BEAT_SECONDS`` from a thread of its own, within this. One beat that fails is let go."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(BEAT_SECONDS):
            with suppress(Exception):
                beat()

    thread = threading.Thread(target=run, name="kizuna-lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=BEAT_SECONDS)


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="ascii").strip()
    return ""


def _space() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    return ""


def _ticks(pid: int) -> int:
    """When a process began, 0 where none is alive. Its name, in brackets, may hold anything."""
    text = ""
    with suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = text.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in ("Z", "X") else 0
