"""Several machines: an address that they share, what a run on one leaves behind, and what a run on another warns of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kizuna.journal import journal_of
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import Publication
from kizuna.lists.remote import Remote, open_remote
from published import MONDAY, publish_text

ELSEWHERE = {"pid": 7, "host": "elsewhere", "since": "2026-11-09 06:00 UTC", "boot": "b", "machine": "m", "run": "x"}


@dataclass(frozen=True)
class Shop:
    """An address of its own for each test, and the machines that work with it."""

    folder: Path
    address: str

    @property
    def store(self) -> Remote:
        return open_remote(self.address)

    def machine(self, name: str = "one") -> Path:
        fetch_output(self.address, self.folder / name)
        return self.folder / name

    def publish(self, as_of: date = MONDAY, machine: str = "one") -> Publication:
        return publish_text(self.machine(machine), as_of)


def warnings_of(work: Callable[[], object]) -> list[str]:
    """What the work warns of."""
    with journal_of("test", as_json=False) as journal:
        work()
    return [entry.facts["message"] for entry in journal.entries if entry.event == "warned"]
