"""Supplied features: the latest row with ``as_of`` on or before the day."""

from __future__ import annotations

import pandas as pd
from tests.features.small import features_of, table


def test_a_row_may_be_used_on_its_own_day() -> None:
    features = table(
        "customer_id as_of usage known_at",
        "a 2025-01-01 1 -",
        "a 2025-03-01 2 -",
        "a 2025-03-02 3 -",
        "b 2025-02-01 4 -",
        "b 2025-03-01 5 2025-03-01",
        "c 2025-03-02 6 -",
    )
    features["usage"] = features["usage"].astype("float64")
    frame = features_of("2025-03-01", {"features": features})
    assert frame["usage"].fillna(-1).to_dict() == {"a": 2, "b": 4, "c": -1}


def test_undated_rows_are_constant_and_flags_and_texts_are_read() -> None:
    ids = [f"c{i:02}" for i in range(25)]
    features = pd.DataFrame({"customer_id": ids, "vip": [True] * 5 + [False] * 20, "plan": ["S"] * 4 + ["M"] * 21})
    frame = features_of("2025-03-01", {"features": features})
    assert list(frame.columns) == ["vip", "plan=M"]
    assert frame["vip"].sum() == 5
    assert frame["plan=M"].sum() == 21


def test_a_name_that_a_family_of_ours_uses_stays_ours() -> None:
    tables = {
        "purchases": table("customer_id occurred_at amount", "a 2025-01-01 5"),
        "features": pd.DataFrame({"customer_id": ["a"], "orders": [99.0], "usage": [3.0]}),
    }
    row = features_of("2025-03-01", tables).loc["a"]
    assert (row["orders"], row["usage"]) == (1, 3)
