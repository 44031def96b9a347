"""What ``kizuna define`` found, as lines of text for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

_LONGEST_NAME = 22
_LINE_LETTERS = 110
_ENOUGH_SILENCES = 30


def purchase_lines(summary: Mapping[str, Any]) -> list[str]:
    """The return curve by segment, the candidates, and the proposal beside what the config says."""
    horizon = summary["configured"]["horizon_days"]
    lines = [
        f"{summary['name']}, as known before {summary['as_of']}: {summary['silences']:,} silences after an order, "
        f"{summary['returned']:,} ended with the next one.",
        _gaps(summary),
        "",
        *_returns(summary, horizon),
        "",
        "Candidate definitions. churned: of the eligible, on the newest four snapshots; back: of those called churned,",
        "how many bought in the 90 days after; late gaps: gaps between purchases that were longer than the horizon.",
        "",
        *_candidates(summary["definitions"], summary["proposed"]),
        "",
    ]
    return lines + _proposal(summary)


def contract_lines(summary: Mapping[str, Any]) -> list[str]:
    """Contract survival by plan and period, renewals, and what churn is then."""
    lines = [
        f"{summary['name']}, as known before {summary['as_of']}: {summary['contracts']:,} contracts, "
        f"{summary['ended']:,} have ended.",
        "",
        "Share of contracts still running, by days since they began:",
        "",
    ]
    ages = sorted({at["age_days"] for segment in summary["segments"] for at in segment["running"]})
    head = ["", "contracts", *(f"{age:,} d" for age in ages), "half end by"]
    rows = []
    for segment in summary["segments"]:
        running = {at["age_days"]: at["share"] for at in segment["running"]}
        shares = [_percent(running.get(age)) for age in ages]
        half = segment["half_ended_days"]
        by = "-" if half is None else f"day {half:,}"
        rows.append([_short(segment["segment"]), f"{segment['contracts']:,}", *shares, by])
    lines += _table(head, rows)
    if summary["renewals"]:
        lines += [
            "",
            "Share that ends at each renewal (half a period before to half a period after, 95 % interval):",
            "",
        ]
        ends = [
            [
                f"{row['period_days']} days",
                str(row["renewal"]),
                f"{row['contracts']:,}",
                _percent(row["ended_share"]),
                f"{_percent(row['low'])} to {_percent(row['high'])}",
            ]
            for row in summary["renewals"]
        ]
        lines += _table(["period", "renewal", "contracts", "end", "interval"], ends)
    return [*lines, "", summary["reason"]]


def _gaps(summary: Mapping[str, Any]) -> str:
    if summary["usual_gap_days"] is None:
        return "Nobody has ordered on a second day yet."
    low, high = summary["gap_days_middle_half"]
    return f"Usual gap between purchases {summary['usual_gap_days']} days; the middle half took {low} to {high}."


def _returns(summary: Mapping[str, Any], horizon_days: int) -> list[str]:
    """The chances of every segment, or why there are none."""
    segments = summary["segments"]
    if _never_silent(summary, horizon_days):
        longest = summary["followed_days"]
        return [
            f"Nobody is ever silent for more than {longest} days, so nothing can be lost within {horizon_days} days.",
            f"Shorten the horizon to less than that with --set churn.horizon_days=DAYS (the config says {horizon_days}).",
        ]
    if all(at["share"] is None for at in segments[0]["chances"]):
        return [
            f"No chance within {horizon_days} days can be measured: it takes 30 silences, some followed for {horizon_days} "
            f"days; the longest was for {summary['followed_days']}.",
            "Look at a shorter one with --set churn.horizon_days=DAYS, or again when there is more history.",
        ]
    return [
        f"Share that buys within {horizon_days} days, by days since the last order; and the silent days after which it stays",
        "below one half, one fifth and one tenth:",
        "",
        *_segments(segments),
    ]


def _never_silent(summary: Mapping[str, Any], horizon_days: int) -> bool:
    """Whether silences of a whole horizon would have been seen, had there been any."""
    history = (date.fromisoformat(summary["as_of"]) - date.fromisoformat(summary["first_day"])).days
    silent: int = summary["followed_days"]
    return silent < horizon_days and summary["silences"] >= _ENOUGH_SILENCES and history >= 2 * horizon_days


def _segments(segments: Sequence[Mapping[str, Any]]) -> list[str]:
    days = [f"{at['silent_days']} d" for at in segments[0]["chances"]]
    levels = [f"< {_percent(at['level'])}" for at in segments[0]["below"]]
    head = ["", "silences", *days, *levels]
    rows = []
    for segment in segments:
        shares = [_percent(at["share"]) for at in segment["chances"]]
        below = [_days(at["silent_days"]) for at in segment["below"]]
        rows.append([_short(segment["segment"]), f"{segment['silences']:,}", *shares, *below])
    return _table(head, rows)


def _candidates(found: Sequence[Mapping[str, Any]], proposed: Mapping[str, Any] | None) -> list[str]:
    """Those that qualify, the proposed and the config's own, and how many others there are."""
    head = ["horizon", "active", "eligible", "churned", "back", "late gaps", "snapshots", "label after", ""]
    rows = []
    for row in found:
        pair = (row["horizon_days"], row["active_within_days"])
        marks = ["in the config"] if row["configured"] else []
        if proposed is not None and pair == (proposed["horizon_days"], proposed["active_within_days"]):
            marks.insert(0, "proposed")
        if row["fault"] and not marks:
            continue
        words = "; ".join([*marks, row["fault"] or "qualifies"])
        rows.append(
            [
                str(row["horizon_days"]),
                str(row["active_within_days"]),
                f"{row['eligible']:,}" if row["snapshots"] else "-",
                _percent(row["base_rate_share"]),
                _percent(row["came_back_share"]),
                _percent(row["late_gap_share"]),
                str(row["snapshots"]),
                f"{row['matures_after_days']} d",
                words,
            ]
        )
    others = len(found) - len(rows)
    left = [f"  {others} {'other does' if others == 1 else 'others do'} not qualify: definitions.csv"] if others else []
    return _table(head, rows, words_last=True) + left


def _proposal(summary: Mapping[str, Any]) -> list[str]:
    configured, proposed = summary["configured"], summary["proposed"]
    now = f"horizon_days: {configured['horizon_days']}, active_within_days: {configured['active_within_days']}"
    # A number stays with its sign.
    wrapped = textwrap.wrap(summary["reason"].replace(" %", "\u00a0%"), _LINE_LETTERS)
    reason = [line.replace("\u00a0", " ") for line in wrapped]
    if proposed is None:
        return ["No proposal.", *reason, f"The config says {{{now}}}."]
    said = f"horizon_days: {proposed['horizon_days']}, active_within_days: {proposed['active_within_days']}"
    lines = [f"Proposal: churn: {{{said}}}", *reason]
    if now == said:
        return [*lines, "The config says the same."]
    state = "qualifies too" if not configured["fault"] else f"does not qualify: {configured['fault']}"
    return [*lines, f"The config says {{{now}}}, which {state}.", _trade(configured, proposed)]


def _trade(now: Mapping[str, Any], proposed: Mapping[str, Any]) -> str:
    """What changes from the config's definition to the proposed one."""
    return (
        f"The change: eligible {now['eligible']:,} -> {proposed['eligible']:,}, "
        f"churned {_percent(now['base_rate_share'])} -> {_percent(proposed['base_rate_share'])}, "
        f"of them back {_percent(now['came_back_share'])} -> {_percent(proposed['came_back_share'])}, "
        f"labels after {now['matures_after_days']} -> {proposed['matures_after_days']} days."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], words_last: bool = False) -> list[str]:
    """Columns as wide as their widest cell, to the right; a first column of words, or a last one, to the left."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    last = len(head) - 1
    lines = []
    for row in [head, *rows]:
        cells = [
            cell.ljust(width)
            if (place == 0 and not words_last) or (place == last and words_last)
            else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _days(days: int | None) -> str:
    if days is None:
        return "not seen"
    return "at once" if days == 0 else f"{days:,} d"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
