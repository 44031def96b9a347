"""Sums over customers from which every rate, total and interval follows; they add up over blocks of customers.

A measure gives two numbers for each customer and period, ``x`` and ``y``: a rate is the sum of y over the sum of x, a
total the sum of y. Sums of products with the same customer's numbers of an earlier period tell how far two figures move
together, which the interval of their difference needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kizuna.kpi.groups import Groups
from kizuna.kpi.periods import Grid

Floats = NDArray[np.float64]
# n, x, y, xx, xy, yy; then with the period before, and with the same one a year earlier: x·x', x·y', y·x', y·y'.
N, X, Y, XX, XY, YY, BEFORE, YEAR = 0, 1, 2, 3, 4, 5, 6, 10
WIDTH = 14
# Twice as many days as any spell can last.
_LONGEST = 2**24


@dataclass(frozen=True)
class Measured:
    """One measure of a block: ``x`` and ``y`` (periods, customers). ``name``: the KPI's code.

    ``group``: of a KPI that is cut by what happened (a touchpoint) and not by who the customer is, the dimension and group.
    """

    name: str
    x: Floats
    y: Floats
    group: tuple[str, str] | None = None


@dataclass(frozen=True)
class Spells:
    """Spells of time of a block: ``days`` each lasted, until its end was ``seen`` or it was lost from sight.

    ``customer``: whose. ``day``: on which it began, and by which it belongs to a period.
    """

    name: str
    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    days: NDArray[np.int64]
    seen: NDArray[np.bool_]


def moments(measured: Measured, codes: NDArray[np.int16], grid: Grid, groups: Groups) -> Floats:
    """(cells, WIDTH): a cell for each dimension, period and group in this order; see ``cells``. Of a group: periods only."""
    sizes = groups.sizes
    if measured.group is not None:
        codes, sizes = np.zeros_like(codes[:1]), np.ones(1, dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes * len(grid.periods))])
    out = np.zeros((offsets[-1], WIDTH))
    x, y = (np.ascontiguousarray(values, dtype=np.float64) for values in (measured.x, measured.y))
    _add(x, y, codes, (sizes, offsets), (grid.before, grid.year_before), out)
    return out


def spell_counts(spells: Spells, codes: NDArray[np.int16], grid: Grid, groups: Groups) -> NDArray[np.int64]:
    """(rows, 4): cell, days, seen, how many spells of these; sorted."""
    sizes = groups.sizes
    offsets = np.concatenate([[0], np.cumsum(sizes * len(grid.periods))])
    keys = [np.empty(0, dtype=np.int64)]
    for place, period in enumerate(grid.periods):
        mine = np.flatnonzero((spells.day >= period.start) & (spells.day < period.end))
        spell = spells.days[mine] * 2 + spells.seen[mine]
        for dimension, size in enumerate(sizes):
            cell = offsets[dimension] + place * size + codes[dimension, place, spells.customer[mine]].astype(np.int64)
            keys.append(cell * _LONGEST + spell)
    every = np.concatenate(keys)
    return _unpacked(every, np.ones(len(every), dtype=np.int64))


def added(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Counts of spells of several blocks as those of all together."""
    rows = np.concatenate(parts)
    return _unpacked(rows[:, 0] * _LONGEST + rows[:, 1] * 2 + rows[:, 2], rows[:, 3])


def _unpacked(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(rows, 4) of keys that hold cell, days and whether the end was seen, each once."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else order
    totals = np.add.reduceat(counts[order], firsts) if len(keys) else counts
    distinct = keys[firsts]
    spell = distinct % _LONGEST
    return np.column_stack([distinct // _LONGEST, spell // 2, spell % 2, totals])


def cells(grid: Grid, groups: Groups) -> list[tuple[str, int, str]]:
    """Dimension, place of the period, and group of each cell, in the order of ``moments``."""
    return [
        (dimension, place, level)
        for dimension, levels in groups.levels.items()
        for place in range(len(grid.periods))
        for level in levels
    ]


@njit(cache=True, nogil=True)
def _add(x: Any, y: Any, codes: Any, places: Any, earlier: Any, out: Any) -> None:
    sizes, offsets = places
    before, year_before = earlier
    for period in range(x.shape[0]):
        one, other = before[period], year_before[period]
        for customer in range(x.shape[1]):
            a, b = x[period, customer], y[period, customer]
            if a == 0.0 and b == 0.0:
                continue
            c, d, e, f = 0.0, 0.0, 0.0, 0.0
            if one >= 0:
                c, d = x[one, customer], y[one, customer]
            if other >= 0:
                e, f = x[other, customer], y[other, customer]
            for dimension in range(codes.shape[0]):
                group = codes[dimension, period, customer]
                cell = offsets[dimension] + period * sizes[dimension] + group
                out[cell, 0] += 1.0
                out[cell, 1] += a
                out[cell, 2] += b
                out[cell, 3] += a * a
                out[cell, 4] += a * b
                out[cell, 5] += b * b
                if (c != 0.0 or d != 0.0) and codes[dimension, one, customer] == group:
                    out[cell, 6] += a * c
                    out[cell, 7] += a * d
                    out[cell, 8] += b * c
                    out[cell, 9] += b * d
                if (e != 0.0 or f != 0.0) and codes[dimension, other, customer] == group:
                    out[cell, 10] += a * e
                    out[cell, 11] += a * f
                    out[cell, 12] += b * e
                    out[cell, 13] += b * f
