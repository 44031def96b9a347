"""Referrals: customers who bring or tell others."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

TABLE = "referrals"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of word of mouth; a table without ``kind`` holds referrals only."""
    referral = h.kinds("referral")
    if settings.fits(365):
        yield Feature("referrals_365d", "ADVOCACY", "count", h.count(365, referral))
        if h.has("kind"):
            yield Feature("reviews_365d", "ADVOCACY", "count", h.count(365, h.kinds("review")))
    yield Feature("days_since_referral", "ADVOCACY", "days", h.days_since_last(referral))
    if h.has("rating"):
        yield Feature("rating_last", "ADVOCACY", "score", h.last(h.numbers("rating")))
        yield Feature("rating_mean", "ADVOCACY", "score", h.mean(h.numbers("rating")))
