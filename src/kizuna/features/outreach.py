"""Outreach: what the company did, and whether it was answered.

These columns describe our own conduct; shops stop mailing the silent, so silence here predicts churn without causing it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import History, ratio
from kizuna.features.plan import Feature, Settings

TABLE = "outreach"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of contact, thanks, offers, response and language."""
    engagement = h.table("engagement")
    mails = h.equals("channel", "email") if h.has("channel") else h.all_events()
    for w in settings.windows_days:
        yield Feature(f"contacts_{w}d", "FATIGUE", "count", h.count(w))
        if w >= 30:
            if h.has("kind"):
                yield Feature(f"offers_{w}d", "DISCOUNT_DEP", "count", h.count(w, h.kinds("offer")))
            if engagement is not None and engagement.has("kind"):
                answers = engagement.count(w, engagement.kinds("open", "click"))
                yield Feature(f"response_share_{w}d", "FATIGUE", "ratio", ratio(answers, h.count(w, mails)))
    yield Feature("days_since_contact", "CONTACT_GAP", "days", h.days_since_last())
    thanks = _thanks(h)
    if h.has("kind") or h.has("purpose"):
        yield Feature("days_since_thanks", "NO_THANKS", "days", h.days_since_last(thanks))
        if 365 in settings.windows_days:
            yield Feature("thanks_365d", "NO_THANKS", "count", h.count(365, thanks))
    customers = h.table("customers")
    if h.has("language") and customers is not None and customers.has("language") and 180 in settings.windows_days:
        share = _mismatch_share(h, customers, settings)
        yield Feature("language_mismatch_share_180d", "LANG_MISMATCH", "share", share)


def _thanks(h: History) -> NDArray[np.bool_]:
    """Thanks by kind or by purpose, each event once."""
    by_kind = h.kinds("thanks") if h.has("kind") else np.zeros(len(h.events.day), dtype=np.bool_)
    return by_kind | h.equals("purpose", "thanks") if h.has("purpose") else by_kind


def _mismatch_share(h: History, customers: History, settings: Settings) -> NDArray[np.float64]:
    """Share of contacts of 180 days, of known language, that were not in the customer's language at as_of."""
    spoken = customers.texts("language")
    wanted = customers.current(np.where(spoken.codes < 0, np.nan, spoken.codes.astype(np.float64)))
    known = h.texts("language").codes >= 0
    matching = np.zeros(len(h.rows))
    for code, level in enumerate(spoken.levels):
        same = h.count(180, h.equals("language", level.strip().lower()))
        matching = np.where(wanted == code, same, matching)
    contacts = h.count(180, known)
    return np.where(np.isnan(wanted), np.nan, ratio(contacts - matching, contacts))
