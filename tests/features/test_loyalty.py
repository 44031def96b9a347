"""Loyalty: points earned, used, held and about to expire."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from tests.features.small import features_of, project_of, table

from kizuna.features.history import History
from kizuna.features.loyalty import points_expire_in_days
from kizuna.features.rows import every_pair
from kizuna.timeline import day_of

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
    assert (a["points_earned_90d"], a["points_earned_365d"], a["points_redeemed_365d"]) == (150, 150, 30)
    assert (a["points_expired_365d"], a["redeemed_share"]) == (20, 0.2)
    assert (a["days_since_earn"], a["days_since_redeem"]) == (19, 18)
    assert np.isnan([c["days_since_earn"], c["days_since_redeem"], frame.loc["b", "redeemed_share"]]).all()


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
    store = project_of({"customers": CUSTOMERS, "loyalty": loyalty}).opened
    block = store.block(0, store.customers)
    rows = every_pair(block.customers, [day_of(date(2025, 3, 1))])
    found = points_expire_in_days(History(block.tables["loyalty"], rows, block.tables))
    np.testing.assert_array_equal(found, [9, 0, np.nan])


def test_points_not_yet_known_are_not_held() -> None:
    loyalty = table(
        "customer_id occurred_at kind points expires_at known_at",
        "a 2024-01-01 earn 0.1 2025-03-10 -",
        "a 2024-02-01 earn 1e17 2025-03-11 2025-03-01",
        "a 2025-01-02 redeem 1e17 - 2025-03-01",
    )
    row = features_of("2025-03-01", {"customers": CUSTOMERS, "loyalty": loyalty}).loc["a"]
    assert (row["points_balance"], row["points_expiring_30d"], row["points_redeemed_365d"]) == (0.1, 0.1, 0)


def test_the_tier_is_the_last_one_named_and_its_change_is_over_a_year() -> None:
    loyalty = table(
        "customer_id occurred_at kind tier_rank points_to_next known_at",
        "a 2023-01-01 tier 1 - -",
        "a 2024-02-29 tier 2 - -",
        "a 2024-03-01 tier 3 - -",
        "a 2025-01-01 tier 3 500 -",
        "a 2025-02-01 tier 4 -20 -",
        "a 2025-02-02 earn - - -",
        "b 2023-01-01 tier 2 300 2024-03-01",
        "c 2023-01-01 earn - - -",
    )
    frame = features_of("2025-03-01", {"loyalty": loyalty})
    assert frame["tier_rank"].fillna(-1).to_dict() == {"a": 4, "b": 2, "c": -1}
    assert frame["tier_rank_change_365d"].fillna(-9).to_dict() == {"a": 2, "b": -9, "c": -9}
    assert frame["points_to_next"].fillna(-1).to_dict() == {"a": 0, "b": 300, "c": -1}


def test_without_a_pace_no_number_of_months_leads_to_the_reward() -> None:
    loyalty = table(
        "customer_id occurred_at kind points points_to_next",
        "a 2024-01-01 earn 999 -",
        "a 2024-06-01 earn 120 600",
        "b 2024-01-01 earn 120 600",
        "c 2024-06-01 earn 120 -",
    )
    months = features_of("2025-03-01", {"loyalty": loyalty})["months_to_reward"]
    assert months.fillna(-1).to_dict() == {"a": 60, "b": -1, "c": -1}


def test_the_tier_in_force_has_a_column_for_each_text() -> None:
    ids = [f"c{i:02}" for i in range(50)]
    loyalty = pd.DataFrame(
        {
            "customer_id": [*ids, *ids, "c00", "c01", "c01"],
            "occurred_at": ["2024-01-01"] * 50 + ["2025-01-01"] * 50 + ["2025-01-02", "2025-01-03", "2025-01-03"],
            "kind": ["tier"] * 50 + ["earn"] * 50 + ["tier"] * 3,
            "tier": ["gold"] * 25 + ["silver"] * 24 + ["rare"] + [None] * 50 + ["silver", "silver", "gold"],
        }
    )
    customers = pd.DataFrame({"customer_id": [*ids, "new"], "tier": ["gold"] * 51})
    sources = {"customers": {"attributes": ["tier"]}, "loyalty": {}}
    frame = features_of("2025-03-01", {"customers": customers, "loyalty": loyalty}, data={"tables": sources})
    tiers = frame[["loyalty_tier=gold", "loyalty_tier=silver"]]
    assert [name for name in frame if name.startswith("loyalty_tier")] == list(tiers)
    assert tiers.loc["c02"].tolist() == [1, 0]
    assert tiers.loc["c00"].tolist() == [0, 1]
    assert tiers.loc["c49"].tolist() == [0, 0]
    assert tiers.loc[["c01", "new"]].isna().all(axis=None)
    assert (frame["tier=gold"] == 1).all()
