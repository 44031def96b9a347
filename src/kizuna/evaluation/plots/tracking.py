"""The tracking table of a buy-till-you-die model as a picture: what came, what was expected, and where the fit ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kizuna.evaluation.plots import canvas
from kizuna.evaluation.plots.canvas import FAINT, INK, MODEL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_HEIGHT_INCHES = 5.6


def tracking_figure(table: pd.DataFrame, fitted_until: int, unit: str = "weeks") -> Figure:
    """Repeat purchases added up, as they came and as expected, over the periods of ``tracking_table``.

    ``fitted_until``: the last period whose purchases the model was fitted to.
    """
    period = table["period"].to_numpy()
    actual, expected = table["actual_total"].to_numpy(), table["expected_total"].to_numpy()
    later = period > fitted_until
    note = f"Repeat purchases since the first {unit[:-1]}, added up; the model knows the first {fitted_until} {unit}"
    figure, above = canvas.paper(_HEIGHT_INCHES, _finding(actual, expected, later), note)
    axes = canvas.panel(figure, (0.45, 0.85, 1.5, above + 0.35))
    top = 1.06 * max(float(actual.max(initial=1)), float(expected.max(initial=1)))
    axes.set(xlim=(0, period[-1]), ylim=(0, top))
    axes.yaxis.tick_right()
    axes.tick_params(length=0)
    axes.plot([0, *period], [0, *actual], color=INK, linewidth=1.8, clip_on=False)
    axes.plot([0, *period], [0, *expected], color=MODEL, linewidth=3.0, clip_on=False)
    if later.any():
        axes.axvline(fitted_until, color=FAINT, linewidth=1.0)
        canvas.write(axes, fitted_until, top * 0.985, "  not known to the model", va="top")
    ends = canvas.spread({"came": actual[-1], "expected": expected[-1]}, (0, top), 0.055 * top)
    for name, color in (("came", INK), ("expected", MODEL)):
        canvas.write(axes, period[-1] * 1.075, ends[name], name, color=color, ha="left")
    canvas.amounts(axes, "y")
    canvas.name_axis(axes, unit)
    return figure


def _finding(actual: np.ndarray, expected: np.ndarray, later: np.ndarray) -> str:
    if not later.any() or not later.argmax():
        return f"{expected[-1]:,.0f} repeat purchases were expected, {actual[-1]:,.0f} came"
    known = later.argmax() - 1
    said, came = expected[-1] - expected[known], actual[-1] - actual[known]
    return f"After the fit {said:,.0f} repeat purchases were expected, {came:,.0f} came"
