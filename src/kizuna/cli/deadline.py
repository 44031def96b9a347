"""How long a run may take: ended cleanly when its time is up, and from outside itself where it does not end by then."""

from __future__ import annotations

import os
import signal
import threading
from typing import NoReturn

from kizuna.journal import Entry, Journal, open_journal

EXIT_CODE = 75
# For clearing up what was half written. After that it is ended as if it had been killed, which leaves nothing half done either.
GRACE_SECONDS = 15.0


class TimeUp(SystemExit):
    """The time of a run is up. No Exception, so that nothing on the way takes it for a failure of its own."""

    def __init__(self, message: str) -> None:
        super().__init__(EXIT_CODE)
        self.message = message


_asked: list[SystemExit] = []


def remembered(stop: SystemExit) -> SystemExit:
    """The same; remembered, for DuckDB makes of what a signal raises within a query an error of its own."""
    _asked.append(stop)
    return stop


def stop_asked_for() -> SystemExit | None:
    """What a signal has raised, whatever became of it, once."""
    return _asked.pop() if _asked else None


def end_after(seconds: float | None) -> None:
    """TimeUp is raised once the seconds are over and the open journal's run has not ended; None: never.

    A call into a library that does not return is waited for, for ``GRACE_SECONDS``; then the process ends with the same code.
    """
    run = open_journal()
    if seconds is None or run is None:
        return

    def up(number: int, frame: object) -> NoReturn:
        raise remembered(TimeUp(_message(seconds, run)))

    watchdog = threading.Timer(seconds + GRACE_SECONDS, _end, (seconds, run))
    watchdog.daemon = True
    before = signal.signal(signal.SIGALRM, up)

    def ended(run: Journal, entry: Entry) -> None:
        if entry.event in ("failed", "finished"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            watchdog.cancel()

    # First, so that nobody who hears of the end is interrupted.
    run.listeners.insert(0, ended)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    watchdog.start()


def _message(seconds: float, run: Journal) -> str:
    where = f"; it was at the step {run.within}" if run.within else ""
    return (
        f"the run has taken longer than --max-seconds {seconds:g}{where}. Nothing is half done: run it again, with more time "
        "where it was not held up."
    )


def _end(seconds: float, run: Journal) -> None:
    """Ends the process from another thread than the one that is held up."""
    try:
        # What only the main thread may do is over with the process.
        del run.listeners[0]
        run.tell("failed", message=_message(seconds, run), exit_code=EXIT_CODE, error="TimeUp")
        run.tell("finished", exit_code=EXIT_CODE)
    finally:
        os._exit(EXIT_CODE)
