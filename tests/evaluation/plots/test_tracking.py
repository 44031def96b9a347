"""The tracking picture: what its title says, and that it is drawn whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.plots.evidence import png_bytes
from kizuna.evaluation.plots.tracking import tracking_figure


def table(expected: float) -> pd.DataFrame:
    """Ten weeks of 100 purchases each, of which so many were expected."""
    period = np.arange(1, 11)
    return pd.DataFrame({"period": period, "actual_total": 100.0 * period, "expected_total": expected * period})


@pytest.mark.parametrize(
    ("fitted_until", "title"),
    [
        (6, "After the fit 360 repeat purchases were expected, 400 came"),
        (10, "900 repeat purchases were expected, 1,000 came"),
        (0, "900 repeat purchases were expected, 1,000 came"),
    ],
)
def test_the_title_is_the_finding(fitted_until: int, title: str) -> None:
    figure = tracking_figure(table(90.0), fitted_until)
    assert " ".join(text.get_text() for text in figure.texts[:-1]) == title
    came, expected = figure.axes[0].lines[:2]
    assert came.get_ydata().tolist() == [0, *(100.0 * np.arange(1, 11))]
    assert expected.get_ydata()[-1] == 900
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_equal_ends_are_named_apart() -> None:
    figure = tracking_figure(table(100.0), 6)
    heights = sorted(text.get_position()[1] for text in figure.axes[0].texts if text.get_text() in ("came", "expected"))
    assert heights[1] - heights[0] > 0.04 * 1000
