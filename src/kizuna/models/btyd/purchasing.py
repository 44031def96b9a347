"""What BG/NBD and MBG/NBD expect of customers whose histories are known.

Given that a customer is alive at T, his rate is Gamma(r + x, α + T) and his dropout probability Beta(a, b + k),
independent of each other; everything below follows from that and from P(alive).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizuna.models.btyd.histories import Histories, check_rows
from kizuna.models.btyd.series import live_purchases

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """``first_chance``: 0 for BG/NBD; 1 for MBG/NBD, where a customer may drop out right after the first purchase."""

    r: float
    alpha: float
    a: float
    b: float
    first_chance: int


def alive_log_odds(parameters: Parameters, histories: Histories) -> Floats:
    """Log odds of being alive, (n,); infinite where there was no chance to drop out."""
    chances = histories.frequency + parameters.first_chance
    silent = np.log1p((histories.age - histories.recency) / (parameters.alpha + histories.recency))
    with np.errstate(divide="ignore"):
        stays = np.log(np.maximum(parameters.b + chances - 1, 0)) - math.log(parameters.a)
    odds = stays - (parameters.r + histories.frequency) * silent
    return np.where(chances > 0, odds, np.inf)


def p_alive(parameters: Parameters, histories: Histories) -> Floats:
    """Probability of being alive now, (n,)."""
    from scipy.special import expit

    return np.asarray(expit(alive_log_odds(parameters, histories)))


def probability_of_no_purchase(parameters: Parameters, histories: Histories, horizon: Floats) -> Floats:
    """1 − P(alive) + P(alive) · ((α + T) / (α + T + horizon))^(r + x), (n,), without subtracting."""
    from scipy.special import expit

    log_odds = alive_log_odds(parameters, histories)
    waiting = -(parameters.r + histories.frequency) * np.log1p(horizon / (parameters.alpha + histories.age))
    return np.asarray(np.minimum(expit(-log_odds) + expit(log_odds) * np.exp(waiting), 1.0))


def expected_purchases(parameters: Parameters, histories: Histories, horizon: Floats) -> Floats:
    """P(alive) times the purchases of a live customer in the next ``horizon``, (n,)."""
    shape = parameters.r + histories.frequency
    odds = horizon / (parameters.alpha + histories.age)
    chances = histories.frequency + parameters.first_chance
    live = live_purchases(shape, odds, chances, (parameters.a, parameters.b))
    return p_alive(parameters, histories) * live


def next_purchase_quantile(parameters: Parameters, histories: Histories, share: Floats) -> Floats:
    """Time until the next purchase has happened with probability ``share``, (n,); infinite where it never gets so likely."""
    alive = p_alive(parameters, histories)
    within = np.divide(share, alive, out=np.ones_like(alive), where=share < alive)
    within[share == 0] = 0.0
    with np.errstate(divide="ignore", over="ignore"):
        growth = np.expm1(-np.log1p(-within) / (parameters.r + histories.frequency))
        return np.asarray((parameters.alpha + histories.age) * growth)


def read_horizon(horizon: ArrayLike, rows: int) -> Floats:
    """One horizon per row, (rows,), from one for all or one each; ValueError where it is negative or not finite."""
    read = np.asarray(horizon, dtype=np.float64)
    if read.ndim > 1 or (read.ndim == 1 and len(read) != rows):
        raise ValueError(f"{rows:,} customers and a horizon of shape {read.shape}. Give one for all, or one each.")
    spread = np.broadcast_to(read, rows)
    check_rows(
        "a horizon that is negative or not finite",
        ~(np.isfinite(spread) & (spread >= 0)),
        {"horizon": spread},
        "It is a length of time from now on.",
    )
    return spread


def read_share(share: ArrayLike, rows: int) -> Floats:
    """One share per row, (rows,), from one for all or one each; ValueError outside 0 to 1."""
    read = np.asarray(share, dtype=np.float64)
    if read.ndim > 1 or (read.ndim == 1 and len(read) != rows):
        raise ValueError(f"{rows:,} customers and a share of shape {read.shape}. Give one for all, or one each.")
    spread = np.broadcast_to(read, rows)
    check_rows("a share outside 0 to 1", ~((spread >= 0) & (spread <= 1)), {"share": spread}, "A median has share 0.5.")
    return spread
