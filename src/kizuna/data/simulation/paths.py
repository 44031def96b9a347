"""The lives that a customer may lead without an order: when fading begins, when they leave, how own time runs meanwhile.

As long as nobody orders, nothing but these two days is uncertain. The first is cut into cells of days, whose masses
follow from the hazard ratios that the state implies; the second into quantiles of the exponential fade. Newsletters,
surveys and the next offers that the state calls for count as sent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from kizuna.data.simulation.events import World
from kizuna.data.simulation.keyed import Bools, Floats, Ints
from kizuna.data.simulation.lives import PERSUADABLE, SURE
from kizuna.data.simulation.state import LONG_AGO, State, contact_effect, hazard_ratio


@dataclass(frozen=True)
class Paths:
    """Per path and row (k × n): its weight, and the own time passed by each of the days asked for."""

    weight: Floats
    passed: tuple[Floats, ...]


@dataclass(frozen=True)
class _Ahead:
    """What shapes own time from a day on, per row; days count from it.

    In the days ``effect_from`` to ``effect_until`` a contact acts: it multiplies the hazard of leaving by ``ratio``, and
    where ``won`` buying does not fade and runs ``more`` faster. ``pull``: own time given by an offer on ``pull_day``.
    """

    pace: Floats
    kind: Ints
    effect_from: Floats
    effect_until: Floats
    ratio: Floats
    won: Bools
    pull: Floats
    pull_day: Floats
    open_from: Floats
    open_until: Floats


def paths_of(world: World, state: State, day: int, ends: tuple[int, ...], edges: Floats, quantiles: int) -> Paths:
    """All paths of every row: fading has begun, begins in a cell of ``edges``, or does not; each with its fade lengths.

    ``ends`` and ``edges`` are days from ``day`` on; the own time is told for each of ``ends``.
    """
    is_fading = state.fading <= day
    begins = np.where(is_fading, 0.0, _fading_masses(world, state, day, edges))
    now = is_fading.astype(np.float64)
    weight = [1 - now - begins.sum(axis=0), *np.repeat([now, *begins], quantiles, axis=0) / quantiles]
    ahead = _ahead(world, state, day)
    lengths = -np.log(1 - (np.arange(quantiles) + 0.5) / quantiles) * world.parameters.leaving.fade_mean_days
    starts = np.repeat([0.0, *(edges[1:] + edges[:-1]) / 2], quantiles)
    table = _calendar_table(world, day)
    plain = (ahead.effect_until <= ahead.effect_from) & (ahead.open_until <= ahead.open_from)
    other = np.flatnonzero(~plain)
    part = _Ahead(**{item.name: getattr(ahead, item.name)[other] for item in fields(_Ahead)})
    passed = []
    for end in ends:
        values = np.empty((len(weight), len(now)))
        for path, (begin, length) in enumerate(
            [(float(end), 0.0), *zip(starts, np.tile(lengths, len(edges)), strict=True)]
        ):
            values[path] = _plain_time(world, table, begin, begin + length, end)[ahead.kind]
            leave = _leave_day(part, begin, length) if length else np.full(len(other), begin)
            values[path, other] = _own_time(world, part, table, begin, np.minimum(leave, end))
        values *= ahead.pace
        values += np.where(end >= ahead.pull_day, ahead.pull, 0.0)
        passed.append(values)
    return Paths(np.array(weight), tuple(passed))


def offers_planned(world: World, state: State, day: int) -> tuple[Ints, Ints]:
    """First and last day, from ``day`` on, of the offers that each customer is due without another order; else LONG_AGO."""
    contact = world.parameters.contact
    first = np.full(len(state.orders), -(-day // contact.offer_every_days) * contact.offer_every_days)
    reach = state.last_order + contact.offer_recent_days
    last = reach // contact.offer_every_days * contact.offer_every_days
    due = (last >= first) & state.opted_in & ~world.lives.hold_out
    return np.where(due, first, LONG_AGO), np.where(due, last, LONG_AGO)


def _ahead(world: World, state: State, day: int) -> _Ahead:
    responses, lives = world.parameters.responses, world.lives
    first, last = offers_planned(world, state, day)
    ratio = contact_effect(world.parameters, lives.response)
    now = day - state.contacted <= responses.effect_days
    starts = np.where(now, day, np.where(first > LONG_AGO, first + 1, day))
    latest = np.maximum(state.contacted, last)
    acts = (ratio != 1.0) | (lives.response == PERSUADABLE)
    ends = np.where(acts, np.maximum(latest + responses.effect_days, starts), starts)
    pulls = (first > LONG_AGO) & (lives.response == SURE) & (state.borrowed == 0)
    return _Ahead(
        pace=lives.pace,
        kind=lives.market * 3 + lives.buyer,
        effect_from=(starts - day).astype(np.float64),
        effect_until=(ends - day).astype(np.float64),
        ratio=ratio,
        won=(lives.response == PERSUADABLE) & (ends > starts),
        pull=np.where(pulls, responses.sure_pull_forward_days * lives.pace, 0.0),
        pull_day=np.where(pulls, first + 1 - day, 0).astype(np.float64),
        open_from=np.maximum(state.complaint_from - day, 0).astype(np.float64),
        open_until=np.maximum(state.complaint_until - day, 0).astype(np.float64),
    )


def _calendar_table(world: World, day: int) -> Floats:
    """Own time at pace one passed by each number of days from ``day`` on (kind × days)."""
    start = world.calendar.column(day)
    time = world.calendar.time[:, start : start + world.parameters.truth.value_horizon_days + 1]
    return time - time[:, :1]


def _plain_time(world: World, table: Floats, begin: float, leave: float, end: int) -> Floats:
    """Own time at pace one, per kind, passed by ``end``: fading from ``begin`` to ``leave``, and nothing else."""
    slow = world.parameters.leaving.fade_rate_factor
    normal = table[:, int(min(begin, end))]
    return normal + slow * (table[:, int(min(leave, end))] - normal)


def _own_time(world: World, ahead: _Ahead, table: Floats, begin: float, end: Floats) -> Floats:
    """Own time at pace one passed by ``end`` days when fading begins after ``begin`` days."""
    slow = world.parameters.leaving.fade_rate_factor
    before = _steady_time(world, ahead, table, np.minimum(end, begin))
    time = before + slow * (_steady_time(world, ahead, table, end) - before)
    won = np.flatnonzero(ahead.won)
    opens, closes = np.minimum(ahead.effect_from, end)[won], np.minimum(ahead.effect_until, end)[won]

    def passed(until: Floats) -> Floats:
        return _steady_time(world, ahead, table, until, won)

    # Within the days of effect fading is put off, and ``more`` orders are bought beside the usual ones.
    faded = passed(np.maximum(closes, begin)) - passed(np.maximum(opens, begin))
    more = world.parameters.responses.persuadable_more_per_year / 365 / ahead.pace[won]
    time[won] += (1 - slow) * np.where(closes > begin, faded, 0.0) + more * (passed(closes) - passed(opens))
    return time


def _steady_time(world: World, ahead: _Ahead, table: Floats, until: Floats, rows: Any = slice(None)) -> Floats:
    """Own time at pace one passed by ``until`` days, without fading: slower while a complaint is open."""
    kind, opens, closes = ahead.kind[rows], ahead.open_from[rows], ahead.open_until[rows]
    time: Floats = table[kind, until.astype(np.int64)]
    upset = np.flatnonzero(closes > opens)
    kind, until = kind[upset], until[upset]
    held = table[kind, np.minimum(until, closes[upset]).astype(np.int64)]
    held -= table[kind, np.minimum(until, opens[upset]).astype(np.int64)]
    time[upset] -= (1 - world.parameters.service.open_complaint_rate_factor) * held
    return time


def _leave_day(ahead: _Ahead, begin: float, length_days: float) -> Floats:
    """Days until a customer leaves who begins to fade after ``begin``: the fade lasts ``length_days`` at ratio one."""
    first = np.maximum(ahead.effect_from - begin, 0.0)
    opens = np.maximum(ahead.effect_from, begin)
    width = np.maximum(ahead.effect_until - opens, 0.0)
    rest = length_days - first
    inside = rest <= ahead.ratio * width
    later = np.where(inside, opens + rest / ahead.ratio, opens + width + rest - ahead.ratio * width)
    return np.where(rest <= 0, begin + length_days, later)


def _fading_masses(world: World, state: State, day: int, edges: Floats) -> Floats:
    """The chance that fading begins in each cell, as the state implies it (cells × n)."""
    per_day = world.parameters.leaving.hazard_per_day * world.lives.frailty
    hazards = [np.zeros(len(state.orders))]
    for low, high in pairwise(edges):
        then = day + int((low + high) / 2)
        outlook = _outlook(world, state, day, then)
        hazards.append(hazard_ratio(world.parameters, world.lives, outlook, then) * per_day * (high - low))
    survival = np.exp(-np.cumsum(hazards, axis=0))
    return survival[:-1] - survival[1:]


def _outlook(world: World, state: State, day: int, then: int) -> State:
    """The state as planned mail will have left it on a later day, without an order in between."""
    contact, lives, voice = world.parameters.contact, world.lives, world.parameters.voice
    reads = state.opted_in & (then - state.last_order <= contact.sunset_days)
    last_news = np.where(state.opted_in, np.minimum(then, state.last_order + contact.sunset_days), LONG_AGO)
    every_days = 365 // voice.invitations_per_year
    asked = then - (then - lives.survey_day) % every_days
    is_asked = (asked >= day) & (asked - state.last_order <= voice.invited_within_days)
    first, last = offers_planned(world, state, day)
    offered = np.where(first < then, np.minimum(last, then - 1), LONG_AGO)
    return replace(
        state,
        last_outreach=np.maximum(state.last_outreach, np.maximum(last_news, np.where(is_asked, asked, LONG_AGO))),
        contacted=np.maximum(state.contacted, offered),
        mails_week=np.where(reads, 1 + _extra_mails(world, then) * lives.heavy_mail, 0),
    )


def _extra_mails(world: World, day: int) -> int:
    """Newsletters beyond the weekly one, in the week that ends with a day, to those who get more."""
    contact, calendar = world.parameters.contact, world.calendar
    extra = 0
    for column in range(calendar.column(day) - 6, calendar.column(day) + 1):
        days = contact.heavy_weekdays + (contact.heavy_campaign_weekdays if calendar.campaign[column] else ())
        extra += int(calendar.weekday[column]) in days
    return extra
