"""The list and the removals as CSV for machines: UTF-8 without BOM, LF, ASCII headers, data unaltered.

Null, and a number that is not finite, is the empty cell; an empty text is ``""``. Probabilities and shares have at most
4 decimals, money (whatever the currency) and all other fractions at most 2, without trailing zeros: what did not change
looks unchanged to tools that compare files.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kizuna.errors import ResultError

_QUOTED = frozenset(',"\r\n')


def write_at_risk_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes the list as it stands: columns and rows in the frame's order."""
    _write(frame, path)


def write_removed_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes who left the list since last time, in the order of customer ids."""
    _write(frame.sort_values("customer_id", kind="stable"), path)


def _write(frame: pd.DataFrame, path: Path) -> None:
    foreign = [str(name) for name in frame.columns if not str(name).isascii()]
    if foreign:
        raise ResultError(f"{path.name} asks for ASCII column names; found {foreign[0]!r}. Rename the column.")
    decimals = {name: 4 if "probability" in str(name) or "share" in str(name) else 2 for name in frame.columns}
    columns = [[_cell(value, decimals[name]) for value in frame[name].tolist()] for name in frame.columns]
    lines = [",".join(str(name) for name in frame.columns), *(",".join(row) for row in zip(*columns, strict=True))]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\n".join(lines) + "\n")


def _cell(value: Any, decimals: int) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, (datetime, date)):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, (float, np.floating)):
        text = f"{value:.{decimals}f}".rstrip("0").rstrip(".") if np.isfinite(value) else ""
        return "0" if text == "-0" else text
    return _quote(str(value))


def _quote(text: str) -> str:
    if text and not _QUOTED.intersection(text) and text.strip() == text:
        return text
    return '"' + text.replace('"', '""') + '"'
