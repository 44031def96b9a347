"""The KPI sheet: each headline KPI at a glance with its definition, then month by month, then quarters and fiscal years."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from kizuna.exports.proof import rows_in
from kizuna.exports.sheets.blocks import set_widths, write_heading, write_sentence, write_title
from kizuna.exports.sheets.kpi_cells import (
    Figure,
    KpiTable,
    cell_at,
    interval,
    write_change,
    write_kpis,
    write_value,
)
from kizuna.exports.sheets.paper import (
    ACCENT,
    LINE,
    MUTED,
    Column,
    Paper,
    line_count,
    open_sheet,
    row_height,
    write_table,
)
from kizuna.kpi.catalog import BY_CODE, KPIS
from kizuna.kpi.screen import figure
from kizuna.kpi.wording import Wording, load_wording

if TYPE_CHECKING:
    from kizuna.kpi.pack import KpiPack

MONTHS, QUARTERS, YEARS = 13, 8, 3
# The trend of the months stands in the eighth column.
_WIDTHS = (30, 12.5, *(16 if place == 5 else 12.5 for place in range(MONTHS)))
_GLANCE = ("month", "value", "n", "interval", "change", "change_year", "trend")
_RESTATED_SHOWN = 15
_BLOCKS = "▁▂▃▄▅▆▇█"


def write_kpi(paper: Paper) -> None:
    """Adds the sheet where KPIs are known; a part of a list has none of its own."""
    words, pack = paper.words, paper.pack
    if pack.kpi is None or pack.part is not None:
        return
    kpi, wording = pack.kpi, load_wording(pack.language, pack.kpi.settings)
    sheet = open_sheet(paper, "kpi")
    sheet.set_zoom(90)
    sheet.freeze_panes(0, 2)
    set_widths(sheet, _WIDTHS)
    line = words("kpi_sheet.line", day=words.day(kpi.known_before), name=pack.name)
    row = write_title(paper, sheet, words("sheet.kpi"), line, _WIDTHS)
    row = write_sentence(paper, sheet, row, legend(paper, wording), _WIDTHS)
    everybody = kpi.numbers[kpi.numbers["dimension"] == "all"]
    shown, lacking = _headline(everybody)
    months = _periods(everybody, "month", MONTHS)
    by_month = _figures(everybody, shown, months)
    row = write_heading(paper, sheet, row, words("kpi_sheet.glance"))
    row = _glance(paper, sheet, row, wording, by_month)
    row = write_heading(paper, sheet, row, words("kpi_sheet.months"))
    heads = [period_text(paper, name) for _, name in months]
    row = write_kpis(paper, sheet, row, wording, KpiTable(words("kpi_sheet.corner"), heads, by_month))
    longer = [*_periods(everybody, "quarter", QUARTERS), *_periods(everybody, "fiscal_year", YEARS)]
    row = write_heading(paper, sheet, row, words("kpi_sheet.longer"))
    table = KpiTable(
        words("kpi_sheet.corner"), [period_text(paper, name) for _, name in longer], _figures(everybody, shown, longer)
    )
    row = write_kpis(paper, sheet, row, wording, table)
    row = _restated(paper, sheet, row, kpi, wording)
    notes = [wording.filled(wording.tree["note"][name]) for name in ("complement", "interval", "frozen")]
    if lacking:
        notes.append(wording.filled(wording.tree["screen"]["missing"], names=", ".join(map(wording.name, lacking))))
    for note in notes:
        row = write_sentence(paper, sheet, row + (note is notes[0]), note, _WIDTHS)


def legend(paper: Paper, wording: Wording) -> str:
    """What the marks of the KPI sheets mean."""
    return paper.words("kpi_sheet.legend", below=wording.settings["reference_below"])


def period_text(paper: Paper, name: str) -> str:
    """The name of a period as the language writes fiscal years and their quarters; that of a month as it is."""
    found = re.fullmatch(r"FY(\d+)(?:-Q(\d))?", name)
    if found is None:
        return name
    year, quarter = found.groups()
    return paper.words("kpi_sheet.fiscal_quarter" if quarter else "kpi_sheet.fiscal", year=year, quarter=quarter)


def newest_quarter(numbers: pd.DataFrame) -> str | None:
    """The newest quarter that has ended and that all of the tables reach; None where none has."""
    quarters = numbers[(numbers["kind"] == "quarter") & numbers["finished"]].sort_values("start", kind="stable")
    return str(quarters["period"].iloc[-1]) if len(quarters) else None


def _headline(everybody: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The headline KPIs that have a table, and those that have none."""
    there = set(everybody.loc[everybody["state"] != "no_table", "kpi"])
    headline = [kpi.code for kpi in KPIS if kpi.headline]
    return [code for code in headline if code in there], [code for code in headline if code not in there]


def _periods(everybody: pd.DataFrame, kind: str, count: int) -> list[tuple[str, str]]:
    names = everybody.loc[everybody["kind"] == kind, ["start", "period"]].drop_duplicates().sort_values("start")
    return [(kind, str(name)) for name in names["period"].tolist()[-count:]]


def _figures(
    everybody: pd.DataFrame, codes: Sequence[str], periods: Sequence[tuple[str, str]]
) -> dict[str, list[Figure | None]]:
    mine = everybody[everybody["kpi"].isin(codes)]
    found = {(row["kpi"], row["kind"], row["period"]): row for row in rows_in(mine)}
    return {code: [found.get((code, kind, name)) for kind, name in periods] for code in codes}


def _glance(paper: Paper, sheet: Any, row: int, wording: Wording, figures: dict[str, list[Figure | None]]) -> int:
    """A line for each KPI: its newest settled month, how it changed, the trend of the months, and what exactly it is."""
    words = paper.words
    head: dict[str, object] = {"bold": True, "font_color": "#FFFFFF", "bg_color": ACCENT, "text_wrap": True}
    sheet.write_string(row, 0, words("kpi_sheet.corner"), paper.format(**head, indent=1))
    for position, key in enumerate(_GLANCE, start=1):
        sheet.write_string(row, position, words(f"kpi_sheet.glance_{key}"), paper.format(**head, align="right"))
    start, last = len(_GLANCE) + 1, len(_WIDTHS) - 1
    sheet.merge_range(row, start, row, last, "", paper.format(**head, indent=1))
    sheet.write_string(row, start, words("kpi_sheet.glance_definition"), paper.format(**head, indent=1))
    sheet.set_row(row, 30)
    for place, (code, cells) in enumerate(figures.items(), start=1):
        _glance_row(paper, sheet, row + place, wording, cells, code)
    return row + 1 + len(figures)


def _glance_row(
    paper: Paper, sheet: Any, row: int, wording: Wording, cells: Sequence[Figure | None], code: str
) -> None:
    words = paper.words
    rule: dict[str, object] = {"top": 1, "top_color": LINE}
    settled = [one for one in cells if one and one["state"] in ("ok", "reference") and not pd.isna(one["value"])]
    one = settled[-1] if settled else next((one for one in reversed(cells) if one), None)
    largest = abs(one["value"]) if one and not pd.isna(one["value"]) else 0.0
    sheet.write_string(row, 0, wording.name(code), paper.format(**rule, bold=True, indent=1, text_wrap=True))
    month = period_text(paper, str(one["period"])) if one else ""
    sheet.write_string(row, 1, month, paper.format(**rule, align="right", font_color=MUTED))
    write_value(cell_at(paper, sheet, (row, 2), wording, largest), one)
    number = paper.format(**rule, align="right", font_color=MUTED, num_format="#,##0")
    few = paper.format(**rule, align="right", font_color=MUTED, num_format=f'#,##0" {words("kpi_sheet.ref")}"')
    quiet = paper.format(**rule, align="right", font_color=MUTED, font_size=8)
    if one and BY_CODE[code].method != "derived":
        sheet.write_number(row, 3, float(one["n"]), few if one["state"] == "reference" else number)
    else:
        sheet.write_blank(row, 3, None, number)
    has_ends = one is not None and not pd.isna(one["low"])
    sheet.write_string(row, 4, interval(one, paper, wording) if one and has_ends else "", quiet)
    write_change(cell_at(paper, sheet, (row, 5), wording, largest), one)
    write_change(cell_at(paper, sheet, (row, 6), wording, largest), one, "_year")
    sheet.write_string(row, 7, trend_text(cells), paper.format(**rule, align="right", font_color=ACCENT, font_size=7))
    text, start, last = wording.definition(code), len(_GLANCE) + 1, len(_WIDTHS) - 1
    style = paper.format(**rule, text_wrap=True, font_size=9, font_color=MUTED, indent=1)
    sheet.merge_range(row, start, row, last, "", style)
    sheet.write_string(row, start, text, style)
    sheet.set_row(row, max(row_height(line_count(text, sum(_WIDTHS[start:]) * 1.15)), 24))


def trend_text(cells: Sequence[Figure | None]) -> str:
    """The values as blocks from the lowest to the highest, a dot where none is known."""
    values = [math.nan if one is None or pd.isna(one["value"]) else float(one["value"]) for one in cells]
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 2:
        return ""
    low, size = min(known), max(known) - min(known)
    top = len(_BLOCKS) - 1
    return "".join(
        "·" if math.isnan(value) else _BLOCKS[round(top * (value - low) / size) if size else 0] for value in values
    )


def _restated(paper: Paper, sheet: Any, row: int, kpi: KpiPack, wording: Wording) -> int:
    """What was published otherwise, headline KPIs of everybody first; the rest is counted."""
    words, found = paper.words, kpi.restated
    if found.empty:
        return row
    row = write_heading(paper, sheet, row, words("kpi_sheet.restated", count=f"{len(found):,}"))
    ordered = found.assign(
        is_small=found["dimension"] != "all", is_detail=[not BY_CODE[code].headline for code in found["kpi"]]
    ).sort_values(["is_small", "is_detail", "start", "kpi"], ascending=[True, True, False, True], kind="stable")
    said = [(one, *_said(one, wording)) for one in rows_in(ordered)]
    # What is the same to the last digit shown is counted and not listed.
    told = [(one, was, now) for one, was, now in said if was != now][:_RESTATED_SHOWN]
    if not told:
        return row
    shown = [one for one, _, _ in told]
    columns = [
        Column(words("kpi_sheet.corner"), [wording.name(one["kpi"]) for one in shown], "text", 26),
        Column(words("kpi_sheet.first_day"), [one["start"].date() for one in shown], "date"),
        Column(words("kpi_sheet.last_day"), [one["end"].date() for one in shown], "date"),
        Column(words("kpi_sheet.group"), [wording.group(one["dimension"], one["group"]) for one in shown], "word"),
        Column(words("kpi_sheet.was"), [was for _, was, _ in told], "word"),
        Column(words("kpi_sheet.is"), [now for _, _, now in told], "word"),
        Column(words("kpi_sheet.told"), [one["published_known_before"].date() for one in shown], "date"),
    ]
    return write_table(paper, sheet, columns, row)


def _said(row: dict[str, Any], wording: Wording) -> tuple[str, str]:
    """What was published and what is found now, as they are read."""
    unit = BY_CODE[row["kpi"]].unit
    values = [math.nan if row[name] is None else float(row[name]) for name in ("published_value", "value")]
    return figure(values[0], unit, wording), figure(values[1], unit, wording)
