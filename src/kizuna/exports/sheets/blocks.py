"""Blocks that sheets are made of: title, headings, sentences over the whole width, totals, and tables of two codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kizuna.exports.sheets.paper import (
    ACCENT,
    INK,
    MUTED,
    WASH,
    Column,
    Paper,
    line_count,
    row_height,
    write_cell,
)


@dataclass(frozen=True)
class CrossTable:
    """Counts or sums by two codes, with their totals. ``corner``: what the rows are; ``cells``: rows × columns."""

    corner: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[float | None]]
    kind: str = "count"


def set_widths(sheet: Any, widths: Sequence[float]) -> None:
    """Sets the width of every column from the first on."""
    for position, width in enumerate(widths):
        sheet.set_column(position, position, width)


def write_title(paper: Paper, sheet: Any, title: str, line: str, widths: Sequence[float]) -> int:
    """The sheet's title and a sentence below it; the next free row."""
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, title, paper.format(bold=True, font_size=16, font_color=ACCENT))
    return write_sentence(paper, sheet, 1, line, widths) if line else 1


def write_heading(paper: Paper, sheet: Any, row: int, text: str) -> int:
    """A heading with room above it; the next free row."""
    sheet.set_row(row, 10)
    sheet.set_row(row + 1, 24)
    sheet.write_string(row + 1, 0, text, paper.format(bold=True, font_size=12, font_color=ACCENT))
    return row + 2


def write_sentence(paper: Paper, sheet: Any, row: int, text: str, widths: Sequence[float]) -> int:
    """A muted sentence over the given columns, on as many lines as it needs; the next free row."""
    style = paper.format(font_color=MUTED, text_wrap=True)
    if len(widths) > 1:
        sheet.merge_range(row, 0, row, len(widths) - 1, "", style)
    sheet.write_string(row, 0, text, style)
    sheet.set_row(row, row_height(line_count(text, sum(widths))))
    return row + 1


def write_total(paper: Paper, sheet: Any, row: int, columns: Sequence[Column], values: Sequence[Any]) -> int:
    """A last row in bold below a table; the next free row."""
    for position, (column, value) in enumerate(zip(columns, values, strict=True)):
        write_cell(paper, sheet, (row, position), value, column.kind, bold=True, top=1, top_color=ACCENT, bg_color=WASH)
    sheet.set_row(row, row_height(1))
    return row + 1


def write_cross(paper: Paper, sheet: Any, row: int, table: CrossTable) -> int:
    """The table with totals at the right and below, and the heavier a cell the darker; the next free row."""
    head = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, text_wrap=True, align="right")
    corner = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, text_wrap=True, align="left", indent=1)
    sheet.write_string(row, 0, table.corner, corner)
    names = [*table.columns, paper.words("blocks.total")]
    for position, name in enumerate(names, start=1):
        sheet.write_string(row, position, name, head)
    sheet.set_row(row, 48)
    bold: dict[str, object] = {"bold": True, "bg_color": WASH}
    below: dict[str, object] = {**bold, "top": 1, "top_color": ACCENT}
    for place, (name, values) in enumerate(zip(table.rows, table.cells, strict=True), start=row + 1):
        write_cell(paper, sheet, (place, 0), name, "text", font_color=INK)
        for position, value in enumerate(values, start=1):
            write_cell(paper, sheet, (place, position), value, table.kind)
        write_cell(paper, sheet, (place, len(names)), _sum(values), table.kind, **bold)
        sheet.set_row(place, row_height(1))
    end = row + 1 + len(table.rows)
    write_cell(paper, sheet, (end, 0), names[-1], "text", **below)
    across = [_sum([values[position] for values in table.cells]) for position in range(len(table.columns))]
    for position, value in enumerate([*across, _sum(across)], start=1):
        write_cell(paper, sheet, (end, position), value, table.kind, **below)
    sheet.set_row(end, row_height(1))
    if table.rows:
        tint = {
            "type": "2_color_scale",
            "min_color": "#FFFFFF",
            "max_color": "#BCD0EA",
            "min_type": "num",
            "min_value": 0,
        }
        sheet.conditional_format(row + 1, 1, end - 1, len(table.columns), tint)
    return end + 1


def _sum(values: Sequence[float | None]) -> float:
    return float(sum(value for value in values if value is not None))
