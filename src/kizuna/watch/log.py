"""The log of runs: one line of JSON for each thing that happened, whole however many runs write at once."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from kizuna.file_lock import locked_within
from kizuna.journal import Entry, Journal, json_line

LOG = "log.jsonl"
# A writer that does not come to its end is waited for no longer.
_WRITER_SECONDS = 1.0
_QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_UNEXPECTED = "Unexpected "
_BROKEN_CONTRACT = 11


def append(folder: Path, journal: Journal, entry: Entry) -> None:
    """Adds an entry's line in one write, after which it is whole; OSError where there is no room for it."""
    line = (json_line(journal, told(entry)) + "\n").encode("utf-8", "replace")
    # Not blocking: somebody may have put a pipe there.
    how = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(folder / LOG, how, 0o600)
    try:
        # A full disk, or a power cut, may have left half a line; a writer at work only seems to have.
        if _alone(descriptor):
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _alone(descriptor: int) -> bool:
    """Whether nobody else writes, until the file is closed; where there are no locks nobody can tell."""
    try:
        return locked_within(_WRITER_SECONDS, descriptor)
    except OSError:
        return False


def turn_over(folder: Path, megabytes: float, files: int) -> None:
    """Moves a log that has reached its size aside, as ``log.1.jsonl``, and those before it one further; ``files`` are kept."""
    path = folder / LOG
    if not path.is_file() or path.stat().st_size < megabytes * 1e6:
        return
    aside = [path, *(folder / f"log.{number}.jsonl" for number in range(1, files))]
    aside[-1].unlink(missing_ok=True)
    for newer, older in reversed(list(pairwise(aside))):
        if newer.is_file():
            newer.replace(older)


def told(entry: Entry) -> Entry:
    """The entry as it may be kept: without what an error quotes of the data."""
    if entry.event != "failed":
        return entry
    return replace(entry, facts=entry.facts | {"message": kept_message(entry.facts)})


def kept_message(facts: dict[str, Any]) -> str:
    """What is kept, and sent, of an error's words: nothing quoted from the data, and of an unexpected one its kind alone."""
    message = str(facts.get("message", ""))
    if message.startswith(_UNEXPECTED):
        return f"{_UNEXPECTED}{facts.get('error', 'error')}. Its words are on standard error alone."
    return _QUOTED.sub("'…'", message) if facts.get("exit_code") == _BROKEN_CONTRACT else message
