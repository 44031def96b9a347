"""Files that are written at once or not at all: aside first, then in one step to their place, readable by their owner."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.safe_text import safe_text

if TYPE_CHECKING:
    import pandas as pd

_ASIDE = re.compile(r"\..+\.(\d+)")


def text_of(path: Path) -> str:
    """The text of a file; OSError for anything else in its place, a pipe, for instance, that nobody writes to."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is no file", str(path))
    return path.read_text(encoding="utf-8")


@contextmanager
def written_whole(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """An empty file aside to write to, its owner's alone; it takes the place of ``path`` once the block has ended well."""
    # What took the place of /dev/null would be a file, and the device gone.
    if path.is_char_device() or path.is_block_device():
        raise OSError(errno.EINVAL, "It is a device and no file", str(path))
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.touch(mode=0o600)
        yield aside
        sync(aside)
        aside.chmod(mode)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def is_left_aside(path: Path) -> bool:
    """Whether a process was writing this file aside that lives no more, as far as this host can tell."""
    match = _ASIDE.fullmatch(path.name)
    if match is None:
        return False
    try:
        os.kill(int(match[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def sync(path: Path) -> None:
    """Makes a file, or what a folder lists, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_csv(frame: pd.DataFrame, path: Path, **how: Any) -> Path:
    """The path of a CSV file in UTF-8 without BOM, LF, ISO days, no formula in its texts; ``how``: further words for pandas."""
    texts = [name for name in frame if frame[name].dtype in ("object", "str")]
    frame = frame.copy(deep=False)
    for name in texts:
        frame[name] = frame[name].map(_safe)
    with written_whole(path) as aside:
        frame.to_csv(aside, index=False, lineterminator="\n", date_format="%Y-%m-%d", encoding="utf-8", **how)
    return path


def _safe(cell: Any) -> Any:
    return safe_text(cell) if isinstance(cell, str) else cell
