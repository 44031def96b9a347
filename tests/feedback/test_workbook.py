from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from openpyxl.packaging.custom import StringProperty

from kizuna.errors import ContractError
from kizuna.exports.sheets.lists import FEEDBACK
from kizuna.feedback.workbook import code_of, day_in, read_workbook
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words


def write_book(path: Path, sheets: dict[str, list[list[object]]], **properties: str) -> Path:
    """A workbook with these cells and the custom properties kizuna_name and kizuna_as_of."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    for name, value in ({"name": "shop", "as_of": "2026-01-05"} | properties).items():
        book.custom_doc_props.append(StringProperty(name=f"kizuna_{name}", value=value))
    book.save(path)
    return path


def headers(language: str) -> list[object]:
    words = load_words(language)
    return ["#", words("column.customer_id"), *(words(f"feedback.{key}") for key in FEEDBACK), "more"]


@pytest.mark.parametrize("language", languages())
def test_rows_are_found_by_their_headers_in_either_language(tmp_path: Path, language: str) -> None:
    list_rows = [headers(language), [1, "007", "x", None, None, None, "hi", 3], [], [2, "NA"]]
    path = write_book(tmp_path / "b.xlsx", {"cover": [["Hello"]], "list": list_rows, "service": [headers(language)]})
    found = read_workbook(path)
    assert (found.name, found.as_of) == ("shop", date(2026, 1, 5))
    assert [(entry.sheet, entry.row, entry.customer_id) for entry in found.entries] == [
        ("list", 2, "007"),
        ("list", 4, "NA"),
    ]
    assert found.entries[0].cells == dict(zip(FEEDBACK, ["x", None, None, None, "hi"], strict=True))
    assert [entry.is_blank for entry in found.entries] == [False, True]


def test_columns_may_have_been_moved(tmp_path: Path) -> None:
    moved = list(reversed(headers("en")))
    path = write_book(tmp_path / "b.xlsx", {"list": [moved, [None, "c", "b", "a", None, "Done", "007", 1]]})
    (entry,) = read_workbook(path).entries
    assert (entry.customer_id, entry.cells["status"], entry.cells["comment"]) == ("007", "Done", "c")


@pytest.mark.parametrize("key", [key for key, choices in FEEDBACK.items() if choices])
def test_choices_are_read_in_every_language_and_as_codes(key: str) -> None:
    for choice in FEEDBACK[key]:
        assert code_of(key, choice) == choice
        for language in languages():
            assert code_of(key, f" {load_words(language)(f'feedback_{key}.{choice}').upper()} ") == choice
    assert code_of(key, "perhaps") is None


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (datetime(2026, 1, 7, 13), date(2026, 1, 7)),
        (46029, date(2026, 1, 7)),
        ("2026-01-07", date(2026, 1, 7)),
        (" 2026/1/7 ", date(2026, 1, 7)),
        ("２０２６／１／７", date(2026, 1, 7)),
        ("2026-02-30", None),
        ("7 Jan", None),
        ("令和8年1月7日", None),
        (True, None),
        (1e12, None),
    ],
)
def test_days(value: object, day: date | None) -> None:
    assert day_in(value) == day


def test_what_is_no_filled_workbook_is_refused(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(ContractError) as raised:
            read_workbook(path)
        return str(raised.value)

    text = tmp_path / "b.csv"
    text.write_text("customer_id\n")
    assert refusal(text) == (
        f"Feedback was asked for from {text}, but it is no Excel workbook. Save the filled at_risk.xlsx as .xlsx."
    )
    broken = tmp_path / "broken.xlsx"
    with ZipFile(write_book(tmp_path / "whole.xlsx", {"list": [headers("en")]})) as whole, ZipFile(broken, "w") as part:
        for name in whole.namelist():
            part.writestr(name, b"<a" if name == "xl/workbook.xml" else whole.read(name))
    assert refusal(broken) == (
        f"Feedback was asked for from {broken}, but it is no Excel workbook. Save the filled at_risk.xlsx as .xlsx."
    )
    gone = tmp_path / "gone.xlsx"
    assert refusal(gone) == (
        f"Feedback was asked for from {gone}, but there is no such file. Name the filled workbook."
    )
    foreign = write_book(tmp_path / "f.xlsx", {"list": [headers("en")]}, as_of="soon")
    assert refusal(foreign) == (
        f"Feedback was asked for from {foreign}, but it does not say which list it belongs to. "
        "Fill in the at_risk.xlsx that kizuna wrote, and save it under any name."
    )
    bare = write_book(tmp_path / "n.xlsx", {"list": [["Customer ID", "Status"]]})
    assert refusal(bare) == (
        f"Feedback was asked for from {bare}, but no sheet has the columns Customer ID, Status, Done on, Action taken, "
        "Outcome, Comment. Leave the first row of the sheets as it was."
    )


def test_control_characters_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [headers("en"), [1, "a_x0007_b", None, None, None, None, "hi_x000B_", 3]]
    (entry,) = read_workbook(write_book(tmp_path / "b.xlsx", {"list": rows})).entries
    assert (entry.customer_id, entry.cells["comment"]) == ("a\x07b", "hi\x0b")
