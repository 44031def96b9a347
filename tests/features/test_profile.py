"""Profile: the row in force, and only what does not change where rows are undated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.features.small import features_of, table


def test_without_valid_from_only_steady_columns_feed_models() -> None:
    ids = [f"c{i:02}" for i in range(20)]
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "first_seen_at": "2025-01-01",
            "birth_date": ["1990-03-01"] * 19 + ["2030-01-01"],
            "market": ["JP"] * 20,
            "acquisition_channel": ["web"] * 20,
            "consent_email": ["yes"] * 20,
            "tier": ["gold"] * 20,
        }
    )
    frame = features_of(
        "2025-03-01", {"customers": customers}, data={"tables": {"customers": {"attributes": ["tier"]}}}
    )
    assert list(frame.columns) == [
        "age_years",
        "days_since_first_seen",
        "profile_completeness",
        "market=JP",
        "tier=gold",
    ]
    assert frame["days_since_first_seen"].unique().tolist() == [59]
    assert np.isclose(frame.loc["c00", "age_years"], 12784 / 365.25)
    assert np.isnan(frame.loc["c19", "age_years"])


def test_with_valid_from_the_row_in_force_speaks() -> None:
    rows = [f"c{i:02} 2024-01-01 JP web 1 -" for i in range(20)]
    customers = table(
        "customer_id valid_from market acquisition_channel stamps known_at",
        *rows,
        "c00 2025-02-01 US web 5 -",
        "c01 2025-02-01 US web 5 2025-03-01",
        "c02 2025-03-01 US web 5 -",
        "c03 2025-02-01 - web - -",
    )
    customers["stamps"] = customers["stamps"].astype("float64")
    source = {"customers": {"attributes": ["stamps"]}}
    purchases = table("customer_id occurred_at amount", "new 2025-01-01 1")
    frame = features_of(
        "2025-03-01", {"customers": customers, "purchases": purchases}, data={"tables": source | {"purchases": {}}}
    )
    assert "acquisition_channel=web" in frame
    assert frame.loc[["c01", "c02", "c19"], "stamps"].tolist() == [1, 1, 1]
    assert frame.loc["c00", "stamps"] == 5
    assert np.isnan(frame.loc[["c03", "new"], "stamps"]).all()
    assert [name for name in frame if name.startswith("market")] == []


def test_an_attribute_named_as_a_feature_of_ours_does_not_take_its_place() -> None:
    tables = {
        "customers": pd.DataFrame({"customer_id": ["a", "b"], "orders": [99.0, 98.0]}),
        "purchases": table("customer_id occurred_at amount", "a 2025-01-01 5", "b 2025-01-02 7"),
    }
    sources = {"customers": {"attributes": ["orders"]}, "purchases": {}}
    frame = features_of("2025-03-01", tables, data={"tables": sources})
    assert list(frame.columns).count("orders") == 1
    assert frame["orders"].tolist() == [1, 1]


def test_a_profile_is_complete_as_far_as_the_table_asks() -> None:
    customers = table(
        "customer_id valid_from birth_date market",
        "a 2024-01-01 1990-01-01 JP",
        "b 2024-01-01 1990-01-01 JP",
        "b 2025-01-01 - JP",
        "c 2024-01-01 - -",
    )
    purchases = table("customer_id occurred_at amount", "new 2025-01-01 1")
    frame = features_of("2025-03-01", {"customers": customers, "purchases": purchases})
    assert frame["profile_completeness"].fillna(-1).to_dict() == {"a": 1, "b": 0.5, "c": 0, "new": -1}
