"""Complaints: how often, how recent, how slowly answered, how many still open.

Inquiries and praise are not complaints; a table without ``kind`` holds complaints only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

TABLE = "complaints"
SLOW_AFTER_DAYS = 7


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of complaints and of how they were handled; resolved later than as_of is still open."""
    complaint = h.kinds("complaint")
    for w in settings.windows_days:
        yield Feature(f"complaints_{w}d", "COMPLAINT_OPEN", "count", h.count(w, complaint))
    yield Feature("complaints", "COMPLAINT_OPEN", "count", h.count(where=complaint))
    yield Feature("days_since_complaint", "COMPLAINT_OPEN", "days", h.days_since_last(complaint))
    if not h.has("resolved_at"):
        return
    resolved = h.on("resolved_at")
    done = resolved.kinds("complaint")
    took = (resolved.days("resolved_at") - resolved.days("occurred_at")).astype(np.float64)
    yield Feature("open_complaints", "COMPLAINT_OPEN", "count", h.count(where=complaint) - resolved.count(where=done))
    yield Feature(
        "oldest_open_complaint_days", "COMPLAINT_OPEN", "days", h.days_since_first(complaint, still="resolved_at")
    )
    yield Feature("resolution_days", "SERVICE_SLOW", "days", resolved.mean(took, where=done))
    slow = h.overdue(h.events.day + np.int32(SLOW_AFTER_DAYS), "resolved_at")
    for w in settings.windows_days:
        if w >= 30:
            yield Feature(f"slow_complaints_{w}d", "SERVICE_SLOW", "count", slow.count(w, slow.kinds("complaint")))
