"""Compiled loops behind the windows of History: one pass per window edge, sums inside customers, nothing copied.

All event arrays are sorted by customer; ``starts`` gives each customer's first position, with the total appended. Rows
are sorted by customer and day. Loops that look at single events are in ``scan.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, vectorize
from numpy.typing import NDArray

Array = NDArray[Any]
NO_DAY = -2_000_000_000
"""Stands for a day where there is none; earlier than any day that a row can have."""


@njit(cache=True, nogil=True)
def edges(starts: Array, day: Array, row_customer: Array, row_day: Array, offset: int) -> Array:
    """For each row the position of its customer's first event with ``day >= row_day + offset``."""
    out = np.empty(len(row_customer), np.int32)
    current, position, end = -1, 0, 0
    for row in range(len(row_customer)):
        if row_customer[row] != current:
            current = row_customer[row]
            position, end = starts[current], starts[current + 1]
        limit = row_day[row] + offset
        while position < end and day[position] < limit:
            position += 1
        out[row] = position
    return out


@njit(cache=True, nogil=True)
def counts_before(starts: Array, where: Array) -> Array:
    """How many events of ``where`` lie before each position, anew for each customer.

    Customer ``c`` has one place more than events: what lies before position ``p`` stands at ``p + c``.
    """
    out = np.empty(len(where) + len(starts) - 1, np.int32)
    for customer in range(len(starts) - 1):
        count = 0
        for position in range(starts[customer], starts[customer + 1]):
            out[position + customer] = count
            if where[position]:
                count += 1
        out[starts[customer + 1] + customer] = count
    return out


@njit(cache=True, nogil=True)
def window_counts(before: Array, row_customer: Array, low: Array, high: Array) -> Array:
    """How many events lie at positions ``[low, high)`` of each row, ``low <= high``, from the counts before."""
    out = np.empty(len(row_customer), np.float64)
    for row in range(len(row_customer)):
        customer = row_customer[row]
        out[row] = before[high[row] + customer] - before[low[row] + customer]
    return out


@njit(cache=True, nogil=True)
def sums_before(starts: Array, values: Array, where: Array) -> Array:
    """(places, 2): the sum of what lies before each position, as for the counts, and what its rounding left out.

    A sum and its rest (Knuth's TwoSum) hold the total to 106 bits, so that the difference of two totals is the sum of what
    lies between them, however large the totals.
    """
    out = np.empty((len(values) + len(starts) - 1, 2), np.float64)
    for customer in range(len(starts) - 1):
        total, rest = 0.0, 0.0
        for position in range(starts[customer], starts[customer + 1]):
            out[position + customer, 0], out[position + customer, 1] = total, rest
            if where[position] and not np.isnan(values[position]):
                value = values[position]
                grown = total + value
                part = grown - total
                rest += (total - (grown - part)) + (value - part)
                total = grown + rest
                rest -= total - grown
        last = starts[customer + 1] + customer
        out[last, 0], out[last, 1] = total, rest
    return out


@njit(cache=True, nogil=True)
def window_sums(before: Array, row_customer: Array, low: Array, high: Array) -> Array:
    """The sum over positions ``[low, high)`` of each row, ``low <= high``, from the sums before."""
    out = np.empty(len(row_customer), np.float64)
    for row in range(len(row_customer)):
        first, last = low[row] + row_customer[row], high[row] + row_customer[row]
        out[row] = (before[last, 0] - before[first, 0]) + (before[last, 1] - before[first, 1])
    return out


@njit(cache=True, nogil=True)
def add_recent(out: Array, row_day: Array, low: Array, high: Array, known: Array, values: Array, where: Array) -> None:
    """Adds to each row the events at positions ``[low, high)`` that were known, one by one."""
    for row in range(len(row_day)):
        for position in range(low[row], high[row]):
            if where[position] and known[position] < row_day[row] and not np.isnan(values[position]):
                out[row] += values[position]


@njit(cache=True, nogil=True)
def add_single(
    out: Array, rows: tuple[Array, ...], event: tuple[Array, ...], positions: Array, values: Array, low: int, high: int
) -> None:
    """Adds to the rows each of the events at ``positions`` that lies in their window and was known, one by one."""
    row_starts, row_day = rows
    customer, day, known = event
    for position in positions:
        if not np.isnan(values[position]):
            for row in range(row_starts[customer[position]], row_starts[customer[position] + 1]):
                as_of = row_day[row]
                if known[position] < as_of and as_of + low <= day[position] < as_of + high:
                    out[row] += values[position]


@njit(cache=True, nogil=True)
def leaders(starts: Array, known: Array, codes: Array, where: Array, levels: int) -> Array:
    """For each event of ``where`` the first known one (then the first by position) of its customer and code, else −1.

    Codes are 0 … levels − 1; an event with a code below 0 stands for its group of equal negative codes, which lie
    together in each customer (its day).
    """
    out = np.full(len(known), -1, np.int64)
    owner = np.full(levels, -1, np.int64)
    first = np.empty(levels, np.int64)
    for customer in range(len(starts) - 1):
        low, high = starts[customer], starts[customer + 1]
        uncoded = -1
        for position in range(low, high):
            if not where[position]:
                continue
            code = codes[position]
            if code >= 0:
                if owner[code] != customer or known[position] < known[first[code]]:
                    owner[code], first[code] = customer, position
            else:
                # The leader of a negative code stands at the group's first event until the second pass.
                if uncoded < 0 or codes[uncoded] != code:
                    uncoded = position
                    out[uncoded] = position
                elif known[position] < known[out[uncoded]]:
                    out[uncoded] = position
        uncoded = -1
        for position in range(low, high):
            if where[position]:
                if codes[position] >= 0:
                    out[position] = first[codes[position]]
                elif uncoded < 0 or codes[uncoded] != codes[position]:
                    uncoded = position
                else:
                    out[position] = out[uncoded]
    return out


@njit(cache=True, nogil=True)
def order_by_day(starts: Array, day: Array, left_out: int) -> Array:
    """Positions of the events whose day is not ``left_out``, by customer and day, equal days in their order."""
    out = np.empty(len(day), np.int64)
    count = 0
    for customer in range(len(starts) - 1):
        begin = count
        for position in range(starts[customer], starts[customer + 1]):
            if day[position] == left_out:
                continue
            place = count
            while place > begin and day[out[place - 1]] > day[position]:
                out[place] = out[place - 1]
                place -= 1
            out[place] = position
            count += 1
    return out[:count]


@njit(cache=True, nogil=True)
def place(out: Array, position: Array, values: Array) -> None:
    """Writes each value to the place of ``out`` that ``position`` names."""
    for row in range(len(values)):
        out[position[row]] = values[row]


@njit(cache=True, nogil=True)
def pick(choices: Array, codes: Array) -> Array:
    """``choices[code]`` of each code; −1 picks the last."""
    out = np.empty(len(codes), choices.dtype)
    for position in range(len(codes)):
        out[position] = choices[codes[position]]
    return out


@vectorize(["float64(float64, float64)"], cache=True)  # type: ignore[no-untyped-call, untyped-decorator]
def ratio(numerator: Any, denominator: Any) -> Any:
    """Elementwise quotient; NaN where the denominator is 0 or null."""
    return numerator / denominator if denominator != 0 else np.nan
