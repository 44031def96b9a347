"""The evidence as pictures for people: each says its finding in the title and names its lines where they are.

Drawn with matplotlib's objects alone: no pyplot, no global state. `png_bytes` is the same for the same figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.baselines.names import rule_name
from kizuna.evaluation.measures.intervals import CalibrationInterval, decimals
from kizuna.evaluation.measures.metrics import FloatArray, IntArray, calibration_table, churned_found, total_ratio
from kizuna.evaluation.measures.profit import realised_table
from kizuna.evaluation.plots import canvas
from kizuna.evaluation.plots.canvas import FAINT, MIDDLE_MODEL, MODEL, NBSP, PALE_MODEL, QUIET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG_DPI = 150
SWARM_ROWS = 2_000
LONGEST_NAME = 40
EVERYONE = "everyone"
_DIAGONAL = "said = happened"


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG, 1500 pixels wide, without the software's name or a date."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return buffer.getvalue()


def calibration_figure(y: npt.ArrayLike, p: npt.ArrayLike, error: CalibrationInterval | None = None) -> Figure:
    """Predicted against observed churn rate in ten equal groups with 95 % intervals, over a histogram of `p`."""
    table = calibration_table(y, p)
    probability = np.asarray(p, dtype=np.float64)
    title = f"Said {_percent(probability.mean(), 1)}, happened {_percent(np.mean(np.asarray(y)), 1)}"
    notes = f"{probability.size:,} rows in ten groups of equal size; bars are 95{NBSP}% intervals"
    if error is not None:
        beyond = f"off by {error.estimate * 100:.1f} points on average" if error.low > 0 else "no error beyond chance"
        title = f"{title}: {beyond}"
        perfect = f"as counted {decimals(error.plain)}, a perfect model shows {decimals(error.expected_if_perfect)}"
        notes = f"{probability.size:,} rows; calibration error {error} ({perfect})"
    figure, above = canvas.paper(6.6, title, notes)
    axes = canvas.panel(figure, (0.8, 2.0, 0.45, above + 0.45))
    predicted, observed = table["predicted_mean"].to_numpy(), table["observed_rate"].to_numpy()
    low, high = table["observed_low"].to_numpy(), table["observed_high"].to_numpy()
    top = min(1.0, 1.08 * float(max(predicted.max(), high.max())))
    axes.plot([0, top], [0, top], color=FAINT, linewidth=1.3, linestyle=(0, (4, 3)))
    axes.vlines(predicted, low, high, color=PALE_MODEL, linewidth=5)
    axes.plot(predicted, observed, color=MODEL, linewidth=1.6, marker="o", markersize=6.5, clip_on=False)
    axes.set(xlim=(0, top), ylim=(0, top), xticklabels=[])
    # The line of the points and their bars, closely dotted.
    steps = np.linspace(0, 1, 21)
    line = np.linspace(0, len(predicted) - 1, 20 * len(predicted) + 1)
    at = np.arange(len(predicted))
    drawn = [np.column_stack([np.interp(line, at, predicted), np.interp(line, at, observed)])]
    drawn += [np.column_stack([predicted, low + step * (high - low)]) for step in steps]
    x, y, side = canvas.beside_diagonal(axes, np.concatenate(drawn) / top, _DIAGONAL)
    canvas.write(axes, x * top, y * top, _DIAGONAL, ha=side)
    canvas.write(axes, 0, 1.03 * top, "share that churned", va="bottom")
    canvas.percent(axes, "y")
    below = canvas.panel(figure, (0.8, 0.8, 0.45, above + 4.1))
    below.hist(probability, bins=np.linspace(0, top, 51).tolist(), color=MIDDLE_MODEL, rwidth=0.9)
    below.set(xlim=(0, top), yticks=[])
    canvas.percent(below, "x")
    canvas.name_axis(below, "churn probability, and how many rows have it")
    return figure


def lift_figure(y: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], capacity: int) -> Figure:
    """Churned share among the first k rows of each ranking, k up to four times `capacity`. The model is first."""
    outcome = np.asarray(y, dtype=np.float64)
    reach, places = min(4 * capacity, outcome.size), min(capacity, outcome.size)
    everyone = float(outcome.mean())
    first = np.arange(1, reach + 1)
    curves = {name: churned_found(outcome, score)[:reach] / first for name, score in scores.items()}
    model = next(iter(curves))
    named = {name: float(curve[places - 1]) for name, curve in curves.items()} | {EVERYONE: everyone}
    title = f"Of the {places:,} named first, {_percent(named[model])} churned; of everyone, {_percent(everyone)}"
    if places == outcome.size:
        title = f"A list of {capacity:,} names all {places:,}, of whom {_percent(everyone)} churned"
    notes = f"Share that churned among the first of each ranking, {outcome.size:,} rows in all"
    figure, above = canvas.paper(5.8, title, notes)
    letters = max(len(rule_name(name)) for name in named)
    axes = canvas.panel(figure, (0.8, 0.8, 0.9 + canvas.LETTER_INCHES * letters, above + 0.45))
    # The first few ranks jump between 0 and 100 %.
    start = max(reach // 40, 1) - 1
    shown = np.concatenate([[everyone], *(curve[start:] for curve in curves.values())])
    margin = 0.06 * float(np.ptp(shown)) + 0.005
    floor, ceiling = max(float(shown.min()) - margin, 0.0), min(float(shown.max()) + margin, 1.01)
    axes.set(xlim=(0, reach), ylim=(floor, ceiling))
    axes.axvline(places, color=FAINT, linewidth=1.1, linestyle=(0, (2, 3)))
    axes.axhline(everyone, color=FAINT, linewidth=1.3, linestyle=(0, (4, 3)))
    colours = {name: canvas.OTHERS[(place - 1) % len(canvas.OTHERS)] for place, name in enumerate(curves)}
    colours |= {model: MODEL, EVERYONE: QUIET}
    for name, curve in reversed(curves.items()):
        axes.plot(first[start:], curve[start:], color=colours[name], linewidth=2.8 if name == model else 1.6)
        axes.plot(places, named[name], color=colours[name], marker="o", markersize=7 if name == model else 5)
    ends = {name: float(curve[-1]) for name, curve in curves.items()} | {EVERYONE: everyone}
    for name, height in canvas.spread(ends, (floor, ceiling), 0.058 * (ceiling - floor)).items():
        weight = "bold" if name == model else "normal"
        words = f"{_percent(named[name])}  {rule_name(name)}"
        canvas.write(axes, 1.02 * reach, height, words, color=colours[name], weight=weight)
    heading = ceiling + 0.02 * (ceiling - floor)
    side = "right" if places > 0.8 * reach else "center"
    canvas.write(axes, places, heading, f"list of {places:,}", ha=side, va="bottom")
    canvas.write(axes, 1.02 * reach, heading, f"of those {places:,}", va="bottom")
    canvas.percent(axes, "y")
    axes.xaxis.set_major_formatter(lambda rank, _: f"{rank:,.0f}")
    canvas.name_axis(axes, "customers named, riskiest first")
    return figure


def decile_figure(actual: npt.ArrayLike, predicted: npt.ArrayLike, unit: str = "") -> Figure:
    """Mean predicted (dots) and actual value (bars) of each tenth of the rows by prediction."""
    table = realised_table(predicted, actual)
    total, top = float(table["realised_total"].sum()), table.iloc[-1]
    title = "Predicted and actual value by tenth of customers"
    if total > 0:
        first = f"The top {_percent(0.1)} bring {_percent(top['realised_total'] / total)}"
        title = f"{first} of the value; the forecast is {_off(total_ratio(actual, predicted))}"
    rows = np.size(actual)
    figure, above = canvas.paper(5.8, title, f"Mean value per customer{f' in {unit}' if unit else ''}, {rows:,} rows")
    axes = canvas.panel(figure, (0.8, 0.8, 0.4, above + 0.5))
    axes.bar(table["decile"], table["realised_mean"], width=0.66, color=PALE_MODEL)
    axes.plot(
        table["decile"], table["expected_mean"], color=MODEL, linewidth=1.3, marker="o", markersize=7, clip_on=False
    )
    axes.set(xlim=(0.4, 10.6), xticks=range(1, 11))
    axes.axhline(0, color=FAINT, linewidth=1.0)
    canvas.amounts(axes, "y")
    canvas.write(axes, 0, 1.05, "● predicted", color=MODEL, transform=axes.transAxes)
    canvas.write(axes, 0.13, 1.05, "■ actual", color=MIDDLE_MODEL, transform=axes.transAxes)
    canvas.name_axis(axes, "tenth of customers by predicted value; 10 is the highest")
    return figure


def contribution_figure(
    contributions: npt.ArrayLike,
    features: pd.DataFrame,
    outcome: str = "churn risk",
    unit: str = "log-odds",
    top: int = 12,
) -> Figure:
    """Mean size of the contributions of the `top` features, as bars. One column of `contributions` per feature."""
    matrix, order, share = _ranked(contributions, features, top)
    names = _names(features, order)
    title = f"{names[0]} makes up {_percent(share[order[0]])} of what moves the prediction"
    note = f"Mean size of each feature's contribution to {outcome}, in {unit}"
    figure, above = canvas.paper(1.75 + 0.38 * len(names), title, note)
    axes = canvas.named_rows(figure, names, above)
    axes.grid(visible=False, axis="both")
    size = np.abs(matrix).mean(axis=0)[order]
    limit = 1.12 * float(size.max()) or 1.0
    axes.set_xlim(0, limit)
    axes.barh(np.arange(len(order)), size, height=0.62, color=[MODEL, *[MIDDLE_MODEL] * (len(order) - 1)])
    for place, words in enumerate(canvas.evenly(size.tolist())):
        canvas.write(axes, size[place] + 0.008 * limit, place, words)
    canvas.amounts(axes, "x")
    left, rest = matrix.shape[1] - len(order), max(1.0 - float(share[order].sum()), 0.0)
    others = f"; {left:,} other features share {_percent(rest)}" if left else ""
    canvas.name_axis(axes, f"mean size of the contribution{others}")
    return figure


def beeswarm_figure(
    contributions: npt.ArrayLike,
    features: pd.DataFrame,
    outcome: str = "churn risk",
    unit: str = "log-odds",
    top: int = 12,
) -> Figure:
    """One dot per row and feature: to the right it raises the outcome; the colour ranks the row's value of the feature.

    Above 2,000 rows, 2,000 evenly spaced ones are drawn. Text and nulls are grey.
    """
    matrix, order, _ = _ranked(contributions, features, top)
    names = _names(features, order)
    standing = _standing(features.iloc[:, order[0]])
    known = ~np.isnan(standing)
    rising = (standing[known] - standing[known].sum() / max(known.sum(), 1)) @ matrix[known, order[0]] >= 0
    drawn = np.unique(np.arange(SWARM_ROWS) * len(matrix) // SWARM_ROWS)
    title = f"{'High' if rising else 'Low'} {names[0]} raises {outcome} most"
    note = f"Each dot is a customer ({drawn.size:,} of {len(matrix):,}); grey: the value is missing or text"
    figure, above = canvas.paper(1.75 + 0.5 * len(names), title, note)
    axes = canvas.named_rows(figure, names, above)
    axes.axvline(0, color=FAINT, linewidth=1.1)
    reach = float(np.abs(matrix[np.ix_(drawn, order)]).max()) or 1.0
    for place, column in enumerate(order.tolist()):
        pushes, values = matrix[drawn, column], _standing(features.iloc[:, column])[drawn]
        heights = place + canvas.swarm(pushes, reach)
        known = ~np.isnan(values)
        axes.scatter(pushes[~known], heights[~known], s=8, color=FAINT, linewidths=0)
        axes.scatter(pushes[known], heights[known], s=8, color=canvas.low_to_high(values[known]), linewidths=0)
    canvas.amounts(axes, "x")
    canvas.name_axis(axes, f"contribution to {outcome} ({unit})")
    _value_key(figure)
    return figure


def _value_key(figure: Figure) -> None:
    """A small bar from blue to red at the lower right."""
    width, height = figure.get_size_inches()
    bar = figure.add_axes((1 - 2.05 / width, 0.3 / height, 1.0 / width, 0.1 / height))
    bar.imshow(canvas.low_to_high(np.linspace(0, 1, 200))[None, :, :], aspect="auto")
    bar.set_axis_off()
    canvas.write(bar, -8, 0, "value low", ha="right")
    canvas.write(bar, 208, 0, "high", ha="left")


def _ranked(contributions: npt.ArrayLike, features: pd.DataFrame, top: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """The matrix, the columns that move most (ties by name), and each column's share of all movement."""
    matrix = np.asarray(contributions, dtype=np.float64)
    if matrix.shape != features.shape or not matrix.size:
        raise ValueError(f"contributions of shape {matrix.shape} for features of shape {features.shape}")
    size = np.abs(matrix).mean(axis=0)
    order = np.lexsort((features.columns.astype(str).to_numpy(dtype=object), -size))[:top]
    return matrix, order.astype(np.int64), size / (size.sum() or 1.0)


def _standing(column: pd.Series) -> FloatArray:
    """Each value's place among the distinct ones, 0 lowest to 1 highest; NaN for null and text."""
    if not pd.api.types.is_numeric_dtype(column):
        return np.full(len(column), np.nan)
    ranks = column.rank(method="dense").to_numpy(dtype=np.float64, na_value=np.nan)
    distinct = column.nunique()
    return np.asarray((ranks - 1.0) / (distinct - 1) if distinct > 1 else ranks - 0.5, dtype=np.float64)


def _names(features: pd.DataFrame, order: IntArray) -> list[str]:
    names = [str(features.columns[place]) for place in order]
    return [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]


def _off(ratio: float) -> str:
    off = abs(ratio - 1.0)
    return "right" if off < 0.005 else f"{_percent(off)} too {'high' if ratio > 1 else 'low'}"


def _percent(share: float, places: int = 0) -> str:
    return f"{share * 100:.{places}f}{NBSP}%"
