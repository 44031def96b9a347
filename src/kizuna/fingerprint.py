"""Fingerprints: short texts that are equal when what they stand for is equal, and hardly ever otherwise."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
from pandas.util import hash_pandas_object

_ROWS = 100_000


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """The sha256 of a folder: of the relative path and the content of every file, in the order of the paths."""
    total = hashlib.sha256()
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(names.items()):
        total.update(json.dumps([name, file_sha256(path)]).encode())
    return total.hexdigest()


def frame_digest(frame: pd.DataFrame) -> str:
    """32 hexadecimal digits of all rows in their order and of the columns' names and types. The index does not count.

    MLflow's own digest reads the first 10,000 rows only.
    """
    total = hashlib.sha256(json.dumps([[str(name), str(kind)] for name, kind in frame.dtypes.items()]).encode())
    for start in range(0, len(frame), _ROWS):
        total.update(hash_pandas_object(frame.iloc[start : start + _ROWS], index=False).to_numpy().tobytes())
    return total.hexdigest()[:32]
