"""What is done for listed customers: a message of the kind that suits the action, and what it does to its reader.

Every contact of the target arm acts by response type, an incentive (A06) brings a coupon besides, a thank-you (A04) acts as
thanks, a follow-up (A08) wins wavering first buyers, a change of language (A09) mends the language. Service that is
owed settles complaints (A02) and feedback (A03), and persuades nobody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation import outreach
from kizuna.data.simulation.campaign import EXEMPT, Campaign, action_codes
from kizuna.data.simulation.events import DAY_SECONDS, KINDS, NO_TIME, Log, World
from kizuna.data.simulation.keyed import Bools, Ints, Purpose, Rows, uniform
from kizuna.data.simulation.state import State
from kizuna.data.simulation.voice import NPS, SUGGESTION

_HOUR = 13
_PHONE, _EMAIL = outreach.CHANNELS.index("phone"), outreach.CHANNELS.index("email")
_SOLVE, _ANSWER, _THANK, _OFFER, _FOLLOW_UP, _LANGUAGE, _CALL = "A02", "A03", "A04", "A06", "A08", "A09", "A13"
# Kind and purpose of the message by action.
_MESSAGES = {
    "A01": ("newsletter", "information"),
    _SOLVE: ("apology", "recovery"),
    _ANSWER: ("follow_up", "feedback"),
    _THANK: ("thanks", "thanks"),
    "A05": ("notice", "information"),
    _OFFER: ("offer", "promotion"),
    "A07": ("newsletter", "recommendation"),
    _FOLLOW_UP: ("follow_up", "service"),
    _LANGUAGE: ("notice", "service"),
    "A10": ("invitation", "information"),
    "A11": ("review_request", "feedback"),
    "A12": ("notice", "service"),
    _CALL: ("call", "service"),
    "A14": ("newsletter", "recommendation"),
    "A15": ("notice", "service"),
}
_OTHER = ("notice", "information")
# What a call becomes where no phone may be used.
_WRITTEN = "follow_up"


def act_on_lists(world: World, state: State, day: int, log: Log) -> None:
    """Whatever the lists of this day have carried out; contacts act from the same day on."""
    for campaign in world.campaigns:
        if campaign.day == day and campaign.done.any():
            _act(world, state, campaign, log)


def _act(world: World, state: State, campaign: Campaign, log: Log) -> None:
    day, done = campaign.day, campaign.done
    rows, channel, exempt = campaign.rows[done], campaign.channel[done], campaign.arm[done] == EXEMPT
    codes = np.array(action_codes(world.campaigns))[campaign.action[done]]
    spoken = np.where(codes == _LANGUAGE, world.lives.language[rows], world.lives.mail_language[rows])
    _log_messages(world, campaign, codes, spoken, log)
    state.last_outreach[rows] = day
    state.wrong_language[rows] = spoken != world.lives.language[rows]
    mailed = rows[channel == _EMAIL]
    state.mails[mailed, day % 7] += 1
    state.mails_week[mailed] += 1
    outreach.log_opens(world, state, mailed, -1 - day, day * DAY_SECONDS + _HOUR * 3600, log)
    outreach.reach(world, state, day - 1, rows[~exempt], Purpose.LIST_OPT_OUT)
    outreach.give_coupons(world, state, day - 1, rows[codes == _OFFER])
    state.thanked[rows[codes == _THANK]] = day
    state.followed_up[rows[codes == _FOLLOW_UP]] = True
    if world.parameters.responses.service_helps:
        _settle_complaints(world, state, day, rows[codes == _SOLVE], log)
        _answer_feedback(state, day, rows[codes == _ANSWER], log)


def _log_messages(world: World, campaign: Campaign, codes: NDArray[np.str_], spoken: Ints, log: Log) -> None:
    done, count = campaign.done, int(campaign.done.sum())
    channel = campaign.channel[done]
    kinds = [
        _WRITTEN if code == _CALL and by != _PHONE else _MESSAGES.get(code, _OTHER)[0]
        for code, by in zip(codes.tolist(), channel.tolist(), strict=True)
    ]
    purposes = [_MESSAGES.get(code, _OTHER)[1] for code in codes.tolist()]
    log.add(
        "outreach",
        campaign.rows[done],
        np.full(count, campaign.day * DAY_SECONDS + _HOUR * 3600),
        kind=np.array([KINDS["outreach"].index(kind) for kind in kinds]),
        purpose=np.array([outreach.PURPOSES.index(purpose) for purpose in purposes]),
        channel=channel,
        language=spoken,
        cost=np.array(outreach.costs(world.parameters.contact))[channel],
        list_as_of=np.full(count, campaign.as_of * DAY_SECONDS),
        action=campaign.action[done].astype(np.int16),
        arm=campaign.arm[done].astype(np.int8),
    )


def _settle_complaints(world: World, state: State, day: int, rows: Rows, log: Log) -> None:
    """Open complaints of ``rows`` are solved today, tomorrow or the day after."""
    now = day * DAY_SECONDS + _HOUR * 3600
    wait = np.floor(3 * uniform(world.keys, Purpose.LIST_ANSWER, day, rows)).astype(np.int64)
    solved = np.zeros(len(state.orders), dtype=np.int64)
    solved[rows] = now + 3600 + wait * DAY_SECONDS
    is_open = (state.complaint_from[rows] <= day) & (day < state.complaint_until[rows])
    still = rows[is_open]
    state.complaint_until[still] = np.minimum(state.complaint_until[still], solved[still] // DAY_SECONDS + 1)
    for part in log.parts.get("complaints", []):
        mine = np.flatnonzero((part["kind"] == 0) & (part["occurred"] < now) & _among(part["customer"], rows, state))
        part["first_response"][mine] = np.minimum(part["first_response"][mine], now)
        part["resolved"][mine] = np.minimum(part["resolved"][mine], solved[part["customer"][mine]])


def _answer_feedback(state: State, day: int, rows: Rows, log: Log) -> None:
    """Criticism and suggestions of ``rows`` that nobody has answered get their answer today."""
    now = day * DAY_SECONDS + _HOUR * 3600
    state.unanswered_until[rows] = np.minimum(state.unanswered_until[rows], day + 1)
    for part in log.parts.get("surveys", []):
        wants = (part["kind"] == SUGGESTION) | (part["score"] <= np.where(part["kind"] == NPS, 6, 2))
        waits = (part["followed_up"] == NO_TIME) | (part["followed_up"] > now)
        mine = wants & waits & (part["occurred"] < now) & _among(part["customer"], rows, state)
        part["followed_up"][mine] = now


def _among(customers: Rows, rows: Rows, state: State) -> Bools:
    named = np.zeros(len(state.orders), dtype=bool)
    named[rows] = True
    chosen: Bools = named[np.minimum(customers, len(named) - 1)] & (customers < len(named))
    return chosen
