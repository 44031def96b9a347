"""KPIs by group: market, language, stage and touchpoint side by side for the newest quarter, and who moved between stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from kizuna.exports.proof import rows_in
from kizuna.exports.sheets.blocks import CrossTable, set_widths, write_cross, write_heading, write_sentence, write_title
from kizuna.exports.sheets.kpi import legend, newest_quarter, period_text
from kizuna.exports.sheets.kpi_cells import Figure, KpiTable, write_kpis
from kizuna.exports.sheets.paper import Paper, money_kind, open_sheet
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.wording import Wording, load_wording

if TYPE_CHECKING:
    from kizuna.kpi.pack import KpiPack

DIMENSIONS = ("market", "language", "segment", "touchpoint")
_MOST, _LONGEST_HEAD = 8, 24
_WIDTHS = (30, 13, *(13.5 for _ in range(_MOST + 1)))


def write_kpi_groups(paper: Paper) -> None:
    """Adds the sheet where the KPIs of a finished quarter are known; a part of a list has none of its own."""
    words, pack = paper.words, paper.pack
    quarter = None if pack.kpi is None or pack.part is not None else newest_quarter(pack.kpi.numbers)
    if pack.kpi is None or quarter is None:
        return
    kpi, wording = pack.kpi, load_wording(pack.language, pack.kpi.settings)
    numbers = kpi.numbers[(kpi.numbers["kind"] == "quarter") & (kpi.numbers["period"] == quarter)]
    span = words.span(numbers["start"].iloc[0].date(), numbers["end"].iloc[0].date())
    sheet = open_sheet(paper, "kpi_groups")
    sheet.set_zoom(90)
    sheet.freeze_panes(0, 2)
    set_widths(sheet, _WIDTHS)
    line = words("kpi_sheet.groups_line", quarter=period_text(paper, quarter), span=span)
    row = write_title(paper, sheet, words("sheet.kpi_groups"), line, _WIDTHS)
    row = write_sentence(paper, sheet, row, legend(paper, wording), _WIDTHS)
    for dimension in DIMENSIONS:
        row = _dimension(paper, sheet, row, wording, numbers, dimension)
    row = _migration(paper, sheet, row, wording, kpi, quarter)
    write_sentence(paper, sheet, row, wording.filled(wording.tree["note"]["market"]), _WIDTHS)


def _dimension(paper: Paper, sheet: Any, row: int, wording: Wording, numbers: pd.DataFrame, dimension: str) -> int:
    words, every = paper.words, numbers[numbers["dimension"] == dimension]
    mine = every[every["n"] > 0]
    codes = [kpi.code for kpi in KPIS if kpi.headline and (mine["kpi"] == kpi.code).any()]
    mine = mine[mine["kpi"].isin(codes)]
    if mine.empty:
        return row
    sizes = mine.groupby("group", sort=True)["n"].max()
    groups = sorted(sizes.index, key=lambda name: (-float(sizes[name]), name))
    if dimension == "segment":
        groups = [stage for stage in wording.tree["stage"] if stage in set(groups)]
    shown = groups[:_MOST]
    found: dict[tuple[str, str], Figure] = {(one["kpi"], one["group"]): one for one in rows_in(every)}
    everybody: dict[str, Figure] = {
        one["kpi"]: one for one in rows_in(numbers[numbers["dimension"] == "all"]) if one["kpi"] in codes
    }
    figures = {code: [everybody.get(code), *(found.get((code, group)) for group in shown)] for code in codes}
    heads = [wording.word("dimension", "all"), *(_short(wording.group(dimension, group)) for group in shown)]
    row = write_heading(paper, sheet, row, words("kpi_sheet.by", what=wording.word("dimension", dimension)))
    row = write_kpis(paper, sheet, row, wording, KpiTable(words("kpi_sheet.corner"), heads, figures))
    if len(groups) > len(shown):
        rest = words("kpi_sheet.more_groups", count=f"{len(groups) - len(shown):,}")
        row = write_sentence(paper, sheet, row, rest, _WIDTHS)
    return row


def _short(name: str) -> str:
    """A name that fits into a column's head."""
    return name if len(name) <= _LONGEST_HEAD else f"{name[: _LONGEST_HEAD - 1]}…"


def _migration(paper: Paper, sheet: Any, row: int, wording: Wording, kpi: KpiPack, quarter: str) -> int:
    words, moves = paper.words, kpi.migration
    moves = moves[(moves["kind"] == "quarter") & (moves["period"] == quarter)]
    if moves.empty:
        return row
    there = [stage for stage in wording.tree["stage"] if stage in set(moves["from_stage"]) | set(moves["to_stage"])]
    names = [str(wording.tree["stage"][stage]["name"]) for stage in there]
    for key in ("customers", "revenue"):
        sums = moves.groupby(["from_stage", "to_stage"])[key].sum()
        cells = [[float(sums[a, b]) if (a, b) in sums.index else None for b in there] for a in there]
        kind = "count" if key == "customers" else money_kind(paper, pd.Series([float(sums.sum())]))
        row = write_heading(paper, sheet, row, words(f"kpi_sheet.moves_{key}", quarter=period_text(paper, quarter)))
        row = write_cross(paper, sheet, row, CrossTable(words("kpi_sheet.moves_corner"), names, names, cells, kind))
    texts = [
        f"{wording.tree['stage'][stage]['name']}: {wording.filled(wording.tree['stage'][stage]['text'])}"
        for stage in there
    ]
    return write_sentence(
        paper, sheet, row + 1, "  ".join([*texts, wording.filled(wording.tree["stage_note"])]), _WIDTHS
    )
