"""Exports that could not be written: the list is published without them, and a file in their place says why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_ENDING = ".failed.txt"


def failed_file(path: str) -> str:
    """The path of the file that says why the file at ``path`` is not there."""
    return path.rsplit(".", 1)[0] + _ENDING


def write_failure(folder: Path, path: str, why: str) -> dict[str, int]:
    """Writes why an export is not there, at a path that ``failed_file`` gave; the rows of it: none."""
    (folder / path).write_text(f"{why}\n", encoding="utf-8")
    return {path: 0}


def failed_exports(paths: Iterable[str]) -> list[str]:
    """The names, in their order, of the exports that these files of a publication say are not there."""
    return sorted(path.removesuffix(_ENDING) for path in paths if path.endswith(_ENDING))


def failure(folder: Path, name: str) -> str:
    """Why an export that ``failed_exports`` names is not there."""
    return (folder / f"{name}{_ENDING}").read_text(encoding="utf-8").strip()
