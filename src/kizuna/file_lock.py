"""Locks on files: the kernel frees them when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import time

_PAUSE_SECONDS = 0.02


def locked_within(seconds: float, descriptor: int) -> bool:
    """Whether this process alone holds the lock of an open file now, for which another holder is waited for so long.

    OSError where there are no locks.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE_SECONDS)
