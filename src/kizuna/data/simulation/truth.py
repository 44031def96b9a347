"""What could be known of each customer on a day by someone who saw the whole state: the true conditional probabilities.

No simulation is needed. As long as a customer does not order, own time runs on a known path, given the day f on which
fading begins and the day l on which the customer leaves; the chance of no order is then a survival function of the gap.
Both days are integrated over: f by cells of days whose masses follow from the hazard ratios that the state implies,
l by quantiles of the exponential fade. Planned newsletters and surveys count as sent; orders, complaints and offers that
have not happened are not foreseen (they follow orders, and the path has none).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.events import World
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Rows
from kizuna.data.simulation.lives import PERSUADABLE, SURE
from kizuna.data.simulation.renewal import Renewal, renewal_of
from kizuna.data.simulation.state import LONG_AGO, NEVER, State, contact_effect, hazard_ratio, select
from kizuna.data.simulation.step import first_order_share

_CHURN_CELLS = 9
_CHURN_QUANTILES = 6
_VALUE_CELLS = (0.33, 0.67, 1.0)
_VALUE_CELLS_AFTER = (0.2, 0.5, 1.0)
_VALUE_QUANTILES = 3


@dataclass(frozen=True)
class _Paths:
    """Paths without an order, per row (n) and node (k): weights, and own time passed by the ends of both windows."""

    weight: Floats
    churn: Floats
    value: Floats


def truth_of(world: World, state: State, day: int) -> dict[str, NDArray[Any]]:
    """One entry per eligible customer on the morning of ``day``: the row, and the truth of product terms.

    ``p_churn``: no order in the horizon, under usual contact. ``p_churn_if_contacted``: the same when an offer goes out
    that morning. ``value_if_kept``, ``value_if_churned``: expected net purchases of the value horizon given an order, and
    given none, in the churn horizon; both 0 for those who have left.
    """
    parameters = world.parameters
    since = max(0, day - parameters.truth.active_within_days)
    eligible = np.flatnonzero((state.last_order >= since) & (world.lives.acquired < day))
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
    wavers = (state.orders[rows] == 1) & (day - world.lives.acquired[rows] <= window) & (state.left[rows] == NEVER)
    planned = replace(state, followed_up=state.followed_up | (state.follow_up_due >= day) & (state.follow_up_due < NEVER))
    leaves = world.lives.first_order_draw[rows] < first_order_share(world, planned, day, rows)
    lost: Bools = (state.left[rows] <= day) | (wavers & leaves)
    return lost


def _after_contact(world: World, state: State, day: int) -> State:
    pulled = world.parameters.responses.sure_pull_forward_days * world.lives.pace
    clock = state.clock + np.where(world.lives.response == SURE, pulled, 0.0)
    return replace(state, clock=clock, contacted=np.full(len(clock), day - 1))


def _no_order(world: World, state: State, day: int) -> Floats:
    """The chance of no order in the churn horizon."""
    horizon = world.parameters.truth.horizon_days
    edges = np.linspace(0, horizon, _CHURN_CELLS + 1)
    paths = _paths(world, state, day, edges, _CHURN_QUANTILES)
    renewal = renewal_of(world.parameters.buying.gap_shape)
    survival = _survival(world, state, day, renewal, paths.churn)
    chance: Floats = (paths.weight * survival).sum(axis=1)
    return np.clip(chance, 0.0, 1.0)


def _values(world: World, state: State, day: int) -> tuple[Floats, Floats]:
    """Expected value of the value horizon given an order in the churn horizon, and given none."""
    parameters, calendar = world.parameters, world.calendar
    horizon, value_horizon = parameters.truth.horizon_days, parameters.truth.value_horizon_days
    edges = [0.0, *(horizon * part for part in _VALUE_CELLS)]
    edges += [horizon + (value_horizon - horizon) * part for part in _VALUE_CELLS_AFTER]
    paths = _paths(world, state, day, np.array(edges), _VALUE_QUANTILES)
    renewal = renewal_of(parameters.buying.gap_shape)
    survival = _survival(world, state, day, renewal, paths.churn)
    age = state.clock[:, None]
    none = (paths.weight * survival).sum(axis=1)
    orders = (paths.weight * renewal.expected_orders(age, paths.value)).sum(axis=1)
    later = (paths.weight * survival * renewal.expected_orders(age + paths.churn, paths.value - paths.churn)).sum(axis=1)
    kind = world.lives.market * 3 + world.lives.buyer
    start, middle, end = (calendar.column(day + ahead) for ahead in (0, horizon, value_horizon))
    amount = _amount(world)
    value = orders * amount * _price(world, kind, start, end)
    value_later = later * amount * _price(world, kind, middle, end)
    kept = np.maximum(value - value_later, 0.0) / np.maximum(1 - none, 1e-9)
    return kept, value_later / np.maximum(none, 1e-9)


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
    """The chance of no order in own time ``passed`` (n × k), given none so far.

    A sure thing contacted the day before has been pulled forward, and has not lived through that time.
    """
    pulled = (state.contacted == day - 1) & (world.lives.response == SURE) & (state.last_order < day - 1)
    lived = state.clock - pulled * world.parameters.responses.sure_pull_forward_days * world.lives.pace
    none = renewal.log_none_since(state.clock[:, None] + passed) - renewal.log_none_since(lived)[:, None]
    return np.exp(np.minimum(none, 0.0))


def _paths(world: World, state: State, day: int, edges: Floats, quantiles: int) -> _Paths:
    """All paths of every row: fading begins in one of the cells of ``edges``, or not at all; each with its fade lengths."""
    truth = world.parameters.truth
    count, cells = len(state.orders), len(edges) - 1
    middles = (edges[1:] + edges[:-1]) / 2
    ends = (truth.horizon_days, truth.value_horizon_days)
    is_fading = state.fading <= day
    weight = np.zeros((count, 1 + (cells + 1) * quantiles))
    passed = [np.zeros_like(weight) for _ in ends]
    begins = _fading_masses(world, state, day, edges)
    begins[is_fading] = 0.0
    weight[:, 0] = np.where(is_fading, 0.0, 1 - begins.sum(axis=1))
    weight[:, 1:] = np.repeat(np.column_stack([is_fading, begins]) / quantiles, quantiles, axis=1)
    time = _OwnTime(world, state, day)
    for k, end in enumerate(ends):
        passed[k][:, 0] = time.until(np.full(count, float(end)))
    lengths = -np.log(1 - (np.arange(quantiles) + 0.5) / quantiles)
    for cell, begin in enumerate([0.0, *middles]):
        rows = np.flatnonzero(is_fading) if cell == 0 else np.flatnonzero(~is_fading)
        part = time.of(rows)
        for number, length in enumerate(lengths):
            leave = part.leaves(begin, length)
            for k, end in enumerate(ends):
                passed[k][rows, 1 + cell * quantiles + number] = part.fading(begin, np.minimum(leave, end), end)
    return _Paths(weight, passed[0], passed[1])


def _fading_masses(world: World, state: State, day: int, edges: Floats) -> Floats:
    """The chance that fading begins in each cell, as the state implies it (n × cells)."""
    leaving = world.parameters.leaving
    hazards = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        then = day + int((low + high) / 2)
        ratio = hazard_ratio(world.parameters, world.lives, _outlook(world, state, day, then), then)
        hazards.append(ratio * world.lives.frailty * leaving.hazard_per_day * (high - low))
    survival = np.exp(-np.cumsum(np.column_stack([np.zeros(len(state.orders)), *hazards]), axis=1))
    return survival[:, :-1] - survival[:, 1:]


def _outlook(world: World, state: State, day: int, then: int) -> State:
    """The state as planned mail will have left it on a later day without an order in between."""
    contact, lives = world.parameters.contact, world.lives
    reads = state.opted_in & (then - state.last_order <= contact.sunset_days)
    last_news = np.minimum(then, state.last_order + contact.sunset_days)
    every_days = 365 // world.parameters.voice.invitations_per_year
    asked = then - (then - lives.survey_day) % every_days
    asked = np.where(asked - state.last_order <= world.parameters.voice.invited_within_days, asked, LONG_AGO)
    sent = np.maximum(np.where(state.opted_in, last_news, LONG_AGO), np.where(asked >= day, asked, LONG_AGO))
    week = range(max(then - 6, world.calendar.first_day), then + 1)
    columns = [world.calendar.column(each) for each in week]
    heavy = contact.heavy_weekdays, contact.heavy_campaign_weekdays
    extra = sum(
        int(world.calendar.weekday[c] in heavy[0] + (heavy[1] if world.calendar.campaign[c] else ())) for c in columns
    )
    return replace(
        state,
        last_outreach=np.maximum(state.last_outreach, sent),
        mails_week=np.where(reads, 1 + extra * lives.heavy_mail, 0),
    )


class _OwnTime:
    """Own time as a function of days ahead, row by row: slower while a complaint is open or the customer fades."""

    def __init__(self, world: World, state: State, day: int) -> None:
        self.world, self.state, self.day = world, state, day
        responses = world.parameters.responses
        self.pace = world.lives.pace
        self.kind = world.lives.market * 3 + world.lives.buyer
        self.effect_days = np.clip(state.contacted + responses.effect_days - day, 0, None).astype(np.float64)
        self.ratio = contact_effect(world.parameters, world.lives.response)
        self.pause = np.where(world.lives.response == PERSUADABLE, self.effect_days, 0.0)
        self.boost = responses.persuadable_rate_factor
        self.open_from = np.clip(state.complaint_from - day, 0, None)
        self.open_until = np.clip(state.complaint_until - day, 0, None)

    def of(self, rows: Rows) -> _OwnTime:
        """The same for some rows."""
        world = replace(self.world, lives=select(self.world.lives, rows))
        return _OwnTime(world, select(self.state, rows), self.day)

    def _plain(self, ahead: Floats) -> Floats:
        passed = self._calendar(ahead)
        upset = np.flatnonzero(self.open_until > self.open_from)
        held = self._calendar(np.minimum(ahead, self.open_until)[upset], upset)
        held -= self._calendar(np.minimum(ahead, self.open_from)[upset], upset)
        passed[upset] -= (1 - self.world.parameters.service.open_complaint_rate_factor) * held
        return passed * self.pace

    def until(self, ahead: Floats) -> Floats:
        """Own time passed by ``ahead`` days from now, of a customer who does not fade."""
        return self._plain(ahead) + (self.boost - 1) * self._plain(np.minimum(ahead, self.pause))

    def fading(self, begin: float, leave: Floats, end: float) -> Floats:
        """Own time passed by ``end`` when fading begins after ``begin`` days and the customer is gone after ``leave``."""
        parameters = self.world.parameters
        slow = np.minimum(np.maximum(begin, self.pause), end)
        whole = self.until(np.minimum(leave, slow))
        return whole + parameters.leaving.fade_rate_factor * (self.until(leave) - whole)

    def leaves(self, begin: float, length: float) -> Floats:
        """Days until a customer leaves who begins to fade after ``begin`` and whose fade uses up ``length`` hazard."""
        needed = length * self.world.parameters.leaving.fade_mean_days
        inside = np.maximum(self.effect_days - begin, 0.0)
        within = needed / self.ratio
        return begin + np.where(within <= inside, within, inside + needed - inside * self.ratio)

    def _calendar(self, ahead: Floats, rows: Any = slice(None)) -> Floats:
        start = self.world.calendar.column(self.day)
        days = np.clip(ahead, 0, self.world.parameters.truth.value_horizon_days).astype(np.int64)
        time = self.world.calendar.time
        kind = self.kind[rows]
        passed: Floats = time[kind, start + days] - time[kind, start]
        return passed
