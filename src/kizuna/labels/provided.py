"""Churn as somebody else recorded it: the ``labels`` table, dated by ``as_of`` or not at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import UNDATED, Events
from kizuna.features.rows import Rows
from kizuna.timeline import LabelWindow

TABLE = "labels"
Floats = NDArray[np.float64]


def labels_of(events: Events, rows: Rows, window: LabelWindow, train_day: int) -> tuple[Floats, Floats]:
    """(churned, value) of each row's customer and day; NaN where no usable label says so."""
    churned = np.full(len(rows), np.nan)
    value = np.full(len(rows), np.nan)
    values = events.numbers.get("value", np.full(len(events.day), np.nan))
    position = _position(events, rows)
    found = (
        (position >= 0) & _usable(events, window, train_day)[np.maximum(position, 0)]
        if len(events.day)
        else position >= 0
    )
    churned[found] = events.numbers["churned"][position[found]]
    value[found] = values[position[found]]
    return churned, value


def matured_days(events: Events, window: LabelWindow, train_day: int) -> list[int]:
    """The distinct days of dated labels that training on ``train_day`` may use, newest first."""
    usable = _usable(events, window, train_day) & (events.day != UNDATED)
    return sorted({int(day) for day in np.unique(events.day[usable])}, reverse=True)


def _usable(events: Events, window: LabelWindow, train_day: int) -> NDArray[np.bool_]:
    """A label is usable once it was known and, if it is dated, its whole window has matured."""
    matured = events.day + window.matured_on(0) <= train_day
    return np.asarray(((events.day == UNDATED) | matured) & (events.known < train_day))


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
