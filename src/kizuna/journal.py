"""What a run does, told while it does it: plain lines or JSON lines on standard error, and kept for whoever watches.

A command opens one journal; ``say``, ``stage`` and ``note`` then speak to it from anywhere in the run, and are silent
where none is open, as in Python. Clocks are read here, about the run and never about the shop.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kizuna.secret import without_secrets

_open: ContextVar[Journal | None] = ContextVar("journal", default=None)


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``event``: said, warned, began or ended (a stage), noted, failed, finished.

    ``facts``: plain JSON.
    """

    at: datetime
    seconds: float
    event: str
    stage: str | None
    facts: dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One named step that ended, with the seconds that it took, and whether it ended well."""

    name: str
    seconds: float
    well: bool


@dataclass
class Journal:
    """One run's entries, in their order. ``listeners`` hear each entry as it is made."""

    command: str
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    listeners: list[Callable[[Journal, Entry], None]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _clock: float = field(default_factory=time.monotonic)
    _within: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the run has lasted."""
        return time.monotonic() - self._clock

    @property
    def within(self) -> str | None:
        """The step that the run is at; the innermost of several."""
        return self._within[-1] if self._within else None

    @property
    def notes(self) -> dict[str, Any]:
        """What was noted, by name; the last word counts."""
        return {name: value for entry in self.entries if entry.event == "noted" for name, value in entry.facts.items()}

    def tell(self, event: str, **facts: Any) -> None:
        """Keeps an entry, without secrets, and tells the listeners."""
        facts = {name: without_secrets(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        entry = Entry(datetime.now(UTC), self.seconds, event, self.within, facts)
        self.entries.append(entry)
        for listener in self.listeners:
            listener(self, entry)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Within this, the run is at a named step."""
        self._within.append(name)
        began, well = time.monotonic(), False
        try:
            self.tell("began")
            yield
            well = True
        finally:
            took = time.monotonic() - began
            self.stages.append(Stage(name, took, well))
            self.tell("ended", took_seconds=round(took, 3), well=well)
            self._within.pop()


@contextmanager
def journal_of(command: str, as_json: bool) -> Iterator[Journal]:
    """The journal of a command, told on standard error; open within this."""
    journal = Journal(command, listeners=[_json_line if as_json else _plain_line])
    token = _open.set(journal)
    try:
        yield journal
    finally:
        _open.reset(token)


def open_journal() -> Journal | None:
    """The journal that is open here."""
    return _open.get()


def say(line: str) -> None:
    """One line for whoever looks on."""
    _tell("said", message=line)


def warn(line: str) -> None:
    """One line that whoever is on call should see."""
    _tell("warned", message=line)


def fail(message: str, exit_code: int, error: str) -> None:
    """The end of a run that did not come to its own: why, and the code that it ends with."""
    _tell("failed", message=message, exit_code=exit_code, error=error)


def note(**facts: Any) -> None:
    """Plain JSON by name, for the log and the metrics; never what a customer could be told by."""
    _tell("noted", **facts)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Within this, the open journal is at a named step."""
    journal = _open.get()
    if journal is None:
        yield
        return
    with journal.stage(name):
        yield


def json_line(journal: Journal, entry: Entry) -> str:
    """An entry as one line of JSON."""
    head = {"time": entry.at.isoformat(timespec="milliseconds"), "run_id": journal.run_id, "command": journal.command}
    where = {"seconds": round(entry.seconds, 3), "event": entry.event, "stage": entry.stage}
    return json.dumps(head | where | entry.facts, ensure_ascii=False)


def _tell(event: str, **facts: Any) -> None:
    journal = _open.get()
    if journal is not None:
        journal.tell(event, **facts)


def _json_line(journal: Journal, entry: Entry) -> None:
    _told_aloud(json_line(journal, entry))


def _plain_line(journal: Journal, entry: Entry) -> None:
    if entry.event == "failed":
        _told_aloud(f"kizuna: {entry.facts['message']}")
    elif entry.event in ("said", "warned"):
        _told_aloud(f"  [{entry.seconds:5.1f} s] {entry.facts['message']}")


def _told_aloud(line: str) -> None:
    # A full disk under the scheduler's log, or a reader that is gone, is no reason to fail.
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
