"""The three sheets of customers: whom to contact, who is owed an answer first, and whom to leave alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from kizuna.exports.figures import facts_text, places, rows_of, warning_text, why_text
from kizuna.exports.sheets.paper import (
    ACCENT,
    MUTED,
    WARNING,
    Column,
    Paper,
    fit_columns,
    money_kind,
    open_sheet,
    write_table,
)

# Filled in by people and read back: the key of each column and the keys of its drop-down.
FEEDBACK: dict[str, tuple[str, ...]] = {
    "status": ("todo", "done", "not_needed"),
    "done_on": (),
    "action": ("planned", "other", "none"),
    "outcome": ("bought", "responded", "not_reached", "declined", "left"),
    "comment": (),
}

# What stands to the right of the feedback columns: frame column and kind. A column without a value is left out.
_CONTEXT = (
    ("list_status", "status"),
    ("weeks_on_list", "count"),
    ("lifecycle_stage", "stage"),
    ("market", "text"),
    ("language", "text"),
    ("last_purchase", "date"),
    ("days_since_purchase", "count"),
    ("usual_gap_days", "count"),
    ("overdue_ratio", "ratio"),
    ("expected_next_purchase", "date"),
    ("orders_365d", "count"),
    ("revenue_365d", "money"),
    ("cltv", "money"),
    ("cltv_formula", "money"),
    ("value_if_kept", "money"),
    ("risk_percentile", "count"),
    ("churn_probability_prev", "share"),
    ("contact_allowed", "allowed"),
    ("data_warning", "warning"),
)


def write_list(paper: Paper) -> None:
    """Adds the list of the week: target rows that may be contacted, and nobody else."""
    _write_worklist(paper, "list", ACCENT, rows_of(paper.pack.at_risk, "contact"))


def write_service(paper: Paper) -> None:
    """Adds the customers who are owed an answer before anything is offered to them."""
    _write_worklist(paper, "service", WARNING, rows_of(paper.pack.at_risk, "service"))


def write_apart(paper: Paper) -> None:
    """Adds the customers not to contact, each with why: left alone to measure, or paused. Nothing to fill in."""
    rows = rows_of(paper.pack.at_risk, "control", "paused")
    reasons = [_apart_reason(paper, place, row) for place, (_, row) in zip(places(rows), rows.iterrows(), strict=True)]
    whom = _whom(paper, rows)
    shown = [*whom[:2], Column(paper.words("column.why_not"), reasons, "text", 46), *whom[2:]]
    sheet = _write(paper, "apart", MUTED, rows, [*shown, *_context(paper, rows)])
    sheet.print_area(0, 0, max(len(rows), 1), len(shown) - 1)


def _write_worklist(paper: Paper, key: str, color: str, rows: pd.DataFrame) -> None:
    worked_with = [*_whom(paper, rows), *_what(paper, rows), *_inputs(paper, rows)]
    sheet = _write(paper, key, color, rows, [*worked_with, *_more(paper, rows), *_context(paper, rows)])
    # On paper, what one works with; on screen, all of it.
    sheet.print_area(0, 0, max(len(rows), 1), len(worked_with) - 1)
    if len(rows):
        _validate(paper, sheet, [column.kind for column in worked_with].index("input"), len(rows))


def _write(paper: Paper, key: str, color: str, rows: pd.DataFrame, columns: list[Column]) -> Any:
    sheet = open_sheet(paper, key, color)
    fit_columns(sheet, columns)
    end = write_table(paper, sheet, columns)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(end - 1, 0), len(columns) - 1)
    sheet.repeat_rows(0)
    if rows.empty:
        sheet.write_string(1, 0, paper.words(f"empty.{key}"), paper.format(font_color=MUTED))
    else:
        sheet.ignore_errors({"number_stored_as_text": f"A2:XFD{end}"})
    return sheet


def _whom(paper: Paper, rows: pd.DataFrame) -> list[Column]:
    words = paper.words
    columns = [
        Column(words("column.list_rank"), _values(rows["list_rank"]), "count", 8),
        Column(words("column.customer_id"), _values(rows["customer_id"]), "id", 26),
        Column(words("column.risk_band"), _values(rows["risk_band"]), "tint", 10),
        Column(words("column.churn_probability"), _values(rows["churn_probability"]), "share", 10),
    ]
    if rows["value_at_risk"].notna().any():
        values = _values(rows["value_at_risk"])
        columns.append(Column(words("column.value_at_risk"), values, money_kind(paper, rows["value_at_risk"]), 18))
    return columns


def _what(paper: Paper, rows: pd.DataFrame) -> list[Column]:
    words = paper.words
    channels = [words.code("channel", value) for value in _values(rows["channel"])]
    columns = [
        Column(words("column.why"), [why_text(row, words) for _, row in rows.iterrows()], "text", 52),
        Column(words("column.action_text"), _values(rows["action_text"]), "text", 48),
        Column(words("column.channel"), channels, "word", 14),
    ]
    if _is_known(rows, "call_hours"):
        columns.append(Column(words("column.call_hours"), _values(rows["call_hours"]), "text", 14))
    if _is_known(rows, "offer_max_cost"):
        ceilings = rows["offer_max_cost"]
        columns.append(Column(words("column.offer_max_cost"), _values(ceilings), money_kind(paper, ceilings), 14))
    return [*columns, Column(words("column.act_by"), _values(rows["act_by"]), "date", 14)]


def _more(paper: Paper, rows: pd.DataFrame) -> list[Column]:
    """The other reasons and the facts, where there are any."""
    words = paper.words
    columns = [_strength(paper, rows, 1)]
    for place in (2, 3):
        columns += [
            Column(words(f"column.reason_{place}"), _values(rows[f"reason_{place}_text"]), "text", 52),
            _strength(paper, rows, place),
        ]
    columns.append(Column(words("column.facts"), [facts_text(value, words) for value in rows["facts"]], "text", 44))
    return [column for column in columns if any(column.values)]


def _strength(paper: Paper, rows: pd.DataFrame, place: int) -> Column:
    values = [paper.words.code("strength", value) for value in _values(rows[f"reason_{place}_strength"])]
    return Column(paper.words(f"column.reason_{place}_strength"), values, "word", 14)


def _inputs(paper: Paper, rows: pd.DataFrame) -> list[Column]:
    widths = {"status": 12, "done_on": 14, "action": 16, "outcome": 16, "comment": 30}
    blank = [None] * len(rows)
    return [
        Column(paper.words(f"feedback.{key}"), blank, "input:date" if key == "done_on" else "input", widths[key])
        for key in FEEDBACK
    ]


def _context(paper: Paper, rows: pd.DataFrame) -> list[Column]:
    columns = []
    for name, kind in _CONTEXT:
        if not _is_known(rows, name):
            continue
        values = _values(rows[name])
        if kind == "money":
            shown = Column(paper.words(f"column.{name}"), values, money_kind(paper, rows[name]), 16)
        elif kind == "warning":
            texts = [warning_text(value, paper.words) for value in values]
            shown = Column(paper.words(f"column.{name}"), texts, "text", 30)
        elif kind in ("status", "stage"):
            shown = Column(paper.words(f"column.{name}"), [paper.words.code(kind, v) for v in values], "word", 24)
        elif kind == "allowed":
            shown = Column(paper.words(f"column.{name}"), [_allowed(paper, v) for v in values], "word", 14)
        else:
            shown = Column(paper.words(f"column.{name}"), values, kind, 14)
        columns.append(shown)
    return columns


def _allowed(paper: Paper, value: Any) -> str:
    return paper.words("allowed.unknown" if value is None else "allowed.yes" if value else "allowed.no")


def _apart_reason(paper: Paper, place: str, row: pd.Series) -> str:
    words, reason = paper.words, row["suppressed_reason"]
    if place == "control":
        return words("apart.control")
    return words.code("suppressed", reason) if isinstance(reason, str) and reason else words("apart.paused")


def _validate(paper: Paper, sheet: Any, first_column: int, last_row: int) -> None:
    words, day = paper.words, paper.pack.as_of
    title = {"error_title": words("feedback.error_title")}
    for position, (key, choices) in enumerate(FEEDBACK.items(), start=first_column):
        rule: dict[str, object] = {}
        if choices:
            source = [words(f"feedback_{key}.{choice}") for choice in choices]
            rule = {"validate": "list", "source": source, "error_message": words("feedback.error_choice")}
        elif key == "done_on":
            message = words("feedback.error_date", day=words.day(day))
            first = datetime(day.year, day.month, day.day)
            rule = {"validate": "date", "criteria": ">=", "value": first, "error_message": message}
        if rule:
            sheet.data_validation(1, position, last_row, position, {**title, **rule})


def _is_known(rows: pd.DataFrame, name: str) -> bool:
    return name in rows and bool(rows[name].notna().any())


def _values(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column.tolist()]
