"""What runs of other machines leave behind, and what a run warns of when it finds that."""

from __future__ import annotations

from collections.abc import Callable

from kizuna.journal import journal_of

ELSEWHERE = {"pid": 7, "host": "elsewhere", "since": "2026-11-09 06:00 UTC", "boot": "b", "machine": "m", "run": "x"}


def warnings_of(work: Callable[[], object]) -> list[str]:
    """What the work warns of."""
    with journal_of("test", as_json=False) as journal:
        work()
    return [entry.facts["message"] for entry in journal.entries if entry.event == "warned"]
