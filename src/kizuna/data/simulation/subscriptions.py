"""Contracts beside the orders: taken up by customers who stay, given notice by those who leave, or ended by a failed payment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME, World, waking_time
from kizuna.data.simulation.keyed import Floats, Ints, Purpose, uniform
from kizuna.data.simulation.lives import pick
from kizuna.data.simulation.state import NEVER, State

_MOST_CONTRACTS = 3


def contracts_of(world: World, state: State) -> dict[str, NDArray[Any]]:
    """One row per contract that could begin, in the form of a log's rows; ``occurred`` is its beginning.

    A contract is renewed by itself every period until notice is given; ``renews`` is its first renewal.
    """
    keys, subscriptions = world.keys, world.parameters.subscriptions
    rows = np.flatnonzero(uniform(keys, Purpose.SUBSCRIPTION) < subscriptions.share_of_stayers)
    wait = 1 + np.floor(uniform(keys, Purpose.SUBSCRIPTION_START, 0, rows) * subscriptions.start_max_days).astype(
        np.int64
    )
    rows, wait = rows[state.first_order[rows] < NEVER], wait[state.first_order[rows] < NEVER]
    start = state.first_order[rows] + wait
    parts = []
    for number in range(_MOST_CONTRACTS):
        begins = (start < state.left[rows]) & ~(state.suspended[rows] & (state.left[rows] == NEVER))
        rows, start = rows[begins], start[begins]
        part, failed = _contracts(world, state, rows, start, number)
        parts.append(part)
        again = failed < part["last_day"]
        again &= uniform(keys, Purpose.SUBSCRIPTION_RETURN, number, rows) < subscriptions.return_share
        delay = uniform(keys, Purpose.SUBSCRIPTION_RETURN_DELAY, number, rows) * subscriptions.return_max_days
        rows, start = rows[again], (failed + 1 + np.floor(delay).astype(np.int64))[again]
    contracts = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    del contracts["last_day"]
    return contracts


def _contracts(
    world: World, state: State, rows: NDArray[np.intp], start: Ints, number: int
) -> tuple[dict[str, NDArray[Any]], Ints]:
    """The contracts of a round, and the days on which a payment would fail."""
    keys, subscriptions = world.keys, world.parameters.subscriptions

    def wait(purpose: Purpose, mean_days: float) -> Ints:
        days = -mean_days * np.log(uniform(keys, purpose, number, rows))
        return 1 + np.minimum(days, NEVER).astype(np.int64)

    plan = pick(
        uniform(keys, Purpose.SUBSCRIPTION_PLAN, number, rows), [share for _, share, _, _ in subscriptions.plans]
    )
    period = np.array([days for _, _, _, days in subscriptions.plans])[plan]
    price: Floats = np.array([price for _, _, price, _ in subscriptions.plans])[plan]
    gone = np.where(
        state.left[rows] < NEVER,
        state.left[rows] + wait(Purpose.SUBSCRIPTION_NOTICE, subscriptions.notice_mean_days),
        NEVER,
    )
    notice = np.minimum(gone, start + wait(Purpose.SUBSCRIPTION_CANCEL, 1 / subscriptions.cancel_hazard_per_day))
    last_day = start + (notice - start + period) // period * period
    failed = start + wait(Purpose.SUBSCRIPTION_FAILURE, 1 / subscriptions.payment_failure_hazard_per_day)
    fails = failed < last_day
    open_end = (notice >= NEVER) & ~fails
    morning = waking_time(start, uniform(keys, Purpose.SUBSCRIPTION_TIME, start, rows))
    return {
        "customer": rows,
        "occurred": morning,
        "ended": np.where(open_end, NO_TIME, np.minimum(failed, last_day) * DAY_SECONDS),
        "notice": np.where((notice >= NEVER) | (notice >= failed), NO_TIME, notice * DAY_SECONDS + 11 * 3600),
        "plan": plan,
        "price": price,
        "period_days": period,
        "renews": (start + period) * DAY_SECONDS,
        "voluntary": ~fails,
        "last_day": last_day,
    }, failed
