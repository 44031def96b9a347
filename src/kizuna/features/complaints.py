"""Complaints: how often, how recent, how grave, about what; how slowly answered, how many still open.

Inquiries and praise are not complaints; a table without ``kind`` holds complaints only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings
from kizuna.features.purchases import is_purchase

TABLE = "complaints"
WINDOWS_DAYS = (30, 90, 365)
SLOW_AFTER_DAYS = 7
REPEATED_WITHIN_DAYS = 180
AFTER_ORDER_DAYS = 30
SEVERITIES = {
    **dict.fromkeys(("low", "minor", "低"), 1.0),
    **dict.fromkeys(("medium", "normal", "中"), 2.0),
    **dict.fromkeys(("high", "major", "高"), 3.0),
    **dict.fromkeys(("critical", "urgent", "緊急"), 4.0),
}
DEFECTS = frozenset(("defect", "defective", "broken", "damaged", "quality", "product", "不良", "品質", "破損", "故障"))
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of complaints and of how they were handled; what is resolved later than as_of is still open."""
    complaint = h.kinds("complaint")
    for w in WINDOWS_DAYS:
        if settings.fits(w):
            yield Feature(f"complaints_{w}d", "COMPLAINT_OPEN", "count", h.count(w, complaint))
    yield Feature("complaints", "COMPLAINT_OPEN", "count", h.count(where=complaint))
    yield Feature("days_since_complaint", "COMPLAINT_OPEN", "days", h.days_since_last(complaint))
    yield from _subjects(h, settings, complaint)
    if h.has("resolved_at"):
        yield from _resolution(h, settings, complaint)
    if h.has("first_response_at"):
        answered = h.on("first_response_at")
        took = (answered.days("first_response_at") - answered.days("occurred_at")).astype(np.float64)
        response = answered.mean(took, where=answered.kinds("complaint"))
        yield Feature("response_days", "SERVICE_SLOW", "days", response)
    if h.has("reopened_at") and settings.fits(365):
        reopened = h.on("reopened_at")
        again = reopened.count(365, reopened.kinds("complaint"))
        yield Feature("reopened_complaints_365d", "SERVICE_SLOW", "count", again)
    purchases = h.table("purchases")
    if purchases is not None:
        last = purchases.last_day(is_purchase(purchases))
        contacts = np.nan_to_num(h.count_between(last, last + AFTER_ORDER_DAYS + 1))
        yield Feature("service_contacts_since_order", "COMPLAINT_OPEN", "count", contacts)


def _subjects(h: History, settings: Settings, complaint: NDArray[np.bool_]) -> Iterator[Feature]:
    """What complaints are about, how grave they are and which way they come."""
    if h.has("severity") and settings.fits(180):
        grades = [severity_of(text) for text in h.texts("severity").levels]
        severity = np.array([*grades, np.nan])[h.texts("severity").codes]
        yield Feature("worst_severity_180d", "COMPLAINT_OPEN", "score", h.largest(severity, 180, complaint))
    if h.has("category"):
        if settings.fits(180):
            repeated = h.repeats("category", REPEATED_WITHIN_DAYS, complaint)
            yield Feature("repeated_complaints_180d", "COMPLAINT_OPEN", "count", h.count(180, repeated))
        if settings.fits(365):
            of_quality = [level for level in h.texts("category").levels if level.strip().lower() in DEFECTS]
            defects = complaint & h.equals("category", *of_quality)
            yield Feature("defect_complaints_365d", "COMPLAINT_OPEN", "count", h.count(365, defects))
    if h.has("channel") and settings.fits(365):
        yield Feature("complaint_channels_365d", "COMPLAINT_OPEN", "count", h.distinct("channel", 365))


def _resolution(h: History, settings: Settings, complaint: NDArray[np.bool_]) -> Iterator[Feature]:
    """What is open, and how long it takes until it is resolved."""
    resolved = h.on("resolved_at")
    done = resolved.kinds("complaint")
    took = (resolved.days("resolved_at") - resolved.days("occurred_at")).astype(np.float64)
    oldest = h.days_since_first(complaint, still="resolved_at")
    yield Feature("open_complaints", "COMPLAINT_OPEN", "count", h.count(where=complaint) - resolved.count(where=done))
    yield Feature("oldest_open_complaint_days", "COMPLAINT_OPEN", "days", oldest)
    if h.has("kind"):
        open_inquiries = h.count(where=h.kinds("inquiry")) - resolved.count(where=resolved.kinds("inquiry"))
        yield Feature("open_inquiries", "SERVICE_SLOW", "count", open_inquiries)
    yield Feature("resolution_days", "SERVICE_SLOW", "days", resolved.mean(took, where=done))
    if settings.fits(180):
        change = resolved.mean(took, 180, done) - resolved.mean(took, (None, -180), done)
        yield Feature("resolution_days_change_180d", "SERVICE_SLOW", "days", change)
        slow = h.overdue(h.events.day + np.int32(SLOW_AFTER_DAYS), "resolved_at")
        yield Feature("slow_complaints_180d", "SERVICE_SLOW", "count", slow.count(180, slow.kinds("complaint")))
    if h.has("compensation") and settings.fits(365):
        paid = resolved.sum(resolved.numbers("compensation"), 365)
        yield Feature("compensation_365d", "COMPLAINT_OPEN", "money", paid)


def severity_of(text: str) -> float:
    """A severity as a number: what the text says, or 1 (low) … 4 (critical) for its name; NaN for any other text."""
    word = text.strip().lower()
    return float(word) if _NUMBER.fullmatch(word) else SEVERITIES.get(word, np.nan)
