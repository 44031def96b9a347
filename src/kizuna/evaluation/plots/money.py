"""Money as pictures: what contacting the first k customers of each ranking would have earned, or reached.

The profit picture needs a campaign's costs and an assumed save rate; without them only value reached is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kizuna.evaluation.baselines.names import rule_name
from kizuna.evaluation.measures.metrics import FloatArray
from kizuna.evaluation.measures.profit import profit_curve, value_reached
from kizuna.evaluation.plots import canvas
from kizuna.evaluation.plots.canvas import FAINT, MODEL, QUIET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kizuna.evaluation.money import MoneyAssessment

CHANCE = "chance"


def money_figures(found: MoneyAssessment, unit: str = "") -> dict[str, Figure]:
    """By name: value_reached and, with economics, profit. The newest tested day; the list, the best rule, and recency."""
    shown, rows = found.rows.shown, found.rows
    names = dict.fromkeys(["kizuna", found.best_rule or "", "recency_rule"])
    scores = {name: rows.scores[name][shown] for name in names if name in rows.scores}
    churned, stake = rows.rows.churned[shown], rows.at_stake[shown]
    figures = {"value_reached": value_reached_figure(churned, stake, scores, found.capacity, unit)}
    if found.gain is not None:
        figures["profit"] = profit_figure(found.gain[shown], scores, found.capacity, unit)
    return figures


def profit_figure(gain: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], capacity: int, unit: str = "") -> Figure:
    """Profit of contacting the first k of each ranking under the assumptions in `gain` (profit.contact_gain).

    The model is the first of `scores`; the dot on each curve is its best list, the dotted line a list of `capacity`.
    """
    curves = {name: profit_curve(gain, score) for name, score in scores.items()}
    model = next(iter(curves))
    best = curves[model]
    title = "No list would have earned more than it costs"
    if best.best_count:
        title = f"The best list names {best.best_count:,} and would earn {_money(best.best_profit, unit)}"
        named = float(best.profit[min(capacity, best.profit.size - 1)])
        title = f"{title}; one of {capacity:,} would {'earn' if named >= 0 else 'lose'} {_money(abs(named), unit)}"
    notes = (
        "Under the assumed costs and save rate, who leaves costing the spend of the year before; dots: each best list"
    )
    marks = {name: (curve.best_count, curve.best_profit) for name, curve in curves.items()}
    return _drawn(title, notes, {name: curve.profit for name, curve in curves.items()}, (marks, capacity, unit))


def value_reached_figure(
    churned: npt.ArrayLike, value: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], capacity: int, unit: str = ""
) -> Figure:
    """What those who left among the first k of each ranking had been worth. The model is the first of `scores`."""
    curves = {name: np.concatenate([[0.0], value_reached(churned, value, score)]) for name, score in scores.items()}
    model = next(iter(curves))
    rows = curves[model].size - 1
    places, total = min(capacity, rows), float(curves[model][-1])
    caught, chance = float(curves[model][places]), total * places / max(rows, 1)
    title, notes = "Nobody who left had spent anything", f"{rows:,} customers whose outcome is known"
    if total > 0:
        title = (
            f"Of {places:,} named, those who left had spent {_money(caught, unit)}; by chance {_money(chance, unit)}"
        )
        share = f"{caught / total * 100:.0f}{canvas.NBSP}%"
        notes = f"Spent in the year before by those of {rows:,} customers who left; the list holds {share} of all of it"
    marks = {name: (places, float(curve[places])) for name, curve in curves.items()}
    return _drawn(title, notes, curves, (marks, capacity, unit))


def _drawn(
    title: str,
    notes: str,
    curves: dict[str, FloatArray],
    marked: tuple[Mapping[str, tuple[int, float]], int, str],
) -> Figure:
    """The curves over the number of customers named, from 0, with straight line of chance, marks and names."""
    marks, capacity, unit = marked
    model = next(iter(curves))
    rows = curves[model].size - 1
    figure, above = canvas.paper(5.8, title, f"{notes}{f'; in {unit}' if unit else ''}")
    chance = float(curves[model][-1]) * min(capacity, rows) / max(rows, 1)
    letters = 8 + max(len(rule_name(name)) for name in [*curves, CHANCE])
    axes = canvas.panel(figure, (0.8, 0.8, 0.35 + canvas.LETTER_INCHES * letters, above + 0.45))
    named = np.arange(rows + 1)
    shown = np.concatenate([*curves.values(), [0.0]])
    margin = 0.06 * float(np.ptp(shown)) or 1.0
    floor, ceiling = float(shown.min()) - margin * bool(shown.min() < 0), float(shown.max()) + margin
    axes.set(xlim=(0, max(rows, 1)), ylim=(floor, ceiling))
    axes.axhline(0, color=FAINT, linewidth=1.0)
    axes.axvline(min(capacity, rows), color=FAINT, linewidth=1.1, linestyle=(0, (2, 3)))
    axes.plot([0, rows], [0.0, curves[model][-1]], color=FAINT, linewidth=1.3, linestyle=(0, (4, 3)))
    colours = {name: canvas.OTHERS[(place - 1) % len(canvas.OTHERS)] for place, name in enumerate(curves)}
    colours |= {model: MODEL, CHANCE: QUIET}
    for name, curve in reversed(curves.items()):
        axes.plot(named, curve, color=colours[name], linewidth=2.8 if name == model else 1.6)
        axes.plot(*marks[name], color=colours[name], marker="o", markersize=7 if name == model else 5)
    # Every ranking ends in the same sum, so the names stand at the heights of their marks.
    heights = {name: at[1] for name, at in marks.items()} | {CHANCE: chance}
    for name, height in canvas.spread(heights, (floor, ceiling), 0.058 * (ceiling - floor)).items():
        weight = "bold" if name == model else "normal"
        words = f"{canvas.compact(heights[name])}  {rule_name(name)}"
        canvas.write(axes, 1.02 * rows, height, words, color=colours[name], weight=weight)
    side = "right" if capacity > 0.8 * rows else "left" if capacity < 0.2 * rows else "center"
    place = min(capacity, rows)
    canvas.write(axes, place, ceiling + 0.02 * (ceiling - floor), f"list of {place:,}", ha=side, va="bottom")
    canvas.amounts(axes, "y")
    axes.xaxis.set_major_formatter(lambda rank, _: f"{rank:,.0f}")
    canvas.name_axis(axes, "customers named, in the order of each list")
    return figure


def _money(amount: float, unit: str) -> str:
    return f"{canvas.compact(amount)}{canvas.NBSP}{unit}" if unit else canvas.compact(amount)
