"""Log-likelihood of BG/NBD and MBG/NBD with its gradient, from collapsed histories.

Both are one formula. With k chances to drop out after x repeat purchases (k = x in BG/NBD, which offers none after the
first purchase; k = x + 1 in MBG/NBD), up to factors that both share:

    B(a, b+k) / B(a, b) · Γ(r+x) α^r / Γ(r) · [ (α+T)^−(r+x) + 1{k>0} · a / (b+k−1) · (α+t_x)^−(r+x) ]

Sources: Fader, Hardie & Lee (2005), equation 6; Batislam, Denizel & Filiztekin (2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kizuna.models.btyd.histories import Histories

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sums:
    """What the likelihood needs of the customers. ``rows``: (4, n), frequency, recency, age, weight.

    ``beyond``: (max frequency,), the customers with more than j repeat purchases. ``first_chance``: 0 or 1, the chances
    to drop out before the first repeat purchase.
    """

    rows: Floats
    beyond: Floats
    first_chance: int
    customers: float


def make_sums(histories: Histories, first_chance: int) -> Sums:
    """The sums of collapsed histories."""
    counts = np.bincount(histories.frequency.astype(np.intp), weights=histories.weight)
    beyond = np.cumsum(counts[::-1])[::-1][1:]
    rows = np.stack([histories.frequency, histories.recency, histories.age, histories.weight])
    return Sums(rows, np.ascontiguousarray(beyond), first_chance, float(histories.weight.sum()))


def log_likelihood(sums: Sums, params: Floats) -> tuple[float, Floats]:
    """The total, and its gradient by log r, log alpha, log a, log b, (4,). params: r, alpha, a, b."""
    total = _of_steps(sums.beyond, sums.customers, params, sums.first_chance)
    total += _of_rows(sums.rows, params, sums.first_chance)
    return float(total[0]), total[1:]


@njit(cache=True, nogil=True)
def _of_steps(beyond: Floats, customers: float, params: Floats, first_chance: int) -> Floats:
    """The part that depends on counts alone: Γ(r+x)/Γ(r) and B(a, b+k)/B(a, b) as sums over steps."""
    r, _, a, b = params
    out = np.zeros(5)
    for step in range(beyond.size):
        out[0] += beyond[step] * math.log(r + step)
        out[1] += beyond[step] * r / (r + step)
    for step in range(beyond.size + first_chance):
        weight = customers if step < first_chance else beyond[step - first_chance]
        out[0] -= weight * math.log1p(a / (b + step))
        out[3] -= weight * a / (a + b + step)
        out[4] += weight * b * (1 / (b + step) - 1 / (a + b + step))
    return out


@njit(cache=True, nogil=True)
def _of_rows(rows: Floats, params: Floats, first_chance: int) -> Floats:
    """The part that depends on times. Logarithms are of ratios, so that a huge alpha costs no digits."""
    r, alpha, a, b = params
    out = np.zeros(5)
    for row in range(rows.shape[1]):
        x, last, age, weight = rows[0, row], rows[1, row], rows[2, row], rows[3, row]
        waited = math.log1p(age / alpha)
        value = -r * waited - x * math.log(alpha + age)
        by_r = -waited
        by_alpha = (r * age - x * alpha) / (alpha + age)
        chances = x + first_chance
        if chances > 0:
            silent = math.log1p((age - last) / (alpha + last))
            gone = math.log(a / (b + chances - 1)) + (r + x) * silent
            small = math.exp(-abs(gone))
            share = 1 / (1 + small) if gone > 0 else small / (1 + small)
            value += max(gone, 0.0) + math.log1p(small)
            by_r += share * silent
            by_alpha -= share * (r + x) * alpha * (age - last) / ((alpha + age) * (alpha + last))
            out[3] += weight * share
            out[4] -= weight * share * b / (b + chances - 1)
        out[0] += weight * value
        out[1] += weight * r * by_r
        out[2] += weight * by_alpha
    return out
