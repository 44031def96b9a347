"""Compiled loops behind History: one pass per window edge, prefix sums inside customers, nothing copied per snapshot.

All arrays are sorted by customer; ``starts`` gives each customer's first position, with the total appended.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
NO_DAY = -2_000_000_000
"""Stands for a day where there is none; earlier than any day that a row can have."""


@njit(cache=True, nogil=True)
def edges(starts: Array, day: Array, row_customer: Array, row_day: Array) -> Array:
    """For each row the first event of its customer with ``day >= row_day``; rows sorted by customer and day."""
    out = np.empty(len(row_customer), np.int64)
    current, position = -1, 0
    for row in range(len(row_customer)):
        customer = row_customer[row]
        if customer != current:
            current, position = customer, starts[customer]
        end = starts[customer + 1]
        while position < end and day[position] < row_day[row]:
            position += 1
        out[row] = position
    return out


@njit(cache=True, nogil=True)
def running_sums(starts: Array, values: Array, where: Array) -> Array:
    """Inclusive sums that begin anew with each customer, so that no customer's digits are lost to another's total."""
    out = np.empty(len(values), np.float64)
    for customer in range(len(starts) - 1):
        total = 0.0
        for position in range(starts[customer], starts[customer + 1]):
            if where[position] and not np.isnan(values[position]):
                total += values[position]
            out[position] = total
    return out


@njit(cache=True, nogil=True)
def window_sums(starts: Array, sums: Array, row_customer: Array, low: Array, high: Array) -> Array:
    """The sum over positions ``[low, high)`` of each row, from running sums."""
    out = np.zeros(len(row_customer), np.float64)
    for row in range(len(row_customer)):
        if high[row] > low[row]:
            total = sums[high[row] - 1]
            if low[row] > starts[row_customer[row]]:
                total -= sums[low[row] - 1]
            out[row] = total
    return out


@njit(cache=True, nogil=True)
def add_late(
    out: Array, rows: tuple[Array, ...], event: tuple[Array, ...], values: Array, where: Array, low: int, high: int
) -> None:
    """Adds to windowed sums the events of ``where`` that lie in the window and were known, one by one."""
    row_starts, row_day = rows
    customer, day, known = event
    for position in range(len(day)):
        if where[position] and not np.isnan(values[position]):
            for row in range(row_starts[customer[position]], row_starts[customer[position] + 1]):
                as_of = row_day[row]
                if known[position] < as_of and as_of + low <= day[position] < as_of + high:
                    out[row] += values[position]


@njit(cache=True, nogil=True)
def recent_days(starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array, count: int) -> Array:
    """The last ``count`` distinct days before each row's day with a known, open event, newest first, then NO_DAY.

    ``event``: day, known day, and the day until which the event is open.
    """
    day, known, open_until = event
    row_customer, row_day, high = row
    out = np.full((len(row_customer), count), NO_DAY, np.int64)
    for index in range(len(row_customer)):
        found = 0
        position = high[index] - 1
        while position >= starts[row_customer[index]] and found < count:
            usable = where[position] and known[position] < row_day[index] and open_until[position] >= row_day[index]
            if usable and (found == 0 or out[index, found - 1] != day[position]):
                out[index, found] = day[position]
                found += 1
            position -= 1
    return out


@njit(cache=True, nogil=True)
def mean_on_day(
    starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array, values: Array, back: int
) -> Array:
    """The mean value on the last day with a known, open value, ``back`` such days earlier if asked; NaN where there is none."""
    day, known, open_until = event
    row_customer, row_day, high = row
    out = np.full(len(row_customer), np.nan)
    for index in range(len(row_customer)):
        seen, current, total, count = 0, NO_DAY, 0.0, 0
        position = high[index] - 1
        while position >= starts[row_customer[index]]:
            usable = where[position] and known[position] < row_day[index] and open_until[position] >= row_day[index]
            if usable and not np.isnan(values[position]):
                if day[position] != current:
                    if seen == back + 1:
                        break
                    seen += 1
                    current = day[position]
                    total, count = 0.0, 0
                total += values[position]
                count += 1
            position -= 1
        if seen == back + 1 and count > 0:
            out[index] = total / count
    return out


@njit(cache=True, nogil=True)
def first_day(starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array) -> Array:
    """The first day with a known, open event, or NO_DAY."""
    day, known, open_until = event
    row_customer, row_day, high = row
    out = np.full(len(row_customer), NO_DAY, np.int64)
    for index in range(len(row_customer)):
        for position in range(starts[row_customer[index]], high[index]):
            if where[position] and known[position] < row_day[index] and open_until[position] >= row_day[index]:
                out[index] = day[position]
                break
    return out


@njit(cache=True, nogil=True)
def last_position(starts: Array, known: Array, row: tuple[Array, ...]) -> Array:
    """The position of the last known event before each row's day, or −1."""
    row_customer, row_day, high = row
    out = np.full(len(row_customer), -1, np.int64)
    for index in range(len(row_customer)):
        position = high[index] - 1
        while position >= starts[row_customer[index]] and known[position] >= row_day[index]:
            position -= 1
        if position >= starts[row_customer[index]]:
            out[index] = position
    return out
