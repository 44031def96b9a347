"""Churn as somebody else recorded it: the ``labels`` table, dated by ``as_of`` or not at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import UNDATED, Events
from kizuna.features.history import Rows
from kizuna.timeline import LabelWindow

TABLE = "labels"
Floats = NDArray[np.float64]


def labels_of(events: Events, rows: Rows, window: LabelWindow, train_day: int | None) -> tuple[Floats, Floats]:
    """(churned, value) of each row's customer and day; NaN where no matured label says so.

    A dated label is matured when its ``known_at``, or without it its whole window, lies before ``train_day``.
    """
    churned = np.full(len(rows), np.nan)
    value = np.full(len(rows), np.nan)
    values = events.numbers.get("value", np.full(len(events.day), np.nan))
    undated = events.day == UNDATED
    dated_known = np.where(events.known > events.day, events.known, window.matured_on(0) + events.day - 1)
    usable = undated | (dated_known < train_day if train_day is not None else undated)
    position = _position(events, rows)
    found = (position >= 0) & usable[np.maximum(position, 0)]
    churned[found] = events.numbers["churned"][position[found]]
    value[found] = values[position[found]]
    return churned, value


def snapshot_days(events_days: NDArray[np.int32]) -> list[int]:
    """The distinct days of dated labels, newest first; empty where labels are undated."""
    return sorted({int(day) for day in np.unique(events_days) if day != UNDATED}, reverse=True)


def _position(events: Events, rows: Rows) -> NDArray[np.int64]:
    """The label row of each frame row: same customer and day, or the customer's undated one; −1 where there is none."""
    if not len(events.day):
        return np.full(len(rows), -1, dtype=np.int64)
    key = _key(events.customer, events.day)
    undated = bool(np.all(events.day == UNDATED))
    wanted = _key(rows.customer, np.full_like(rows.as_of, UNDATED) if undated else rows.as_of)
    position = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[position] == wanted, position, -1)


def _key(customer: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.int64]:
    return customer.astype(np.int64) * 2**32 + (day.astype(np.int64) + 2**31)
