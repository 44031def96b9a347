"""Measures of what customers said: NPS, CSAT, who was asked; complaints and how they were handled; word of mouth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.data.events import NEVER
from kizuna.kpi.facts import Floats, Mask, days_until_next, says
from kizuna.kpi.groups import texts_on
from kizuna.kpi.moments import Measured, Spells
from kizuna.kpi.scene import Scene

ANSWER_DAYS = 30
RECOVERY_DAYS = 90
SILENT_DAYS = 365
PROMOTER, DETRACTOR = 9, 6
TOP_SHARE = 0.75
# A share of a scale is a quotient; what is equal but for its last bits is equal.
_DECIMALS = 9


def measures(scene: Scene) -> Iterator[Measured | Spells]:
    """What there is a table for."""
    if scene.facts.has("surveys"):
        yield from _answers(scene)
    if scene.facts.has("outreach", "kind") and scene.facts.has("surveys"):
        yield from _coverage(scene)
    if scene.facts.has("complaints"):
        yield from _complaints(scene)
    if scene.facts.has("referrals"):
        yield from _word_of_mouth(scene)
    if scene.facts.has("customers", "acquisition_channel"):
        codes, texts = texts_on(scene.facts, "acquisition_channel", scene.grid.ends)
        wanted = {channel.strip().lower() for channel in scene.terms.referral_channels}
        listed = np.array([*(text.strip().lower() in wanted for text in texts), False], dtype=np.bool_)
        named = scene.new & (codes >= 0)
        yield Measured("referral_share_of_new", _one(named), _one(named & listed[codes]))


def scale_share(scene: Scene, low: float, high: float) -> Floats:
    """Scores of surveys from 0 to 1 on the row's own scale, or the usual one; NaN off the scale, or where it has no width."""
    surveys = scene.facts.table("surveys")
    nothing = np.full(len(surveys.day), np.nan)
    bottom, top = surveys.numbers.get("scale_min", nothing), surveys.numbers.get("scale_max", nothing)
    bottom, top = np.where(np.isnan(bottom), low, bottom), np.where(np.isnan(top), high, top)
    width = np.where(top > bottom, top - bottom, np.nan)
    place = np.round((surveys.numbers["score"] - bottom) / width, _DECIMALS)
    return np.where((place >= 0) & (place <= 1), place, np.nan)


def _answers(scene: Scene) -> Iterator[Measured]:
    surveys = scene.facts.table("surveys")
    score = np.round(10 * scale_share(scene, 0, 10), _DECIMALS)
    asked = np.flatnonzero(scene.facts.of_kind("surveys", "nps") & ~np.isnan(score))
    last = scene.latest(surveys.customer[asked], surveys.day[asked], score[asked])
    yield Measured("nps", _one(~np.isnan(last)), _one(last >= PROMOTER) - (last <= DETRACTOR))
    satisfied = scale_share(scene, 1, 5)
    chosen = scene.facts.of_kind("surveys", "csat") & ~np.isnan(satisfied)
    yield from _satisfaction(scene, satisfied, chosen, None)
    if "touchpoint" in surveys.texts:
        touchpoint = surveys.texts["touchpoint"]
        for text in sorted(
            {touchpoint.levels[c].strip().lower() for c in np.unique(touchpoint.codes[chosen]) if c >= 0}
        ):
            yield from _satisfaction(scene, satisfied, chosen & says(touchpoint, (text,)), ("touchpoint", text))


def _satisfaction(scene: Scene, score: Floats, where: Mask, group: tuple[str, str] | None) -> Iterator[Measured]:
    surveys = scene.facts.table("surveys")
    customer, day, score = surveys.customer[where], surveys.day[where], score[where]
    answers = scene.count(customer, day)
    yield Measured("csat_top2_share", answers, scene.count(customer, day, _one(score >= TOP_SHARE)), group)
    yield Measured("csat_mean", answers, scene.count(customer, day, score), group)


def _coverage(scene: Scene) -> Iterator[Measured]:
    """Who was asked, who answered, who never was: an invitation is outreach of kind survey."""
    outreach, surveys = scene.facts.table("outreach"), scene.facts.table("surveys")
    invited = scene.facts.of_kind("outreach", "survey")
    customer, day = outreach.customer[invited], outreach.day[invited]
    active, asked = scene.at_end, scene.count(customer, day)
    yield Measured("survey_asked_share", _one(active), _one(active & (asked > 0)))
    waited = days_until_next(customer, day, surveys.customer, surveys.day)
    yield Measured("survey_response_rate", asked, scene.count(customer, day, _one(waited <= ANSWER_DAYS)))
    first = np.minimum(scene.first_of(customer, day), scene.first_of(surveys.customer, surveys.day))
    never = first >= scene.grid.ends[:, None]
    yield Measured("survey_never_asked_share", _one(active), _one(active & never))


def _complaints(scene: Scene) -> Iterator[Measured | Spells]:
    complaints = scene.facts.table("complaints")
    chosen = scene.facts.of_kind("complaints", "complaint")
    customer, day = complaints.customer[chosen], complaints.day[chosen]
    count = scene.count(customer, day)
    if scene.facts.has("purchases"):
        yield Measured("complaints_per_100_orders", scene.orders, count)
        bought = scene.facts.purchases
        buying = (bought.events.customer[bought.bought], bought.events.day[bought.bought])
        # On the day after the complaint at the earliest: an order of the day itself may be its cause.
        waited = days_until_next(customer, day + np.int32(1), *buying)
        yield Measured("complaint_recovery_rate", count, scene.count(customer, day, _one(waited < RECOVERY_DAYS)))
    active = scene.at_start | scene.new | scene.returned
    yield Measured("complaints_per_100_active", _one(active), count * active)
    left = scene.at_start & ~scene.at_end
    before_end = scene.between((scene.grid.ends - np.int32(SILENT_DAYS), scene.grid.ends), customer, day)
    yield Measured("silent_lapse_share", _one(left), _one(left & (before_end == 0)))
    for name, column in (("first_response_days", "first_response_at"), ("resolution_days", "resolved_at")):
        if column in complaints.days:
            came = complaints.days[column][chosen].astype(np.int64)
            until = np.where(came != NEVER, came, scene.seen_until)
            yield Spells(name, customer, day, np.maximum(until - day, 0), came != NEVER)
    if "reopened_at" in complaints.days and "resolved_at" in complaints.days:
        resolved = complaints.days["resolved_at"][chosen] != NEVER
        again = resolved & (complaints.days["reopened_at"][chosen] != NEVER)
        yield Measured(
            "complaint_reopen_rate", scene.count(customer, day, _one(resolved)), scene.count(customer, day, _one(again))
        )


def _word_of_mouth(scene: Scene) -> Iterator[Measured]:
    referrals = scene.facts.table("referrals")
    told = "kind" in referrals.texts
    for name, kind in (("referrals_per_1000_orders", "referral"), ("reviews_per_1000_orders", "review")):
        if scene.facts.has("purchases") and (told or kind == "referral"):
            chosen = scene.facts.of_kind("referrals", kind)
            found = scene.count(referrals.customer[chosen], referrals.day[chosen])
            yield Measured(name, scene.orders, found)
    if "rating" in referrals.numbers:
        rating = referrals.numbers["rating"]
        rated = ~np.isnan(rating)
        customer, day = referrals.customer[rated], referrals.day[rated]
        yield Measured("rating_mean", scene.count(customer, day), scene.count(customer, day, rating[rated]))


def _one(mask: Mask) -> Floats:
    return mask.astype(np.float64)
