"""Outreach: what the company sent, of what kind, at what rhythm, and whether it was answered.

These columns describe our own conduct; shops stop mailing the silent, so silence here predicts churn without causing it.
A message that bounced reached nobody and is no contact.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import Floats, History, Mask, ratio
from kizuna.features.plan import Feature, Settings

TABLE = "outreach"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of contact, its kinds, its rhythm, its answers and its language."""
    sent = contacts(h)
    for w in filter(settings.fits, (7, 30, 90, 365)):
        yield Feature(f"contacts_{w}d", "FATIGUE", "count", h.count(w, sent))
    if h.has("cost") and settings.fits(365):
        yield Feature("contact_cost_365d", "FATIGUE", "money", h.sum(h.numbers("cost"), 365, sent))
    since = h.days_since_last(sent)
    usual, variation = h.rhythm(sent)
    yield Feature("days_since_contact", "CONTACT_GAP", "days", since)
    yield Feature("contact_gap_ratio", "CONTACT_GAP", "ratio", ratio(since, usual))
    yield Feature("contact_gap_cv", "CONTACT_GAP", "ratio", variation)
    if h.has("kind"):
        yield from _kinds(h, settings)
    if h.has("kind") or h.has("channel"):
        yield from _calls(h, settings, sent)
    if h.has("kind") or h.has("purpose"):
        yield from _purposes(h, settings, sent)
    yield from _answers(h, settings, sent)
    customers = h.table("customers")
    if h.has("language") and customers is not None and customers.has("language") and settings.fits(180):
        share = _mismatch_share(h, customers, sent)
        yield Feature("language_mismatch_share_180d", "LANG_MISMATCH", "share", share)


def contacts(h: History) -> Mask:
    """Messages that arrived: all that are not marked as bounced."""
    return np.asarray(h.numbers("bounced") != 1) if h.has("bounced") else h.all_events()


def contacts_about(h: History, kinds: tuple[str, ...], purposes: tuple[str, ...] = ()) -> Mask:
    """Contacts of one of these kinds or purposes; a column that is not there names none."""
    named = ~h.all_events()
    if h.has("kind"):
        named |= h.equals("kind", *kinds)
    if h.has("purpose"):
        named |= h.equals("purpose", *purposes)
    return contacts(h) & named


def _kinds(h: History, settings: Settings) -> Iterator[Feature]:
    offers, requests = contacts_about(h, ("offer",)), contacts_about(h, ("review_request",))
    for w in filter(settings.fits, (90, 365)):
        yield Feature(f"offers_{w}d", "DISCOUNT_DEP", "count", h.count(w, offers))
    if settings.fits(180):
        yield Feature("notices_180d", "CONTACT_GAP", "count", h.count(180, contacts_about(h, ("notice",))))
        yield Feature("surveys_sent_180d", "FATIGUE", "count", h.count(180, contacts_about(h, ("survey",))))
    if settings.fits(365):
        yield Feature("review_requests_365d", "FATIGUE", "count", h.count(365, requests))
    since = h.days_since_last(contacts_about(h, ("follow_up",)))
    yield Feature("days_since_followup", "CONTACT_GAP", "days", since)


def _calls(h: History, settings: Settings, sent: Mask) -> Iterator[Feature]:
    calls = contacts_about(h, ("call",))
    if h.has("channel"):
        calls |= sent & h.equals("channel", "phone")
    if settings.fits(180):
        yield Feature("calls_180d", "CONTACT_GAP", "count", h.count(180, calls))


def _purposes(h: History, settings: Settings, sent: Mask) -> Iterator[Feature]:
    """What a message was for is told by its kind or by its purpose."""
    thanks, gifts = contacts_about(h, ("thanks",), ("thanks",)), contacts_about(h, ("gift",), ("gift",))
    personal = contacts_about(h, ("birthday", "thanks", "follow_up"), ("personal", "recommendation"))
    promotion = contacts_about(h, ("offer",), ("promotion",))
    yield Feature("days_since_thanks", "NO_THANKS", "days", h.days_since_last(thanks))
    if settings.fits(180):
        dunnings = contacts_about(h, ("dunning",), ("payment",))
        yield Feature("dunnings_180d", "CONTRACT", "count", h.count(180, dunnings))
    if settings.fits(365):
        year = h.count(365, sent)
        yield Feature("thanks_365d", "NO_THANKS", "count", h.count(365, thanks))
        yield Feature("gifts_365d", "NO_THANKS", "count", h.count(365, gifts))
        yield Feature("nonpromo_share_365d", "CONTACT_GAP", "share", ratio(year - h.count(365, promotion), year))
        yield Feature("personal_share_365d", "CONTACT_GAP", "share", ratio(h.count(365, personal), year))


def _answers(h: History, settings: Settings, sent: Mask) -> Iterator[Feature]:
    engagement, surveys = h.table("engagement"), h.table("surveys")
    mails = sent & h.equals("channel", "email") if h.has("channel") else sent
    if engagement is not None and engagement.has("kind"):
        for w in filter(settings.fits, (90, 365)):
            answers = engagement.count(w, engagement.kinds("open", "click"))
            yield Feature(f"response_share_{w}d", "FATIGUE", "ratio", ratio(answers, h.count(w, mails)))
        if settings.fits(90):
            clicks = engagement.count(90, engagement.kinds("click"))
            yield Feature("click_share_90d", "FATIGUE", "ratio", ratio(clicks, h.count(90, mails)))
    if surveys is not None and h.has("kind") and settings.fits(365):
        asked = h.count(365, contacts_about(h, ("survey",)))
        yield Feature("survey_response_share_365d", "FATIGUE", "ratio", ratio(surveys.count(365), asked))


def _mismatch_share(h: History, customers: History, sent: Mask) -> Floats:
    """Share of contacts of 180 days, of known language, that were not in the customer's language at as_of."""
    spoken = customers.texts("language")
    wanted = customers.current(np.where(spoken.codes < 0, np.nan, spoken.codes.astype(np.float64)))
    known = sent & (h.texts("language").codes >= 0)
    matching = np.zeros(len(h.rows))
    for code, level in enumerate(spoken.levels):
        same = h.count(180, sent & h.equals("language", level.strip().lower()))
        matching = np.where(wanted == code, same, matching)
    told = h.count(180, known)
    return np.where(np.isnan(wanted), np.nan, ratio(told - matching, told))
