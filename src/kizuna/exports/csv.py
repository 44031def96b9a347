"""The list and the removals as CSV for machines: UTF-8 without BOM, LF, ASCII headers, data unaltered.

Null, and a number that is not finite, is the empty cell; an empty text is ``""``. Probabilities and shares have at most
4 decimals, money (whatever the currency) and all other fractions at most 2, without trailing zeros: what did not change
looks unchanged to tools that compare files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kizuna.errors import ResultError

_QUOTED = frozenset(',"\r\n')
# The csv module refuses longer texts than it is told, by default 128 KB.
_LONGEST_TEXT = 2**31 - 1


def write_at_risk_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes the list as it stands: columns and rows in the frame's order."""
    _write(frame, path)


def write_removed_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes who left the list since last time, in the order of customer ids."""
    _write(frame.sort_values("customer_id", kind="stable"), path)


def decimals_of(column: str) -> int:
    """How many decimals the numbers of a column have at most."""
    return 4 if "probability" in column or "share" in column else 2


def cell_text(value: Any, decimals: int, day_format: str = "%Y-%m-%d") -> str | None:
    """A value as text, not quoted; None for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if value is None or pd.isna(value):
        return None
    if isinstance(value, (datetime, date)):
        return value.strftime(day_format)
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return None
        text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return str(value)


def quoted(text: str | None) -> str:
    """A cell as it stands in the file: in quotes where it must be, ``""`` for an empty text, nothing for null."""
    if text is None or (text and not _QUOTED.intersection(text) and text.strip() == text):
        return text or ""
    return '"' + text.replace('"', '""') + '"'


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str | None]], line_end: str = "\n") -> str:
    """A whole file; every line has an end."""
    lines = [",".join(quoted(text) for text in row) for row in (header, *rows)]
    return "".join(line + line_end for line in lines)


def csv_lines(path: Path) -> list[list[str]]:
    """The lines of such a file, the header first; a null cell is an empty text."""
    csv.field_size_limit(_LONGEST_TEXT)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write(frame: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in frame.columns]
    foreign = [name for name in names if not name.isascii()]
    if foreign:
        raise ResultError(f"{path.name} asks for ASCII column names; found {foreign[0]!r}. Rename the column.")
    columns = [[cell_text(value, decimals_of(name)) for value in frame[name].tolist()] for name in names]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_text(names, zip(*columns, strict=True)))
