"""What could be known of each customer on a day by someone who saw the whole state: the true conditional probabilities.

A formula, no simulation: given when fading begins and when the customer leaves, own time without an order runs on a known
path, and the chance of no order is the survival function of the gap; ``paths`` integrates over both days. The value is
the expected number of orders of a renewal process on the same paths, times the expected amount.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.events import World
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Rows
from kizuna.data.simulation.lives import PERSUADABLE, SURE
from kizuna.data.simulation.paths import offers_planned, paths_of
from kizuna.data.simulation.renewal import Renewal, renewal_of
from kizuna.data.simulation.state import NEVER, State, select
from kizuna.data.simulation.step import first_order_share

_CHURN_CELLS = 4
_CHURN_QUANTILES = 6
_VALUE_CELLS = (0.33, 0.67, 1.0)
_VALUE_CELLS_AFTER = (0.2, 0.5, 1.0)
_VALUE_QUANTILES = 3
_NO_CHANCE = 0.998


def truth_of(world: World, state: State, day: int) -> dict[str, NDArray[Any]]:
    """One entry per eligible customer on the morning of ``day``: the row, and the truth of product terms.

    ``p_churn``: no order in the horizon, under usual contact. ``p_churn_if_contacted``: the same when an offer goes out
    that morning. ``value_if_kept``, ``value_if_churned``: expected net purchases of the value horizon given an order, and
    given none, in the churn horizon; both 0 for those who have left.
    """
    parameters = world.parameters
    since = max(0, day - parameters.truth.active_within_days)
    eligible = np.flatnonzero(state.last_order >= since)
    stays = eligible[~_is_lost(world, state, day, eligible)]
    inside = replace(
        world, lives=select(world.lives, stays), keys=replace(world.keys, customers=world.keys.customers[stays])
    )
    standing = select(state, stays)
    p_churn = np.ones(len(eligible))
    contacted, kept, churned = p_churn.copy(), np.zeros(len(eligible)), np.zeros(len(eligible))
    here = np.searchsorted(eligible, stays)
    p_churn[here] = _no_order(inside, standing, day)
    contacted[here] = _no_order(inside, _after_contact(inside, standing, day), day)
    kept[here], churned[here] = _values(inside, standing, day)
    return {
        "customer": eligible,
        "p_churn": p_churn,
        "value_if_kept": kept,
        "value_if_churned": churned,
        "p_churn_if_contacted": contacted,
    }


def _is_lost(world: World, state: State, day: int, rows: Rows) -> Bools:
    """Who has left, or is about to after the first order; a follow-up already planned may still win them."""
    window = world.parameters.leaving.first_order_window_days
    wavers = (state.orders[rows] == 1) & (day - state.first_order[rows] <= window) & (state.left[rows] == NEVER)
    planned = replace(
        state, followed_up=state.followed_up | (state.follow_up_due >= day) & (state.follow_up_due < NEVER)
    )
    leaves = world.lives.first_order_draw[rows] < first_order_share(world, planned, day, rows)
    lost: Bools = (state.left[rows] <= day) | (wavers & leaves)
    return lost


def _after_contact(world: World, state: State, day: int) -> State:
    """The state as an offer the evening before would have left it."""
    pulled = world.parameters.responses.sure_pull_forward_days * world.lives.pace
    borrowed = np.where((world.lives.response == SURE) & (state.borrowed == 0), pulled, 0.0)
    return replace(
        state,
        clock=state.clock + borrowed,
        borrowed=state.borrowed + borrowed,
        contacted=np.full(len(borrowed), day - 1),
    )


def _no_order(world: World, state: State, day: int) -> Floats:
    """The chance of no order in the churn horizon."""
    horizon = world.parameters.truth.horizon_days
    edges = np.linspace(0, horizon, _CHURN_CELLS + 1)
    paths = paths_of(world, state, day, (horizon,), edges, _CHURN_QUANTILES)
    renewal = renewal_of(world.parameters.buying.gap_shape)
    survival = _survival(world, state, day, renewal, paths.passed[0])
    chance: Floats = (paths.weight * survival).sum(axis=0)
    return np.clip(chance, 0.0, 1.0)


def _values(world: World, state: State, day: int) -> tuple[Floats, Floats]:
    """Expected value of the value horizon given an order in the churn horizon, and given none."""
    parameters, calendar = world.parameters, world.calendar
    horizon, value_horizon = parameters.truth.horizon_days, parameters.truth.value_horizon_days
    edges = [0.0, *(horizon * part for part in _VALUE_CELLS)]
    edges += [horizon + (value_horizon - horizon) * part for part in _VALUE_CELLS_AFTER]
    paths = paths_of(world, state, day, (horizon, value_horizon), np.array(edges), _VALUE_QUANTILES)
    passed, whole = paths.passed
    renewal = renewal_of(parameters.buying.gap_shape)
    survival = _survival(world, state, day, renewal, passed)
    age, rest, slower = state.clock, whole - passed, _complaints_to_come(world)
    ahead = slower * _offers_to_come(world, state, day, (0, value_horizon), whole[0]) * whole
    later_time = slower * _offers_to_come(world, state, day, (horizon, value_horizon), rest[0]) * rest
    none = (paths.weight * survival).sum(axis=0)
    orders = (paths.weight * renewal.expected_orders(age, ahead)).sum(axis=0)
    later = (paths.weight * survival * renewal.expected_orders(age + passed, later_time)).sum(axis=0)
    kind = world.lives.market * 3 + world.lives.buyer
    start, middle, end = (calendar.column(day + ahead) for ahead in (0, horizon, value_horizon))
    amount = _amount(world)
    value = orders * amount * _price(world, kind, start, end)
    value_later = later * amount * _price(world, kind, middle, end)
    churned = value_later / np.maximum(none, 1e-9)
    kept = np.maximum(value - value_later, 0.0) / np.maximum(1 - none, 1e-9)
    # Out of season hardly anybody can order, and the difference above is rounding: one order more than if churned.
    return np.where(none > _NO_CHANCE, churned + amount * _price(world, kind, start, end), kept), churned


def _offers_to_come(world: World, state: State, day: int, window: tuple[int, int], steady: Floats) -> Floats:
    """How much faster persuadables buy in a window of days ahead than in its ``steady`` own time, which new offers bring.

    Offers follow new orders: the chance to have ordered recently enough for a campaign is that of a long time. Those that
    the paths already know of are left out.
    """
    contact, responses, lives = world.parameters.contact, world.parameters.responses, world.lives
    calendar, kind = world.calendar, lives.market * 3 + lives.buyer
    low, high = day + window[0], day + window[1]
    first = -(-day // contact.offer_every_days) * contact.offer_every_days
    acts = [
        calendar.time[:, calendar.column(np.clip(offer + 1 + responses.effect_days, low, high))]
        - calendar.time[:, calendar.column(np.clip(offer + 1, low, high))]
        for offer in range(first, max(high, first + 1), contact.offer_every_days)
    ]
    planned, _ = offers_planned(world, state, day)
    acting = np.sum(acts, axis=0)[kind] - np.where(planned == first, acts[0][kind], 0.0)
    recent = renewal_of(world.parameters.buying.gap_shape).share_younger(contact.offer_recent_days * lives.pace)
    reached = (lives.response == PERSUADABLE) & state.opted_in & ~lives.hold_out
    gained = responses.persuadable_more_per_year / 365 * recent * acting * reached
    faster: Floats = 1 + gained / np.maximum(steady, 1e-9)
    return faster


def _complaints_to_come(world: World) -> Floats:
    """How much slower everybody buys in the value horizon, for the slow complaints that orders will lead to."""
    service, lives = world.parameters.service, world.lives
    late = service.late_share * (service.complaint_late_factor - 1)
    per_order = service.complaint_share * (1 + late) * service.slow_share * (1 - service.open_complaint_rate_factor)
    horizon, mean = world.parameters.truth.value_horizon_days, service.slow_mean_more_days
    days_held = mean - mean**2 / horizon * (1 - np.exp(-horizon / mean))
    slower: Floats = 1 / (1 + lives.pace * per_order * days_held)
    return slower


def _amount(world: World) -> Floats:
    """Expected net amount of one order at the price of day 0."""
    money = world.parameters.money
    returned = np.array([market.return_share for market in world.parameters.markets])[world.lives.market]
    first_line = 1 - money.second_line_share * money.second_line_part
    amount: Floats = np.exp(world.lives.log_amount + money.within_sd**2 / 2) * (1 - returned * first_line)
    return amount


def _price(world: World, kind: Ints, start: int, end: int) -> Floats:
    """Mean price level of the orders between two columns of the calendar."""
    calendar = world.calendar
    time = calendar.time[:, end] - calendar.time[:, start]
    level: Floats = (calendar.money[:, end] - calendar.money[:, start]) / np.maximum(time, 1e-9)
    return level[kind]


def _survival(world: World, state: State, day: int, renewal: Renewal, passed: Floats) -> Floats:
    """The chance of no order in own time ``passed`` (k × n), given none so far.

    A sure thing pulled forward the evening before has not lived through that time.
    """
    lived = np.where(state.contacted == day - 1, state.clock - state.borrowed, state.clock)
    none = renewal.log_none_since(state.clock + passed) - renewal.log_none_since(lived)
    return np.exp(np.minimum(none, 0.0))
