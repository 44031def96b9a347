"""The first sheet: whom, why, what, by when; then whether it was right before and when its effect can be read."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kizuna.exports.figures import (
    Figures,
    answer_text,
    dated_key,
    economics_text,
    figures_of,
    has_values,
    left_out_text,
    level_text,
    order_text,
    refused_text,
    rows_of,
    why_text,
)
from kizuna.exports.insights import insights
from kizuna.exports.proof import of_whole, proof_text, realised_text
from kizuna.exports.sheets.paper import (
    ACCENT,
    LINE,
    MUTED,
    TINTS,
    WARNING,
    WASH,
    Paper,
    line_count,
    open_sheet,
    row_height,
)

_TOP = 10
# Margin, rank, customer, probability, value, why, what, by when. Columns 1-2, 3-4, 5, 6-7 carry the four figures.
_WIDTHS = (2, 6, 22, 13, 16, 58, 50, 14)
_TILES = ((1, 2), (3, 4), (5, 5), (6, 7))


def write_cover(paper: Paper) -> None:
    """Adds the first sheet, one page in landscape."""
    sheet = open_sheet(paper, "cover", WARNING)
    sheet.fit_to_pages(1, 1)
    for position, width in enumerate(_WIDTHS):
        sheet.set_column(position, position, width)
    figures = figures_of(paper.pack)
    _title(paper, sheet)
    _tiles(paper, sheet, figures)
    row = _top_rows(paper, sheet, 8)
    row = _notes(paper, sheet, row + 1, figures)
    sheet.print_area(0, 0, row, len(_WIDTHS) - 1)


def _title(paper: Paper, sheet: Any) -> None:
    pack, words = paper.pack, paper.words
    sheet.set_row(0, 8)
    sheet.set_row(1, 32)
    sheet.set_row(2, 20)
    refused = refused_text(pack, words)
    sheet.set_row(3, 20 if refused else 8)
    sheet.write_string(1, 1, words("cover.title"), paper.format(bold=True, font_size=20, font_color=ACCENT))
    span = words.span(pack.first_day, pack.last_day)
    line = words(
        dated_key(pack, "cover.line"),
        day=words.day(pack.as_of, weekday=True),
        span=span,
        days=pack.horizon_days,
        name=pack.title,
    )
    sheet.write_string(2, 1, line, paper.format(font_size=11, font_color=MUTED))
    if pack.simulated:
        mark = paper.format(bold=True, font_size=11, font_color=WARNING, align="right")
        sheet.write_string(1, 7, words("cover.simulated", mark=words("simulated")), mark)
    if refused:
        sheet.write_string(3, 1, refused, paper.format(bold=True, font_size=11, font_color=WARNING))


def _tiles(paper: Paper, sheet: Any, figures: Figures) -> None:
    words, pack = paper.words, paper.pack
    people = words("unit.people_format")
    if figures.value_at_risk is None:
        worth = (words("figure.leavers"), figures.expected_leavers, people)
    else:
        worth = (words("figure.value"), figures.value_at_risk, words.money_format(figures.value_at_risk, pack.currency))
    contents = (
        (words("figure.contact"), figures.contact, people),
        worth,
        (words("figure.due"), figures.due, people),
        (words("figure.service"), figures.service, people),
    )
    sheet.set_row(4, 20)
    sheet.set_row(5, 36)
    sheet.set_row(6, 6)
    sheet.set_row(7, 12)
    edge: dict[str, object] = {"bg_color": WASH, "left": 5, "left_color": "#FFFFFF"}
    label = paper.format(**edge, font_color=MUTED, indent=1, top=5, top_color=ACCENT)
    for (first, last), (name, value, number_format) in zip(_TILES, contents, strict=True):
        number = paper.format(**edge, bold=True, font_size=22, num_format=number_format, align="left", indent=1)
        bottom = paper.format(**edge)
        for row, style in ((4, label), (5, number), (6, bottom)):
            if last > first:
                sheet.merge_range(row, first, row, last, "", style)
        sheet.write_string(4, first, name, label)
        sheet.write_number(5, first, value, number)
        sheet.write_blank(6, first, None, bottom)


def _top_rows(paper: Paper, sheet: Any, row: int) -> int:
    words, pack = paper.words, paper.pack
    contact = rows_of(pack.at_risk, "contact")
    shown, value = contact.head(_TOP), has_values(contact)
    heading = (
        words("cover.top", count=len(shown)) if len(contact) > len(shown) else words("cover.all", count=len(shown))
    )
    sheet.set_row(row, 24)
    sheet.write_string(row, 1, heading, paper.format(bold=True, font_size=12, font_color=ACCENT))
    hint = words("cover.rest", sheet=words("sheet.list"))
    sheet.write_string(row, 7, hint, paper.format(font_color=MUTED, align="right"))
    keys = ("rank", "customer", "probability", "value" if value else "percentile", "why", "what", "by_when")
    for position, key in enumerate(keys, start=1):
        align = (
            "right"
            if key in ("value", "percentile")
            else "center"
            if key in ("rank", "by_when", "probability")
            else "left"
        )
        indent = 1 if align == "left" else 0
        style = paper.format(bold=True, font_color="#FFFFFF", bg_color=ACCENT, align=align, indent=indent)
        sheet.write_string(row + 1, position, words(f"top.{key}"), style)
    sheet.set_row(row + 1, 22)
    if shown.empty:
        sheet.set_row(row + 2, 26)
        style = paper.format(font_color=MUTED, align="center", bottom=1, bottom_color=LINE)
        sheet.merge_range(row + 2, 1, row + 2, 7, "", style)
        sheet.write_string(row + 2, 1, words("cover.empty"), style)
        return row + 2
    largest = float(shown["value_at_risk"].astype(float).max()) if value else 0.0
    for offset, (_, customer) in enumerate(shown.iterrows(), start=2):
        _top_row(paper, sheet, row + offset, customer, words.money_format(largest, pack.currency) if value else "")
    return row + 1 + len(shown)


def _top_row(paper: Paper, sheet: Any, row: int, customer: pd.Series, money_format: str) -> None:
    words = paper.words
    line: dict[str, object] = {"bottom": 1, "bottom_color": LINE}
    background, ink = TINTS.get(str(customer["risk_band"]), (WASH, ACCENT))
    band = words.code("band", customer["risk_band"])
    probability = paper.format(
        **line, bg_color=background, font_color=ink, bold=True, align="center", num_format=f'"{band}"  0%'
    )
    why = why_text(customer, words)
    what = customer["action_text"] if isinstance(customer["action_text"], str) else words("none")
    texts = ((2, customer["customer_id"]), (5, why), (6, what))
    sheet.write_number(row, 1, int(customer["list_rank"]), paper.format(**line, align="center", font_color=MUTED))
    sheet.write_number(row, 3, float(customer["churn_probability"]), probability)
    for position, text in texts:
        style = paper.format(**line, num_format="@", text_wrap=True, indent=1, bold=position == 2)
        sheet.write_string(row, position, text, style)
    if money_format:
        amount = paper.format(**line, num_format=money_format, align="right")
        value = customer["value_at_risk"]
        sheet.write_blank(row, 4, None, amount) if pd.isna(value) else sheet.write_number(row, 4, float(value), amount)
    else:
        sheet.write_number(
            row, 4, float(customer["risk_percentile"]), paper.format(**line, align="right", num_format="0")
        )
    due = paper.format(**line, num_format=words("cover.due_format"), align="center", bold=True)
    if pd.isna(customer["act_by"]):
        sheet.write_blank(row, 7, None, due)
    else:
        sheet.write_datetime(row, 7, pd.Timestamp(customer["act_by"]).to_pydatetime(), due)
    sheet.set_row(row, row_height(max(line_count(text, _WIDTHS[position]) for position, text in texts)) + 5)


def _notes(paper: Paper, sheet: Any, row: int, figures: Figures) -> int:
    words, pack = paper.words, paper.pack
    trust = words("cover.trust", order=order_text(pack, words), level=level_text(pack, words))
    aside = words("cover.aside", control=figures.control, paused=figures.paused, sheet=words("sheet.apart"))
    notes = [
        ("insight", words("cover.join").join(insights(pack, words))),
        ("effect", of_whole(proof_text(pack, words), pack, words)),
        ("realised", of_whole(realised_text(pack, words), pack, words)),
        ("answer", of_whole(answer_text(pack, words), pack, words)),
        ("trust", trust),
        ("aside", aside),
        ("left_out", left_out_text(pack, words)),
        ("money", economics_text(pack, words)),
        ("caveat", words("caveat")),
    ]
    sheet.set_row(row, 14)
    label = paper.format(bold=True, font_color=ACCENT, top=1, top_color=LINE)
    body = paper.format(text_wrap=True, top=1, top_color=LINE)
    width = sum(_WIDTHS[3:])
    for key, text in notes:
        if not text:
            continue
        row += 1
        sheet.merge_range(row, 1, row, 2, "", label)
        sheet.write_string(row, 1, words(f"note.{key}"), label)
        sheet.merge_range(row, 3, row, 7, "", body)
        sheet.write_string(row, 3, text, body)
        sheet.set_row(row, row_height(line_count(text, width)) + 2)
    row += 1
    models = words("cover.models", models=" / ".join(pack.models[key] for key in sorted(pack.models)))
    sheet.write_string(row, 1, models, paper.format(font_size=8, font_color=MUTED))
    return row
