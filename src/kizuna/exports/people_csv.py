"""The list as CSV for people: words of their language, CRLF, and nothing that a spreadsheet takes for a formula.

``utf-8-sig`` is what Excel in Japan opens without garbling; ``cp932`` is for systems that take nothing else, and comes
with a file of the cells that had to change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.config_exports import CsvExport
from kizuna.exports.cp932 import Unencodable, encodable_cells
from kizuna.exports.csv import cell_text, csv_text, decimals_of
from kizuna.exports.figures import facts_text, places, rows_of, warning_text
from kizuna.exports.pack import ListPack
from kizuna.safe_text import safe_text
from kizuna.wording.words import Words, load_words

FILE_STEMS = {"utf-8-sig": "at_risk_excel", "cp932": "at_risk_cp932"}
_CODES = {
    **{"risk_band": "band", "list_status": "status", "lifecycle_stage": "stage", "channel": "channel"},
    **{"suppressed_reason": "suppressed", "arm": "arm"},
}
_FIRST = ("list_rank", "customer_id")
_DAY_FORMATS = {"ja": "%Y/%m/%d"}


def write_people_csv(pack: ListPack, asked: CsvExport, path: Path) -> dict[str, int]:
    """Writes the list, in cp932 also ``<name>_characters.csv`` beside it; rows by file name.

    Errors: ResultError where cp932 lacks a character and the export asks for that to be an error.
    """
    words = load_words(pack.language)
    rows = pack.at_risk.sort_values(["list_rank", "customer_id"], kind="stable")
    if asked.rows == "contact":
        rows = rows_of(pack.at_risk, "contact")
    header, cells = _table(rows, words)
    if asked.encoding == "utf-8-sig":
        _write(path, header, cells, "utf-8-sig")
        return {path.name: len(rows)}
    (head, *cells), changed = encodable_cells([header, *cells], asked.unencodable, path.name)
    for cell in changed:
        # The nearest text of an exotic sign may begin a formula, which the sign itself did not.
        if cell.row:
            cells[cell.row - 1][cell.column] = safe_text(cell.written)
    _write(path, [text or "" for text in head], cells, "cp932")
    beside = path.with_name(f"{path.stem}_characters.csv")
    # A twin is no loss where people read it; in an id it is another customer's.
    told = _told(rows, header, [cell for cell in changed if cell.lacking or cell.column == _FIRST.index("customer_id")])
    heads = [words("column.list_rank"), words("column.customer_id")]
    heads += [words(f"csv.{name}") for name in ("column", "characters", "written")]
    _write(beside, heads, told, "utf-8-sig")
    return {path.name: len(rows), beside.name: len(told)}


def column_header(name: str, words: Words) -> str:
    """The heading of a column of the list, or its name where there is no word for it."""
    return words.code("csv" if words.knows("csv", name) else "column", name)


def _table(rows: pd.DataFrame, words: Words) -> tuple[list[str], list[list[str | None]]]:
    """The header, and the cells of each row: rank and customer, what to do with the row, then the other columns."""
    names = [*_FIRST, *(name for name in rows.columns if name not in _FIRST)]
    columns = [[_said(name, value, words) for value in rows[name].tolist()] for name in names]
    columns.insert(2, [words(f"place.{place}") for place in places(rows)])
    header = [column_header(name, words) for name in [*_FIRST, "place", *names[2:]]]
    return header, [list(row) for row in zip(*columns, strict=True)]


def _told(rows: pd.DataFrame, header: list[str], changed: list[Unencodable]) -> list[list[str | None]]:
    """A line for each cell that changed: rank and customer (none for the header itself), column, characters, what is written."""
    ranks = [None, *(str(rank) for rank in rows["list_rank"].tolist())]
    ids = [None, *(safe_text(name) for name in rows["customer_id"].tolist())]
    return [
        [ranks[cell.row], ids[cell.row], header[cell.column], safe_text(cell.characters), safe_text(cell.written)]
        for cell in changed
    ]


def _said(name: str, value: Any, words: Words) -> str | None:
    if name == "contact_allowed":
        return words("allowed.unknown" if pd.isna(value) else "allowed.yes" if value else "allowed.no")
    if name == "facts":
        return safe_text(facts_text(value, words)) or None
    if name == "data_warning":
        return safe_text(warning_text(value, words)) or None
    text = cell_text(value, decimals_of(name), _DAY_FORMATS.get(words.language, "%Y-%m-%d")) or None
    if text is None or not isinstance(value, str):
        return text
    return safe_text(words.code(_CODES[name], text) if name in _CODES else text)


def _write(path: Path, header: list[str], rows: list[list[str | None]], encoding: str) -> None:
    path.write_bytes(csv_text(header, rows, "\r\n").encode(encoding))
