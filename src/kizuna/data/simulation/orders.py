"""An order and what hangs on it: lines, delivery, return, complaint, points, and what the shop plans to write."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kizuna.data.simulation import voice
from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME, TOPICS, Log, World, waking_time
from kizuna.data.simulation.keyed import Bools, Floats, Ints, Purpose, Rows, uniform, uniforms
from kizuna.data.simulation.lives import CATEGORIES, SURE
from kizuna.data.simulation.state import LONG_AGO, State

_PRODUCTS = 40
_EARN, _REDEEM, _EXPIRE = 1, 2, 3


_DRAWS = (
    Purpose.ORDER_CHANNEL,
    Purpose.ORDER_TIME,
    Purpose.ORDER_VISIT,
    Purpose.AMOUNT,
    Purpose.COUPON_USE,
    Purpose.LATE,
    Purpose.DELIVERY,
    Purpose.ORDER_APP,
    Purpose.ORDER_CATEGORY,
    Purpose.PRODUCT,
    Purpose.SECOND_LINE,
    Purpose.QUANTITY,
    Purpose.SECOND_CATEGORY,
    Purpose.RETURN,
    Purpose.RETURN_DELAY,
    Purpose.COMPLAINT,
    Purpose.COMPLAINT_DELAY,
    Purpose.COMPLAINT_TIME,
    Purpose.COMPLAINT_LENGTH,
    Purpose.COMPLAINT_SPEED,
    Purpose.COMPLAINT_ANSWER,
    Purpose.COMPLAINT_TOPIC,
    Purpose.COMPLAINT_SEVERITY,
    Purpose.COMPLAINT_CHANNEL,
    Purpose.APOLOGY,
    Purpose.REDEEM,
    Purpose.THANKS_CHANNEL,
    Purpose.THANKS,
    Purpose.FOLLOW_UP,
)


@dataclass(frozen=True)
class _Orders:
    """The orders of a day, one per row: who, when, how, for how much, and the draws that settle the rest."""

    rows: Rows
    draws: dict[Purpose, Floats]
    time: Ints
    is_store: Bools
    late_days: Ints
    amount: Floats
    discount: Floats


def place(world: World, state: State, day: int, rows: Rows, log: Log) -> None:
    """The orders of a day, one for each of ``rows``."""
    buying = world.parameters.buying
    first = state.orders[rows] == 0
    state.orders[rows] += 1
    state.first_order[rows[first]] = day
    state.last_order[rows] = day
    state.clock[rows] = np.where(first, 0.0, state.clock[rows] - state.threshold[rows] - state.borrowed[rows])
    state.borrowed[rows] = 0.0
    state.threshold[rows] = _gap(world, state, rows)
    draws = uniforms(world.keys, _DRAWS, day, rows)
    store_share = np.where(world.lives.store_buyer[rows], buying.store_buyer_store_share, buying.other_store_share)
    store = draws[Purpose.ORDER_CHANNEL] < store_share
    late = (draws[Purpose.LATE] < world.parameters.service.late_share) & ~store
    _remember_late(world, state, day, rows[late])
    amount, discount = _amount(world, state, day, rows, draws)
    orders = _Orders(
        rows=rows,
        draws=draws,
        time=waking_time(day, draws[Purpose.ORDER_TIME]),
        is_store=store,
        late_days=_late_days(world, late, draws[Purpose.DELIVERY]),
        amount=amount,
        discount=discount,
    )
    _log_lines(world, day, orders, log)
    _complain(world, state, day, orders, log)
    _points(world, state, day, orders, log)
    _plan_outreach(world, state, day, orders, first)
    voice.after_order(world, state, day, rows, orders.time, log)
    visits = ~store & (draws[Purpose.ORDER_VISIT] < world.parameters.engagement.order_visit_share)
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


def _amount(world: World, state: State, day: int, rows: Rows, draws: dict[Purpose, Floats]) -> tuple[Floats, Floats]:
    """What is paid, and what was taken off; a sure thing's coupon takes part of its value out of the order."""
    from scipy.special import ndtri

    parameters, column = world.parameters, world.calendar.column(day)
    noise = ndtri(draws[Purpose.AMOUNT])
    amount = np.exp(world.lives.log_amount[rows] + parameters.money.within_sd * noise) * world.calendar.price[column]
    taken_off = parameters.money.sale_discount if world.calendar.sale[column] else 0.0
    discount = amount * taken_off / (1 - taken_off)
    valid = state.coupon_until[rows] > day
    used = valid & (draws[Purpose.COUPON_USE] < parameters.contact.coupon_use_share)
    state.coupon_until[rows[used]] = LONG_AGO
    discount = discount + used * parameters.contact.coupon_value
    lost = used & (world.lives.response[rows] == SURE)
    paid = amount - lost * parameters.responses.sure_value_lost * parameters.contact.coupon_value
    return np.round(np.maximum(paid, 0.1 * amount)), np.round(discount)


def _late_days(world: World, late: Bools, draws: Floats) -> Ints:
    """Days that each delivery comes after its promise; not positive where it comes in time."""
    service = world.parameters.service
    span = service.late_max_days - service.late_min_days + 1
    return np.where(late, service.late_min_days + np.floor(draws * span), -np.floor(draws * 3)).astype(np.int64)


def _remember_late(world: World, state: State, day: int, rows: Rows) -> None:
    """A late delivery acts from the day on which it is late; a second one prolongs that."""
    service, ratios = world.parameters.service, world.parameters.ratios
    known = day + service.promise_days + service.late_min_days
    again = state.late_until[rows] >= known
    state.late_from[rows] = np.where(again, state.late_from[rows], known)
    state.late_until[rows] = known + ratios.late_delivery_days


def _log_lines(world: World, day: int, orders: _Orders, log: Log) -> None:
    """One or two lines per order, and the return of some first lines, under the order's own id."""
    buying, money, service = world.parameters.buying, world.parameters.money, world.parameters.service
    rows, time, amount, draws = orders.rows, orders.time, orders.amount, orders.draws
    promised = np.where(orders.is_store, NO_TIME, (day + service.promise_days) * DAY_SECONDS + 20 * 3600)
    delivered = np.where(orders.is_store, NO_TIME, promised + orders.late_days * DAY_SECONDS - 3600 * (day % 9))
    app = draws[Purpose.ORDER_APP] < buying.app_share
    favourite, usual = draws[Purpose.ORDER_CATEGORY], buying.favourite_category_share
    any_category = np.floor((favourite - usual) / (1 - usual) * len(CATEGORIES))
    category = np.where(favourite < usual, world.lives.category[rows], any_category)
    product = _PRODUCTS * draws[Purpose.PRODUCT] ** 1.7
    columns = {
        "order_day": np.full(len(rows), day),
        "channel": np.where(orders.is_store, 2, np.where(app, 1, 0)),
        "promised": promised,
        "delivered": delivered,
    }
    second = draws[Purpose.SECOND_LINE] < money.second_line_share
    second_amount = np.where(second, np.round(amount * money.second_line_part), 0.0)
    second_discount = np.where(second, np.round(orders.discount * money.second_line_part), 0.0)
    first_line = {
        **columns,
        "amount": amount - second_amount,
        "discount": orders.discount - second_discount,
        "quantity": 1 + np.floor(2.2 * draws[Purpose.QUANTITY] ** 3).astype(np.int64),
        "category": category.astype(np.int64),
        "product": np.floor(product).astype(np.int64),
    }
    log.add("purchases", rows, time, is_return=False, **first_line)
    other = np.floor(draws[Purpose.SECOND_CATEGORY] * len(CATEGORIES)).astype(np.int64)
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
    back = draws[Purpose.RETURN] < return_share
    span = money.return_max_days - money.return_min_days + 1
    after = money.return_min_days + np.floor(draws[Purpose.RETURN_DELAY] * span).astype(np.int64)
    returned = {name: values[back] for name, values in first_line.items()}
    returned["amount"] = -returned["amount"]
    for name in ("promised", "delivered"):
        returned[name] = np.full(len(returned["amount"]), NO_TIME)
    log.add("purchases", rows[back], (time + after * DAY_SECONDS)[back], is_return=True, **returned)


def _complain(world: World, state: State, day: int, orders: _Orders, log: Log) -> None:
    """Complaints over these orders; where two are open, the state knows of them as one."""
    service = world.parameters.service
    late = orders.late_days > 0
    share = service.complaint_share * np.where(late, service.complaint_late_factor, 1.0)
    complains = np.flatnonzero(orders.draws[Purpose.COMPLAINT] < share)
    rows, late = orders.rows[complains], late[complains]
    draw = {purpose: values[complains] for purpose, values in orders.draws.items()}
    wait = np.where(late, service.promise_days + service.late_min_days, service.promise_days)
    wait = wait + np.floor(4 * draw[Purpose.COMPLAINT_DELAY]).astype(np.int64)
    opened = day + wait
    time = waking_time(opened, draw[Purpose.COMPLAINT_TIME])
    length = draw[Purpose.COMPLAINT_LENGTH]
    slow = draw[Purpose.COMPLAINT_SPEED] < service.slow_share
    within = 1 - np.exp(-service.slow_after_days / service.fast_mean_days)
    fast_days = -service.fast_mean_days * np.log(1 - length * within)
    slow_days = service.slow_after_days - service.slow_mean_more_days * np.log(length)
    length_days = np.where(slow, slow_days, fast_days)
    answer_days = -service.first_response_mean_days * np.log(draw[Purpose.COMPLAINT_ANSWER])
    resolved = time + (length_days * DAY_SECONDS).astype(np.int64)
    topic = 1 + np.floor((len(TOPICS) - 1) * draw[Purpose.COMPLAINT_TOPIC]).astype(np.int64)
    log.add(
        "complaints",
        rows,
        time,
        kind=0,
        resolved=resolved,
        first_response=np.minimum(resolved, time + (answer_days * (1 + 3 * slow) * DAY_SECONDS).astype(np.int64)),
        severity=1 + np.floor(3 * draw[Purpose.COMPLAINT_SEVERITY]).astype(np.int64),
        category=np.where(late, 0, topic),
        channel=np.floor(3 * draw[Purpose.COMPLAINT_CHANNEL]).astype(np.int64),
    )
    until = resolved // DAY_SECONDS + 1
    still_open = state.complaint_until[rows] > opened
    state.complaint_from[rows] = np.where(still_open, state.complaint_from[rows], opened)
    state.complaint_until[rows] = np.maximum(until, state.complaint_until[rows])
    sorry = draw[Purpose.APOLOGY] < world.parameters.contact.apology_share
    state.apology_due[rows[sorry]] = opened[sorry] + world.parameters.contact.apology_after_days


def _points(world: World, state: State, day: int, orders: _Orders, log: Log) -> None:
    """Members join with their first order, redeem a reward with some later ones, and earn with each."""
    loyalty, ratios = world.parameters.loyalty, world.parameters.ratios
    member = world.lives.member[orders.rows]
    rows, amount, time = orders.rows[member], orders.amount[member], orders.time[member]
    joins = state.orders[rows] == 1
    log.add("loyalty", rows[joins], time[joins], kind=0, points=0, expires=NO_TIME)
    redeems = state.points[rows] >= loyalty.reward_points
    redeems &= orders.draws[Purpose.REDEEM][member] < loyalty.redeem_share
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


def _plan_outreach(world: World, state: State, day: int, orders: _Orders, first: Bools) -> None:
    rows, draws, contact = orders.rows, orders.draws, world.parameters.contact
    by_post = draws[Purpose.THANKS_CHANNEL] < contact.thanks_post_share
    thanked = (draws[Purpose.THANKS] < contact.thanks_share) & (state.opted_in[rows] | by_post)
    state.thanks_due[rows[thanked]] = day + contact.thanks_after_days
    followed = first & state.opted_in[rows] & (draws[Purpose.FOLLOW_UP] < contact.follow_up_share)
    state.follow_up_due[rows[followed]] = day + contact.follow_up_after_days
    state.last_outreach[rows[first]] = day
