"""Loyalty: membership, points held, used and about to expire. Points are unsigned; the kind says their direction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import Floats, History
from kizuna.features.plan import Feature, Settings

TABLE = "loyalty"
EXPIRING_WITHIN_DAYS = 30


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the programme."""
    if not h.has("kind"):
        return
    yield Feature("is_member", "LOYALTY_INACTIVE", "flag", (h.count() > 0).astype(np.float64))
    earn, redeem, spent = h.kinds("earn"), h.kinds("redeem"), h.kinds("redeem", "expire")
    yield Feature("days_since_earn", "LOYALTY_INACTIVE", "days", h.days_since_last(earn))
    yield Feature("days_since_redeem", "LOYALTY_INACTIVE", "days", h.days_since_last(redeem))
    if not h.has("points"):
        return
    points = np.abs(h.numbers("points"))
    for w in settings.windows_days:
        if w >= 30:
            yield Feature(f"points_earned_{w}d", "LOYALTY_INACTIVE", "points", h.sum(points, w, earn))
            yield Feature(f"points_redeemed_{w}d", "LOYALTY_INACTIVE", "points", h.sum(points, w, redeem))
    used = h.sum(points, where=spent)
    balance = h.sum(points, where=earn) - used
    yield Feature("points_balance", "LOYALTY_INACTIVE", "points", balance)
    if h.has("expires_at"):
        yield Feature("points_expiring_30d", "POINTS_EXPIRING", "points", _expiring(h, used, balance))


def _expiring(h: History, used: Floats, balance: Floats) -> Floats:
    """Points lost within 30 days if nothing is redeemed: the oldest are used first, and no more expire than are held."""
    expiring = h.on("expires_at")
    points, earn = np.abs(expiring.numbers("points")), expiring.kinds("earn")
    until_then = expiring.sum(points, (None, EXPIRING_WITHIN_DAYS), earn)
    within = expiring.sum(points, (0, EXPIRING_WITHIN_DAYS), earn)
    return np.asarray(np.maximum(np.minimum.reduce([until_then - used, within, balance]), 0.0))
