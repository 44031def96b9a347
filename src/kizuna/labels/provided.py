"""Churn as somebody else recorded it: the ``labels`` table, dated by ``as_of`` or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import UNDATED, Events
from kizuna.features.history import History
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


def has_left(labels: History, seen: Sequence[History], window: LabelWindow) -> NDArray[np.bool_]:
    """Rows whose customer had churned by then, as a dated label told that had matured, and was not seen again since.

    seen: the tables in which a customer who has come back would stand; who has a label of that very day is back as well.
    Undated labels say nothing of the past.
    """
    labelled = labels.events.day
    if not len(labelled) or bool(np.all(labelled == UNDATED)):
        return np.zeros(len(labels.rows), dtype=np.bool_)
    ended = np.where(labelled == UNDATED, labelled, labelled + np.int32(window.matured_on(0) - 1)).astype(np.int32)
    told = labels.dated_as(ended)
    left = told.last_day(told.numbers("churned") == 1)
    back = [np.nan_to_num(history.count_between(left)) > 0 for history in seen]
    return np.asarray(~np.isnan(left) & ~np.logical_or.reduce([_position(labels.events, labels.rows) >= 0, *back]))


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
