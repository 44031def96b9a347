"""Surveys: what customers said, how it changed, and whether anyone answered them.

NPS is on 0–10; CSAT, CES, intent are on 0–1, from worst to best; rescaled where the row says its scale. No answer is not
a bad answer: it is null.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import Floats, History, Mask, ratio
from kizuna.features.plan import Feature, Settings

TABLE = "surveys"
_OF_VALUE = ("price", "value")


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the last answers, their change, and feedback left unanswered."""
    nps, nps_scores = h.kinds("nps"), 10 * share_of_scale(h, 0, 10)
    last = h.last(nps_scores, nps)
    yield Feature("nps_last", "NPS_LOW", "score", last)
    yield Feature("nps_change", "NPS_LOW", "score", last - h.last(nps_scores, nps, back=1))
    yield Feature("days_since_nps", "NPS_LOW", "days", h.days_since_last(nps))
    yield Feature("is_detractor", "NPS_LOW", "flag", np.where(np.isnan(last), np.nan, last <= 6))
    yield from _satisfaction(h, settings)
    if settings.fits(365):
        yield Feature("answers_365d", "FEEDBACK_IGNORED", "count", h.count(365))
        yield Feature("suggestions_365d", "FEEDBACK_IGNORED", "count", h.count(365, h.kinds("suggestion")))
        yield Feature("critical_answers_365d", "FEEDBACK_IGNORED", "count", h.count(365, owed_an_answer(h)))
    if h.has("adopted_at"):
        adopted = h.on("adopted_at")
        count = adopted.count(where=adopted.kinds("suggestion"))
        yield Feature("suggestions_adopted", "FEEDBACK_IGNORED", "count", count)
    if h.has("followed_up_at"):
        owed, answered = owed_an_answer(h), h.on("followed_up_at")
        open_now = h.count(where=owed) - answered.count(where=owed_an_answer(answered))
        yield Feature("unanswered_feedback", "FEEDBACK_IGNORED", "count", open_now)
        oldest = h.days_since_first(owed, still="followed_up_at")
        yield Feature("oldest_unanswered_days", "FEEDBACK_IGNORED", "days", oldest)


def _satisfaction(h: History, settings: Settings) -> Iterator[Feature]:
    """Satisfaction, effort, intent to stay, and value for money."""
    csat, scores = h.kinds("csat"), share_of_scale(h, 1, 5)
    satisfied = h.last(scores, csat)
    yield Feature("csat_last", "CSAT_DOWN", "share", satisfied)
    yield Feature("csat_change", "CSAT_DOWN", "share", satisfied - h.last(scores, csat, back=1))
    yield Feature("csat_vs_usual", "CSAT_DOWN", "share", satisfied - _mean_before_last(h, scores, csat))
    if settings.fits(180):
        yield Feature("csat_min_180d", "CSAT_DOWN", "share", h.smallest(scores, 180, csat))
    yield Feature("ces_last", "CSAT_DOWN", "share", h.last(share_of_scale(h, 1, 7), h.kinds("ces")))
    yield Feature("intent_last", "CSAT_DOWN", "share", h.last(share_of_scale(h, 0, 10), h.kinds("intent")))
    if h.has("touchpoint"):
        touchpoint = h.texts("touchpoint")
        of_value = [code for code, level in enumerate(touchpoint.levels) if level.strip().lower() in _OF_VALUE]
        yield Feature("value_last", "PRICE", "share", h.last(scores, csat & np.isin(touchpoint.codes, of_value)))


def _mean_before_last(h: History, scores: Floats, where: Mask) -> Floats:
    """The mean of all scores before the last day that has one; NaN where there is none."""
    scored = where & ~np.isnan(scores)
    first, last = h.first_day(scored), h.last_day(scored)
    return ratio(h.sum_between(scores, first, last, scored), h.count_between(first, last, scored))


def owed_an_answer(h: History) -> Mask:
    """Suggestions, detractors' scores (NPS up to 6) and the lower two fifths of a CSAT or CES scale."""
    nps = h.kinds("nps") & (10 * share_of_scale(h, 0, 10) <= 6)
    csat = h.kinds("csat") & (share_of_scale(h, 1, 5) <= 0.4)
    ces = h.kinds("ces") & (share_of_scale(h, 1, 7) <= 0.4)
    return h.kinds("suggestion") | nps | csat | ces


def share_of_scale(h: History, low: float, high: float) -> Floats:
    """Scores from 0 (worst) to 1 (best), on the row's own scale or the usual one; NaN where the scale has no width."""
    score = h.numbers("score")
    bottom = h.numbers("scale_min") if h.has("scale_min") else np.full(len(score), np.nan)
    top = h.numbers("scale_max") if h.has("scale_max") else np.full(len(score), np.nan)
    bottom, top = np.where(np.isnan(bottom), low, bottom), np.where(np.isnan(top), high, top)
    width = np.where(top > bottom, top - bottom, np.nan)
    return (score - bottom) / width
