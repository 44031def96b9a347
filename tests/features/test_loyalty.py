"""Loyalty: points earned, used, held and about to expire."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

CUSTOMERS = table("customer_id", "a", "b", "c")


def test_points_have_the_direction_that_their_kind_says() -> None:
    loyalty = table(
        "customer_id occurred_at kind points",
        "a 2024-01-01 join -",
        "a 2025-01-01 earn 100",
        "a 2025-02-10 Earn 50",
        "a 2025-02-11 redeem -30",
        "a 2025-02-12 expire 20",
        "b 2025-02-12 join -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "loyalty": loyalty})
    assert frame["is_member"].to_dict() == {"a": 1, "b": 1, "c": 0}
    assert frame["points_balance"].to_dict() == {"a": 100, "b": 0, "c": 0}
    a, c = frame.loc["a"], frame.loc["c"]
    assert (a["points_earned_30d"], a["points_redeemed_30d"], a["days_since_earn"], a["days_since_redeem"]) == (
        50,
        30,
        19,
        18,
    )
    assert np.isnan([c["days_since_earn"], c["days_since_redeem"]]).all()


def test_the_points_that_expire_first_are_used_first() -> None:
    loyalty = table(
        "customer_id occurred_at kind points expires_at",
        "a 2024-01-01 earn 100 2025-03-10",
        "a 2024-02-01 earn 100 2025-03-31",
        "a 2024-03-01 earn 100 -",
        "a 2025-01-01 redeem 30 -",
        "b 2024-01-01 earn 100 2025-02-28",
        "b 2024-02-01 earn 100 2025-03-01",
        "b 2025-01-01 redeem 130 -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "loyalty": loyalty})
    assert frame["points_expiring_30d"].to_dict() == {"a": 70, "b": 70, "c": 0}


def test_points_not_yet_known_are_not_held() -> None:
    loyalty = table(
        "customer_id occurred_at kind points expires_at known_at",
        "a 2024-01-01 earn 0.1 2025-03-10 -",
        "a 2024-02-01 earn 1e17 2025-03-11 2025-03-01",
        "a 2025-01-02 redeem 1e17 - 2025-03-01",
    )
    row = features_of("2025-03-01", {"customers": CUSTOMERS, "loyalty": loyalty}).loc["a"]
    assert (row["points_balance"], row["points_expiring_30d"], row["points_redeemed_90d"]) == (0.1, 0.1, 0)
