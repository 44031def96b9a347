"""Progress of long work: a bar with rows and remaining time on a terminal, plain lines elsewhere, silence from Python."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from kizuna import journal

Step = TypeVar("Step")
_shown: ContextVar[bool] = ContextVar("shown", default=False)
_FIRST_LINE_SECONDS = 5.0
_LINE_SECONDS = 30.0


@contextmanager
def shown_progress(shown: bool = True) -> Iterator[None]:
    """Within this, ``track`` tells what it does on stderr."""
    token = _shown.set(shown)
    try:
        yield
    finally:
        _shown.reset(token)


def track(steps: Iterable[Step], what: str, rows: int, parts: int) -> Iterator[Step]:
    """The same steps; ``parts`` of them stand for ``rows`` rows of the shop."""
    if not _shown.get() or parts < 2:
        yield from steps
    elif sys.stderr.isatty():
        yield from _bar(steps, what, rows, parts)
    else:
        yield from _lines(steps, what, rows, parts)


def _bar(steps: Iterable[Step], what: str, rows: int, parts: int) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=rows)
        for step in steps:
            progress.advance(task, rows / parts)
            yield step


def _lines(steps: Iterable[Step], what: str, rows: int, parts: int) -> Iterator[Step]:
    began = last = time.monotonic()
    for done, step in enumerate(steps, start=1):
        now = time.monotonic()
        if done < parts and now - began > _FIRST_LINE_SECONDS and (last == began or now - last > _LINE_SECONDS):
            left = (now - began) / done * (parts - done)
            line = f"{what}: {rows * done // parts:,} of {rows:,} rows, {left:,.0f} s left"
            if journal.open_journal():
                journal.say(line)
            else:
                print(line, file=sys.stderr, flush=True)
            last = now
        yield step
