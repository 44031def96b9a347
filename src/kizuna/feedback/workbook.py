"""A filled workbook as rows: which list it belongs to, what was entered for whom, and which entries cannot be read."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from kizuna.errors import ContractError
from kizuna.exports.sheets.lists import FEEDBACK
from kizuna.wording.catalog import languages
from kizuna.wording.words import Words, load_words

_CUSTOMER = "customer_id"


@dataclass(frozen=True)
class Entry:
    """One row of a sheet: ``row`` counts from 1 as the program shows it, ``cells`` has the raw value of each feedback column."""

    sheet: str
    row: int
    customer_id: str
    cells: Mapping[str, Any]

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return all(value is None or not str(value).strip() for value in self.cells.values())


@dataclass(frozen=True)
class Filled:
    """A filled workbook: the shop's name, the list's day, and every row with a customer on sheets to fill in."""

    name: str
    as_of: date
    entries: Sequence[Entry]


def read_workbook(path: Path) -> Filled:
    """The workbook of a file; ContractError where it is none, not one of kizuna's, or has lost its feedback columns."""
    import openpyxl

    if not path.is_file():
        raise ContractError(f"Feedback was asked for from {path}, but there is no such file. Name the filled workbook.")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    # A broken XML part is a SyntaxError, whichever parser reads it.
    except (BadZipFile, KeyError, ValueError, OSError, SyntaxError, openpyxl.utils.exceptions.InvalidFileException):
        raise ContractError(
            f"Feedback was asked for from {path}, but it is no Excel workbook. Save the filled at_risk.xlsx as .xlsx."
        ) from None
    try:
        said = {prop.name: str(prop.value) for prop in book.custom_doc_props.props}
        try:
            name, as_of = said["kizuna_name"], date.fromisoformat(said["kizuna_as_of"])
        except (KeyError, ValueError):
            raise ContractError(
                f"Feedback was asked for from {path}, but it does not say which list it belongs to. "
                "Fill in the at_risk.xlsx that kizuna wrote, and save it under any name."
            ) from None
        sheets = [(sheet.title, _columns(sheet), sheet) for sheet in book.worksheets]
        filled = [(title, columns, sheet) for title, columns, sheet in sheets if columns]
        if not filled:
            raise ContractError(
                f"Feedback was asked for from {path}, but no sheet has the columns {', '.join(_headers(load_words('en')))}. "
                "Leave the first row of the sheets as it was."
            )
        with warnings.catch_warnings():
            # What is no day is told as an error of its row.
            warnings.simplefilter("ignore", UserWarning)
            entries = [entry for title, columns, sheet in filled for entry in _entries(title, columns, sheet)]
    finally:
        book.close()
    return Filled(name, as_of, entries)


def code_of(key: str, value: Any) -> str | None:
    """The code of what was chosen in a drop-down, in any language, or of the code itself; None where it is neither."""
    wanted = _letters(value)
    for choice in FEEDBACK[key]:
        words = {_letters(load_words(language)(f"feedback_{key}.{choice}")) for language in languages()}
        if wanted in words | {choice}:
            return choice
    return None


def day_in(value: Any) -> date | None:
    """The day of a cell: a date, a number as Excel counts days, or text such as 2026-01-31 or 2026/1/31; else None."""
    from openpyxl.utils.datetime import from_excel

    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found = from_excel(value)
            return found.date() if isinstance(found, datetime) else None
        parts = [int(part) for part in unicodedata.normalize("NFKC", str(value)).strip().replace("/", "-").split("-")]
        return date(*parts) if len(parts) == 3 else None
    except (ValueError, OverflowError):
        return None


def _headers(words: Words) -> dict[str, str]:
    return {words(f"column.{_CUSTOMER}"): _CUSTOMER} | {words(f"feedback.{key}"): key for key in FEEDBACK}


def _columns(sheet: Any) -> dict[str, int]:
    """The place of the customer's and every feedback column by the first row; empty for a sheet without them."""
    first = next(sheet.iter_rows(max_row=1, values_only=True), ())
    for language in languages():
        headers = {_letters(word): key for word, key in _headers(load_words(language)).items()}
        found: dict[str, int] = {}
        for place, value in enumerate(first):
            key = headers.get(_letters(value))
            if key is not None:
                found.setdefault(key, place)
        if len(found) == len(headers):
            return found
    return {}


def _entries(title: str, columns: Mapping[str, int], sheet: Any) -> Iterator[Entry]:
    # A control character stands in a workbook as _x0007_.
    from openpyxl.utils.escape import unescape

    for number, values in enumerate(sheet.iter_rows(min_row=2, values_only=True), start=2):
        cells = {key: values[place] if place < len(values) else None for key, place in columns.items()}
        cells = {key: unescape(value) if isinstance(value, str) else value for key, value in cells.items()}
        customer = cells.pop(_CUSTOMER)
        entry = Entry(title, number, "" if customer is None else str(customer), cells)
        if entry.customer_id or not entry.is_blank:
            yield entry


def _letters(value: Any) -> str:
    """Text for comparison: width, case and surrounding blanks do not matter."""
    return "" if value is None else unicodedata.normalize("NFKC", str(value)).strip().casefold()
