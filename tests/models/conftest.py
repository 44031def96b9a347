"""A small shop with known columns, and no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest


@dataclass(frozen=True)
class Shop:
    X: pd.DataFrame
    churned: np.ndarray
    value: np.ndarray
    customer: np.ndarray


def make_shop(customers: int, seed: int = 0) -> Shop:
    """Two snapshots per customer, in which rarely and long ago means gone; gaps, an empty and a constant column."""
    draw = np.random.default_rng(seed)
    rows = 2 * customers
    orders = draw.poisson(3, rows) + 1.0
    silence = draw.exponential(60, rows).round() + 1
    tenure = silence + draw.exponential(300, rows).round()
    complaints = draw.poisson(0.3, rows).astype(float)
    log_odds = 0.02 * (silence - 50) - 0.25 * (orders - 4) + 0.8 * complaints
    churned = (draw.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int)
    spend = draw.lognormal(4 + 0.15 * orders, 0.6)
    value = np.where(churned == 1, np.where(draw.random(rows) < 0.3, spend / 4, 0.0), spend)
    value[draw.random(rows) < 0.02] = -20.0
    X = pd.DataFrame(
        {
            "days_since_order": silence,
            "orders": orders,
            "revenue": (orders * draw.lognormal(4, 0.5, rows)).round(2),
            "tenure_days": tenure,
            "orders_30d": np.minimum(draw.poisson(0.5, rows), orders),
            "usual_gap_days": np.where(orders > 1, tenure / orders, np.nan),
            "complaints": complaints,
            "market=JP": (draw.random(rows) < 0.5).astype(float),
            "never_seen": np.nan,
            "always_one": 1.0,
        }
    )
    return Shop(X, churned, value, np.repeat([f"c{n:05d}" for n in range(customers)], 2))


@pytest.fixture(scope="session")
def shop() -> Shop:
    return make_shop(400)


@pytest.fixture(scope="session")
def tiny_shop() -> Shop:
    return make_shop(25, seed=3)
