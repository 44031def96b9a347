"""Engagement: what the customer did. A mail that we sent is not a sign of life, and is not here."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

TABLE = "engagement"
_COMMUNITY = ("post", "answer", "join", "event", "attend")


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of activity of any kind, of visits, of use, of clicks and of the community."""
    for w in settings.windows_days:
        yield Feature(f"engagements_{w}d", "ENGAGE_DOWN", "count", h.count(w))
    for w in (30, 90):
        if settings.fits(2 * w):
            change = h.count(w) - h.count((-2 * w, -w))
            yield Feature(f"engagements_change_{w}d", "ENGAGE_DOWN", "count", change)
    yield Feature("days_since_engagement", "ENGAGE_DOWN", "days", h.days_since_last())
    if h.has("channel") and settings.fits(180):
        yield Feature("channels_used_180d", "ENGAGE_DOWN", "count", h.distinct("channel", 180))
    if h.has("kind"):
        yield from _visits_and_use(h, settings)
        yield from _clicks(h, settings)
        yield from _community(h, settings)
        if settings.fits(180):
            yield Feature("skips_180d", "CONTRACT", "count", h.count(180, h.kinds("skip")))
            yield Feature("pauses_180d", "CONTRACT", "count", h.count(180, h.kinds("pause")))


def _visits_and_use(h: History, settings: Settings) -> Iterator[Feature]:
    use = h.kinds("use")
    for w in filter(settings.fits, (30, 90)):
        yield Feature(f"visits_{w}d", "ENGAGE_DOWN", "count", h.count(w, h.kinds("visit", "login")))
        yield Feature(f"uses_{w}d", "USE_DOWN", "count", h.count(w, use))
    if settings.fits(180):
        yield Feature("uses_change_90d", "USE_DOWN", "count", h.count(90, use) - h.count((-180, -90), use))
    yield Feature("days_since_use", "USE_DOWN", "days", h.days_since_last(use))


def _clicks(h: History, settings: Settings) -> Iterator[Feature]:
    yield Feature("days_since_open", "ENGAGE_DOWN", "days", h.days_since_last(h.kinds("open", "click")))
    if h.has("purpose") and settings.fits(365):
        for purpose in ("recommendation", "story"):
            clicks = h.kinds("click") & h.equals("purpose", purpose)
            yield Feature(f"{purpose}_clicks_365d", "ENGAGE_DOWN", "count", h.count(365, clicks))


def _community(h: History, settings: Settings) -> Iterator[Feature]:
    if settings.fits(180):
        yield Feature("posts_180d", "COMMUNITY", "count", h.count(180, h.kinds("post")))
    if settings.fits(365):
        yield Feature("events_attended_365d", "COMMUNITY", "count", h.count(365, h.kinds("event", "attend")))
    yield Feature("days_since_community", "COMMUNITY", "days", h.days_since_last(h.kinds(*_COMMUNITY)))
