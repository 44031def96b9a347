"""The two sheets of evidence: how good the models are beside plain rules, and what was found in the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kizuna.exports.figures import (
    RECIPES,
    answer_text,
    dated_key,
    evaluation_text,
    gate_checks,
    gate_text,
    level_text,
    order_text,
    outcome_text,
)
from kizuna.exports.proof import proof_text, realised_text
from kizuna.exports.sheets.paper import (
    ACCENT,
    LINE,
    MUTED,
    Column,
    Paper,
    fit_columns,
    line_count,
    open_sheet,
    row_height,
    write_cell,
    write_table,
)

_METRICS = (
    "auc",
    "average_precision",
    "precision_at_capacity",
    "lift_at_capacity",
    "log_loss",
    "brier",
    "calibration_error",
)
_TEXT_WIDTH, _NUMBER_WIDTH, _NUMBER_COLUMNS = 46, 17, 7
# Which side of its limit a check's value has to be on, and how both are written.
_LIMITS = {
    "signal": ("> ", "0.000"),
    "baseline": ("≥ ", "0.000"),
    "log_loss": ("≥ ", "0.000"),
    "calibration": ("≤ ", "0.000"),
    "level": ("± ", "0.000"),
    "leak": ("≤ ", "0"),
    "champion": ("≥ ", "0.000"),
    "segments": ("≤ ", "0"),
}


def write_results(paper: Paper) -> None:
    """Adds grade, gate, metrics beside the baselines, the answer check and the level, each with a plain sentence."""
    sheet, words, pack = open_sheet(paper, "results"), paper.words, paper.pack
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, _TEXT_WIDTH)
    sheet.set_column(1, _NUMBER_COLUMNS, _NUMBER_WIDTH)
    evaluation = pack.evaluation
    sheet.set_row(0, 28)
    title = paper.format(bold=True, font_size=16, font_color=ACCENT)
    sheet.write_string(0, 0, words("results.title", grade=evaluation.get("grade") or words("none")), title)
    lines = [
        ("results.gate", gate_text(pack, words)),
        ("results.how", evaluation_text(pack, words)),
        ("results.order", order_text(pack, words)),
        ("results.level", level_text(pack, words)),
        ("results.answer", answer_text(pack, words)),
        ("results.realised", realised_text(pack, words)),
        ("results.effect", proof_text(pack, words)),
        ("results.models", " / ".join(pack.models[key] for key in sorted(pack.models))),
    ]
    if pack.part is not None:
        lines.append(("results.part", words("results.whole")))
    row = _lines(paper, sheet, [(words(key), text) for key, text in lines if text], 1)
    row = _metrics(paper, sheet, row + 1)
    row = _gate(paper, sheet, row + 1)
    row = _answer(paper, sheet, row + 1)
    sheet.write_string(row + 1, 0, words("caveat"), paper.format(font_color=MUTED))


def write_quality(paper: Paper) -> None:
    """Adds the data report: one row for each finding, or the sentence that there was none."""
    sheet, words, findings = open_sheet(paper, "quality"), paper.words, paper.pack.findings
    if findings.empty:
        sheet.set_column(0, 0, 90)
        sheet.write_string(0, 0, words("sheet.quality"), paper.format(bold=True, font_size=14, font_color=ACCENT))
        sheet.write_string(1, 0, words("quality.none"), paper.format(font_color=MUTED))
        return
    weight = {"error": 0, "warning": 1}
    ordered = findings.assign(weight=[weight.get(state, 2) for state in findings["state"]])
    ordered = ordered.sort_values(["weight", "table", "column", "name"], kind="stable", na_position="first")
    texts = {
        name: [str(value) if value == value and value is not None else "" for value in ordered[name]]
        for name in ("table", "column", "name", "details")
    }
    columns = [
        Column(words("quality.state"), ordered["state"].tolist(), "tint", 14),
        Column(words("quality.table"), [words.code("table", table) for table in texts["table"]], "word", 20),
        Column(words("quality.column"), texts["column"], "word", 24),
        Column(words("quality.name"), texts["name"], "word", 30),
        Column(words("quality.count"), ordered["count"].tolist(), "count", 12),
        Column(words("quality.details"), texts["details"], "text", 90),
    ]
    fit_columns(sheet, columns)
    end = write_table(paper, sheet, columns)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, end - 1, len(columns) - 1)
    sheet.repeat_rows(0)


def _lines(paper: Paper, sheet: Any, lines: Sequence[tuple[str, str]], row: int) -> int:
    rule: dict[str, object] = {"top": 1, "top_color": LINE, "valign": "top"}
    for label, text in lines:
        style = paper.format(**rule, text_wrap=True)
        sheet.write_string(row, 0, label, paper.format(**rule, bold=True, font_color=ACCENT))
        sheet.merge_range(row, 1, row, _NUMBER_COLUMNS, "", style)
        sheet.write_string(row, 1, text, style)
        sheet.set_row(row, row_height(line_count(text, _NUMBER_WIDTH * _NUMBER_COLUMNS)))
        row += 1
    return row


def _metrics(paper: Paper, sheet: Any, row: int) -> int:
    words, evaluation = paper.words, paper.pack.evaluation
    model, baselines = evaluation.get("model", {}), evaluation.get("baselines", {})
    recipes = _in_order([name for name in baselines if baselines[name]], RECIPES)
    found = {name for metrics in (model, *baselines.values()) for name in metrics if _is_number(metrics[name])}
    if "lift_at_capacity" not in found:
        # Where everybody has a place, their share of churned is that of all.
        found -= {"precision_at_capacity"}
    metrics = _in_order([name for name in found if words.knows("metric", name)], _METRICS)
    if not metrics:
        return row
    _heading(paper, sheet, row, words(dated_key(paper.pack, "results.metrics")))
    columns = [Column(words("results.metric"), [words(f"metric.{name}") for name in metrics], "text", _TEXT_WIDTH)]
    for name, values in (("kizuna", model), *((name, baselines[name]) for name in recipes)):
        numbers = [values.get(metric) if _is_number(values.get(metric)) else None for metric in metrics]
        columns.append(Column(words.code("recipe", name), numbers, "metric"))
    return write_table(paper, sheet, columns, row + 1)


def _gate(paper: Paper, sheet: Any, row: int) -> int:
    """A row for each check of the gate: what was measured, the result, the value and its limit."""
    words, checks = paper.words, gate_checks(paper.pack)
    if not checks:
        return row
    _heading(paper, sheet, row, words("results.gate_title"))
    names = [words.code("gate_value", one["name"]) for one in checks]
    none: list[object] = [None] * len(checks)
    columns = [
        Column(words("results.check"), names, "text", _TEXT_WIDTH),
        Column(words("results.status"), [one["status"] for one in checks], "status"),
        Column(words("results.value"), none, "metric"),
        Column(words("results.limit"), none, "metric"),
    ]
    end = write_table(paper, sheet, columns, row + 1)
    for place, one in enumerate(checks, start=row + 2):
        side, number = _LIMITS.get(one["name"], ("", "0.000"))
        # Without a form of its own the minus of a negative number would stand before the sign.
        limit = f'"{side}"{number};"{side}"-{number}'
        write_cell(paper, sheet, (place, 2), one["value"], f"number:{number}")
        write_cell(paper, sheet, (place, 3), one["limit"], f"number:{limit}")
    return end


def _answer(paper: Paper, sheet: Any, row: int) -> int:
    words, answer = paper.words, paper.pack.answer
    if answer is None or not answer.capacity:
        return row
    names = _in_order(list(answer.churned), RECIPES)
    title = words(
        "results.named", day=words.day(answer.named_on), until=words.day(answer.until), capacity=f"{answer.capacity:,}"
    )
    _heading(paper, sheet, row, title)
    columns = [
        Column(words("results.recipe"), [words.code("recipe", name) for name in names], "text", _TEXT_WIDTH),
        Column(
            words("results.churned", outcome=outcome_text(paper.pack, words)),
            [answer.churned[n] for n in names],
            "count",
        ),
        Column(words("results.share"), [answer.churned[n] / answer.capacity for n in names], "share"),
        Column(words("metric_short.auc"), [answer.auc.get(n) for n in names], "metric"),
    ]
    return write_table(paper, sheet, columns, row + 1)


def _heading(paper: Paper, sheet: Any, row: int, text: str) -> None:
    sheet.set_row(row, 24)
    sheet.write_string(row, 0, text, paper.format(bold=True, font_size=12, font_color=ACCENT))


def _in_order(names: list[str], order: tuple[str, ...]) -> list[str]:
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
