"""The chance of silence: a buy-till-you-die model of three columns whose four parameters are fitted to outcomes.

The form is MBG/NBD (Batislam, Denizel & Filiztekin 2007): a customer buys as a Poisson stream whose rate is Gamma(r, alpha)
among customers, and may drop out after every purchase, the first included, with a Beta(a, b) chance. What happened in the
label window fits the parameters directly, so that no history of customers long gone is needed, and the model says what is
asked of it: the probability of no purchase in the horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

SILENCE_COLUMNS = ("orders", "tenure_days", "days_since_order")

# Usual parameters in weeks, and how far (in logarithms) a shop may be from them before it must show why.
_USUAL = {"r": 0.5, "alpha": 10.0, "a": 0.8, "b": 2.5}
_SPREAD = 1.5
_FURTHEST = 7.0
_MOST_ROWS = 20_000
_DAYS_A_WEEK = 7.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SilenceModel:
    """The fitted model: where its columns stand, the training medians that fill gaps and serve as the reference.

    ``parameters``: r, alpha (weeks), a, b.
    """

    n_features: int
    positions: tuple[int, int, int]
    median: tuple[float, float, float]
    parameters: tuple[float, float, float, float]
    horizon_days: float

    def margin(self, X: Floats) -> Floats:
        """Log odds of no purchase in the horizon, (n,)."""
        return self._log_odds(_filled(X, self.positions, self.median))

    def history(self, X: Floats) -> tuple[Floats, Floats, Floats]:
        """Repeat orders, and the weeks from the first order to the last and to now, gaps filled, each (n,)."""
        return _history(_filled(X, self.positions, self.median))

    def contributions(self, X: Floats) -> Floats:
        """Shapley values of the three columns against the training medians, (n, features + 1), the bias last."""
        mine = _filled(X, self.positions, self.median)
        usual = [np.full(len(X), value) for value in self.median]
        known: dict[tuple[bool, ...], Floats] = {}

        def at(held: tuple[bool, ...]) -> Floats:
            if held not in known:
                known[held] = self._log_odds([mine[k] if own else usual[k] for k, own in enumerate(held)])
            return known[held]

        out = np.zeros((len(X), self.n_features + 1))
        for order in permutations(range(3)):
            held = [False, False, False]
            for column in order:
                before = at(tuple(held))
                held[column] = True
                out[:, self.positions[column]] += (at(tuple(held)) - before) / 6
        out[:, -1] = at((False, False, False))
        return out

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return {
            "n_features": self.n_features,
            "positions": list(self.positions),
            "median": list(self.median),
            "parameters": list(self.parameters),
            "horizon_days": self.horizon_days,
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> SilenceModel:
        """The model that ``to_json`` wrote."""
        orders, tenure, since = (int(position) for position in tree["positions"])
        first, second, third = (float(value) for value in tree["median"])
        r, alpha, a, b = (float(value) for value in tree["parameters"])
        return cls(
            int(tree["n_features"]),
            (orders, tenure, since),
            (first, second, third),
            (r, alpha, a, b),
            float(tree["horizon_days"]),
        )

    def _log_odds(self, columns: Sequence[Floats]) -> Floats:
        buys, _ = _log_purchase(np.log(self.parameters), _history(columns), self.horizon_days / _DAYS_A_WEEK)
        return _log_none(buys) - buys


def silence_positions(names: Sequence[str]) -> tuple[int, int, int] | None:
    """Where orders, tenure_days and days_since_order stand; None where one is missing."""
    names = list(names)
    if not set(SILENCE_COLUMNS) <= set(names):
        return None
    orders, tenure, since = (names.index(name) for name in SILENCE_COLUMNS)
    return orders, tenure, since


def untaught_silence(X: Floats, positions: tuple[int, int, int], horizon_days: float) -> SilenceModel:
    """The model with usual parameters of other shops, its gaps filled by the medians of X."""
    columns = [X[:, position] for position in positions]
    known = [column[~np.isnan(column)] for column in columns]
    first, second, third = (float(np.median(column)) if len(column) else 1.0 for column in known)
    r, alpha, a, b = _USUAL.values()
    return SilenceModel(X.shape[1], positions, (first, second, third), (r, alpha, a, b), float(horizon_days))


def fit_silence(X: Floats, y: Floats, positions: tuple[int, int, int], horizon_days: float) -> SilenceModel:
    """The model of maximum posterior probability: outcomes (0/1) under usual parameters of other shops.

    X: (n, features), gaps as NaN. Of many rows, evenly spaced ones teach.
    """
    from scipy.optimize import minimize

    untaught = untaught_silence(X, positions, horizon_days)
    some = slice(None, None, max(1, len(y) // _MOST_ROWS))
    history = untaught.history(X[some])
    left = y[some]
    usual = np.log(list(_USUAL.values()))
    weeks = horizon_days / _DAYS_A_WEEK

    def loss(point: Floats) -> tuple[float, Floats]:
        buys, slopes = _log_purchase(point, history, weeks)
        none = _log_none(buys)
        away = (point - usual) / _SPREAD**2
        # The slope of the log odds' loss by log P(purchase), then by the logarithms of the parameters.
        by_buys = left * np.exp(buys - none) - (1 - left)
        value = -float(left @ none + (1 - left) @ buys) + float((point - usual) @ away) / 2
        return value, slopes @ by_buys + away

    bounds = [(-_FURTHEST, _FURTHEST)] * len(usual)
    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=bounds)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return replace(untaught, parameters=(r, alpha, a, b))


def _filled(X: Floats, positions: Sequence[int], median: Sequence[float]) -> list[Floats]:
    return [np.where(np.isnan(X[:, at]), usual, X[:, at]) for at, usual in zip(positions, median, strict=True)]


def _history(columns: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
    """Repeat purchases, and the weeks from the first purchase to the last and to now."""
    orders, tenure, since = columns
    now = np.maximum(tenure, 0) / _DAYS_A_WEEK
    return np.maximum(orders - 1, 0), np.maximum(now - np.maximum(since, 0) / _DAYS_A_WEEK, 0), now


def _log_purchase(point: Floats, history: tuple[Floats, Floats, Floats], weeks: float) -> tuple[Floats, Floats]:
    """Log P(a purchase within so many weeks), and its slopes by the logarithms of r, alpha, a, b, (4, n).

    P = P(alive) · (1 − ((alpha + T) / (alpha + T + H))^(r + x)), and the odds of having dropped out are
    a / (b + x) · ((alpha + T) / (alpha + t))^(r + x).
    """
    x, last, now = history
    r, alpha, a, b = np.exp(point)
    since, ahead = np.log((alpha + now) / (alpha + last)), np.log((alpha + now + weeks) / (alpha + now))
    gone = (r + x) * since + np.log(a) - np.log(b + x)
    silent = -(r + x) * ahead
    spoken = np.log(np.maximum(-np.expm1(silent), 1e-300))
    buys = -np.logaddexp(0, gone) + spoken
    dropped = np.exp(-np.logaddexp(0, -gone))
    weight = np.exp(silent - spoken)
    by_r = -dropped * r * since + weight * r * ahead
    by_alpha = -dropped * alpha * (r + x) * (1 / (alpha + now) - 1 / (alpha + last))
    by_alpha += weight * alpha * (r + x) * (1 / (alpha + now + weeks) - 1 / (alpha + now))
    return buys, np.stack([by_r, by_alpha, -dropped, dropped * b / (b + x)])


def _log_none(buys: Floats) -> Floats:
    """Log P(no purchase) from log P(purchase), never below −30, so that odds stay finite."""
    return np.log(np.maximum(-np.expm1(buys), 1e-13))
