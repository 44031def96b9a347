"""Engagement: what the customer did. A mail that we sent is not a sign of life, and is not here."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

TABLE = "engagement"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of activity of any kind, of visits, and of use."""
    for w in settings.windows_days:
        yield Feature(f"engagements_{w}d", "ENGAGE_DOWN", "count", h.count(w))
        if h.has("kind"):
            yield Feature(f"visits_{w}d", "ENGAGE_DOWN", "count", h.count(w, h.kinds("visit", "login")))
            yield Feature(f"uses_{w}d", "USE_DOWN", "count", h.count(w, h.kinds("use")))
        if w in (30, 90, 180):
            change = h.count(w) - h.count((-2 * w, -w))
            yield Feature(f"engagements_change_{w}d", "ENGAGE_DOWN", "count", change)
    yield Feature("days_since_engagement", "ENGAGE_DOWN", "days", h.days_since_last())
    if h.has("kind"):
        yield Feature("days_since_use", "USE_DOWN", "days", h.days_since_last(h.kinds("use")))
