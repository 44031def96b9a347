"""What happened to a block of customers in the label window of each snapshot, as training on its day could know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kizuna.data.events import Events
from kizuna.features import sweep
from kizuna.features.rows import Rows
from kizuna.timeline import LabelWindow

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One table's rows after each snapshot: days ``[as_of + gap, as_of + gap + horizon)``, known before ``train_day``."""

    events: Events
    rows: Rows
    window: LabelWindow
    train_day: int

    def count(self, where: NDArray[np.bool_] | None = None) -> Floats:
        """How many events fall in the window."""
        return self.sum(np.ones(len(self.events.day)), where)

    def sum(self, values: Floats, where: NDArray[np.bool_] | None = None) -> Floats:
        """The sum of ``values`` over events in the window, nulls left out."""
        usable = self._usable(values, where)
        events, rows = self.events, self.rows
        sums = sweep.sums_before(events.starts, values, usable)
        low = sweep.edges(events.starts, events.day, rows.customer, self._start, 0)
        high = sweep.edges(events.starts, events.day, rows.customer, self._start, self.window.horizon_days)
        return sweep.window_sums(sums, rows.customer, low, high)

    def sum_placed(self, placed: NDArray[np.int32], values: Floats, where: NDArray[np.bool_]) -> Floats:
        """The sum over events of the window whose ``placed`` day (of the order they belong to) lies in it too."""
        usable = self._usable(values, where)
        days = (self._start, self._start + np.int32(self.window.horizon_days))
        event = (self.events.customer, self.events.day, placed)
        return np.asarray(_sum_placed(self.rows.starts, event, values, usable, days))

    @property
    def _start(self) -> NDArray[np.int32]:
        return self.rows.as_of + np.int32(self.window.gap_days)

    def _usable(self, values: Floats, where: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        usable = (self.events.known < self.train_day) & ~np.isnan(values)
        return usable if where is None else usable & where


@njit(cache=True, nogil=True)
def _sum_placed(row_starts: Any, event: tuple[Any, ...], values: Any, usable: Any, row_days: tuple[Any, ...]) -> Any:
    customer, day, placed = event
    start, end = row_days
    out = np.zeros(len(start))
    for position in range(len(day)):
        if usable[position]:
            for row in range(row_starts[customer[position]], row_starts[customer[position] + 1]):
                if start[row] <= day[position] < end[row] and start[row] <= placed[position] < end[row]:
                    out[row] += values[position]
    return out
