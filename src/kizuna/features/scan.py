"""Compiled loops of History that look at single events: last and first days, rhythm, kinds, spans between two days.

Each loop walks back from ``high`` (each row's first event that is not past) or forward from the customer's first event,
and uses only events of ``where`` that were known before the row's day. ``event`` holds day, known day and, where given,
the day until which the event is open; ``row`` holds customer, day and ``high``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kizuna.features.sweep import NO_DAY, Array


@njit(cache=True, nogil=True)
def last_day(starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array) -> Array:
    """The day of the last known, open event before each row's day; NaN where there is none."""
    day, known, open_until = event
    row_customer, row_day, high = row
    out = np.full(len(row_customer), np.nan)
    for index in range(len(row_customer)):
        position = high[index] - 1
        while position >= starts[row_customer[index]]:
            if where[position] and known[position] < row_day[index] and open_until[position] >= row_day[index]:
                out[index] = day[position]
                break
            position -= 1
    return out


@njit(cache=True, nogil=True)
def first_days(low: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array, count: int) -> Array:
    """The first ``count`` distinct days from each row's ``low`` on with a known, open event, oldest first, then NO_DAY."""
    day, known, open_until = event
    _, row_day, high = row
    out = np.full((len(row_day), count), NO_DAY, np.int64)
    for index in range(len(row_day)):
        found = 0
        position = low[index]
        while position < high[index] and found < count:
            usable = where[position] and known[position] < row_day[index] and open_until[position] >= row_day[index]
            if usable and (found == 0 or out[index, found - 1] != day[position]):
                out[index, found] = day[position]
                found += 1
            position += 1
    return out


@njit(cache=True, nogil=True)
def rhythm(
    starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array, gaps: int, steady: bool
) -> Array:
    """(2, rows): the median of the last ``gaps`` gaps between distinct days, and their coefficient of variation.

    The median is NaN without a gap, the variation (population) below two. ``steady``: two rows of a customer without an
    event between them know the same.
    """
    day, known, _ = event
    row_customer, row_day, high = row
    out = np.full((2, len(row_customer)), np.nan)
    ordered = np.empty(gaps, np.int64)
    for index in range(len(row_customer)):
        if steady and index > 0 and row_customer[index] == row_customer[index - 1] and high[index] == high[index - 1]:
            out[:, index] = out[:, index - 1]
            continue
        found, later = 0, NO_DAY
        position = high[index] - 1
        while position >= starts[row_customer[index]] and found < gaps:
            if where[position] and known[position] < row_day[index] and day[position] != later:
                if later != NO_DAY:
                    gap = later - day[position]
                    place = found
                    while place > 0 and ordered[place - 1] > gap:
                        ordered[place] = ordered[place - 1]
                        place -= 1
                    ordered[place] = gap
                    found += 1
                later = day[position]
            position -= 1
        if found > 0:
            out[0, index] = (ordered[(found - 1) // 2] + ordered[found // 2]) / 2
        if found > 1:
            mean = 0.0
            for place in range(found):
                mean += ordered[place]
            mean /= found
            spread = 0.0
            for place in range(found):
                spread += (ordered[place] - mean) ** 2
            out[1, index] = np.sqrt(spread / found) / mean
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
def mean_on_first_day(
    starts: Array, event: tuple[Array, ...], row: tuple[Array, ...], where: Array, values: Array
) -> Array:
    """The mean value on the first day with a known value; NaN where there is none."""
    day, known, _ = event
    row_customer, row_day, high = row
    out = np.full(len(row_customer), np.nan)
    for index in range(len(row_customer)):
        current, total, count = NO_DAY, 0.0, 0
        for position in range(starts[row_customer[index]], high[index]):
            if where[position] and known[position] < row_day[index] and not np.isnan(values[position]):
                if count > 0 and day[position] != current:
                    break
                current = day[position]
                total += values[position]
                count += 1
        if count > 0:
            out[index] = total / count
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


@njit(cache=True, nogil=True)
def largest(known: Array, row_day: Array, low: Array, high: Array, where: Array, values: Array) -> Array:
    """The largest known value at positions ``[low, high)``; NaN where there is none."""
    out = np.full(len(row_day), np.nan)
    for index in range(len(row_day)):
        for position in range(low[index], high[index]):
            usable = where[position] and known[position] < row_day[index] and not np.isnan(values[position])
            if usable and not values[position] <= out[index]:
                out[index] = values[position]
    return out


@njit(cache=True, nogil=True)
def tally(known: Array, row_day: Array, low: Array, high: Array, where: Array, codes: Array, levels: int) -> Array:
    """(3, rows): how many different codes (0 … levels − 1), how often the most frequent, and how many coded events."""
    out = np.zeros((3, len(row_day)))
    seen = np.full(levels, -1, np.int64)
    count = np.zeros(levels, np.int64)
    for index in range(len(row_day)):
        for position in range(low[index], high[index]):
            code = codes[position]
            if code >= 0 and where[position] and known[position] < row_day[index]:
                if seen[code] != index:
                    seen[code], count[code] = index, 0
                    out[0, index] += 1
                count[code] += 1
                out[1, index] = max(out[1, index], count[code])
                out[2, index] += 1
    return out


@njit(cache=True, nogil=True)
def sum_between(
    starts: Array,
    event: tuple[Array, ...],
    row: tuple[Array, ...],
    span: tuple[Array, Array],
    where: Array,
    values: Array,
) -> Array:
    """The sum of known values with ``span[0] <= day < span[1]``, days of each row's own; NaN where either is."""
    day, known, _ = event
    row_customer, row_day, high = row
    begin, end = span
    out = np.full(len(row_customer), np.nan)
    for index in range(len(row_customer)):
        if np.isnan(begin[index]) or np.isnan(end[index]):
            continue
        total = 0.0
        position = high[index] - 1
        while position >= starts[row_customer[index]] and day[position] >= begin[index]:
            usable = where[position] and known[position] < row_day[index] and day[position] < end[index]
            if usable and not np.isnan(values[position]):
                total += values[position]
            position -= 1
        out[index] = total
    return out


@njit(cache=True, nogil=True)
def repeats(starts: Array, event: tuple[Array, ...], codes: Array, where: Array, within: int) -> Array:
    """Coded events of ``where`` that follow one of the same customer and code by 1 … ``within`` days, known no later."""
    day, known, _ = event
    out = np.zeros(len(day), np.bool_)
    for customer in range(len(starts) - 1):
        for position in range(starts[customer], starts[customer + 1]):
            if not where[position] or codes[position] < 0:
                continue
            before = position - 1
            while before >= starts[customer] and day[before] >= day[position] - within:
                same = where[before] and codes[before] == codes[position] and day[before] < day[position]
                if same and known[before] <= known[position]:
                    out[position] = True
                    break
                before -= 1
    return out
