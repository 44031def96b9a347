"""An order and what hangs on it: lines, delivery, return, complaint, points, and what the shop plans to write."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kizuna.data.simulation import voice
from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME, TOPICS, Log, World, waking_time
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Purpose, Rows, uniform
from kizuna.data.simulation.lives import CATEGORIES, SURE
from kizuna.data.simulation.state import LONG_AGO, State

_PRODUCTS = 40
_EARN, _REDEEM, _EXPIRE = 1, 2, 3


@dataclass(frozen=True)
class _Orders:
    """The orders of a day, one per row: who, when, how, for how much."""

    rows: Rows
    time: Ints
    is_store: Bools
    late_days: Ints
    amount: Floats
    discount: Floats


def place(world: World, state: State, day: int, rows: Rows, log: Log) -> None:
    """The orders of a day, one for each of ``rows``."""
    lives, keys = world.lives, world.keys
    first = state.orders[rows] == 0
    state.orders[rows] += 1
    state.first_order[rows[first]] = day
    state.last_order[rows] = day
    state.clock[rows] = np.where(first, 0.0, state.clock[rows] - state.threshold[rows] - state.borrowed[rows])
    state.borrowed[rows] = 0.0
    state.threshold[rows] = _gap(world, state, rows)
    store = uniform(keys, Purpose.ORDER_CHANNEL, day, rows) < np.where(lives.store_buyer[rows], 0.85, 0.04)
    amount, discount = _amount(world, state, day, rows)
    orders = _Orders(
        rows=rows,
        time=waking_time(day, uniform(keys, Purpose.ORDER_TIME, day, rows)),
        is_store=store,
        late_days=_deliver(world, state, day, rows, store),
        amount=amount,
        discount=discount,
    )
    _log_lines(world, day, orders, log)
    _complain(world, state, day, orders, log)
    _points(world, state, day, orders, log)
    _plan_outreach(world, state, day, rows, first)
    voice.after_order(world, state, day, rows, orders.time, log)
    visits = ~store & (uniform(keys, Purpose.ORDER_VISIT, day, rows) < world.parameters.engagement.order_visit_share)
    log.add("engagement", rows[visits], orders.time[visits] - 1200, kind=0, channel=0)


def expire_points(world: World, state: State, day: int, log: Log) -> None:
    """Points expire a year after the last order."""
    silent = day - state.last_order == world.parameters.loyalty.expire_after_days
    rows = np.flatnonzero(silent & (state.points > 0))
    log.add(
        "loyalty", rows, np.full(len(rows), day * DAY_SECONDS), kind=_EXPIRE, points=state.points[rows], expires=NO_TIME
    )
    state.points[rows] = 0


def _gap(world: World, state: State, rows: Rows) -> Floats:
    """The customer's own time until the next order: Gamma with mean one, keyed by the number of the order."""
    from scipy.special import gammaincinv

    shape = world.parameters.buying.gap_shape
    gaps: Floats = gammaincinv(shape, uniform(world.keys, Purpose.GAP, state.orders[rows], rows)) / shape
    return gaps


def _amount(world: World, state: State, day: int, rows: Rows) -> tuple[Floats, Floats]:
    """What is paid, and what was taken off; a sure thing's coupon takes part of its value out of the order."""
    from scipy.special import ndtri

    parameters, column = world.parameters, world.calendar.column(day)
    noise = ndtri(uniform(world.keys, Purpose.AMOUNT, day, rows))
    amount = np.exp(world.lives.log_amount[rows] + parameters.money.within_sd * noise) * world.calendar.price[column]
    taken_off = parameters.money.sale_discount if world.calendar.sale[column] else 0.0
    discount = amount * taken_off / (1 - taken_off)
    valid = state.coupon_until[rows] > day
    used = valid & (uniform(world.keys, Purpose.COUPON_USE, day, rows) < parameters.contact.coupon_use_share)
    state.coupon_until[rows[used]] = LONG_AGO
    discount = discount + used * parameters.contact.coupon_value
    lost = used & (world.lives.response[rows] == SURE)
    paid = amount - lost * parameters.responses.sure_value_lost * parameters.contact.coupon_value
    return np.round(np.maximum(paid, 0.1 * amount)), np.round(discount)


def _deliver(world: World, state: State, day: int, rows: Rows, store: Bools) -> Ints:
    """Days that each delivery comes after its promise (not positive: in time), noted for the customer where late."""
    service, ratios = world.parameters.service, world.parameters.ratios
    late = (uniform(world.keys, Purpose.LATE, day, rows) < service.late_share) & ~store
    draws = uniform(world.keys, Purpose.DELIVERY, day, rows)
    span = service.late_max_days - service.late_min_days + 1
    late_days = np.where(late, service.late_min_days + np.floor(draws * span), -np.floor(draws * 3)).astype(np.int64)
    known = day + service.promise_days + service.late_min_days
    disappointed = rows[late]
    again = state.late_until[disappointed] >= known
    state.late_from[disappointed] = np.where(again, state.late_from[disappointed], known)
    state.late_until[disappointed] = known + ratios.late_delivery_days
    return late_days


def _log_lines(world: World, day: int, orders: _Orders, log: Log) -> None:
    """One or two lines per order, and the return of some first lines, under the order's own id."""
    keys, money, service = world.keys, world.parameters.money, world.parameters.service
    rows, time, amount = orders.rows, orders.time, orders.amount
    promised = np.where(orders.is_store, NO_TIME, (day + service.promise_days) * DAY_SECONDS + 20 * 3600)
    delivered = np.where(orders.is_store, NO_TIME, promised + orders.late_days * DAY_SECONDS - 3600 * (day % 9))
    app = uniform(keys, Purpose.ORDER_APP, day, rows) < 0.4
    favourite = uniform(keys, Purpose.ORDER_CATEGORY, day, rows)
    category = np.where(
        favourite < 0.6, world.lives.category[rows], np.floor((favourite - 0.6) / 0.4 * len(CATEGORIES))
    )
    product = _PRODUCTS * uniform(keys, Purpose.PRODUCT, day, rows) ** 1.7
    columns = {
        "order_day": np.full(len(rows), day),
        "channel": np.where(orders.is_store, 2, np.where(app, 1, 0)),
        "promised": promised,
        "delivered": delivered,
    }
    second = uniform(keys, Purpose.SECOND_LINE, day, rows) < money.second_line_share
    second_amount = np.where(second, np.round(amount * money.second_line_part), 0.0)
    second_discount = np.where(second, np.round(orders.discount * money.second_line_part), 0.0)
    first_line = {
        **columns,
        "amount": amount - second_amount,
        "discount": orders.discount - second_discount,
        "quantity": 1 + np.floor(2.2 * uniform(keys, Purpose.QUANTITY, day, rows) ** 3).astype(np.int64),
        "category": category.astype(np.int64),
        "product": np.floor(product).astype(np.int64),
    }
    log.add("purchases", rows, time, is_return=False, **first_line)
    other = np.floor(uniform(keys, Purpose.SECOND_CATEGORY, day, rows) * len(CATEGORIES)).astype(np.int64)
    log.add(
        "purchases",
        rows[second],
        time[second],
        is_return=False,
        **{name: values[second] for name, values in columns.items()},
        amount=second_amount[second],
        discount=second_discount[second],
        quantity=1,
        category=other[second],
        product=_PRODUCTS - 1 - np.floor(product[second]).astype(np.int64),
    )
    return_share = np.array([market.return_share for market in world.parameters.markets])[world.lives.market[rows]]
    back = uniform(keys, Purpose.RETURN, day, rows) < return_share
    span = money.return_max_days - money.return_min_days + 1
    after = money.return_min_days + np.floor(uniform(keys, Purpose.RETURN_DELAY, day, rows) * span).astype(np.int64)
    returned = {name: values[back] for name, values in first_line.items()}
    returned["amount"] = -returned["amount"]
    for name in ("promised", "delivered"):
        returned[name] = np.full(len(returned["amount"]), NO_TIME)
    log.add("purchases", rows[back], (time + after * DAY_SECONDS)[back], is_return=True, **returned)


def _complain(world: World, state: State, day: int, orders: _Orders, log: Log) -> None:
    """Complaints over these orders; where two are open, the state knows of them as one."""
    keys, service, rows = world.keys, world.parameters.service, orders.rows
    late = orders.late_days > 0
    share = service.complaint_share * np.where(late, service.complaint_late_factor, 1.0)
    complains = uniform(keys, Purpose.COMPLAINT, day, rows) < share
    rows, late = rows[complains], late[complains]
    wait = np.where(late, service.promise_days + service.late_min_days, service.promise_days)
    wait = wait + np.floor(4 * uniform(keys, Purpose.COMPLAINT_DELAY, day, rows)).astype(np.int64)
    opened = day + wait
    time = waking_time(opened, uniform(keys, Purpose.COMPLAINT_TIME, day, rows))
    draws = uniform(keys, Purpose.COMPLAINT_LENGTH, day, rows)
    slow = uniform(keys, Purpose.COMPLAINT_SPEED, day, rows) < service.slow_share
    within = 1 - np.exp(-service.slow_after_days / service.fast_mean_days)
    fast_days = -service.fast_mean_days * np.log(1 - draws * within)
    slow_days = service.slow_after_days - service.slow_mean_more_days * np.log(draws)
    length_days = np.where(slow, slow_days, fast_days)
    answer_days = -service.first_response_mean_days * np.log(uniform(keys, Purpose.COMPLAINT_ANSWER, day, rows))
    resolved = time + (length_days * DAY_SECONDS).astype(np.int64)
    topic = 1 + np.floor((len(TOPICS) - 1) * uniform(keys, Purpose.COMPLAINT_TOPIC, day, rows)).astype(np.int64)
    log.add(
        "complaints",
        rows,
        time,
        kind=0,
        resolved=resolved,
        first_response=np.minimum(resolved, time + (answer_days * (1 + 3 * slow) * DAY_SECONDS).astype(np.int64)),
        severity=1 + np.floor(3 * uniform(keys, Purpose.COMPLAINT_SEVERITY, day, rows)).astype(np.int64),
        category=np.where(late, 0, topic),
        channel=np.floor(3 * uniform(keys, Purpose.COMPLAINT_CHANNEL, day, rows)).astype(np.int64),
    )
    until = resolved // DAY_SECONDS + 1
    still_open = state.complaint_until[rows] > opened
    state.complaint_from[rows] = np.where(still_open, state.complaint_from[rows], opened)
    state.complaint_until[rows] = np.maximum(until, state.complaint_until[rows])
    sorry = uniform(keys, Purpose.APOLOGY, day, rows) < world.parameters.contact.apology_share
    state.apology_due[rows[sorry]] = opened[sorry] + world.parameters.contact.apology_after_days


def _points(world: World, state: State, day: int, orders: _Orders, log: Log) -> None:
    """Members join with their first order, redeem a reward with some later ones, and earn with each."""
    loyalty, ratios = world.parameters.loyalty, world.parameters.ratios
    member = world.lives.member[orders.rows]
    rows, amount, time = orders.rows[member], orders.amount[member], orders.time[member]
    joins = state.orders[rows] == 1
    log.add("loyalty", rows[joins], time[joins], kind=0, points=0, expires=NO_TIME)
    redeems = state.points[rows] >= loyalty.reward_points
    redeems &= uniform(world.keys, Purpose.REDEEM, day, rows) < loyalty.redeem_share
    state.points[rows[redeems]] -= loyalty.reward_points
    state.redeemed[rows[redeems]] = day
    log.add("loyalty", rows[redeems], time[redeems], kind=_REDEEM, points=loyalty.reward_points, expires=NO_TIME)
    earned = np.floor(amount / loyalty.amount_per_point).astype(np.int64)
    state.points[rows] += earned
    state.points_earned[rows] += earned
    expires = (day + loyalty.expire_after_days) * DAY_SECONDS
    log.add("loyalty", rows, time + 60, kind=_EARN, points=earned, expires=expires)
    tenure_days = np.maximum(day - state.first_order[rows], loyalty.pace_min_days)
    per_month = np.maximum(state.points_earned[rows] / tenure_days * 30.4, 1e-9)
    months = (loyalty.reward_points - state.points[rows]) / per_month
    state.far_reward[rows] = months > ratios.far_reward_months


def _plan_outreach(world: World, state: State, day: int, rows: Rows, first: Bools) -> None:
    keys, contact = world.keys, world.parameters.contact
    by_post = uniform(keys, Purpose.THANKS_CHANNEL, day, rows) < contact.thanks_post_share
    thanked = (uniform(keys, Purpose.THANKS, day, rows) < contact.thanks_share) & (state.opted_in[rows] | by_post)
    state.thanks_due[rows[thanked]] = day + contact.thanks_after_days
    followed = first & state.opted_in[rows] & (uniform(keys, Purpose.FOLLOW_UP, day, rows) < contact.follow_up_share)
    state.follow_up_due[rows[followed]] = day + contact.follow_up_after_days
    state.last_outreach[rows[first]] = day
