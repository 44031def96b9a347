"""Engagement: what the customer did; a mail that we sent is not a sign of life."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table


def test_activity_visits_use_and_change() -> None:
    engagement = table(
        "customer_id occurred_at kind",
        "a 2025-01-15 visit",
        "a 2025-02-20 Login",
        "a 2025-02-21 open",
        "a 2025-02-21 use",
        "a 2025-03-01 use",
        "b 2025-01-15 open",
    )
    mails = table("customer_id occurred_at kind", "b 2025-02-28 newsletter")
    customers = table("customer_id", "a", "b")
    frame = features_of("2025-03-01", {"customers": customers, "engagement": engagement, "outreach": mails})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["engagements_30d"], a["visits_30d"], a["uses_30d"], a["engagements_change_30d"]) == (3, 1, 1, 2)
    assert (a["days_since_engagement"], a["days_since_use"]) == (8, 8)
    assert (b["engagements_30d"], b["engagements_change_30d"], b["days_since_engagement"]) == (0, -1, 45)
    assert np.isnan(b["days_since_use"])


def test_without_kind_nothing_is_said_of_visits_and_use() -> None:
    engagement = table("customer_id occurred_at", "a 2024-01-01", "a 2025-02-20")
    frame = features_of("2025-03-01", {"customers": table("customer_id", "a"), "engagement": engagement})
    assert frame.loc["a", "engagements_30d"] == 1
    assert not [name for name in frame.columns if "use" in name or "visit" in name]
