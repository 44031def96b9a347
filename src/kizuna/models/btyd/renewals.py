"""Discounted renewals to come under the shifted-beta-geometric model, by a continued fraction that always converges."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def discounted_renewals(alpha: float, beta: float, survived: Floats, discount: float) -> Floats:
    """DERL, (n,): (β + k) / (α + β + k) · 2F1(1, β + k + 1; α + β + k + 1; 1 / (1 + discount)), discount above 0.

    Gauss's continued fraction of 2F1(1, ·; ·; z) has one sign and loses no digits, where library routines fail for
    whole alpha near z = 1. The number of its terms grows with 1 / sqrt(discount).
    """
    periods, which = np.unique(survived, return_inverse=True)
    far = math.ceil(20 / math.sqrt(discount / (1 + discount))) + 50
    values = [_gauss_fraction(beta + k + 1, alpha + beta + k + 1, 1 / (1 + discount), far) for k in periods]
    share = (beta + periods) / (alpha + beta + periods)
    return np.asarray((share * np.array(values))[which], dtype=np.float64)


@njit(cache=True, nogil=True)
def _gauss_fraction(b: float, c: float, z: float, terms: int) -> float:
    """2F1(1, b; c; z) for 0 < b ≤ c and 0 < z < 1, from the far end of the fraction to its front."""
    tail = 1.0
    for k in range(terms, 0, -1):
        tail = 1 - (c - 1 + k) * (b + k) / ((c + 2 * k - 1) * (c + 2 * k)) * z / tail
        tail = 1 - (c - b + k - 1) * k / ((c + 2 * k - 2) * (c + 2 * k - 1)) * z / tail
    return 1 / (1 - b / c * z / tail)
