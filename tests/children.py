"""Copies of the test's own process: they do a piece of work, hold something, or are killed in the middle of it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kizuna.errors import KizunaError


def in_child(work: Callable[[], object]) -> int:
    """The process id of a copy of this process that does the work and ends without pytest noticing."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except KizunaError as error:
        os._exit(error.exit_code)
    except SystemExit as error:
        os._exit(error.code if isinstance(error.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def ended(child: int) -> int:
    """The exit code of a child that ends by itself; the negative signal if one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextlib.contextmanager
def holding(place: Callable[[], contextlib.AbstractContextManager[object]]) -> Iterator[int]:
    """The process id of a child that is inside ``place()`` now, and is killed after this if it still lives.

    A child that fails on its way there closes the pipe with its end, so that nobody waits for it.
    """
    ready, said = os.pipe()

    def hold() -> None:
        with place():
            os.write(said, b"x")
            signal.pause()

    child = in_child(hold)
    os.close(said)
    try:
        assert os.read(ready, 1) == b"x", f"the child ended before it held anything: {ended(child)}"
        yield child
    finally:
        os.close(ready)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def die_at_change(number: int, folder: Path) -> None:
    """Arms this process, for good: SIGKILL just before its n-th change or opening of anything below a folder."""
    changes = {"open", "os.mkdir", "os.rename", "os.symlink", "os.chmod", "os.remove", "os.rmdir", "os.truncate"}
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in changes and any(str(argument).startswith(str(folder)) for argument in arguments):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
