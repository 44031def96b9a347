"""The return curve and the contract curve as pictures for people, drawn like the other evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kizuna.evaluation.definition.return_curve import FEWEST_SILENCES, Curve, Floats
from kizuna.evaluation.plots import canvas
from kizuna.evaluation.plots.canvas import FAINT, INK, MODEL, NBSP, PALE_MODEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = (0.5, 0.2, 0.1)
_WORDS = {0.5: "half", 0.2: "1 in 5", 0.1: "1 in 10"}
_HEIGHT_INCHES = 6.0
_LONGEST_NAME = 24
# The curve is drawn so many horizons long, or to its lowest level where that comes later.
_DRAWN_HORIZONS = 4


def return_figure(curves: Mapping[str, Sequence[Curve]], horizon_days: int) -> Figure:
    """Chance of a purchase within the horizon by days of silence: all orders with their 95 % interval, and by order."""
    everyone = curves["all"][0]
    share, low, high = everyone.ends_within(horizon_days)
    measured = np.flatnonzero(~np.isnan(share))
    if not len(measured):
        return _nothing_drawn(everyone, horizon_days)
    levels = {level: everyone.falls_below(horizon_days, level) for level in LEVELS}
    lowest = max((day for day in levels.values() if day is not None), default=0)
    reach = min(int(measured[-1]), max(_DRAWN_HORIZONS * horizon_days, int(1.3 * lowest)))
    reach = max(reach, 1)
    note = (
        f"Chance of a purchase within {horizon_days} days, by days since the last order; {everyone.silences:,} silences; "
        f"band: 95{NBSP}% interval"
    )
    figure, above = canvas.paper(_HEIGHT_INCHES, _finding(levels, (share, int(measured[-1])), horizon_days), note)
    lines = {curve.segment: curve.ends_within(horizon_days)[0][: reach + 1] for curve in curves["orders"]}
    lines = {name: line for name, line in lines.items() if not np.isnan(line).all()}
    colours = dict(zip(lines, canvas.OTHERS, strict=False)) | {everyone.segment: MODEL}
    lines |= {everyone.segment: share[: reach + 1]}
    axes = canvas.panel(figure, (1.0 + canvas.LETTER_INCHES * max(map(len, lines)), 0.85, 0.8, above + 0.45))
    highest = max(float(np.nanmax(line)) for line in [high[: reach + 1], *lines.values()])
    axes.set(xlim=(0, reach), ylim=(0, min(1.0, 1.06 * highest)))
    axes.yaxis.tick_right()
    axes.tick_params(length=0)
    days = np.arange(reach + 1)
    axes.fill_between(days, low[: reach + 1], high[: reach + 1], color=PALE_MODEL, linewidth=0)
    for name, line in lines.items():
        axes.plot(days, line, color=colours[name], linewidth=3.0 if name == everyone.segment else 1.5, clip_on=False)
    _mark_levels(axes, {level: day for level, day in levels.items() if day and day <= reach}, share)
    _name_starts(axes, {name: line for name, line in lines.items() if not np.isnan(line[0])}, colours)
    canvas.percent(axes, "y")
    axes.xaxis.set_major_formatter(lambda day, _: f"{day:,.0f}")
    canvas.name_axis(axes, "days since the last order")
    return figure


def contract_figure(curves: Mapping[str, Sequence[Curve]]) -> Figure:
    """Share of contracts still running by their age: all with their 95 % interval, and by plan."""
    everyone = curves["all"][0]
    reach = max(everyone.followed_days, 1)
    alive, (low, high) = everyone.surviving, everyone.surviving_interval()
    gone = np.flatnonzero(alive < 0.5)
    title = f"After {reach:,} days {_percent(alive[everyone.followed_days])} of contracts still run"
    if len(gone):
        title = f"Half of all contracts end within {int(gone[0]):,} days"
    note = f"Share of contracts still running by age; {everyone.silences:,} contracts; band: 95{NBSP}% interval"
    figure, above = canvas.paper(_HEIGHT_INCHES, title, note)
    lines = {_short(c.segment): np.where(c.at_risk >= FEWEST_SILENCES, c.surviving, np.nan) for c in curves["plan"]}
    lines = {name: line for name, line in lines.items() if not np.isnan(line).all()}
    colours = {name: canvas.OTHERS[place % len(canvas.OTHERS)] for place, name in enumerate(lines)}
    colours |= {everyone.segment: MODEL}
    lines |= {everyone.segment: alive}
    axes = canvas.panel(figure, (0.8, 0.85, 1.6 + canvas.LETTER_INCHES * max(map(len, lines)), above + 0.3))
    axes.set(xlim=(0, reach), ylim=(0, 1))
    days = np.arange(len(alive))
    axes.fill_between(days, low, high, color=PALE_MODEL, linewidth=0, step="post")
    for name, line in lines.items():
        axes.step(days, line, where="post", color=colours[name], linewidth=3.0 if name == everyone.segment else 1.5)
    _name_ends(axes, lines, colours)
    canvas.percent(axes, "y")
    axes.xaxis.set_major_formatter(lambda day, _: f"{day:,.0f}")
    canvas.name_axis(axes, "days since the contract began")
    return figure


def _finding(levels: Mapping[float, int | None], line: tuple[Floats, int], horizon_days: int) -> str:
    """The title: after which silence half, and then one in five or ten, still come back."""
    share, last = line
    reached = [(level, day) for level, day in levels.items() if day]
    if reached:
        (level, day), (lowest, latest) = reached[0], reached[-1]
        title = f"Silent {day:,} days: {_WORDS[level]} buy within {horizon_days} days"
        return title if level == lowest else f"{title}. Silent {latest:,} days: {_WORDS[lowest]}"
    if 0 in levels.values():
        return f"Right after an order, {_percent(share[0])} buy within {horizon_days} days"
    return f"Even after {last:,} silent days, {_percent(share[last])} buy within {horizon_days} days"


def _mark_levels(axes: Axes, levels: Mapping[float, int], share: Floats) -> None:
    """A dot where the chance falls below each level, on a line from the day up to its name over the panel."""
    reach, (_, top) = axes.get_xlim()[1], axes.get_ylim()
    marks = {f"{day:,} days: {_WORDS[level]}": float(day) for level, day in levels.items()}
    for day in levels.values():
        axes.plot([day, day], [0, top], color=FAINT, linewidth=1.1, linestyle=(0, (2, 3)))
        axes.plot(day, share[day], color=MODEL, marker="o", markersize=9, markeredgecolor="white", zorder=5)
    inches = axes.get_position().width * canvas.WIDTH_INCHES
    room = canvas.LETTER_INCHES * (max(map(len, marks), default=0) + 3) * reach / inches
    for words, place in canvas.spread(marks, (0.0, reach), room).items():
        canvas.write(axes, place, 1.02 * top, words, color=MODEL, ha="center", va="bottom")


def _name_starts(axes: Axes, lines: Mapping[str, Floats], colours: Mapping[str, str]) -> None:
    """Each line's name and first share at the left edge."""
    _, top = axes.get_ylim()
    reach = axes.get_xlim()[1]
    starts = {name: float(line[0]) for name, line in lines.items()}
    for name, height in canvas.spread(starts, (0.0, top), 0.055 * top).items():
        weight = "bold" if colours[name] == MODEL else "normal"
        words = f"{name}  {_percent(starts[name])}"
        canvas.write(axes, -0.012 * reach, height, words, color=colours[name], weight=weight, ha="right")


def _name_ends(axes: Axes, lines: Mapping[str, Floats], colours: Mapping[str, str]) -> None:
    """Each line's last share and name at the right edge; a line that ends earlier is led there and names its last day."""
    reach, (_, top) = axes.get_xlim()[1], axes.get_ylim()
    ends = {name: int(np.flatnonzero(~np.isnan(line))[-1]) for name, line in lines.items()}
    heights = {name: float(lines[name][end]) for name, end in ends.items()}
    for name, height in canvas.spread(heights, (0.0, top), 0.055 * top).items():
        early = "" if ends[name] >= 0.97 * reach else f" (day {ends[name]:,})"
        weight = "bold" if colours[name] == MODEL else "normal"
        axes.plot([ends[name], reach], [heights[name], height], color=colours[name], linewidth=0.7, linestyle=":")
        words = f"{_percent(heights[name])}  {name}{early}"
        canvas.write(axes, 1.015 * reach, height, words, color=colours[name], weight=weight)


def _nothing_drawn(everyone: Curve, horizon_days: int) -> Figure:
    title = f"Too little data for a chance within {horizon_days} days"
    note = f"{everyone.silences:,} silences, the longest followed for {everyone.followed_days:,} days"
    figure, above = canvas.paper(3.0, title, note)
    axes = canvas.panel(figure, (0.8, 0.85, 0.4, above + 0.35))
    axes.set(xlim=(0, horizon_days), ylim=(0, 1), yticks=[])
    words = f"{FEWEST_SILENCES} silences followed for {horizon_days} days are needed"
    canvas.write(axes, horizon_days / 2, 0.5, words, color=INK, ha="center")
    canvas.name_axis(axes, "days since the last order")
    return figure


def _percent(share: float) -> str:
    return f"{share * 100:.0f}{NBSP}%"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
