"""What became of earlier lists: the effect quarter by quarter, each list's realised quality, calibration, and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kizuna.exports.figures import action_text
from kizuna.exports.proof import (
    READ,
    day_of,
    interval_text,
    newest,
    points_text,
    proof_text,
    realised_text,
    rows_in,
    shares_text,
)
from kizuna.exports.sheets.blocks import set_widths, write_heading, write_sentence, write_title
from kizuna.exports.sheets.paper import Column, Paper, money_kind, open_sheet, write_table

_WIDTHS = (24, 18, 13, 13, 16, 18, 16, 18, 14, 14, 18, 18, 15, 14)
_SHOWN = 26


def write_past(paper: Paper) -> None:
    """Adds effects, lists, calibration of the newest list measured, and exploratory groups; a sentence on the first run."""
    words, pack = paper.words, paper.pack
    if pack.part is not None or not pack.dated:
        return
    sheet = open_sheet(paper, "past")
    past = pack.past
    widths = (120,) if past is None or past.lists.empty else _WIDTHS
    set_widths(sheet, widths)
    row = write_title(paper, sheet, words("past.title"), "", widths)
    for text in (proof_text(pack, words), realised_text(pack, words)):
        row = write_sentence(paper, sheet, row, text, widths) if text else row
    if past is None or past.lists.empty:
        write_sentence(paper, sheet, row, words("past.nothing"), widths)
        return
    row = _effects(paper, sheet, row, rows_in(past.effects)) if len(past.effects) else row
    row = _lists(paper, sheet, row, rows_in(past.lists))
    row = _bins(paper, sheet, row)
    row = _groups(paper, sheet, row, rows_in(past.groups)) if len(past.groups) else row
    write_sentence(paper, sheet, row + 1, words("past.note"), _WIDTHS)


def _effects(paper: Paper, sheet: Any, row: int, rows: Sequence[dict[str, Any]]) -> int:
    words, pack = paper.words, paper.pack
    row = write_heading(paper, sheet, row, words("past.effects"))
    several = len({one["experiment"] for one in rows}) > 1
    names = [f"{one['period']} ({one['experiment']})" if several else str(one["period"]) for one in rows]
    money = money_kind(paper, pd.Series([one["value"] for one in rows], dtype=float))
    verdicts = [words(f"past.verdict.{one['verdict'] or one['state']}") for one in rows]
    columns = [
        _column(paper, "quarter", names, "word"),
        _column(paper, "verdict_head", verdicts, "text"),
        _column(paper, "target", [one["target"] for one in rows], "count"),
        _column(paper, "control", [one["control"] for one in rows], "count"),
        _column(paper, f"value.{_basis(paper)}", [one["value"] for one in rows], money),
        _column(paper, "interval", [_if_read(one, interval_text(one, "value", pack, words)) for one in rows], "word"),
        _column(paper, "kept", [_hundred(one["kept"]) for one in rows], "points"),
        _column(paper, "interval", [_if_read(one, points_text(one, "kept", words)) for one in rows], "word"),
        _column(paper, "kept_control", [one["kept_control"] for one in rows], "share"),
        _column(paper, "winsorised", [one["value_winsorised"] for one in rows], money),
        _column(paper, "executed", [one["executed_target"] for one in rows], "share"),
        _column(paper, "executed_control", [one["executed_control"] for one in rows], "share"),
        _column(paper, "more", [one["more_customers"] for one in rows], "count"),
        _column(paper, "verdict_on", [day_of(one["verdict_on"]) for one in rows], "date"),
    ]
    row = write_table(paper, sheet, columns, row)
    return write_sentence(paper, sheet, row, words("past.effects_note"), _WIDTHS)


def _lists(paper: Paper, sheet: Any, row: int, rows: Sequence[dict[str, Any]]) -> int:
    words = paper.words
    row = write_heading(paper, sheet, row, words("past.lists"))
    shown = sorted(rows, key=lambda one: str(one["as_of"]), reverse=True)[:_SHOWN]
    states = [words(f"past.state.{one['state']}") for one in shown]
    columns = [
        _column(paper, "named_on", [day_of(one["as_of"]) for one in shown], "date"),
        _column(paper, "state_head", states, "text"),
        _column(paper, "matures_on", [day_of(one["matures_on"]) for one in shown], "date"),
        _column(paper, "listed", [one["listed"] for one in shown], "count"),
        _column(paper, "listed_rows", [one["listed_rows"] for one in shown], "count"),
        _column(paper, "said", [one["predicted"] for one in shown], "share"),
        _column(paper, "happened", [one["precision"] for one in shown], "share"),
        _column(paper, "interval", [_if_read(one, shares_text(one, "precision", words)) for one in shown], "word"),
        _column(paper, "base_rate", [one["base_rate"] for one in shown], "share"),
        _column(paper, "lift", [one["lift"] for one in shown], "ratio"),
        _column(paper, "lift_interval", [_lift(paper, one) for one in shown], "word"),
        _column(paper, "level_gap", [_hundred(one["level_gap"]) for one in shown], "points"),
        _column(paper, "executed", [one["executed_target"] for one in shown], "share"),
        _column(paper, "auc", [one["auc"] for one in shown], "number:0.000"),
    ]
    row = write_table(paper, sheet, columns, row)
    row = write_sentence(paper, sheet, row, words("past.lists_note"), _WIDTHS)
    if len(rows) > len(shown):
        row = write_sentence(paper, sheet, row, words("past.older", count=f"{len(rows) - len(shown):,}"), _WIDTHS)
    return row


def _bins(paper: Paper, sheet: Any, row: int) -> int:
    words, past = paper.words, paper.pack.past
    last = None if past is None else newest(past.lists, "as_of", READ)
    if past is None or last is None or past.bins.empty:
        return row
    rows = [one for one in rows_in(past.bins) if day_of(one["as_of"]) == day_of(last["as_of"])]
    if not rows:
        return row
    row = write_heading(paper, sheet, row, words("past.bins", day=words.day(day_of(last["as_of"]))))
    columns = [
        _column(paper, "bin", [one["bin"] for one in rows], "count"),
        _column(paper, "bin_rows", [one["rows"] for one in rows], "count"),
        _column(paper, "said", [one["predicted_mean"] for one in rows], "share"),
        _column(paper, "happened", [one["observed_rate"] for one in rows], "share"),
        _column(paper, "gap", [100 * (one["predicted_mean"] - one["observed_rate"]) for one in rows], "points"),
        _column(paper, "interval", [shares_text(one, "observed", words) for one in rows], "word"),
    ]
    row = write_table(paper, sheet, columns, row)
    return write_sentence(paper, sheet, row, words("past.bins_note"), _WIDTHS)


def _groups(paper: Paper, sheet: Any, row: int, rows: Sequence[dict[str, Any]]) -> int:
    words, pack = paper.words, paper.pack
    period = max(str(one["period"]) for one in rows)
    mine = [one for one in rows if str(one["period"]) == period]
    row = write_heading(paper, sheet, row, words("past.groups", period=period))
    row = write_sentence(paper, sheet, row, words("past.groups_note"), _WIDTHS)
    for outcome in ("net_value", "kept"):
        found = [one for one in mine if one["outcome"] == outcome]
        if not found:
            continue
        is_money = outcome == "net_value"
        size = 1.0 if is_money else 100.0
        kind = money_kind(paper, pd.Series([one["estimate"] for one in found])) if is_money else "points"
        ends = [{f"{outcome}_low": one["low"], f"{outcome}_high": one["high"]} for one in found]
        texts = [
            interval_text(one, outcome, pack, words) if is_money else points_text(one, outcome, words) for one in ends
        ]
        head = f"value.{_basis(paper)}" if is_money else "kept"
        columns = [
            _column(paper, "group", [_group(paper, one) for one in found], "text"),
            _column(
                paper,
                "clear",
                [words("past.is_clear" if one["is_clear"] else "past.not_clear") for one in found],
                "word",
            ),
            _column(paper, "target", [one["target_rows"] for one in found], "count"),
            _column(paper, "control", [one["control_rows"] for one in found], "count"),
            _column(paper, head, [size * one["estimate"] for one in found], kind),
            _column(paper, "interval", texts, "word"),
            _column(paper, "p_holm", [one["p_holm"] for one in found], "number:0.000"),
        ]
        row = write_table(paper, sheet, columns, row) + 1
    return row


def _group(paper: Paper, row: dict[str, Any]) -> str:
    words, group = paper.words, str(row["group"])
    return words("past.market", name=group) if row["by"] == "market" else action_text(group, words)


def _column(paper: Paper, key: str, values: Sequence[Any], kind: str) -> Column:
    return Column(paper.words(f"past.{key}"), values, kind, 18)


def _basis(paper: Paper) -> str:
    """What the money of effects is."""
    return "revenue" if paper.pack.past is None else paper.pack.past.basis


def _lift(paper: Paper, row: dict[str, Any]) -> str | None:
    if row["lift_low"] is None:
        return None
    return paper.words("proof.interval", low=f"{row['lift_low']:.2f}", high=f"{row['lift_high']:.2f}")


def _if_read(row: dict[str, Any], text: str) -> str | None:
    return text if row["state"] == READ else None


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share
