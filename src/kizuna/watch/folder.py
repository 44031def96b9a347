"""The folder that watching keeps its files in, and the lock of those that runs share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kizuna.config import Config
from kizuna.file_lock import locked_within

LOCK_SECONDS = 20.0
_LOCK = ".lock"


def watch_folder(config: Config) -> Path | None:
    """The folder of log, metrics and state; None where results are published to an address and ``watch.dir`` names none."""
    if config.watch.dir is not None:
        return config.resolve(config.watch.dir)
    return None if config.output.address is not None else config.output_dir / "watch"


def metrics_path(config: Config, folder: Path) -> Path:
    """Where the metrics are written."""
    return config.resolve(config.watch.metrics_file) if config.watch.metrics_file else folder / "kizuna.prom"


@contextmanager
def shared_files(folder: Path) -> Iterator[None]:
    """Within this, no other run changes the shared files; TimeoutError where one does not let go of them.

    The folder is made where it was not there. The kernel frees the lock when its holder ends, however it ends. Where there
    can be none, as on a full disk, what can still be told is told without it.
    """
    try:
        # Without output.dir as yet, it is made like this too.
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        if not locked_within(LOCK_SECONDS, descriptor):
            raise TimeoutError(f"another run has held {folder / _LOCK} for {LOCK_SECONDS:.0f} s")
        yield
    finally:
        os.close(descriptor)
