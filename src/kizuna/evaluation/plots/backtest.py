"""The picture of a list backtest: week by week, how many of those who left each list would have named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kizuna.evaluation.baselines.names import rule_name
from kizuna.evaluation.list_backtest import BY_CHANCE, Weeks, best_rule, gained_by, list_table
from kizuna.evaluation.measures.metrics import FloatArray
from kizuna.evaluation.plots import canvas
from kizuna.evaluation.plots.canvas import FAINT, MODEL, NBSP, QUIET
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEADINGS = {
    "churned": "customers named who left",
    "value": "spent in the year before by those named who left",
    "gain": "profit of contacting everybody named",
}


def backtest_figure(weeks: Weeks, named: pd.DataFrame, rules: list[str], currency: str = "") -> Figure:
    """What the lists reached so far, week by week: the model's, the best rule's, the recency rule's, and by chance.

    Where costs and save rate are known, what contacting the named would have earned under them; else, where the model
    ranks by money, what those who left had spent in the year before; else how many they were.
    """
    table = list_table(weeks, named)
    overall = table[table["fold"] < 0].set_index("ranking")
    what, column = "churned", "churners_reached"
    if "gain" in weeks.rows:
        what, column = "gain", "profit"
    elif not weeks.rankings[0].probability and bool(weeks.rows["value"].notna().all()):
        what, column = "value", "value_reached"
    by_money = what != "churned"
    best = best_rule(table, rules, column)
    shown = ["kizuna", *dict.fromkeys([name for name in (best, "recency_rule") if name in rules]), BY_CHANCE]
    days = np.sort(weeks.rows["day"].unique())
    curves = {name: _reached(weeks, named, name, what) for name in shown}
    ends = {name: float(curve[-1]) for name, curve in curves.items()}
    unit = f"{currency} " if by_money and currency else ""
    said = {name: f"{unit}{canvas.compact(end) if by_money else f'{end:,.0f}'}" for name, end in ends.items()}
    left, people = float(overall["churners_reached"]["kizuna"]), int(overall["named"]["kizuna"])
    title = f"Of {people:,} customers named, {left:,.0f} left; by chance {said[BY_CHANCE]} would have"
    if what == "gain":
        title = f"{left:,.0f} of {people:,} named left; contacting all would have earned {said['kizuna']}"
    elif by_money:
        title = f"{left:,.0f} of {people:,} named left, with {said['kizuna']} a year; by chance {said[BY_CHANCE]}"
    notes = f"{weeks.lists} of {weeks.capacity:,} new names; no model knew anything after its own day"
    if what == "gain":
        notes = f"{weeks.lists} of {weeks.capacity:,} new names, under the assumed save rate and costs"
    figure, above = canvas.paper(5.8, title, notes)
    letters = max(len(f"{said[name]}  {rule_name(name)}") for name in shown)
    axes = canvas.panel(figure, (0.9, 0.8, 0.6 + canvas.LETTER_INCHES * letters, above + 0.35))
    highest, lowest = (float(of([of(curve) for curve in curves.values()])) for of in (max, min))
    top, last = 1.05 * max(highest, 0.0) or 1.0, max(len(days) - 1, 1)
    floor = min(1.05 * lowest, 0.0)
    axes.set(xlim=(0, last), ylim=(floor, top))
    if floor < 0:
        axes.axhline(0, color=FAINT, linewidth=1.0)
    colours = {name: canvas.OTHERS[place % len(canvas.OTHERS)] for place, name in enumerate(shown)}
    colours |= {"kizuna": MODEL, BY_CHANCE: QUIET}
    for name in reversed(shown):
        style = {"linestyle": (0, (4, 3)), "color": FAINT} if name == BY_CHANCE else {"color": colours[name]}
        axes.plot(
            np.arange(len(days)), curves[name], linewidth=2.8 if name == "kizuna" else 1.6, clip_on=False, **style
        )
    for name, height in canvas.spread(ends, (floor, top), 0.062 * (top - floor)).items():
        weight = "bold" if name == "kizuna" else "normal"
        words = f"{said[name]}{NBSP}{NBSP}{rule_name(name)}"
        canvas.write(axes, last * 1.02, height, words, color=colours[name], weight=weight)
    canvas.write(axes, 0, top + 0.03 * (top - floor), _HEADINGS[what], va="bottom")
    if by_money:
        canvas.amounts(axes, "y")
    step = max(1, -(-len(days) // 6))
    axes.set_xticks(np.arange(len(days))[::step], [date_of(int(day)).isoformat() for day in days[::step]])
    canvas.name_axis(axes, "day of the list")
    return figure


def _reached(weeks: Weeks, named: pd.DataFrame, name: str, what: str) -> FloatArray:
    """Churners, what they had spent, or what contacting earned, by the end of each day of a list."""
    days = np.sort(weeks.rows["day"].unique())
    rows = named[named["ranking"] == ("kizuna" if name == BY_CHANCE else name)]
    if name == BY_CHANCE:
        each = pd.Series(gained_by(weeks.rows, what)).groupby(weeks.rows["day"].to_numpy()).mean().reindex(days)
        return np.cumsum(each.to_numpy() * rows.groupby("day").size().reindex(days, fill_value=0).to_numpy())
    gained = pd.Series(gained_by(rows, what)).groupby(rows["day"].to_numpy()).sum()
    return np.cumsum(gained.reindex(days, fill_value=0.0).to_numpy())
