"""The picture of a list backtest: week by week, how many of those who left each list would have named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kizuna.evaluation import canvas
from kizuna.evaluation.canvas import FAINT, MODEL, NBSP, QUIET
from kizuna.evaluation.list_backtest import BY_CHANCE, Weeks, best_rule, list_table
from kizuna.evaluation.metrics import FloatArray
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORDS = {
    "recency_rule": "longest silent",
    "rate_rule": "purchase rate",
    "rfm_logistic": "RFM logistic",
    "rfm_logistic_value": "RFM logistic × spend",
    "mean_spend": "highest spend",
    BY_CHANCE: "by chance",
}


def backtest_figure(weeks: Weeks, named: pd.DataFrame, rules: list[str], currency: str = "") -> Figure:
    """What the lists reached so far, week by week: the model's, the best rule's, the recency rule's, and by chance.

    Where the model ranks by money, what those who left had spent in the year before; else how many they were.
    """
    table = list_table(weeks, named)
    overall = table[table["fold"] < 0].set_index("ranking")
    by_money = not weeks.rankings[0].probability and bool(weeks.rows["value"].notna().all())
    what, column = ("value", "value_reached") if by_money else ("churned", "churners_reached")
    best = best_rule(table, rules, column)
    shown = ["kizuna", *dict.fromkeys([name for name in (best, "recency_rule") if name in rules]), BY_CHANCE]
    days = np.sort(weeks.rows["day"].unique())
    curves = {name: _reached(weeks, named, name, what) for name in shown}
    ends = {name: float(curve[-1]) for name, curve in curves.items()}
    unit = f"{currency} " if by_money and currency else ""
    said = {name: f"{unit}{canvas.compact(end) if by_money else f'{end:,.0f}'}" for name, end in ends.items()}
    left, people = float(overall["churners_reached"]["kizuna"]), int(overall["named"]["kizuna"])
    title = f"Of {people:,} customers named, {left:,.0f} left; by chance {said[BY_CHANCE]} would have"
    if by_money:
        title = f"{left:,.0f} of {people:,} named left, with {said['kizuna']} a year; by chance {said[BY_CHANCE]}"
    notes = f"{len(days)} weekly lists of {weeks.capacity:,} new names; no model knew anything after its own day"
    figure, above = canvas.paper(5.8, title, notes)
    letters = max(len(f"{said[name]}  {_WORDS.get(name, name)}") for name in shown)
    axes = canvas.panel(figure, (0.9, 0.8, 0.6 + canvas.LETTER_INCHES * letters, above + 0.35))
    top, last = 1.05 * max(ends.values()) or 1.0, max(len(days) - 1, 1)
    axes.set(xlim=(0, last), ylim=(0, top))
    colours = {name: canvas.OTHERS[place % len(canvas.OTHERS)] for place, name in enumerate(shown)}
    colours |= {"kizuna": MODEL, BY_CHANCE: QUIET}
    for name in reversed(shown):
        style = {"linestyle": (0, (4, 3)), "color": FAINT} if name == BY_CHANCE else {"color": colours[name]}
        axes.plot(
            np.arange(len(days)), curves[name], linewidth=2.8 if name == "kizuna" else 1.6, clip_on=False, **style
        )
    for name, height in canvas.spread(ends, (0.0, top), 0.062 * top).items():
        weight = "bold" if name == "kizuna" else "normal"
        words = f"{said[name]}{NBSP}{NBSP}{_WORDS.get(name, name)}"
        canvas.write(axes, last * 1.02, height, words, color=colours[name], weight=weight)
    heading = "spent in the year before by those named who left" if by_money else "customers named who left"
    canvas.write(axes, 0, 1.03 * top, heading, va="bottom")
    if by_money:
        canvas.amounts(axes, "y")
    step = max(1, -(-len(days) // 6))
    axes.set_xticks(np.arange(len(days))[::step], [date_of(int(day)).isoformat() for day in days[::step]])
    canvas.name_axis(axes, "day of the list")
    return figure


def _reached(weeks: Weeks, named: pd.DataFrame, name: str, what: str) -> FloatArray:
    """Churners, or what they had spent, reached by the end of each day of a list."""
    days = np.sort(weeks.rows["day"].unique())
    rows = named[named["ranking"] == ("kizuna" if name == BY_CHANCE else name)]
    if name == BY_CHANCE:
        gained = weeks.rows["churned"] * (weeks.rows["value"] if what == "value" else 1.0)
        each = gained.groupby(weeks.rows["day"]).mean().reindex(days).to_numpy()
        return np.cumsum(each * rows.groupby("day").size().reindex(days, fill_value=0).to_numpy())
    gained = rows["churned"] * (rows["value"] if what == "value" else 1.0)
    return np.cumsum(gained.groupby(rows["day"]).sum().reindex(days, fill_value=0.0).to_numpy())
