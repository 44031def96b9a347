"""What changed since the last list: who is new or back on it, and who left it and why."""

from __future__ import annotations

import pandas as pd

from kizuna.exports.figures import why_text
from kizuna.exports.sheets.paper import ACCENT, MUTED, Column, Paper, fit_columns, open_sheet, write_table


def write_changes(paper: Paper) -> None:
    """Adds one table of all changes, or a sentence where there was no earlier list or nothing changed."""
    words, pack = paper.words, paper.pack
    sheet = open_sheet(paper, "changes")
    changes = pd.DataFrame() if pack.removed is None else _changes(paper, pack.removed)
    if changes.empty:
        sheet.set_column(0, 0, 90)
        sheet.write_string(0, 0, words("sheet.changes"), paper.format(bold=True, font_size=14, font_color=ACCENT))
        key = "changes.first_run" if pack.removed is None else "changes.none"
        sheet.write_string(1, 0, words(key), paper.format(font_color=MUTED, text_wrap=True))
        return
    columns = [
        Column(words("column.change"), changes["change"].tolist(), "word", 14),
        Column(words("column.customer_id"), changes["customer_id"].tolist(), "id", 26),
        Column(words("column.change_why"), changes["why"].tolist(), "text", 60),
        Column(words("column.churn_probability"), changes["now"].tolist(), "share", 12),
    ]
    fit_columns(sheet, columns)
    end = write_table(paper, sheet, columns)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, end - 1, len(columns) - 1)
    sheet.repeat_rows(0)
    sheet.ignore_errors({"number_stored_as_text": f"B2:B{end}"})


def _changes(paper: Paper, removed: pd.DataFrame) -> pd.DataFrame:
    words, listed = paper.words, paper.pack.at_risk.sort_values("list_rank", kind="stable")
    known = paper.pack.scores.set_index("customer_id")["churn_probability"]
    rows: list[tuple[object, ...]] = []
    for status in ("new", "returned"):
        for _, row in listed[listed["list_status"] == status].iterrows():
            change, why = words.code("status", status), why_text(row, words)
            rows.append((change, row["customer_id"], why, row["churn_probability"]))
    for customer_id, reason in removed.sort_values("customer_id", kind="stable")[["customer_id", "why"]].to_numpy():
        rows.append((words("changes.left"), customer_id, words.code("removed", reason), known.get(customer_id)))
    return pd.DataFrame(rows, columns=["change", "customer_id", "why", "now"])
