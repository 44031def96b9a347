"""The headline KPIs by month as small drawings: thirteen months, intervals, what is not final, and what changed clearly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kizuna.exports.pack import ListPack
from kizuna.exports.page.plot import Axes, Frame, Line, Point, line
from kizuna.exports.page.risk_trend import day_of
from kizuna.kpi.catalog import BY_CODE
from kizuna.kpi.screen import figure
from kizuna.kpi.wording import Wording, load_wording
from kizuna.wording.words import Words

FRAME = Frame(width=270, height=118, left=48, right=262, top=10, bottom=94)
MONTHS = 13
# In the order in which a manager asks; the first eight that have figures are in sight, the others are folded away.
ORDER = (
    *("crr_cohort", "churn_rate", "repeat_rate_any", "cltv_formula"),
    *("nps", "csat_top2_share", "complaints_per_100_orders", "revenue"),
    *("crr_formula", "reactivation_rate", "f2_rate_90d", "customers_end", "customers_new"),
    *("revenue_retained_share", "silent_lapse_share", "resolution_days", "reviews_per_1000_orders"),
)
IN_SIGHT = 8
# A month further than that from the one before leaves a gap.
_JOINED_DAYS = 45
_MARKS = {"partial": "open", "few": "reference"}
_SUFFIXES = {"month": "", "year": "_year"}
_LEAST_STEPS = {
    "share": 0.001,
    "money": 0.01,
    "rating": 0.01,
    "years": 0.01,
    "per_year": 0.01,
    "customers": 1.0,
    "orders": 1.0,
}
_KINDS = {"ok": "final", "reference": "reference", "censored": "open"}


@dataclass(frozen=True)
class Change:
    """A change in words. ``tone``: good, bad or even."""

    text: str
    tone: str


@dataclass(frozen=True)
class Trend:
    """One KPI: its newest comparable figure with its month, what changed, its figures by month as texts, and the line."""

    code: str
    name: str
    definition: str
    now: str
    month: str
    mark: str
    changes: tuple[Change, ...]
    by_month: tuple[str, ...]
    text: str
    line: Line


@dataclass(frozen=True)
class KpiTrends:
    """``kinds``: which kinds of points occur, and whether bands and restated ones do. ``marks``: what those in the
    table mean. ``notes``: what is missing."""

    trends: tuple[Trend, ...]
    months: tuple[str, ...]
    kinds: frozenset[str]
    restated: tuple[str, ...]
    marks: tuple[str, ...]
    notes: tuple[str, ...]


def kpi_trends(pack: ListPack, words: Words) -> KpiTrends | None:
    """The headline KPIs of everybody over the last thirteen months; None where none of them has a figure."""
    if pack.kpi is None:
        return None
    numbers = pack.kpi.numbers
    every = numbers[(numbers["dimension"] == "all") & (numbers["kind"] == "month")]
    months = sorted(every["start"].unique())[-MONTHS:]
    every = every[every["start"].isin(months)].sort_values("start", kind="stable")
    said = load_wording(words.language, pack.kpi.settings)
    trends: list[Trend] = []
    missing: list[str] = []
    few: list[str] = []
    for code in ORDER:
        rows = _rows(every[every["kpi"] == code])
        if any(_is_known(row) for row in rows):
            trends.append(_trend(code, rows, months, pack, words, said))
        elif rows:
            (missing if all(row["state"] == "no_table" for row in rows) else few).append(said.name(code))
    if not trends:
        return None
    notes = [
        words(f"page.kpi.{key}", names=words("fact.join").join(names))
        for key, names in (("missing", missing), ("few", few))
        if names
    ]
    kinds = {dot.kind for trend in trends for dot in trend.line.dots}
    kinds |= {"band" for trend in trends if trend.line.bands}
    kinds |= {"restated" for trend in trends if any(dot.restated for dot in trend.line.dots)}
    return KpiTrends(
        tuple(trends),
        tuple(_month(day_of(month), words) for month in months),
        frozenset(kinds),
        _restated(every, words, said),
        tuple(said.filled(said.tree["screen"][name]) for name, kind in _MARKS.items() if kind in kinds),
        tuple(notes),
    )


def _trend(
    code: str, rows: Sequence[Mapping[str, Any]], months: Sequence[Any], pack: ListPack, words: Words, said: Wording
) -> Trend:
    def text(value: float) -> str:
        return _value(value, code, pack, words, said)

    known = [row for row in rows if _is_known(row)]
    newest = next((row for row in reversed(known) if row["direction"] or row["direction_year"]), None)
    newest = newest or next((row for row in reversed(known) if row["state"] != "censored"), known[-1])
    told = {day_of(row["start"]): text(row["value"]) for row in known}
    marks = {day_of(row["start"]): _mark(row, said) for row in known}
    points = [
        Point(
            day=day_of(row["start"]),
            value=row["value"],
            label=f"{_month(day_of(row['start']), words)}: {told[day_of(row['start'])]}{_state(row, words, said)}",
            low=row["low"],
            high=row["high"],
            kind=_KINDS[row["state"]],
            restated=bool(row["restated"]),
        )
        for row in known
    ]
    unit = BY_CODE[code].unit
    axes = Axes(
        day_text=lambda day: _month(day, words),
        value_text=lambda value, step: _at_axis(value, step, unit, said),
        joined_days=_JOINED_DAYS,
        ceiling=1.0 if unit == "share" and code not in ("crr_formula",) else math.inf,
        least_step=_LEAST_STEPS.get(unit, 0.1),
    )
    return Trend(
        code=code,
        name=said.name(code),
        definition=said.definition(code),
        now=text(newest["value"]),
        month=_month(day_of(newest["start"]), words),
        mark=f" ({said.word('state', newest['state'])})" if newest["state"] != "ok" else "",
        changes=_changes(newest, pack, words, said),
        by_month=tuple(
            told[day] + marks[day] if day in told else words("none") for day in (day_of(month) for month in months)
        ),
        text=words("fact.join").join(point.label for point in points),
        line=line(points, FRAME, axes),
    )


def _changes(row: Mapping[str, Any], pack: ListPack, words: Words, said: Wording) -> tuple[Change, ...]:
    found = []
    for span, suffix in _SUFFIXES.items():
        direction, change = row[f"direction{suffix}"], row[f"change{suffix}"]
        if not direction or pd.isna(change):
            continue
        size = _size(change, row, pack, words, said)
        better = BY_CODE[row["kpi"]].better * (1 if direction == "up" else -1)
        tone = "even" if direction == "not_clear" or not better else "good" if better > 0 else "bad"
        word = words("page.kpi." + {"good": "better", "bad": "worse", "even": "changed"}[tone])
        key = f"page.kpi.{span}_{'unclear' if direction == 'not_clear' else 'clear'}"
        text = words(key, arrow="↑" if direction == "up" else "↓", change=size, word=word)
        found.append(Change(text, tone))
    return tuple(found) or (Change(words("page.kpi.no_change"), "even"),)


def _size(change: float, row: Mapping[str, Any], pack: ListPack, words: Words, said: Wording) -> str:
    """A change with its sign, in as many digits as the figure has, and never written as nought where it is none."""
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    if row["unit"] == "share":
        return words("page.points", points=f"{sign}{100 * abs(change):.1f}")
    if row["unit"] == "money":
        return sign + words.money(abs(change), pack.currency, compact=True)
    text = figure(abs(change), row["unit"], said, row["value"])
    return sign + (text if not change or text.strip("0.,") else f"{abs(change):.1g}")


def _value(value: float, code: str, pack: ListPack, words: Words, said: Wording) -> str:
    unit = BY_CODE[code].unit
    if unit == "money":
        return words.money(value, pack.currency, compact=True)
    text = figure(value, unit, said)
    return words("page.kpi.days", days=text) if unit == "days" else text


def _at_axis(value: float, step: float, unit: str, said: Wording) -> str:
    if unit == "share":
        return f"{100 * value:.{0 if step >= 0.01 else 1}f}%"
    if step >= 1 and unit != "money":
        return f"{value:,.0f}"
    return figure(value, unit, said)


def _state(row: Mapping[str, Any], words: Words, said: Wording) -> str:
    """In brackets, how sure a figure is, and whether it was published otherwise; "" for most."""
    found = [said.word("state", row["state"])] if row["state"] != "ok" else []
    found += [words("page.kpi.restated_key")] if row["restated"] else []
    return f" ({words('fact.join').join(found)})" if found else ""


def _mark(row: Mapping[str, Any], said: Wording) -> str:
    """The same as a mark, for a table; ``marks`` says what the marks mean."""
    few = str(said.tree["screen"]["few_mark"])
    return {"censored": "*", "reference": f" {few}"}.get(str(row["state"]), "")


def _restated(every: pd.DataFrame, words: Words, said: Wording) -> tuple[str, ...]:
    """What was published otherwise of the figures that are drawn, newest month first."""
    rows = _rows(every[every["restated"].astype(bool) & every["kpi"].isin(ORDER)])
    rows.sort(key=lambda row: (-day_of(row["start"]).toordinal(), ORDER.index(row["kpi"])))
    found = []
    for row in rows:
        old, new = (figure(row[name], row["unit"], said) for name in ("published_value", "value"))
        if old == new:
            old, new = (f"{row[name]:,.6g}" for name in ("published_value", "value"))
        month = _month(day_of(row["start"]), words)
        found.append(words("page.kpi.restated", name=said.name(row["kpi"]), month=month, old=old, new=new))
    return tuple(found)


def _is_known(row: Mapping[str, Any]) -> bool:
    return row["state"] in _KINDS and not pd.isna(row["value"])


def _month(day: Any, words: Words) -> str:
    return words(
        "format.month_name", year=day.year, number=f"{day.month:02d}", month=words.texts[f"months.m{day.month}"]
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return rows
