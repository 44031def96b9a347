"""Churn as cancellation: eligible customers hold a live contract without notice; churned ones end it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kizuna.data.events import NEVER
from kizuna.features.history import History
from kizuna.labels.outcome import Outcome

TABLE = "subscriptions"


def eligible(h: History, active_within_days: int) -> NDArray[np.bool_]:
    """Rows whose customer has a live contract and has given no notice on it; ``active_within_days`` plays no part."""
    live = h.count() - h.finished_by("ended_at", "notice_at").count()
    return np.asarray(live > 0, dtype=np.bool_)


def churned(h: History, outcome: Outcome) -> NDArray[np.float64]:
    """1 where a live contract ends (or its notice is given) in the window and none is live at the window's end.

    A contract under notice is not live, and what training's day could not know yet has not happened.
    """
    events, rows, window = outcome.events, outcome.rows, outcome.window
    days = [events.days[name] for name in ("ended_at", "notice_at") if name in events.days]
    finish = np.minimum.reduce([np.full(len(events.day), NEVER, dtype=np.int32), *days])
    finish = np.where(finish < outcome.train_day, finish, NEVER)
    begun = np.where(events.known < outcome.train_day, events.day, NEVER)
    low = rows.as_of + np.int32(window.gap_days)
    days_of_row = (rows.as_of, low, low + np.int32(window.horizon_days))
    return np.asarray(_contracts_lost(events.starts, (begun, finish), rows.customer, days_of_row))


@njit(cache=True, nogil=True)
def _contracts_lost(starts: Any, contract: tuple[Any, ...], row_customer: Any, row_days: tuple[Any, ...]) -> Any:
    begun, finish = contract
    as_of, low, high = row_days
    out = np.zeros(len(row_customer))
    for row in range(len(row_customer)):
        lost, live = 0, 0
        for position in range(starts[row_customer[row]], starts[row_customer[row] + 1]):
            held = begun[position] < as_of[row] and finish[position] >= as_of[row]
            if held and low[row] <= finish[position] < high[row]:
                lost += 1
            if begun[position] < high[row] and finish[position] >= high[row]:
                live += 1
        if lost > 0 and live == 0:
            out[row] = 1.0
    return out
