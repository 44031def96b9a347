"""What the company sends, and what is opened: newsletters, offers with a coupon, thanks, birthdays, follow-ups, apologies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kizuna.data.simulation.events import DAY_SECONDS, KINDS, NO_TIME, Log, World
from kizuna.data.simulation.keyed import Bools, Purpose, Rows, uniform
from kizuna.data.simulation.lives import SLEEPING, SURE
from kizuna.data.simulation.parameters import Contact
from kizuna.data.simulation.state import NEVER, State

CHANNELS = ("email", "post", "phone", "sms", "line")
_EMAIL = 0
PURPOSES = ("information", "promotion", "thanks", "service", "recovery", "feedback", "recommendation")
# A message that came from no list.
NO_LIST = {"list_as_of": NO_TIME, "action": np.int16(-1), "arm": np.int8(-1)}


@dataclass(frozen=True)
class _Message:
    """What one message is: its kind and purpose in the table, the hour it goes out, its channel."""

    kind: str
    purpose: str
    hour: int
    channel: int = _EMAIL


_MESSAGES = {
    "newsletter": _Message("newsletter", "information", 10),
    "offer": _Message("offer", "promotion", 11),
    "thanks": _Message("thanks", "thanks", 14),
    "thanks_card": _Message("thanks", "thanks", 14, CHANNELS.index("post")),
    "birthday": _Message("birthday", "thanks", 9),
    "follow_up": _Message("follow_up", "service", 15),
    "apology": _Message("apology", "recovery", 16, CHANNELS.index("phone")),
    "survey": _Message("survey", "feedback", 12),
}


def write_to_customers(world: World, state: State, day: int, log: Log) -> None:
    """Everything that goes out on a day, except survey invitations."""
    thanked = np.flatnonzero(state.thanks_due == day)
    mailed = state.opted_in[thanked]
    send(world, state, day, thanked[mailed], "thanks", log)
    send(world, state, day, thanked[~mailed], "thanks_card", log)
    state.thanked[thanked] = day
    followed = np.flatnonzero(state.follow_up_due == day)
    send(world, state, day, followed, "follow_up", log)
    state.followed_up[followed] = True
    send(world, state, day, np.flatnonzero(state.apology_due == day), "apology", log)
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


def send(world: World, state: State, day: int, rows: Rows, name: str, log: Log) -> None:
    """Send one message to each of ``rows``, note it in the state, and log it with the opens that follow."""
    if not len(rows) and "outreach" in log.parts:
        return
    message, contact = _MESSAGES[name], world.parameters.contact
    state.last_outreach[rows] = day
    state.wrong_language[rows] = world.lives.mail_language[rows] != world.lives.language[rows]
    log.add(
        "outreach",
        rows,
        np.full(len(rows), day * DAY_SECONDS + message.hour * 3600),
        kind=KINDS["outreach"].index(message.kind),
        purpose=PURPOSES.index(message.purpose),
        channel=message.channel,
        language=world.lives.mail_language[rows],
        cost=costs(contact)[message.channel],
        **NO_LIST,
    )
    if message.channel == _EMAIL:
        state.mails[rows, day % 7] += 1
        state.mails_week[rows] += 1
    if name in ("newsletter", "offer"):
        ordinal = day * len(_MESSAGES) + list(_MESSAGES).index(name)
        log_opens(world, state, rows, ordinal, day * DAY_SECONDS + message.hour * 3600, log)


def costs(contact: Contact) -> tuple[float, ...]:
    """What one message costs, in the order of ``CHANNELS``."""
    return contact.email_cost, contact.post_cost, contact.phone_cost, contact.sms_cost, contact.line_cost


def persuade(world: World, state: State, day: int, rows: Rows) -> None:
    """What an offer does, by response type; it acts from the next day on."""
    reach(world, state, day, rows, Purpose.OPT_OUT)
    give_coupons(world, state, day, rows)


def reach(world: World, state: State, day: int, rows: Rows, purpose: Purpose) -> None:
    """What a contact meant to keep the customer does, without a coupon; ``purpose``: of the draws who opts out."""
    state.contacted[rows] = day
    sleeping = rows[world.lives.response[rows] == SLEEPING]
    annoyed = uniform(world.keys, purpose, day, sleeping) < world.parameters.responses.sleeping_opt_out
    state.opted_in[sleeping[annoyed]] = False


def give_coupons(world: World, state: State, day: int, rows: Rows) -> None:
    """A coupon for each of ``rows``; sure things pull their next order forward for it."""
    state.coupon_until[rows] = day + world.parameters.contact.coupon_valid_days
    sure = rows[(world.lives.response[rows] == SURE) & (state.left[rows] == NEVER) & (state.borrowed[rows] == 0)]
    state.borrowed[sure] = world.parameters.responses.sure_pull_forward_days * world.lives.pace[sure]
    state.clock[sure] += state.borrowed[sure]


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


def log_opens(world: World, state: State, rows: Rows, message: int, sent: int, log: Log) -> None:
    """Opens and clicks of a mail of that moment; ``message`` is the number that its draws are keyed by.

    Programs that open everything by themselves leave the clicks to the customer.
    """
    keys, engagement = world.keys, world.parameters.engagement
    willing = world.lives.open_share[rows] * state.interest[rows]
    automatic = world.lives.auto_opens[rows]
    chance = np.where(automatic, engagement.auto_open_probability, willing)
    opened = uniform(keys, Purpose.OPEN, message, rows) < chance
    rows, willing, automatic = rows[opened], willing[opened], automatic[opened]
    delay = (-3 * 3600 * np.log(uniform(keys, Purpose.OPEN_DELAY, message, rows))).astype(np.int64)
    time = sent + 300 + delay
    log.add("engagement", rows, time, kind=1, channel=2)
    share = engagement.click_share * np.where(automatic, willing, 1.0)
    clicked = uniform(keys, Purpose.CLICK, message, rows) < share
    log.add("engagement", rows[clicked], time[clicked] + 90, kind=2, channel=2)
