"""Calibration: from a model's margin (its own log odds) to the log odds that come true.

Both maps rise strictly, so a calibrated model ranks exactly as its margin does and no ties appear.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The rarer outcome must be this frequent before 'auto' looks beyond two parameters.
ENOUGH_FOR_ISOTONIC = 5_000
_BINS = 50
_FLATTEST = 0.01
_TILT = 0.001

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A strictly rising map of margins: a line, or the line's ends around knots.

    ``knots``: (margin, log odds) pairs of the isotonic map, () for a line. ``rows``: how many predictions taught it.
    """

    method: str = "none"
    slope: float = 1.0
    intercept: float = 0.0
    rows: int = 0
    knots: tuple[tuple[float, float], ...] = ()

    def apply(self, margin: Floats) -> Floats:
        """Calibrated log odds, in the shape of ``margin``."""
        if not self.knots:
            return np.asarray(self.slope * margin + self.intercept)
        at, odds = (np.array(column) for column in zip(*self.knots, strict=True))
        beyond = self.slope * (margin - np.clip(margin, at[0], at[-1]))
        return np.asarray(np.interp(margin, at, odds) + beyond)

    def contributions(self, parts: Floats) -> Floats:
        """Contributions on the calibrated log odds, (n, k + 1), from those on the margin; the last column is the bias.

        A line scales every part alike. The isotonic map scales a row by its own secant, from the bias to the margin.
        """
        bias, margin = parts[:, -1], parts.sum(axis=1)
        start, end = self.apply(bias), self.apply(margin)
        distance = margin - bias
        near = np.abs(distance) < 1e-9
        secant = np.where(near, self.slope, (end - start) / np.where(near, 1.0, distance))
        out = parts * secant[:, None]
        out[:, -1] = start
        return out

    def levelled(self, margin: Floats, share: float) -> Calibration:
        """The same shape, raised or lowered until the mean probability of these margins is ``share``, within (0, 1)."""
        odds, shift = self.apply(margin), 0.0
        for _ in range(100):
            p = probability(odds + shift)
            step = (p.mean() - share) / max(float((p * (1 - p)).mean()), 1e-12)
            shift -= float(np.clip(step, -1.0, 1.0))
            if abs(step) < 1e-12:
                break
        return self.raised(shift)

    def raised(self, shift: float) -> Calibration:
        """The same shape, higher by ``shift`` log odds."""
        knots = tuple((at, value + shift) for at, value in self.knots)
        return replace(self, intercept=self.intercept + shift, knots=knots)

    def to_json(self) -> dict[str, Any]:
        """The map as plain JSON."""
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "rows": self.rows,
            "knots": [list(knot) for knot in self.knots],
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Calibration:
        """The map that ``to_json`` wrote."""
        knots = tuple((float(at), float(odds)) for at, odds in tree["knots"])
        return cls(str(tree["method"]), float(tree["slope"]), float(tree["intercept"]), int(tree["rows"]), knots)


def fit_calibration(
    margin: Floats, y: Floats, method: str = "auto", test: NDArray[np.intp] | None = None
) -> Calibration:
    """The calibration of out-of-fold margins against outcomes (0/1).

    method: 'platt', 'isotonic', 'none', or 'auto', which takes Platt's line unless there are thousands of both outcomes
    and the isotonic map is worth its knots by the Bayesian information criterion. test: which test a row belongs to;
    each then has a level of its own and only the shape is shared, at the mean level. Tests of different days differ in
    level by season, which says nothing about the day to come: give the map its level by ``levelled``.
    """
    if method == "none" or len(y) == 0:
        return Calibration()
    which = np.zeros(len(y), dtype=np.intp) if test is None else np.unique(test, return_inverse=True)[1]
    line, shifts = _platt(margin, y, which)
    if method == "platt" or (method == "auto" and min(y.sum(), (1 - y).sum()) < ENOUGH_FOR_ISOTONIC):
        return line
    shifted = margin + shifts[which] / line.slope
    curve, pools = _isotonic(shifted, y, line)
    if method == "isotonic":
        return curve
    gain = 2 * (_likelihood(curve.apply(shifted), y) - _likelihood(line.apply(shifted), y))
    return curve if gain > (pools - 2) * np.log(len(y)) else line


def _platt(margin: Floats, y: Floats, test: NDArray[np.intp]) -> tuple[Calibration, Floats]:
    """Platt's line (1999), with his smoothed targets, and how far each test's level lies from the mean level.

    A standard normal prior on slope − 1 keeps few rows from overturning or exploding a model, one on the tests' levels
    keeps a test of one outcome finite, and the slope stays positive.
    """
    ones, zeros = y.sum(), (1 - y).sum()
    target = np.where(y > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    tests = int(test.max()) + 1
    rows = np.bincount(test, minlength=tests)
    design = np.column_stack([margin, np.ones(len(y)), *(np.equal(test, k) for k in range(tests) if tests > 1)])
    prior = np.array([1.0, 0.0] + [1.0] * (design.shape[1] - 2))
    usual = np.array([1.0] + [0.0] * (design.shape[1] - 1))
    found = usual.copy()
    for _ in range(100):
        p = probability(design @ found)
        weight = np.maximum(p * (1 - p), 1e-12)
        gradient = design.T @ (p - target) + prior * (found - usual)
        step = np.linalg.solve((design * weight[:, None]).T @ design + np.diag(prior), gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        found = found - step
        if np.abs(step).max() < 1e-10:
            break
    slope, intercept, shifts = float(found[0]), float(found[1]), found[2:] if tests > 1 else np.zeros(1)
    mean_shift = float(shifts @ rows / rows.sum())
    if slope < _FLATTEST:
        base = (ones + 0.5) / (len(y) + 1)
        level = float(np.log(base / (1 - base)) - _FLATTEST * margin.mean())
        return Calibration("platt", _FLATTEST, level, len(y)), np.zeros(tests)
    return Calibration("platt", slope, intercept + mean_shift, len(y)), shifts - mean_shift


def _isotonic(margin: Floats, y: Floats, line: Calibration) -> tuple[Calibration, int]:
    """Pool-adjacent-violators over at most 50 groups of like margins, and the number of pools.

    Groups keep equal margins together. The map goes straight from one group's centre to the next, with a slight tilt
    that breaks the ties within a pool; beyond the outer centres Platt's slope goes on.
    """
    from sklearn.isotonic import isotonic_regression

    inner = np.quantile(margin, np.arange(1, _BINS) / _BINS)
    group = np.unique(np.searchsorted(inner, margin, side="right"), return_inverse=True)[1]
    rows = np.bincount(group).astype(np.float64)
    centre = np.bincount(group, margin) / rows
    share = (np.bincount(group, y) + 0.5) / (rows + 1)
    level = isotonic_regression(share, sample_weight=rows)
    odds = np.log(level / (1 - level)) + _TILT * (centre - margin.mean())
    knots = tuple(zip(centre.tolist(), odds.tolist(), strict=True)) if len(centre) > 1 else ()
    return Calibration("isotonic", line.slope, line.intercept, line.rows, knots), len(np.unique(level))


def _likelihood(log_odds: Floats, y: Floats) -> float:
    return float((y * log_odds - np.logaddexp(0, log_odds)).sum())


def probability(log_odds: Floats) -> Floats:
    """1 / (1 + exp(−log odds)), without overflow."""
    return np.exp(-np.logaddexp(0, -log_odds))
