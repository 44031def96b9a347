"""All that changes: one frozen structure of arrays, one entry per customer, which a run could save and take up again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.keyed import Bools, Floats, Ints
from kizuna.data.simulation.lives import Lives
from kizuna.data.simulation.parameters import Parameters

NEVER = 1_000_000
LONG_AGO = -1_000_000

_Arrays = TypeVar("_Arrays", bound="State | Lives")


@dataclass(frozen=True)
class State:
    """Where every customer stands before a day; the step writes into the arrays.

    Days are numbers; ``NEVER`` and ``LONG_AGO`` stand for those that have not come. ``clock`` is the customer's own time
    since the last order and ``threshold`` when the next one falls due (mean gap 1); ``borrowed`` is what a coupon has pulled
    forward, to be waited for after that order (then the clock starts below zero). ``hazard`` and ``fade_hazard`` have
    been accumulated towards fading and leaving. ``suspended``: would leave after the first order as things stand.
    ``interest`` scales visits and opens. Pairs ``_from``, ``_until`` are half-open. ``mails`` holds the last seven days.
    """

    opted_in: Bools
    orders: Ints
    first_order: Ints
    last_order: Ints
    clock: Floats
    borrowed: Floats
    threshold: Floats
    hazard: Floats
    fade_hazard: Floats
    interest: Floats
    suspended: Bools
    fading: Ints
    left: Ints
    complaint_from: Ints
    complaint_until: Ints
    late_from: Ints
    late_until: Ints
    unanswered_from: Ints
    unanswered_until: Ints
    thanked: Ints
    redeemed: Ints
    contacted: Ints
    coupon_until: Ints
    followed_up: Bools
    last_outreach: Ints
    wrong_language: Bools
    far_reward: Bools
    points: Ints
    points_earned: Ints
    thanks_due: Ints
    follow_up_due: Ints
    apology_due: Ints
    mails: NDArray[np.int8]
    mails_week: Ints


def state_of(lives: Lives) -> State:
    """The state before the first day: nobody has bought yet."""
    count = len(lives.acquired)

    def days(value: int) -> Ints:
        return np.full(count, value, dtype=np.int64)

    arrays: dict[str, Any] = {
        "opted_in": lives.opts_in.copy(),
        "interest": np.ones(count),
        "mails": np.zeros((count, 7), dtype=np.int8),
    }
    for name in ("clock", "borrowed", "threshold", "hazard", "fade_hazard"):
        arrays[name] = np.zeros(count)
    for name in ("suspended", "followed_up", "wrong_language", "far_reward"):
        arrays[name] = np.zeros(count, dtype=bool)
    for name in ("orders", "points", "points_earned", "mails_week"):
        arrays[name] = days(0)
    for name in ("first_order", "fading", "left", "thanks_due", "follow_up_due", "apology_due"):
        arrays[name] = days(NEVER)
    for item in fields(State):
        arrays.setdefault(item.name, days(LONG_AGO))
    return State(**arrays)


def select(arrays: _Arrays, rows: Any) -> _Arrays:
    """The same structure for some customers: a view for a slice, a copy for an index."""
    return type(arrays)(**{item.name: getattr(arrays, item.name)[rows] for item in fields(arrays)})


def hazard_ratio(parameters: Parameters, lives: Lives, state: State, day: int) -> Floats:
    """What the day's circumstances multiply each customer's hazard of beginning to fade by, clipped."""
    ratios = parameters.ratios
    product = np.ones(len(state.orders))
    _apply(product, (state.late_from <= day) & (day < state.late_until), ratios.late_delivery)
    _apply(product, (state.unanswered_from <= day) & (day < state.unanswered_until), ratios.unanswered_feedback)
    _apply(product, day - state.last_outreach >= ratios.company_silent_days, ratios.company_silent)
    _apply(product, state.mails_week > ratios.mail_fatigue_above_per_week, ratios.mail_fatigue)
    _apply(product, state.far_reward, ratios.far_reward)
    _apply(product, state.wrong_language, ratios.language_mismatch)
    _apply(product, day - state.thanked < ratios.thanks_days, ratios.thanks)
    _apply(product, day - state.redeemed < ratios.redemption_days, ratios.redemption)
    product *= contact_ratio(parameters, lives.response, state.contacted, day)
    open_rows = np.flatnonzero((state.complaint_from <= day) & (day < state.complaint_until))
    overdue = np.maximum(day - state.complaint_from[open_rows] - ratios.complaint_growth_after_days, 0)
    growth = ratios.open_complaint * (1 + ratios.complaint_growth_per_day) ** overdue
    product[open_rows] *= np.minimum(growth, ratios.complaint_limit)
    return np.clip(product, ratios.lowest, ratios.highest)


def contact_ratio(parameters: Parameters, response: Ints, contacted: Ints, day: int) -> Floats:
    """What a contact meant to keep the customer, within its days of effect, multiplies the hazards by."""
    acts = day - contacted < parameters.responses.effect_days
    return np.where(acts, contact_effect(parameters, response), 1.0)


def contact_effect(parameters: Parameters, response: Ints) -> Floats:
    """The hazard ratio of a contact by response type."""
    effects = np.array([parameters.responses.sleeping_ratio, 1.0, 1.0, parameters.responses.persuadable_ratio])
    return effects[response]


def _apply(product: Floats, where: Bools, ratio: float) -> None:
    if ratio != 1.0:
        np.multiply(product, ratio, out=product, where=where)
