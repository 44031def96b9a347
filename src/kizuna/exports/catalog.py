"""The exports that a config may name: one file and one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizuna.config_exports import CsvExport, ReportExport, WorkbookExport
from kizuna.errors import ResultError
from kizuna.exports.destinations.files import write_destination
from kizuna.exports.destinations.kinds import KINDS
from kizuna.exports.failed import failed_file, write_failure
from kizuna.exports.outgoing import Outgoing
from kizuna.exports.pack import ListPack
from kizuna.exports.people_csv import FILE_STEMS, write_people_csv
from kizuna.exports.report import write_report
from kizuna.exports.split import split_pack
from kizuna.exports.workbook import write_workbook


@dataclass(frozen=True)
class Export:
    """One rendering of the list: its name in the config, and the function that writes its files.

    The function gets the list, the export's section of the config and the folder; it returns the rows of each file by
    its relative path.
    """

    name: str
    write: Callable[[Outgoing, Any, Path], dict[str, int]]


def write_exports(out: Outgoing, folder: Path) -> dict[str, int]:
    """Writes every export that the config names and that is a file; rows by relative path."""
    by_name = {export.name: export for export in EXPORTS}
    rows: dict[str, int] = {}
    for asked in out.config.exports:
        if asked.to in by_name:
            rows |= by_name[asked.to].write(out, asked, folder)
    return rows


def _write_workbooks(out: Outgoing, asked: WorkbookExport, folder: Path) -> dict[str, int]:
    rows = {}
    for pack, name in _parts(out, asked.split_by, "at_risk", ".xlsx"):
        write_workbook(pack, folder / name)
        rows[name] = len(pack.at_risk)
    return rows


def _write_report(out: Outgoing, asked: ReportExport, folder: Path) -> dict[str, int]:
    write_report(out.pack, folder / "report.html")
    return {"report.html": len(out.pack.at_risk)}


def _write_csv(out: Outgoing, asked: CsvExport, folder: Path) -> dict[str, int]:
    rows: dict[str, int] = {}
    for pack, name in _parts(out, asked.split_by, FILE_STEMS[asked.encoding], ".csv"):
        try:
            rows |= write_people_csv(pack, asked, folder / name)
        except ResultError as error:
            # A character that cp932 lacks must not keep the list from everybody else.
            rows |= write_failure(folder, failed_file(name), str(error))
    return rows


def _parts(out: Outgoing, split_by: str | None, stem: str, suffix: str) -> list[tuple[ListPack, str]]:
    """The whole list, or its parts, each with its file name; an empty list has no parts and stays whole."""
    if split_by is None or out.pack.at_risk.empty:
        return [(out.pack, f"{stem}{suffix}")]
    packs = split_pack(out.pack, out.profile[split_by])
    return [(pack, f"{stem}_{ending}{suffix}") for ending, pack in packs.items()]


EXPORTS = [
    Export("workbook", _write_workbooks),
    Export("report", _write_report),
    Export("csv", _write_csv),
    *(Export(kind.name, write_destination) for kind in KINDS),
]
