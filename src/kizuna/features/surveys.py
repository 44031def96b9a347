"""Surveys: what customers said, how it changed, and whether anyone answered them.

NPS is on 0–10 and CSAT on 0–1, rescaled where the row says its scale. No answer is not a bad answer: it is null.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

TABLE = "surveys"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the last answers, their change, and feedback left unanswered."""
    nps, csat = h.kinds("nps"), h.kinds("csat")
    nps_scores, csat_scores = 10 * _share_of_scale(h, 0, 10), _share_of_scale(h, 1, 5)
    last = h.last(nps_scores, nps)
    yield Feature("nps_last", "NPS_LOW", "score", last)
    yield Feature("nps_change", "NPS_LOW", "score", last - h.last(nps_scores, nps, back=1))
    yield Feature("days_since_nps", "NPS_LOW", "days", h.days_since_last(nps))
    yield Feature("is_detractor", "NPS_LOW", "flag", np.where(np.isnan(last), np.nan, last <= 6))
    satisfied = h.last(csat_scores, csat)
    yield Feature("csat_last", "CSAT_DOWN", "share", satisfied)
    yield Feature("csat_change", "CSAT_DOWN", "share", satisfied - h.last(csat_scores, csat, back=1))
    for w in settings.windows_days:
        if w >= 180:
            yield Feature(f"answers_{w}d", "FEEDBACK_IGNORED", "count", h.count(w))
    if h.has("followed_up_at"):
        owed, answered = owed_an_answer(h), h.on("followed_up_at")
        open_now = h.count(where=owed) - answered.count(where=owed_an_answer(answered))
        yield Feature("unanswered_feedback", "FEEDBACK_IGNORED", "count", open_now)
        oldest = h.days_since_first(owed, still="followed_up_at")
        yield Feature("oldest_unanswered_days", "FEEDBACK_IGNORED", "days", oldest)


def owed_an_answer(h: History) -> NDArray[np.bool_]:
    """Suggestions, detractors' scores (NPS up to 6) and the lower two fifths of a CSAT or CES scale."""
    nps = h.kinds("nps") & (10 * _share_of_scale(h, 0, 10) <= 6)
    low = h.kinds("csat", "ces") & (_share_of_scale(h, 1, 5) <= 0.4)
    return h.kinds("suggestion") | nps | low


def _share_of_scale(h: History, low: float, high: float) -> NDArray[np.float64]:
    """Scores from 0 (worst) to 1 (best), on the row's own scale or the usual one."""
    score = h.numbers("score")
    bottom = h.numbers("scale_min") if h.has("scale_min") else np.full(len(score), np.nan)
    top = h.numbers("scale_max") if h.has("scale_max") else np.full(len(score), np.nan)
    bottom, top = np.where(np.isnan(bottom), low, bottom), np.where(np.isnan(top), high, top)
    width = np.where(top > bottom, top - bottom, np.nan)
    return (score - bottom) / width
