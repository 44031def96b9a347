"""Reasons against actions: how many of those to be approached have which first reason, and what is planned for them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kizuna.exports.figures import has_values, rows_of
from kizuna.exports.sheets.blocks import CrossTable, set_widths, write_cross, write_heading, write_sentence, write_title
from kizuna.exports.sheets.paper import ACCENT, LINE, Paper, line_count, money_kind, open_sheet, row_height
from kizuna.wording.catalog import catalog

# What stands in a row where it is not a driver: served because of facts, facts without a reason, neither.
_OWED, _FACTS, _NEITHER = "owed", "facts", "neither"
_LAST = (_FACTS, _NEITHER, _OWED)
# Where there are many actions their columns are narrower, so that the page stays readable.
_FIRST_WIDTH, _WIDTH, _NARROW, _LEAST_COLUMNS, _MANY = 34.0, 16.0, 13.0, 6, 7


def write_matrix(paper: Paper) -> None:
    """Adds the matrix of customers and, where values are known, that of value at risk; then what each action is."""
    words = paper.words
    sheet = open_sheet(paper, "matrix")
    sheet.fit_to_pages(1, 1)
    rows = rows_of(paper.pack.at_risk, "contact", "service")
    reasons = pd.Series([_reason(row) for _, row in rows.iterrows()], index=rows.index, dtype=object)
    actions = rows["action"].astype(object).where(rows["action"].notna(), "")
    names = sorted(set(actions), key=lambda code: (-int((actions == code).sum()), code))
    width = _NARROW if len(names) > _MANY else _WIDTH
    widths = (_FIRST_WIDTH, *(width for _ in range(max(len(names) + 1, _LEAST_COLUMNS))))
    set_widths(sheet, widths)
    line = words("matrix.line", count=f"{len(rows):,}", caveat=words("caveat"))
    row = write_title(paper, sheet, words("matrix.title"), line, widths)
    if rows.empty:
        write_sentence(paper, sheet, row, words("empty.list"), widths)
        return
    drivers = sorted(set(reasons) - set(_LAST), key=lambda code: (-int((reasons == code).sum()), code))
    order = [*drivers, *(code for code in _LAST if (reasons == code).any())]
    labels, heads = [_label(paper, code) for code in order], [_head(paper, code) for code in names]
    tables = [("customers", pd.Series(1.0, index=rows.index), "count")]
    if has_values(rows):
        values = rows["value_at_risk"].astype(float).fillna(0.0)
        tables.append(("value", values, money_kind(paper, pd.Series([values.sum()]))))
    for key, weight, kind in tables:
        row = write_heading(paper, sheet, row, words(f"matrix.{key}"))
        sums = weight.groupby([reasons, actions]).sum()
        cells = [[float(sums[code, name]) if (code, name) in sums.index else None for name in names] for code in order]
        row = write_cross(paper, sheet, row, CrossTable(words("matrix.corner"), labels, heads, cells, kind))
    _legend(paper, sheet, row, rows, names, widths)


def _reason(row: pd.Series) -> str:
    if row["arm"] == "exempt":
        return _OWED
    if isinstance(row["reason_1"], str) and row["reason_1"]:
        return str(row["reason_1"])
    return _FACTS if isinstance(row["facts"], str) and row["facts"] else _NEITHER


def _label(paper: Paper, code: str) -> str:
    if code in _LAST:
        return paper.words(f"matrix.{code}")
    return str(catalog(paper.pack.language)["reasons"]["drivers"].get(code, code))


def _head(paper: Paper, code: str) -> str:
    if not code:
        return paper.words("none")
    return f"{code}\n{paper.words.code('action_name', code)}" if paper.words.knows("action_name", code) else code


def _legend(
    paper: Paper, sheet: Any, row: int, rows: pd.DataFrame, names: list[str], widths: tuple[float, ...]
) -> None:
    """Each action in the words that most of its rows have."""
    row = write_heading(paper, sheet, row, paper.words("matrix.actions"))
    rule: dict[str, object] = {"top": 1, "top_color": LINE}
    for code in names:
        texts = rows.loc[rows["action"] == code, "action_text"].dropna()
        if not len(texts):
            continue
        counts = texts.value_counts(sort=False)
        text = str(min(counts.index, key=lambda one: (-int(counts[one]), one)))
        style = paper.format(**rule, text_wrap=True)
        sheet.write_string(
            row, 0, _head(paper, code).replace("\n", "  "), paper.format(**rule, bold=True, font_color=ACCENT)
        )
        sheet.merge_range(row, 1, row, len(widths) - 1, "", style)
        sheet.write_string(row, 1, text, style)
        sheet.set_row(row, row_height(line_count(text, sum(widths[1:]))))
        row += 1
