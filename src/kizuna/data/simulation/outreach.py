"""What the company sends, and what is opened: newsletters, offers with a coupon, thanks, birthdays, follow-ups, apologies."""

from __future__ import annotations

import numpy as np

from kizuna.data.simulation.events import DAY_SECONDS, KINDS, Log, World
from kizuna.data.simulation.keyed import Bools, Purpose, Rows, uniform
from kizuna.data.simulation.lives import SLEEPING, SURE
from kizuna.data.simulation.state import NEVER, State

_HOURS = {"newsletter": 10, "offer": 11, "thanks": 14, "birthday": 9, "follow_up": 15, "apology": 16, "survey": 12}
_PURPOSE_OF_KIND = {
    "newsletter": "information",
    "offer": "promotion",
    "thanks": "thanks",
    "birthday": "thanks",
    "follow_up": "service",
    "apology": "recovery",
    "survey": "feedback",
}
PURPOSES = ("information", "promotion", "thanks", "service", "recovery", "feedback")
EMAIL, POST, PHONE = 0, 1, 2


def write_to_customers(world: World, state: State, day: int, log: Log) -> None:
    """Everything that goes out on a day, except survey invitations."""
    thanked = np.flatnonzero(state.thanks_due == day)
    mailed = state.opted_in[thanked]
    send(world, state, day, thanked[mailed], "thanks", log)
    send(world, state, day, thanked[~mailed], "thanks", log, channel=POST)
    state.thanked[thanked] = day
    followed = np.flatnonzero(state.follow_up_due == day)
    send(world, state, day, followed, "follow_up", log)
    state.followed_up[followed] = True
    send(world, state, day, np.flatnonzero(state.apology_due == day), "apology", log, channel=PHONE)
    active = day - state.last_order <= world.parameters.contact.sunset_days
    today = world.calendar.month_day[world.calendar.column(day)]
    send(world, state, day, np.flatnonzero((world.lives.birthday == today) & state.opted_in & active), "birthday", log)
    send(world, state, day, _readers(world, state, day, active), "newsletter", log)
    contact = world.parameters.contact
    if day % contact.offer_every_days == 0:
        recent = (day - state.last_order <= contact.offer_recent_days) & (day > state.last_order)
        rows = np.flatnonzero(recent & state.opted_in & ~world.lives.hold_out)
        send(world, state, day, rows, "offer", log)
        persuade(world, state, day, rows)


def send(world: World, state: State, day: int, rows: Rows, kind: str, log: Log, channel: int = EMAIL) -> None:
    """Send one message to each of ``rows``, note it in the state, and log it with the opens that follow."""
    if not len(rows) and "outreach" in log.parts:
        return
    state.last_outreach[rows] = day
    state.wrong_language[rows] = world.lives.mail_language[rows] != world.lives.language[rows]
    time = np.full(len(rows), day * DAY_SECONDS + _HOURS[kind] * 3600)
    log.add(
        "outreach",
        rows,
        time,
        kind=KINDS["outreach"].index(kind),
        purpose=PURPOSES.index(_PURPOSE_OF_KIND[kind]),
        channel=channel,
        language=world.lives.mail_language[rows],
        cost=world.parameters.contact.cost_by_channel[channel][1],
    )
    if channel == EMAIL:
        state.mails[rows, day % 7] += 1
        state.mails_week[rows] += 1
    if kind in ("newsletter", "offer"):
        _open(world, state, day, rows, kind, log)


def persuade(world: World, state: State, day: int, rows: Rows) -> None:
    """What a contact meant to keep the customer does, by response type; it acts from the next day on."""
    responses, contact = world.parameters.responses, world.parameters.contact
    response = world.lives.response[rows]
    state.contacted[rows] = day
    state.coupon_until[rows] = day + contact.coupon_valid_days
    sure = rows[(response == SURE) & (state.left[rows] == NEVER) & (state.borrowed[rows] == 0)]
    state.borrowed[sure] = responses.sure_pull_forward_days * world.lives.pace[sure]
    state.clock[sure] += state.borrowed[sure]
    sleeping = rows[response == SLEEPING]
    annoyed = uniform(world.keys, Purpose.OPT_OUT, day, sleeping) < responses.sleeping_opt_out
    state.opted_in[sleeping[annoyed]] = False


def _readers(world: World, state: State, day: int, active: Bools) -> Rows:
    """Who gets a newsletter today: opted in and not yet under the sunset rule; some get more, most in campaigns."""
    contact, column = world.parameters.contact, world.calendar.column(day)
    weekday = int(world.calendar.weekday[column])
    heavy_days = contact.heavy_weekdays
    if world.calendar.campaign[column]:
        heavy_days += contact.heavy_campaign_weekdays
    if weekday == contact.newsletter_weekday:
        return np.flatnonzero(state.opted_in & active)
    if weekday in heavy_days:
        return np.flatnonzero(state.opted_in & active & world.lives.heavy_mail)
    return np.zeros(0, dtype=np.intp)


def _open(world: World, state: State, day: int, rows: Rows, kind: str, log: Log) -> None:
    """Opens and clicks; programs that open everything by themselves leave the clicks to the customer."""
    keys, engagement = world.keys, world.parameters.engagement
    message = day * len(_HOURS) + list(_HOURS).index(kind)
    willing = world.lives.open_share[rows] * state.interest[rows]
    automatic = world.lives.auto_opens[rows]
    chance = np.where(automatic, engagement.auto_open_probability, willing)
    opened = uniform(keys, Purpose.OPEN, message, rows) < chance
    rows, willing, automatic = rows[opened], willing[opened], automatic[opened]
    delay = (-3 * 3600 * np.log(uniform(keys, Purpose.OPEN_DELAY, message, rows))).astype(np.int64)
    time = day * DAY_SECONDS + (_HOURS[kind] * 3600 + 300) + delay
    log.add("engagement", rows, time, kind=1, channel=2)
    share = engagement.click_share * np.where(automatic, willing, 1.0)
    clicked = uniform(keys, Purpose.CLICK, message, rows) < share
    log.add("engagement", rows[clicked], time[clicked] + 90, kind=2, channel=2)
