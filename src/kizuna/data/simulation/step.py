"""One day of the shop, as a function of the state before it: who fades, leaves, buys, looks in, and is written to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from kizuna.data.simulation import acting, orders, outreach, voice
from kizuna.data.simulation.events import Log, World, waking_time
from kizuna.data.simulation.keyed import Floats, Purpose, Rows, uniform
from kizuna.data.simulation.lives import PERSUADABLE
from kizuna.data.simulation.state import NEVER, State, contact_ratio, hazard_ratio, select


def step(world: World, state: State, day: int, log: Log) -> None:
    """Live one day: the state moves from before it to after it, and the day's rows join the log."""
    known = int(np.searchsorted(world.lives.acquired, day, side="right"))
    rows = slice(0, known)
    world = replace(
        world, keys=replace(world.keys, customers=world.keys.customers[rows]), lives=select(world.lives, rows)
    )
    state = select(state, rows)
    _forget_old_mails(state, day)
    acting.act_on_lists(world, state, day, log)
    _decide_first_orders(world, state, day)
    _begin_fading(world, state, day)
    _leave(world, state, day)
    _lose_interest(world, state, day)
    orders.place(world, state, day, _due(world, state, day), log)
    orders.expire_points(world, state, day, log)
    _visit(world, state, day, log)
    outreach.write_to_customers(world, state, day, log)
    voice.invite(world, state, day, log)


def _forget_old_mails(state: State, day: int) -> None:
    column = day % 7
    np.subtract(state.mails_week, state.mails[:, column], out=state.mails_week)
    state.mails[:, column] = 0


def _decide_first_orders(world: World, state: State, day: int) -> None:
    """For two weeks after the first order the customer wavers; then those who would leave have left."""
    window = world.parameters.leaving.first_order_window_days
    rows = np.flatnonzero((state.orders == 1) & (day - state.first_order <= window))
    state.suspended[rows] = world.lives.first_order_draw[rows] < first_order_share(world, state, day, rows)
    gone = rows[state.suspended[rows] & (state.first_order[rows] == day - window)]
    state.left[gone] = state.fading[gone] = state.first_order[gone] + 1
    state.suspended[gone] = False


def first_order_share(world: World, state: State, day: int, rows: Any) -> Floats:
    """The share of such customers that leaves after the first order, as things stand."""
    parameters = world.parameters
    ratio = hazard_ratio(parameters, select(world.lives, rows), select(state, rows), day)
    stay = (1 - parameters.leaving.first_order_share) ** ratio
    share: Floats = 1 - stay - parameters.ratios.follow_up_first_order_points * state.followed_up[rows]
    return share


def _begin_fading(world: World, state: State, day: int) -> None:
    lives, per_day = world.lives, world.parameters.leaving.hazard_per_day
    hazard = hazard_ratio(world.parameters, lives, state, day)
    hazard *= lives.frailty
    hazard *= per_day
    hazard[(state.fading < NEVER) | state.suspended | (state.orders == 0)] = 0.0
    np.add(state.hazard, hazard, out=state.hazard)
    state.fading[(state.hazard >= lives.fade_at) & (state.fading == NEVER)] = day


def _leave(world: World, state: State, day: int) -> None:
    rows = np.flatnonzero((state.fading <= day) & (state.left == NEVER))
    ratio = contact_ratio(world.parameters, world.lives.response[rows], state.contacted[rows], day)
    state.fade_hazard[rows] += ratio / world.parameters.leaving.fade_mean_days
    state.left[rows[state.fade_hazard[rows] >= world.lives.leave_at[rows]]] = day


def _lose_interest(world: World, state: State, day: int) -> None:
    daily = 0.5 ** (1 / world.parameters.leaving.interest_half_life_days)
    np.multiply(state.interest, daily, out=state.interest, where=(state.fading <= day) | state.suspended)
    state.interest[_won_over(world, state, day)] = 1.0


def _won_over(world: World, state: State, day: int) -> Rows:
    """Persuadables within the days of effect of a contact: they do not fade, and buy more than they used to."""
    rows = np.flatnonzero((day - state.contacted < world.parameters.responses.effect_days) & (state.left == NEVER))
    won: Rows = rows[world.lives.response[rows] == PERSUADABLE]
    return won


def _due(world: World, state: State, day: int) -> Rows:
    """The customers who order today: newcomers once their shop is open, and those whose own time has run up."""
    parameters, lives = world.parameters, world.lives
    speed = world.calendar.speed[:, world.calendar.column(day)][lives.market * 3 + lives.buyer]
    is_new = (state.orders == 0) & (speed > 0)
    pace = lives.pace.copy()
    factor = np.ones(len(speed))
    factor[state.fading <= day] = parameters.leaving.fade_rate_factor
    won = _won_over(world, state, day)
    factor[won] = 1.0
    factor[(state.complaint_from <= day) & (day < state.complaint_until)] *= (
        parameters.service.open_complaint_rate_factor
    )
    factor[(state.left <= day) | state.suspended | (state.orders == 0)] = 0.0
    pace[won] += parameters.responses.persuadable_more_per_year / 365
    speed *= pace
    speed *= factor
    np.add(state.clock, speed, out=state.clock)
    due = is_new | ((state.clock >= state.threshold) & (speed > 0))
    return np.flatnonzero(due)


def _visit(world: World, state: State, day: int, log: Log) -> None:
    keys, service = world.keys, world.parameters.service
    chance = world.lives.visits_per_day * state.interest
    rows = np.flatnonzero(uniform(keys, Purpose.VISIT, day) < chance)
    time = waking_time(day, uniform(keys, Purpose.VISIT_TIME, day, rows))
    channel = (uniform(keys, Purpose.VISIT_CHANNEL, day, rows) < 0.4).astype(np.int64)
    log.add("engagement", rows, time, kind=0, channel=channel)
    asks = (uniform(keys, Purpose.INQUIRY, day, rows) < service.inquiry_per_visit) & (state.left[rows] > day)
    voice.inquire(world, day, rows[asks], time[asks], log)
