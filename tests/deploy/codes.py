"""Every exit code of kizuna, and those after which a scheduler tries again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizuna.errors import KizunaError

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# Beside those of the errors: done, and ended by SIGTERM.
_OTHERS = {0, 143}
RETRIED = {10, 14, 15, 75}

needs_zones = pytest.mark.skipif(
    not Path("/usr/share/zoneinfo/Asia/Tokyo").exists(), reason="the system's time zones (tzdata) are not installed"
)


def _of(kind: type[KizunaError]) -> Iterator[int]:
    yield kind.exit_code
    for narrower in kind.__subclasses__():
        yield from _of(narrower)


CODES = sorted(_OTHERS | set(_of(KizunaError)))


def program(folder: Path, body: str) -> Path:
    """A folder for PATH with a program ``kizuna`` of that shell text, in place of the real one."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    (place / "kizuna").write_text(f"#!/bin/sh\n{body}\n")
    (place / "kizuna").chmod(0o755)
    return place
