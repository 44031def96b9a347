"""What every sheet is written on: palette, fonts, typed cells, tables with fitted columns, and the print setup."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words

INK, MUTED, LINE, WASH, ACCENT = "#1C2733", "#5B6775", "#D5DBE3", "#F3F5F8", "#22406B"
INPUT, WARNING = "#FFFBEB", "#A8321F"
# Background and text of each band, state of a finding and status of a check: the word is always printed too.
TINTS = {
    "high": ("#FBE6E1", "#8F2614"),
    "medium": ("#FCF0D3", "#6E4A00"),
    "low": ("#E3F0EA", "#1F5A43"),
    "error": ("#FBE6E1", "#8F2614"),
    "warning": ("#FCF0D3", "#6E4A00"),
    "recommendation": ("#E6EDF7", "#22406B"),
    "pass": ("#E3F0EA", "#1F5A43"),
    "warn": ("#FCF0D3", "#6E4A00"),
    "fail": ("#FBE6E1", "#8F2614"),
}
FONT_SIZE = 10

_LINE_HEIGHT, _ROW_HEIGHT, _LONGEST_CELL_LINES = 14.0, 22.0, 10
# A footer holds 255 characters in all, and each & counts twice.
_LONGEST_FOOTER = 80


@dataclass(frozen=True)
class Paper:
    """The open workbook, the list it is about, and its words. Formats are made once each."""

    book: Any
    pack: ListPack
    words: Words
    formats: dict[tuple[tuple[str, object], ...], Any] = field(default_factory=dict)

    def format(self, **properties: object) -> Any:
        """A cell format: the given properties over the document's font, size, colour and alignment."""
        base = {"font_name": self.words("font"), "font_size": FONT_SIZE, "font_color": INK, "valign": "vcenter"}
        key = tuple(sorted({**base, **properties}.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(dict(key))
        return self.formats[key]

    def date_format(self) -> str:
        """The number format of a date cell."""
        return self.words("format.cell_day")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``kind``: id, text, word, count, share, points (signed), ratio, metric, ``money:`` or ``number:`` and the number format,
    date, tint (a band or state with a colour of its own), status (of a check, too), input or input:date (left empty for
    people).
    """

    header: str
    values: Sequence[Any]
    kind: str = "text"
    widest: int = 44


def open_sheet(paper: Paper, key: str, color: str = ACCENT) -> Any:
    """A new sheet in landscape A4, one page wide, with a footer that says which list and which page."""
    name = paper.words(f"sheet.{key}")
    sheet = paper.book.add_worksheet(name)
    sheet.hide_gridlines(2)
    sheet.set_tab_color(color)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    shop = paper.pack.title[:_LONGEST_FOOTER]
    title = f"{shop}  {paper.words.day(paper.pack.as_of)}  {name}".replace("&", "&&")
    sheet.set_footer(f"&L&8{title}&R&8&P / &N")
    return sheet


def write_table(paper: Paper, sheet: Any, columns: Sequence[Column], top: int = 0) -> int:
    """Writes header and typed rows from row ``top`` on; the row after the last. The caller fits the column widths."""
    count, widths = len(columns[0].values), [column_width(column) for column in columns]
    sheet.set_row(top, 34)
    for position, column in enumerate(columns):
        header = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, text_wrap=True, **_placed(column.kind))
        sheet.write_string(top, position, column.header, header)
    for row in range(count):
        lines = 1
        for position, column in enumerate(columns):
            value = column.values[row]
            write_cell(paper, sheet, (top + 1 + row, position), value, column.kind)
            if column.kind in ("text", "id"):
                lines = max(lines, line_count(value, widths[position]))
                # Ids stand in bold, which takes more where they do not fit on a line.
                if column.kind == "id" and lines > 1:
                    lines = max(lines, line_count(value, 0.75 * widths[position]))
        sheet.set_row(top + 1 + row, row_height(lines))
    return top + 1 + count


def fit_columns(sheet: Any, columns: Sequence[Column]) -> None:
    """Sets every column as wide as its longest content, within bounds."""
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column_width(column))


def write_cell(paper: Paper, sheet: Any, at: tuple[int, int], value: Any, kind: str, **properties: object) -> None:
    """Writes one value as its own type: text stays text whatever it looks like; null is an empty, formatted cell.

    ``properties``: of the cell's format, over those of its kind.
    """
    look: dict[str, object] = {"bottom": 1, "bottom_color": LINE}
    if kind.startswith("input"):
        number_format = paper.date_format() if kind == "input:date" else "@"
        sheet.write_blank(
            *at, None, paper.format(**look, bg_color=INPUT, num_format=number_format, left=1, left_color=LINE)
        )
        return
    if kind in ("text", "id", "word"):
        usual = {**look, **_placed(kind), "num_format": "@", "text_wrap": kind != "word", "bold": kind == "id"}
        style = paper.format(**{**usual, **properties})
        _write(sheet, at, value, style)
    elif kind in ("tint", "status"):
        background, ink = TINTS.get(str(value), (WASH, INK))
        style = paper.format(**look, num_format="@", bg_color=background, font_color=ink, bold=True, **_placed(kind))
        group = "band" if kind == "tint" else "gate_status"
        _write(sheet, at, paper.words.code(group, value), style)
    elif kind == "date":
        _write(sheet, at, value, paper.format(**look, **_placed(kind), num_format=paper.date_format(), **properties))
    else:
        formats = {
            "count": "#,##0",
            "share": "0.0%",
            "points": '+0.0;"−"0.0;0.0',
            "ratio": '0.0"×"',
            "metric": "0.0000",
        }
        given = kind.partition(":")[2]
        number_format = formats.get(kind, given)
        _write(sheet, at, value, paper.format(**look, **_placed(kind), num_format=number_format, **properties))


def _placed(kind: str) -> dict[str, object]:
    """Texts stand left, dates and marks in the middle, numbers right; their headers with them."""
    if kind in ("tint", "status", "date"):
        return {"align": "center"}
    if kind in ("text", "id", "word", "input", "input:date"):
        return {"align": "left", "indent": 1}
    return {"align": "right"}


def _write(sheet: Any, at: tuple[int, int], value: Any, style: Any) -> None:
    if value is None or value == "" or pd.isna(value):
        sheet.write_blank(*at, None, style)
    elif isinstance(value, str):
        sheet.write_string(*at, value, style)
    elif isinstance(value, (datetime, date)):
        sheet.write_datetime(*at, datetime(value.year, value.month, value.day), style)
    elif math.isfinite(value):
        sheet.write_number(*at, float(value), style)
    else:
        sheet.write_blank(*at, None, style)


def money_kind(paper: Paper, values: pd.Series) -> str:
    """The kind of a money column: ``money:`` and the number format that suits its largest amount."""
    largest = values.astype(float).abs().max() if len(values) else 0.0
    return f"money:{paper.words.money_format(largest if math.isfinite(largest) else 0.0, paper.pack.currency)}"


def display_width(text: str) -> float:
    """Digits that are as wide as a text: East Asian wide characters take about two, Latin text less than one each."""
    return sum(1.9 if unicodedata.east_asian_width(character) in "WF" else 0.87 for character in text)


def column_width(column: Column) -> float:
    """The width of a column in characters: its longest line, or what its kind needs, at most ``widest``."""
    heading = _header_width(column.header) + 4
    if column.kind in ("text", "id", "word"):
        content = max(
            (display_width(line) for value in column.values for line in str(value or "").split("\n")), default=0
        )
    elif column.kind.startswith("money"):
        content = max((len(f"{value:,.0f}") + 5 for value in column.values if not pd.isna(value)), default=8)
    else:
        content = {"date": 12, "tint": 8, "input": 12}.get(column.kind, 8)
    return float(min(max(heading, content + 3, 6), max(column.widest, 6)))


def _header_width(header: str) -> float:
    """The width of a header on at most two lines, broken at blanks only where there are any."""
    if display_width(header) <= 10:
        return display_width(header)
    longest_word = max(display_width(word) for word in header.split(" "))
    return max(display_width(header) / 2 + 1, longest_word if " " in header else 0)


def line_count(value: object, width: float) -> int:
    """Lines that a wrapped text takes in a column of some width."""
    if not isinstance(value, str):
        return 1
    return sum(max(1, math.ceil(display_width(line) / max(width - 2, 1))) for line in value.split("\n"))


def row_height(lines: int) -> float:
    """Height in points of a row that holds so many lines of text."""
    return max(_ROW_HEIGHT, _LINE_HEIGHT * min(lines, _LONGEST_CELL_LINES) + 6)
