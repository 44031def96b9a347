"""Who moved from which stage to which, from a period's start to its end, with the money each move spent meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.kpi.periods import Grid
from kizuna.kpi.scene import Scene
from kizuna.kpi.standing import PROSPECT, STAGES
from kizuna.timeline import date_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["kind", "period", "start", "end", "finished", "from_stage", "to_stage", "customers", "revenue"]


def moves(scene: Scene) -> NDArray[np.float64]:
    """(2, periods, stages, stages): customers, and what they spent in the period, by stage at its start and at its end."""
    size, money = len(STAGES), scene.revenue
    out = np.zeros((2, len(scene.grid.periods), size, size))
    for place, (low, high) in enumerate(scene.grid.spans):
        cell = scene.standing.stage[low].astype(np.int64) * size + scene.standing.stage[high]
        for number, weights in enumerate((None, money[place])):
            out[number, place] = np.bincount(cell, weights, minlength=size * size).reshape(size, size)
    return out


def migration_frame(sums: NDArray[np.float64], grid: Grid, arrives_after_days: int) -> pd.DataFrame:
    """``COLUMNS``: a row for each move that somebody made, of each period shown; who never bought is in it only with returns."""
    import pandas as pd

    rows = []
    finished = grid.finished(arrives_after_days)
    for place, period in enumerate(grid.periods):
        if not period.shown:
            continue
        for before, after in np.argwhere(sums[0, place] > 0).tolist():
            customers, revenue = sums[0, place, before, after], sums[1, place, before, after]
            if before == after == PROSPECT and not revenue:
                continue
            named = (period.kind, period.name, date_of(period.start), date_of(period.end - 1), bool(finished[place]))
            rows.append((*named, STAGES[before], STAGES[after], int(customers), round(float(revenue), 6)))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    texts = ["kind", "period", "from_stage", "to_stage"]
    frame[texts] = frame[texts].astype("str")
    return frame.astype({"finished": "bool", "customers": "int64", "revenue": "float64"})
