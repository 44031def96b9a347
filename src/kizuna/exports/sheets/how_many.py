"""How many to contact: for ever longer lists, how many leavers are reached, whom one contacts for nothing, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kizuna.exports.figures import has_values, rows_of
from kizuna.exports.pack import ListPack
from kizuna.exports.sheets.blocks import set_widths, write_sentence, write_title
from kizuna.exports.sheets.paper import (
    ACCENT,
    INK,
    LINE,
    MUTED,
    Column,
    Paper,
    money_kind,
    open_sheet,
    write_cell,
    write_table,
)
from kizuna.wording.words import share_text

_OUT_OF_REACH = ("suppressed", "below_min_probability")
_LADDER = tuple(step * 10**power for power in range(1, 7) for step in (1, 2, 3, 5))
_FIRST_STEP, _MOST_STEPS = 50, 8
_QUIET = "#8A95A3"
_WIDTHS = (15, 16, 17, 17, 17, 17, 19, 16, 16, 21, 19)


@dataclass(frozen=True)
class Costs:
    """Of one contact with its offer; ``save_rate``: the share of the value at risk that contact is assumed to keep."""

    contact: float | None
    save_rate: float | None


def write_how_many(paper: Paper) -> None:
    """Adds a row for each length of the list, this week's among them, a chart, and what is assumed."""
    words, pack = paper.words, paper.pack
    sheet = open_sheet(paper, "how_many")
    sheet.fit_to_pages(1, 1)
    set_widths(sheet, _WIDTHS)
    reached, own = reachable(pack), len(rows_of(pack.at_risk, "contact"))
    counts = lengths(len(reached), own)
    columns = _columns(paper, reached, counts, own) if counts else []
    widths = _WIDTHS[: max(len(columns), 7)]
    row = write_title(paper, sheet, words("how_many.title"), words("how_many.line"), widths)
    if not columns:
        write_sentence(paper, sheet, row, words("empty.list"), widths)
        return
    top = row + 1
    row = write_table(paper, sheet, columns, top) + 1
    if own in counts:
        _emphasise(paper, sheet, top + 1 + counts.index(own), columns, counts.index(own))
    for text in _notes(paper, len(reached)):
        row = write_sentence(paper, sheet, row, text, widths)
    _chart(paper, sheet, (top + 1, len(counts)), row + 1)


def reachable(pack: ListPack) -> pd.DataFrame:
    """Who may be contacted, by rank: those listed to contact first, then whom a longer list would add, most urgent first."""
    scores = pack.scores
    is_open = (scores["arm"] == "target") & (scores["contact"] != "refused")
    mine = scores[is_open & ~scores["left_out"].isin(_OUT_OF_REACH)]
    ranks = rows_of(pack.at_risk, "contact").set_index("customer_id")["list_rank"]
    rank_by = pack.rank_by if pack.rank_by in mine and mine[pack.rank_by].notna().any() else "churn_probability"
    mine = mine.assign(rank=mine["customer_id"].map(ranks).astype(float).fillna(np.inf))
    mine = mine[np.isfinite(mine["rank"]) | (mine["left_out"] != "")]
    by: list[str] = ["rank", rank_by, "churn_probability", "customer_id"]
    return pd.DataFrame(
        mine.sort_values(by, ascending=[True, False, False, True], na_position="last", kind="stable", ignore_index=True)
    )


def lengths(most: int, own: int) -> list[int]:
    """At most ten lengths of a list: round numbers from 50 on, the list's own, and everybody who may be contacted."""
    first = _FIRST_STEP if most > 2 * _FIRST_STEP else 0
    round_ones = [step for step in _LADDER if first <= step < most][-_MOST_STEPS:]
    return sorted({*round_ones, *([most] if most else []), *([own] if 0 < own <= most else [])})


def costs_of(pack: ListPack) -> Costs:
    """What the config says a contact costs; None where it does not say both parts."""
    parts = [pack.economics.get(name) for name in ("contact_cost", "offer_cost")]
    known = [float(part) for part in parts if part is not None]
    return Costs(sum(known) if len(known) == len(parts) else None, pack.economics.get("assumed_save_rate"))


def _columns(paper: Paper, reached: pd.DataFrame, counts: list[int], own: int) -> list[Column]:
    words, pack, costs = paper.words, paper.pack, costs_of(paper.pack)
    risk = reached["churn_probability"].astype(float).cumsum().to_numpy()
    everyone = float(pack.scores["churn_probability"].astype(float).sum())
    churners = [float(risk[count - 1]) for count in counts]
    columns = [
        Column(words("how_many.contacts"), counts, "count"),
        Column(words("how_many.mark"), [words("how_many.own") if count == own else None for count in counts], "word"),
        Column(words("how_many.reached"), churners, "count"),
        Column(words("how_many.reached_share"), [one / everyone if everyone else None for one in churners], "share"),
        Column(words("how_many.at_random"), [everyone * n / len(pack.scores) for n in counts], "count"),
        Column(words("how_many.wasted"), [n - one for n, one in zip(counts, churners, strict=True)], "count"),
    ]
    spent = [None if costs.contact is None else count * costs.contact for count in counts]
    if has_values(reached):
        total = reached["value_at_risk"].astype(float).fillna(0.0).cumsum().to_numpy()
        values = [float(total[count - 1]) for count in counts]
        columns.append(_money(paper, "value", values))
        if costs.contact is not None:
            columns.append(_money(paper, "cost", spent))
            even = [
                cost / value if cost is not None and value > 0 else None
                for cost, value in zip(spent, values, strict=True)
            ]
            columns.append(Column(words("how_many.break_even"), even, "share"))
        if costs.contact is not None and costs.save_rate is not None:
            kept = [value * costs.save_rate for value in values]
            left = [one - cost if cost is not None else None for one, cost in zip(kept, spent, strict=True)]
            columns += [_money(paper, "kept", kept, rate=share_text(costs.save_rate)), _money(paper, "net", left)]
    elif costs.contact is not None:
        columns.append(_money(paper, "cost", spent))
    return columns


def _money(paper: Paper, key: str, values: list[Any], **places: object) -> Column:
    what = paper.words("amount.revenue" if paper.pack.margin == 1 else "amount.margin")
    series = pd.Series(values, dtype=float)
    return Column(paper.words(f"how_many.{key}", what=what, **places), values, money_kind(paper, series))


def _emphasise(paper: Paper, sheet: Any, row: int, columns: list[Column], place: int) -> None:
    for position, column in enumerate(columns):
        value = column.values[place]
        write_cell(paper, sheet, (row, position), value, column.kind, bold=True, bg_color="#E6EDF7", font_color=ACCENT)


def _notes(paper: Paper, most: int) -> list[str]:
    words, pack, costs = paper.words, paper.pack, costs_of(paper.pack)
    notes = [words("how_many.who", count=f"{most:,}")]
    if has_values(pack.scores):
        if pack.margin == 1:
            notes.append(words("how_many.revenue"))
        else:
            notes.append(words("how_many.margin", margin=f"{pack.margin:g}"))
    if costs.contact is None:
        notes.append(words("how_many.no_cost"))
    else:
        notes.append(words("how_many.break_even_note"))
    if costs.save_rate is None:
        notes.append(words("how_many.no_rate"))
    return notes


def _chart(paper: Paper, sheet: Any, rows: tuple[int, int], below: int) -> None:
    """Expected leavers reached over customers contacted, as a native chart of the table's own cells."""
    words, (first, count) = paper.words, rows
    name, last = sheet.get_name(), first + count - 1
    chart = paper.book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    for key, column, color in (("reached", 2, ACCENT), ("at_random", 4, _QUIET)):
        chart.add_series(
            {
                "name": words(f"how_many.{key}"),
                "categories": [name, first, 0, last, 0],
                "values": [name, first, column, last, column],
                "line": {"color": color, "width": 2.25},
                "marker": {"type": "circle", "size": 6, "fill": {"color": color}, "border": {"color": "#FFFFFF"}},
            }
        )
    font = {"name": words("font"), "size": 9, "color": INK}
    quiet = {"name": words("font"), "size": 9, "color": MUTED, "bold": False}
    axis = {"num_font": font, "name_font": quiet, "line": {"color": MUTED}, "num_format": "#,##0", "min": 0}
    title = {"name": words("how_many.chart"), "overlay": False}
    chart.set_title({**title, "name_font": {**font, "size": 11, "bold": True, "color": ACCENT}})
    chart.set_x_axis({**axis, "name": words("how_many.contacts"), "major_gridlines": {"visible": False}})
    lines = {"visible": True, "line": {"color": LINE}}
    chart.set_y_axis({**axis, "name": words("how_many.reached"), "major_gridlines": lines})
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_chartarea({"border": {"color": LINE}})
    chart.set_size({"width": 860, "height": 340})
    sheet.insert_chart(below, 0, chart, {"x_offset": 4, "y_offset": 4, "description": words("how_many.chart")})
