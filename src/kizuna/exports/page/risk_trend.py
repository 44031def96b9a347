"""How risk went from list to list: three lines over the days of the lists, this week's last."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pandas as pd

from kizuna.exports.pack import ListPack, PastLists
from kizuna.exports.page.plot import Axes, Frame, Line, Point, line
from kizuna.wording.words import Words, share_text

FRAME = Frame(width=360, height=150, left=58, right=350, top=12, bottom=122)
_SHARES = ("expected_share", "high_share")
_NAMES = (*_SHARES, "value_at_risk")
# A list that comes later than one and a half times the usual leaves a gap.
_LATE = 1.5
_MOST_LISTS = 104


@dataclass(frozen=True)
class Course:
    """One figure over the lists: its name, this week's and the list's before, a sentence, and the line."""

    name: str
    now: str
    before: str
    text: str
    line: Line


@dataclass(frozen=True)
class RiskTrend:
    """``courses`` of what is known; how many lists and since when; and the days on which another model took over."""

    courses: tuple[Course, ...]
    lists: int
    first: date
    new_models: str


def risk_trend(pack: ListPack, words: Words) -> RiskTrend | None:
    """The course of risk over the published lists; None where there are not two of them."""
    if pack.past is None or len(pack.past.trend) < 2:
        return None
    trend = pack.past.trend.sort_values("as_of", kind="stable").tail(_MOST_LISTS)
    days = [day_of(value) for value in trend["as_of"]]
    joined = _LATE * statistics.median((later - day).days for day, later in pairwise(days))
    new_models = tuple(day for day in _new_models(pack, pack.past) if days[0] < day <= days[-1])
    courses = [_course(name, trend, pack, words, joined, new_models) for name in _NAMES if _known(trend, name)]
    taken_over = words("fact.join").join(words.day(day) for day in new_models)
    return RiskTrend(tuple(courses), len(trend), days[0], taken_over)


def day_of(value: object) -> date:
    """A day of a frame, whether it holds dates or timestamps."""
    return pd.Timestamp(value).date()  # type: ignore[arg-type]


def _known(trend: pd.DataFrame, name: str) -> bool:
    return name in trend and bool(trend[name].notna().any()) and bool(pd.notna(trend[name].iloc[-1]))


def _course(
    name: str, trend: pd.DataFrame, pack: ListPack, words: Words, joined_days: float, marked: tuple[date, ...]
) -> Course:
    is_share = name in _SHARES

    def text(value: float) -> str:
        return share_text(value, 1) if is_share else words.money(value, pack.currency, compact=True)

    def at_axis(value: float, step: float) -> str:
        if is_share:
            return share_text(value, 0 if step >= 0.01 else 1)
        return words.money(value, pack.currency, compact=True, decimals=0 if step >= 1 else None)

    known = trend[trend[name].notna()]
    pairs = [(day_of(day), float(value)) for day, value in zip(known["as_of"], known[name], strict=True)]
    points = [Point(day, value, f"{words.day(day)}: {text(value)}") for day, value in pairs]
    axes = Axes(
        day_text=words.day,
        value_text=at_axis,
        joined_days=joined_days,
        ceiling=1.0 if is_share else math.inf,
        least_step=0.01 if is_share else 0.0,
        marked=marked,
    )
    values = [value for _, value in pairs]
    ends = {"low": text(min(values)), "high": text(max(values))}
    before = pairs[-2:-1]
    return Course(
        name=words(f"page.trend.{name}"),
        now=text(pairs[-1][1]),
        before="".join(words("page.trend.before", value=text(value), day=words.day(day)) for day, value in before),
        text=words("page.trend.spoken", first=points[0].label, last=points[-1].label, **ends),
        line=line(points, FRAME, axes),
    )


def _new_models(pack: ListPack, past: PastLists) -> list[date]:
    """The days of the lists that another churn model made than the one before."""
    lists = past.lists.sort_values("as_of", kind="stable")
    made = [(day_of(day), str(model)) for day, model in zip(lists["as_of"], lists["churn_model"], strict=True)]
    made.append((pack.as_of, pack.models.get("churn", "")))
    return [day for (_, before), (day, model) in pairwise(made) if model != before]
