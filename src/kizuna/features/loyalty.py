"""Loyalty: membership, points held, used and about to expire, and the tier.

Points are unsigned; the kind says their direction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import Floats, History, ratio
from kizuna.features.plan import Feature, Settings
from kizuna.features.vocabulary import level_columns

TABLE = "loyalty"
EXPIRING_WITHIN_DAYS = 30
_MONTHS_PER_YEAR = 12
_DAYS_PER_YEAR = 365


def text_columns(h: History) -> list[str]:
    """Text columns that get level columns: the tier."""
    return ["tier"] if h.has("tier") else []


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the programme."""
    if not h.has("kind"):
        return
    yield Feature("is_member", "LOYALTY_INACTIVE", "flag", (h.count() > 0).astype(np.float64))
    yield Feature("days_since_earn", "LOYALTY_INACTIVE", "days", h.days_since_last(h.kinds("earn")))
    yield Feature("days_since_redeem", "LOYALTY_INACTIVE", "days", h.days_since_last(h.kinds("redeem")))
    if h.has("points"):
        yield from _points(h, settings)
    yield from _tiers(h, settings)


def _points(h: History, settings: Settings) -> Iterator[Feature]:
    points, earn, redeem = np.abs(h.numbers("points")), h.kinds("earn"), h.kinds("redeem")
    for w in filter(settings.fits, (90, 365)):
        yield Feature(f"points_earned_{w}d", "LOYALTY_INACTIVE", "points", h.sum(points, w, earn))
    if settings.fits(365):
        expired = h.sum(points, 365, h.kinds("expire"))
        yield Feature("points_redeemed_365d", "LOYALTY_INACTIVE", "points", h.sum(points, 365, redeem))
        yield Feature("points_expired_365d", "LOYALTY_INACTIVE", "points", expired)
    used, balance = _held(h)
    earned = h.sum(points, where=earn)
    yield Feature("redeemed_share", "LOYALTY_INACTIVE", "ratio", ratio(h.sum(points, where=redeem), earned))
    yield Feature("points_balance", "LOYALTY_INACTIVE", "points", balance)
    if h.has("expires_at"):
        lost = _expiring(h, (used, balance), EXPIRING_WITHIN_DAYS)
        yield Feature("points_expiring_30d", "POINTS_EXPIRING", "points", lost)
    if h.has("points_to_next") and settings.fits(365):
        months = ratio(_MONTHS_PER_YEAR * _to_next(h), h.sum(points, 365, earn))
        yield Feature("months_to_reward", "LOYALTY_INACTIVE", "number", months)


def points_expire_in_days(h: History) -> Floats:
    """Days until points are first lost if nothing is redeemed, 0 on the day itself; NaN where none are within 30 days."""
    out = np.full(len(h.rows), np.nan)
    some = _expiring(h, _held(h), EXPIRING_WITHIN_DAYS) >= 1
    # Few have any, and only they are looked at day by day.
    few, at = History(h.events, h.rows.where(some), h.tables), np.flatnonzero(some)
    held = _held(few)
    for day in reversed(range(EXPIRING_WITHIN_DAYS if len(at) else 0)):
        out[at[_expiring(few, held, day + 1) >= 1]] = day
    return out


def _held(h: History) -> tuple[Floats, Floats]:
    """The points used so far, and the balance."""
    points = np.abs(h.numbers("points"))
    used = h.sum(points, where=h.kinds("redeem", "expire"))
    return used, h.sum(points, where=h.kinds("earn")) - used


def _expiring(h: History, held: tuple[Floats, Floats], within_days: int) -> Floats:
    """Points lost within so many days if nothing is redeemed: the oldest are used first, and no more expire than are held.

    held: the points used so far, and the balance.
    """
    used, balance = held
    expiring = h.once("expiring", lambda: h.on("expires_at"))
    points = expiring.once("size", lambda: np.abs(expiring.numbers("points")))
    earn = expiring.kinds("earn")
    until_then = expiring.sum(points, (None, within_days), earn)
    within = expiring.sum(points, (0, within_days), earn)
    return np.asarray(np.maximum(np.minimum.reduce([until_then - used, within, balance]), 0.0))


def _tiers(h: History, settings: Settings) -> Iterator[Feature]:
    if h.has("tier_rank"):
        rank = h.last(h.numbers("tier_rank"))
        yield Feature("tier_rank", "LOYALTY_INACTIVE", "number", rank)
        if settings.fits(365):
            change = rank - h.days_ago(_DAYS_PER_YEAR).last(h.numbers("tier_rank"))
            yield Feature("tier_rank_change_365d", "LOYALTY_INACTIVE", "number", change)
    if h.has("points_to_next"):
        yield Feature("points_to_next", "LOYALTY_INACTIVE", "points", _to_next(h))
    for column in text_columns(h):
        for feature in level_columns(h, TABLE, column, "LOYALTY_INACTIVE", settings):
            # A shop's own customer attribute may be called tier, too.
            yield feature._replace(name=f"loyalty_{feature.name}")


def _to_next(h: History) -> Floats:
    """Points that lacked to the next reward or tier, as last said; at least 0."""
    return np.maximum(h.last(h.numbers("points_to_next")), 0.0)
