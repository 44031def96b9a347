"""The exports that a config may name: one file and one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kizuna.exports.pack import ListPack
from kizuna.exports.report import write_report
from kizuna.exports.workbook import write_workbook


@dataclass(frozen=True)
class Export:
    """One rendering of the list: its name in the config, the file it writes, and the function that writes it."""

    name: str
    file_name: str
    write: Callable[[ListPack, Path], None]


EXPORTS = [
    Export("workbook", "at_risk.xlsx", write_workbook),
    Export("report", "report.html", write_report),
]
