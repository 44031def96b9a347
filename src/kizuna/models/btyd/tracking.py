"""The tracking table: repeat purchases as they came beside those that a model expects, over calendar time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizuna.models.btyd.beta_geometric import BGNBD, MBGNBD

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def tracking_table(model: BGNBD | MBGNBD, first: ArrayLike, repeats: ArrayLike, until: int) -> pd.DataFrame:
    """One row per period 1, 2, … ``until``: ``actual`` and ``expected`` repeat purchases in it, and both added up.

    first: (customers,) time of each customer's first purchase, counted in the model's unit from the start of the log.
    repeats: (purchases,) times of all repeat purchases of these customers. A purchase at time t falls in period ⌈t⌉. What is
    expected is known at the first purchase alone, so that periods after those of the fit test the model. ValueError where
    times are missing or negative. Fader, Hardie & Lee (2005), equation 9 and figures 2 and 3.
    """
    import pandas as pd

    starts, customers = np.unique(_times("first", first), return_counts=True)
    came = np.ceil(_times("repeats", repeats))
    periods = np.arange(1, until + 1)
    expected = np.zeros(until)
    nothing = np.zeros(until)
    for start, count in zip(starts, customers, strict=True):
        expected += count * model.expected_purchases(nothing, nothing, nothing, np.maximum(periods - start, 0))
    counted = np.bincount(came[came <= until].astype(np.int64), minlength=until + 1)
    counted[1] += counted[0]
    actual = counted[1:].astype(np.float64)
    return pd.DataFrame(
        {
            "period": periods,
            "actual": actual,
            "expected": np.diff(expected, prepend=0.0),
            "actual_total": actual.cumsum(),
            "expected_total": expected,
        }
    )


def _times(name: str, given: ArrayLike) -> Floats:
    times = np.asarray(given, dtype=np.float64)
    if not (times >= 0).all():
        raise ValueError(
            f"{name} asks for times from the start of the log, 0 or later; found {times[~(times >= 0)][:3]}."
        )
    return times
