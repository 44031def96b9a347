"""What a renewal process does next: the chance of no order, and the expected orders, in the customer's own time.

Gaps are Gamma(shape) with mean one. The expected number of renewals solves the renewal equation
m(x) = F(x) + ∫ m(x − s) dF(s) (Cox 1962, "Renewal Theory", equation 4.5.1), here on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kizuna.data.simulation.keyed import Floats

_FINE, _LONGEST = 0.005, 12.0
_STEP, _OLDEST, _FARTHEST = 0.05, 6.0, 8.0


@dataclass(frozen=True)
class Renewal:
    """Tables over own time: ``log_survival`` on a fine grid and its integral ``younger``, ``orders`` by age and time ahead.

    Ages below zero are waits before the gap begins.
    """

    log_survival: Floats
    younger: Floats
    orders: Floats

    def log_none_since(self, age: Floats) -> Floats:
        """The logarithm of the chance that a gap is longer than ``age``; linear beyond the table, as it tends to be."""
        position = np.maximum(age, 0.0) / _FINE
        cell = np.minimum(position, len(self.log_survival) - 2).astype(np.int64)
        low: Floats = self.log_survival.take(cell)
        return low + (position - cell) * np.diff(self.log_survival).take(cell)

    def share_younger(self, age: Floats) -> Floats:
        """The share of a long time in which the last order is less than ``age`` ago."""
        share: Floats = self.younger[np.minimum(age / _FINE, len(self.younger) - 1).astype(np.int64)]
        return share

    def expected_orders(self, age: Floats, ahead: Floats) -> Floats:
        """Expected orders in the next ``ahead`` of own time, at ``age`` since the last order."""
        ahead = np.maximum(ahead + np.minimum(age, 0.0), 0.0)
        row = np.clip(age, 0.0, _OLDEST) / _STEP
        column = np.minimum(ahead, _FARTHEST) / _STEP
        i = np.minimum(row.astype(np.int64), self.orders.shape[0] - 2)
        j = np.minimum(column.astype(np.int64), self.orders.shape[1] - 2)
        down, right, corner = row - i, column - j, i * self.orders.shape[1] + j
        flat = self.orders.ravel()
        upper = flat.take(corner) * (1 - right) + flat.take(corner + 1) * right
        corner += self.orders.shape[1]
        lower = flat.take(corner) * (1 - right) + flat.take(corner + 1) * right
        expected: Floats = upper * (1 - down) + lower * down + np.maximum(ahead - _FARTHEST, 0.0)
        return expected


@lru_cache(maxsize=4)
def renewal_of(shape: float) -> Renewal:
    """The tables of a gap shape."""
    from scipy.special import gammaincc

    survival = gammaincc(shape, shape * np.arange(0.0, _LONGEST + _FINE, _FINE))
    grid = np.arange(0.0, _OLDEST + _FARTHEST + _STEP / 2, _STEP)
    none = gammaincc(shape, shape * grid)
    count = round(_FARTHEST / _STEP) + 1
    masses = none[: count - 1] - none[1:count]
    renewals = np.zeros(count)
    for k in range(1, count):
        midpoints = (renewals[k - 1 :: -1] + renewals[k:0:-1]) / 2
        unknown = masses[0] / 2
        renewals[k] = (1 - none[k] + masses[:k] @ midpoints) / (1 - unknown)
    orders = np.zeros((round(_OLDEST / _STEP) + 1, count))
    after_first = 1 + (renewals[1:] + renewals[:-1]) / 2
    for age in range(len(orders)):
        residual = (none[age : age + count - 1] - none[age + 1 : age + count]) / none[age]
        orders[age, 1:] = np.convolve(residual, after_first)[: count - 1]
    return Renewal(np.log(survival), np.cumsum(survival) * _FINE - (survival + 1) * _FINE / 2, orders)
