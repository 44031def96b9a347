"""Customers drawn from BG/NBD or MBG/NBD, with the truth that no shop sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizuna.models.btyd.purchasing import Parameters

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SimulatedCustomers:
    """Columns (n,): what is seen (``frequency``, ``recency``, ``age``) and what is true.

    ``rate``: purchases per unit of time while alive. ``dropout``: probability to leave after a purchase. ``alive``: at
    the end of ``age``.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    rate: Floats
    dropout: Floats
    alive: NDArray[np.bool_]


def simulate_customers(parameters: Parameters, customers: int, age: ArrayLike, seed: int) -> SimulatedCustomers:
    """``customers`` lives watched for ``age`` (one for all, or one each), the same for the same seed.

    Without dropout there would be N purchases at uniform times; the last one is that of the dropout, if it comes first.
    """
    ages = np.asarray(age, dtype=np.float64)
    if customers < 1 or ages.shape not in ((), (customers,)) or not np.all(np.isfinite(ages) & (ages >= 0)):
        raise ValueError(
            f"{customers:,} customers and an age of shape {ages.shape} were asked for. "
            "Ask for at least one customer, and give one finite age of 0 or more for all, or one each."
        )
    draw = np.random.default_rng(seed)
    watched = np.array(np.broadcast_to(ages, customers))
    rate = draw.gamma(parameters.r, 1 / parameters.alpha, customers)
    dropout = draw.beta(parameters.a, parameters.b, customers)
    offered = draw.poisson(rate * watched).astype(np.float64)
    # The purchase after which the customer leaves; 0 is the first ever. A tiny dropout probability is never reached.
    leaves_after = draw.geometric(np.maximum(dropout, 1e-15)).astype(np.float64) - parameters.first_chance
    alive = offered < leaves_after
    made = np.where(alive, offered, leaves_after)
    # Of ``offered`` uniform times, the ``made``-th in order.
    share = np.where(made > 0, draw.beta(np.maximum(made, 1), np.maximum(offered - made + 1, 1)), 0.0)
    return SimulatedCustomers(made, share * watched, watched, rate, dropout, alive)
