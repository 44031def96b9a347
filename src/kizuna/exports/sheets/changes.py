"""What changed since the last list: who is new on it, back or still there, and who left it and why."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kizuna.exports.figures import places, why_text
from kizuna.exports.sheets.blocks import set_widths, write_heading, write_title
from kizuna.exports.sheets.paper import Column, Paper, open_sheet, write_table

_STATUSES = ("new", "returned", "continuing")
_WIDTHS = (18, 28, 60, 14, 16, 18, 14, 26)


def write_changes(paper: Paper) -> None:
    """Adds counts by what changed, then a row for each customer; a sentence where there was no earlier list."""
    words, pack = paper.words, paper.pack
    sheet = open_sheet(paper, "changes")
    changes = pd.DataFrame() if pack.removed is None else _changes(paper, pack.removed)
    set_widths(sheet, _WIDTHS)
    if changes.empty or pack.removed is None:
        key = "changes.first_run" if pack.removed is None else "changes.none"
        write_title(paper, sheet, words("sheet.changes"), words(key), _WIDTHS)
        return
    last = pack.removed["last_as_of"].max() if len(pack.removed) else None
    day = "" if last is None or pd.isna(last) else words("changes.since", day=words.day(pd.Timestamp(last).date()))
    row = write_title(paper, sheet, words("sheet.changes"), day, _WIDTHS)
    row = _counts(paper, sheet, row, changes, pack.removed)
    row = write_heading(paper, sheet, row, words("changes.everybody"))
    columns = [
        Column(words("column.change"), changes["change"].tolist(), "word", 16),
        Column(words("column.customer_id"), changes["customer_id"].tolist(), "id", 26),
        Column(words("column.change_why"), changes["why"].tolist(), "text", 60),
        Column(words("column.churn_probability"), changes["now"].tolist(), "share", 14),
        Column(words("column.churn_probability_prev"), changes["before"].tolist(), "share", 14),
        Column(words("changes.points"), (100 * (changes["now"] - changes["before"])).tolist(), "points", 14),
        Column(words("column.weeks_on_list"), changes["weeks"].tolist(), "count", 12),
        Column(words("csv.place"), changes["place"].tolist(), "word", 26),
    ]
    end = write_table(paper, sheet, columns, row)
    sheet.freeze_panes(row + 1, 2)
    sheet.autofilter(row, 0, end - 1, len(columns) - 1)
    sheet.repeat_rows(row)
    sheet.ignore_errors({"number_stored_as_text": f"B{row + 2}:B{end}"})


def _counts(paper: Paper, sheet: Any, row: int, changes: pd.DataFrame, removed: pd.DataFrame) -> int:
    """How many are new, back, still there, and gone, the gone by why."""
    words = paper.words
    names = [*(words.code("status", status) for status in _STATUSES), words("changes.left")]
    lines = [(name, int((changes["change"] == name).sum()), "") for name in names]
    reasons = removed["why"].value_counts(sort=False)
    said = sorted(reasons.index, key=lambda why: (-int(reasons[why]), str(why)))
    lines[-1] = (
        *lines[-1][:2],
        words("fact.join").join(
            words("changes.part", why=words.code("removed", why), count=f"{int(reasons[why]):,}") for why in said
        ),
    )
    columns = [
        Column(words("column.change"), [name for name, _, _ in lines], "word", 16),
        Column(words("changes.customers"), [count for _, count, _ in lines], "count", 26),
        Column(words("column.change_why"), [why for _, _, why in lines], "text", 60),
    ]
    return write_table(paper, sheet, columns, row)


def _changes(paper: Paper, removed: pd.DataFrame) -> pd.DataFrame:
    """A row for each customer listed or gone: change, customer_id, why, probability now and before, weeks on the list, place."""
    words, pack = paper.words, paper.pack
    listed = pack.at_risk.assign(place=places(pack.at_risk)).sort_values("list_rank", kind="stable")
    known = pack.scores.set_index("customer_id")["churn_probability"]
    rows: list[tuple[object, ...]] = []
    for status in _STATUSES:
        for _, row in listed[listed["list_status"] == status].iterrows():
            now, before = row["churn_probability"], row["churn_probability_prev"]
            change = (words.code("status", status), row["customer_id"], why_text(row, words))
            rows.append((*change, now, before, row["weeks_on_list"], words(f"place.{row['place']}")))
        if status == "returned":
            for customer_id, why in removed.sort_values("customer_id", kind="stable")[
                ["customer_id", "why"]
            ].to_numpy():
                gone = (words("changes.left"), customer_id, words.code("removed", why))
                rows.append((*gone, known.get(customer_id), None, None, ""))
    if all(row[0] == words.code("status", "continuing") for row in rows):
        return pd.DataFrame()
    frame = pd.DataFrame(rows, columns=["change", "customer_id", "why", "now", "before", "weeks", "place"])
    return frame.astype({"now": "float64", "before": "float64"})
