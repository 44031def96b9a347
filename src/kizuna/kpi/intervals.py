"""95 % intervals of shares, rates, totals, scores and medians, and of the difference of two of them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimates:
    """Figures with their intervals, elementwise; NaN where there is nothing to measure or no interval to give."""

    value: Floats
    low: Floats
    high: Floats

    def scaled(self, factor: Floats | float) -> Estimates:
        """The same in another unit; the factor is positive."""
        return Estimates(self.value * factor, self.low * factor, self.high * factor)


def share(part: Floats, whole: Floats) -> Estimates:
    """Shares with Wilson's score interval (Wilson 1927)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = part / whole
        middle = (p + Z * Z / (2 * whole)) / (1 + Z * Z / whole)
        half = Z / (1 + Z * Z / whole) * np.sqrt(p * (1 - p) / whole + Z * Z / (4 * whole * whole))
        low, high = np.minimum(middle - half, p), np.maximum(middle + half, p)
    return _where(whole > 0, Estimates(p, np.clip(low, 0, 1), np.clip(high, 0, 1)))


def net_promoters(promoters: Floats, detractors: Floats, answers: Floats) -> Estimates:
    """Promoters' minus detractors' share, with the adjusted Wald interval.

    Three answers are added, ¾ promoters, 1½ passives, ¾ detractors: AW(3, T) of Rocks (2016), The American Statistician 70.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (promoters - detractors) / answers
        total = answers + 3
        up, down = (promoters + 0.75) / total, (detractors + 0.75) / total
        half = Z * np.sqrt((up + down - (up - down) ** 2) / total)
        low, high = np.minimum(up - down - half, value), np.maximum(up - down + half, value)
    return _where(answers > 0, Estimates(value, np.clip(low, -1, 1), np.clip(high, -1, 1)))


def rate(whole: Floats, part: Floats, variance: Floats) -> Estimates:
    """``part / whole`` with a normal interval of a given variance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value, half = part / whole, Z * np.sqrt(np.maximum(variance, 0))
    return _where(whole != 0, Estimates(value, value - half, value + half))


def difference(now: Estimates, then: Estimates, correlation: Floats) -> Estimates:
    """``now − then`` with the interval that both intervals and the estimates' correlation leave.

    Method of variance estimates recovery: Zou & Donner (2008), Statistics in Medicine 27, equations 10 and 11.
    """
    value = now.value - then.value
    down, up = (now.value - now.low, then.high - then.value), (now.high - now.value, then.value - then.low)
    low, high = (np.sqrt(np.maximum(one**2 - 2 * correlation * one * other + other**2, 0)) for one, other in (down, up))
    return Estimates(value, value - low, value + high)


@dataclass(frozen=True)
class Median:
    """The median of spells of which some have not ended yet, NaN where it is not reached; ``open``: how many have not."""

    value: float
    low: float
    high: float
    open: int


def median_spell(days: NDArray[np.int64], ended: NDArray[np.int64], lost: NDArray[np.int64]) -> Median:
    """Kaplan and Meier's median, with the interval of Brookmeyer & Crowley (1982) on the log(−log) scale.

    ``days``: distinct, ascending; ``ended`` and ``lost``: how many spells ended, or were lost from sight, after each.
    """
    at_risk = np.cumsum((ended + lost)[::-1])[::-1].astype(np.float64)
    surviving = np.cumprod(1 - ended / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(ended / (at_risk * (at_risk - ended)))
        width = Z * np.sqrt(variance) / np.abs(np.log(surviving))
        low, high = (
            np.where((surviving > 0) & (surviving < 1), surviving ** np.exp(s * width), surviving) for s in (1, -1)
        )
    found = [
        float(days[below[0]]) if len(below := np.flatnonzero(line <= 0.5)) else np.nan
        for line in (surviving, low, high)
    ]
    return Median(found[0], found[1], found[2], int(lost.sum()))


def _where(known: NDArray[np.bool_], found: Estimates) -> Estimates:
    return Estimates(*(np.where(known, values, np.nan) for values in (found.value, found.low, found.high)))
