"""Referrals: word of mouth."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

CUSTOMERS = table("customer_id", "a", "b")


def test_referrals_reviews_and_the_last_rating() -> None:
    referrals = table(
        "customer_id occurred_at kind rating",
        "a 2024-01-01 referral -",
        "a 2025-01-01 Referral -",
        "a 2025-01-05 review 4",
        "a 2025-02-01 review 2",
        "a 2025-02-02 mention -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "referrals": referrals})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["referrals_365d"], a["reviews_365d"], a["days_since_referral"]) == (1, 2, 59)
    assert (a["rating_last"], a["rating_mean"]) == (2, 3)
    assert (b["referrals_365d"], b["reviews_365d"]) == (0, 0)
    assert np.isnan([b["days_since_referral"], b["rating_last"], b["rating_mean"]]).all()


def test_a_table_without_kind_holds_referrals() -> None:
    referrals = table("customer_id occurred_at", "a 2024-01-01", "a 2025-02-01")
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "referrals": referrals})
    assert (frame.loc["a", "referrals_365d"], frame.loc["a", "days_since_referral"]) == (1, 28)
    assert not [name for name in frame.columns if name.startswith(("reviews", "rating"))]
