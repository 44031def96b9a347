"""One KPI as five lines of cells: value, interval, n, and the changes on the period before and on the year before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kizuna.exports.sheets.paper import ACCENT, INK, LINE, MUTED, WARNING, Paper
from kizuna.kpi.catalog import BY_CODE
from kizuna.kpi.screen import figure
from kizuna.kpi.wording import Wording

GOOD = "#1F5A43"
LINES = ("value", "interval", "n", "change", "change_year")
_HEIGHTS = (18, 13, 13, 13, 13)
_MARKS = {"up": '"↑ "', "down": '"↓ "', "not_clear": ""}
_FORMATS = {
    **{"share": "0.0%", "score": "0.0", "per_100": "0.0", "per_1000": "0.0", "days": "0", "years": "0.00"},
    **{"per_year": "0.00", "rating": "0.00", "customers": "#,##0", "orders": "#,##0"},
}
_LARGE = 1_000_000
Figure = Mapping[str, Any]


@dataclass(frozen=True)
class KpiTable:
    """``figures``: for each KPI a row of the KPI pack, null as None, or None, under each of ``heads``. ``corner``: its title."""

    corner: str
    heads: Sequence[str]
    figures: Mapping[str, Sequence[Figure | None]]


def write_kpis(paper: Paper, sheet: Any, row: int, wording: Wording, table: KpiTable) -> int:
    """The table, five lines for each KPI; the next free row."""
    words = paper.words
    head = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, align="right", text_wrap=True)
    left = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, align="left", indent=1)
    sheet.write_string(row, 0, table.corner, left)
    sheet.write_blank(row, 1, None, left)
    for position, name in enumerate(table.heads, start=2):
        sheet.write_string(row, position, name, head)
    sheet.set_row(row, 30)
    row += 1
    for code, figures in table.figures.items():
        known = [one["value"] for one in figures if one is not None and one["value"] is not None]
        largest = max((abs(value) for value in known), default=0.0)
        for place, line in enumerate(LINES):
            rule: dict[str, object] = {"top": 1, "top_color": LINE} if place == 0 else {}
            said = words(f"kpi_sheet.line_{line}")
            sheet.write_string(row + place, 1, said, paper.format(**rule, font_size=8, font_color=MUTED))
            for position, one in enumerate(figures, start=2):
                _WRITERS[line](_Cell(paper, sheet, (row + place, position), wording, (largest, rule)), one)
            sheet.set_row(row + place, _HEIGHTS[place])
        named: dict[str, object] = {"bold": True, "align": "left", "indent": 1, "text_wrap": True, "valign": "top"}
        style = paper.format(top=1, top_color=LINE, **named)
        sheet.merge_range(row, 0, row + 1, 0, "", style)
        sheet.write_string(row, 0, wording.name(code), style)
        row += len(LINES)
    return row


@dataclass(frozen=True)
class _Cell:
    """Where something is written, and ``look``: the largest value of the line and the rule above it."""

    paper: Paper
    sheet: Any
    at: tuple[int, int]
    wording: Wording
    look: tuple[float, dict[str, object]]

    def text(self, text: str, **properties: object) -> None:
        """Writes small, muted text on the right."""
        usual = {"font_size": 8, "font_color": MUTED, "align": "right", **self.look[1]}
        style = self.paper.format(**{**usual, **properties})
        self.sheet.write_string(*self.at, text, style) if text else self.sheet.write_blank(*self.at, None, style)

    def number(self, value: float, number_format: str, **properties: object) -> None:
        """Writes a number on the right."""
        usual = {"num_format": number_format, "align": "right", **self.look[1]}
        self.sheet.write_number(*self.at, float(value), self.paper.format(**{**usual, **properties}))


def write_value(cell: _Cell, one: Figure | None) -> None:
    """The value with the mark of its state, or the state in a word."""
    if one is None or one["state"] == "no_table":
        cell.text("")
        return
    if pd.isna(one["value"]):
        cell.text(cell.wording.word("state", one["state"]))
        return
    marks = ("*" if one["state"] == "censored" else "") + ("†" if one["restated"] else "")
    plain = unit_format(cell.paper, one["unit"], cell.look[0]) + (f'"{marks}"' if marks else "")
    shown = f'{plain};"−"{plain}'
    sure = one["state"] == "ok"
    cell.number(one["value"], shown, bold=sure, italic=not sure, font_color=INK if sure else MUTED)


def _write_interval(cell: _Cell, one: Figure | None) -> None:
    if one is None or pd.isna(one["low"]) or pd.isna(one["high"]):
        cell.text("")
        return
    cell.text(interval(one, cell.paper, cell.wording))


def _write_n(cell: _Cell, one: Figure | None) -> None:
    if one is None or one["state"] == "no_table" or BY_CODE[one["kpi"]].method == "derived":
        cell.text("")
        return
    words, few = cell.paper.words, one["state"] == "reference"
    before = f'"{words("kpi_sheet.ref")} n="' if few else '"n="'
    opened = "" if pd.isna(one["open"]) or not one["open"] else words("kpi_sheet.open", count=f"{one['open']:.0f}")
    shown = f'{before}#,##0"{opened}"' if opened else f"{before}#,##0"
    cell.number(one["n"], shown, font_size=8, font_color=MUTED)


def write_change(cell: _Cell, one: Figure | None, suffix: str = "") -> None:
    """A change with its mark: an arrow where it is clear, in the colour of better or worse."""
    if one is None or not one[f"direction{suffix}"] or pd.isna(one[f"change{suffix}"]):
        cell.text("")
        return
    direction, better = one[f"direction{suffix}"], BY_CODE[one["kpi"]].better
    change, mark = one[f"change{suffix}"], _MARKS[direction]
    good = {"up": better, "down": -better}.get(direction, 0)
    color = MUTED if direction == "not_clear" else GOOD if good > 0 else WARNING if good < 0 else INK
    share = one["unit"] == "share"
    plain = '0.0"pt"' if share else unit_format(cell.paper, one["unit"], cell.look[0])
    shown = f'{mark}"+"{plain};{mark}"−"{plain};{mark}{plain}'
    # What rounds to nought has no sign.
    points = round(100 * change, 1) + 0.0
    cell.number(points if share else change, shown, font_size=8, font_color=color, bold=direction != "not_clear")


def cell_at(paper: Paper, sheet: Any, at: tuple[int, int], wording: Wording, largest: float) -> _Cell:
    """A cell of a table that has other lines than these."""
    return _Cell(paper, sheet, at, wording, (largest, {"top": 1, "top_color": LINE}))


def interval(one: Figure, paper: Paper, wording: Wording) -> str:
    """The 95 % interval of a figure as text."""
    low, high = (_signed(figure(one[end], one["unit"], wording)) for end in ("low", "high"))
    return paper.words("proof.interval", low=low, high=high)


def _signed(text: str) -> str:
    """The text with a true minus; what rounds to nought has none."""
    is_nought = text.startswith("-") and not text.strip("-0.%")
    return text[1:] if is_nought else text.replace("-", "−")


def unit_format(paper: Paper, unit: str, largest: float) -> str:
    """The number format of a KPI's values; from a million on, money is written in millions."""
    if unit != "money":
        return _FORMATS[unit]
    plain = paper.words.money_format(largest, paper.pack.currency)
    return plain.replace("#,##0", paper.words("kpi_sheet.millions")) if largest >= _LARGE else plain


_WRITERS: dict[str, Callable[[_Cell, Figure | None], None]] = {
    "value": write_value,
    "interval": _write_interval,
    "n": _write_n,
    "change": write_change,
    "change_year": lambda cell, one: write_change(cell, one, "_year"),
}
