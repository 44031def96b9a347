"""What customers say: surveys, inquiries, praise, reviews and referrals."""

from __future__ import annotations

import numpy as np

from kizuna.data.simulation import outreach
from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME, Log, World, geometric_days, waking_time
from kizuna.data.simulation.keyed import Floats, Ints, Purpose, Rows, uniform
from kizuna.data.simulation.lives import pick
from kizuna.data.simulation.state import NEVER, State

NPS, CSAT, SUGGESTION = 0, 1, 2
_INQUIRY, _PRAISE = 1, 2
_REFERRAL, _REVIEW = 0, 1


def invite(world: World, state: State, day: int, log: Log) -> None:
    """Survey invitations of a day, at the customer's own days of the year, and the answers to them."""
    voice, keys = world.parameters.voice, world.keys
    every_days = 365 // voice.invitations_per_year
    due = (day % every_days == world.lives.survey_day) & (day - state.last_order <= voice.invited_within_days)
    invited = np.flatnonzero(due & (day > state.last_order))
    outreach.send(world, state, day, invited, "survey", log)
    share = np.where(state.fading[invited] <= day, voice.fading_response_factor, 1.0)
    share = np.where((state.left[invited] <= day) | state.suspended[invited], voice.left_response_factor, share)
    answers = uniform(keys, Purpose.SURVEY_ANSWER, day, invited) < voice.response_share * share
    rows = invited[answers]
    if not len(rows) and "surveys" in log.parts:
        return
    answered = day + geometric_days(1.5, uniform(keys, Purpose.SURVEY_DELAY, day, rows))
    time = np.maximum(
        waking_time(answered, uniform(keys, Purpose.SURVEY_TIME, day, rows)), day * DAY_SECONDS + 12 * 3600 + 600
    )
    kind = pick(uniform(keys, Purpose.SURVEY_KIND, day, rows), list(voice.kind_shares))
    score = _score(world, state, day, rows, kind)
    wants_answer = (kind == SUGGESTION) | (score <= np.where(kind == NPS, 6, 2))
    followed = wants_answer & (uniform(keys, Purpose.SURVEY_FOLLOW_UP, day, rows) < voice.follow_up_share)
    delay = 1 + geometric_days(voice.follow_up_mean_days, uniform(keys, Purpose.SURVEY_FOLLOW_UP_DELAY, day, rows))
    log.add(
        "surveys",
        rows,
        time,
        kind=kind,
        score=np.where(kind == SUGGESTION, np.nan, score),
        scale_min=np.where(kind == NPS, 0, 1),
        scale_max=np.where(kind == NPS, 10, 5),
        touchpoint=np.where(state.late_until[rows] > day, 1, np.where(state.complaint_until[rows] > day, 2, 0)),
        followed_up=np.where(followed, (answered + delay) * DAY_SECONDS + 16 * 3600, NO_TIME),
    )
    _remember_unanswered(
        world, state, rows[wants_answer], answered[wants_answer], np.where(followed, delay, NEVER)[wants_answer]
    )


def inquire(world: World, day: int, rows: Rows, time: Ints, log: Log) -> None:
    """Questions to the service desk, answered within hours."""
    _log_contact(world, day, rows, time + 300, _INQUIRY, log)


def after_order(world: World, state: State, day: int, rows: Rows, time: Ints, log: Log) -> None:
    """Praise, reviews and referrals that follow some orders a few days later."""
    keys, voice, service = world.keys, world.parameters.voice, world.parameters.service
    pleased = world.lives.satisfaction[rows] / voice.satisfaction_sd
    praises = uniform(keys, Purpose.PRAISE, day, rows) < service.praise_share * np.exp(0.5 * pleased)
    _log_contact(world, day, rows[praises], time[praises] + 4 * DAY_SECONDS, _PRAISE, log)
    refers = uniform(keys, Purpose.REFERRAL, day, rows) < voice.referral_share * np.exp(0.5 * pleased)
    log.add("referrals", rows[refers], time[refers] + 5 * DAY_SECONDS, kind=_REFERRAL, rating=np.nan)
    reviews = uniform(keys, Purpose.REVIEW, day, rows) < voice.review_share
    mood = _mood(world, state, day, rows) + _noise(world, Purpose.RATING, day, rows)
    rating = np.clip(np.round(4.2 + 0.5 * mood), 1, 5)
    log.add("referrals", rows[reviews], time[reviews] + 6 * DAY_SECONDS, kind=_REVIEW, rating=rating[reviews])


def _log_contact(world: World, day: int, rows: Rows, time: Ints, kind: int, log: Log) -> None:
    answer_hours = -4 * np.log(uniform(world.keys, Purpose.DESK_ANSWER, day, rows))
    answered = time + (answer_hours * 3600).astype(np.int64)
    topic = np.floor(4 * uniform(world.keys, Purpose.DESK_TOPIC, day, rows)).astype(np.int64)
    channel = np.floor(3 * uniform(world.keys, Purpose.DESK_CHANNEL, day, rows)).astype(np.int64)
    log.add(
        "complaints",
        rows,
        time,
        kind=kind,
        resolved=answered,
        first_response=answered,
        severity=1,
        category=topic,
        channel=channel,
    )


def _score(world: World, state: State, day: int, rows: Rows, kind: Ints) -> Ints:
    """Answers: NPS from 0 to 10, shifted by market, satisfaction from 1 to 5. A suggestion's is not asked."""
    voice = world.parameters.voice
    shift = np.array([market.nps_shift for market in world.parameters.markets])[world.lives.market[rows]]
    mood = _mood(world, state, day, rows) + _noise(world, Purpose.SURVEY_SCORE, day, rows)
    nps = np.clip(np.round(voice.nps_mean + shift + mood), 0, 10)
    stars = np.clip(np.round(voice.csat_mean + 0.5 * mood), 1, 5)
    return np.where(kind == NPS, nps, stars).astype(np.int64)


def _mood(world: World, state: State, day: int, rows: Rows) -> Floats:
    """How pleased the customers are today, in points of the NPS scale around 0."""
    voice = world.parameters.voice
    is_open = (state.complaint_from[rows] <= day) & (day < state.complaint_until[rows])
    is_late = (state.late_from[rows] <= day) & (day < state.late_until[rows])
    mood: Floats = (
        world.lives.satisfaction[rows]
        - voice.open_complaint_points * is_open
        - voice.late_delivery_points * is_late
        - voice.fading_points * (state.fading[rows] <= day)
    )
    return mood


def _noise(world: World, purpose: Purpose, day: int, rows: Rows) -> Floats:
    from scipy.special import ndtri

    noise: Floats = world.parameters.voice.answer_sd * ndtri(uniform(world.keys, purpose, day, rows))
    return noise


def _remember_unanswered(world: World, state: State, rows: Rows, answered: Ints, delay: Ints) -> None:
    """Feedback left without an answer for two weeks acts from then on, until it is answered or forgotten."""
    ratios = world.parameters.ratios
    ignored = delay > ratios.unanswered_after_days
    rows, answered, delay = rows[ignored], answered[ignored], delay[ignored]
    begins = answered + ratios.unanswered_after_days
    again = state.unanswered_until[rows] >= begins
    state.unanswered_from[rows] = np.where(again, state.unanswered_from[rows], begins)
    state.unanswered_until[rows] = np.minimum(begins + ratios.unanswered_feedback_days, answered + delay)
