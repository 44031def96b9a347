"""First order: late, returned, discounted, complained of; nothing before it is known."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

HEADER = "customer_id occurred_at amount order_id promised_at delivered_at discount_amount"
PURCHASES = table(
    HEADER,
    "a 2025-01-01 10 a1 2025-01-10 2025-01-12 -",
    "a 2025-01-01 10 a2 2025-01-10 2025-01-08 5",
    "a 2025-01-31 -10 - - - -",
    "a 2025-02-10 10 a3 2025-02-20 2025-02-12 -",
    "b 2025-01-05 10 b1 2025-02-20 - 0",
    "b 2025-01-09 10 b1 2025-01-10 - 5",
    "b 2025-02-05 -10 - - - -",
    "c 2025-01-01 10 c1 - - -",
    "d 2025-01-01 -10 - - - -",
)
FLAGS = ["first_order_late", "first_order_returned", "first_order_discounted"]


def test_the_first_orders_are_those_of_the_first_day() -> None:
    frame = features_of("2025-03-01", {"purchases": PURCHASES}).fillna(-1)
    assert frame["days_to_second_order"].to_dict() == {"a": 40, "b": -1, "c": -1, "d": -1}
    assert frame[FLAGS].loc["a"].tolist() == [1, 1, 1]
    assert frame[FLAGS].loc["b"].tolist() == [1, 0, 1]
    assert frame[FLAGS].loc["c"].tolist() == [-1, 0, 0]
    assert frame[FLAGS].loc["d"].tolist() == [-1, -1, -1]


def test_each_column_fills_in_when_it_is_known() -> None:
    days = ["2025-01-11", "2025-01-12", "2025-01-31", "2025-02-01", "2025-02-10", "2025-02-11"]
    found = [features_of(day, {"purchases": PURCHASES}).loc["a"].fillna(-1) for day in days]
    assert [row["first_order_late"] for row in found] == [-1, 1, 1, 1, 1, 1]
    assert [row["first_order_returned"] for row in found] == [0, 0, 0, 1, 1, 1]
    assert [row["days_to_second_order"] for row in found] == [-1, -1, -1, -1, -1, 40]
    late_b = [
        features_of(day, {"purchases": PURCHASES}).loc["b", "first_order_late"] for day in ("2025-02-21", "2025-02-22")
    ]
    assert np.isnan(late_b[0])
    assert late_b[1] == 1


def test_satisfaction_and_complaints_belong_to_the_first_order_for_30_days() -> None:
    tables = {
        "customers": table("customer_id", "a", "b", "c", "e"),
        "purchases": table("customer_id occurred_at amount", "a 2025-01-01 1", "b 2025-01-01 1", "c 2025-01-01 1"),
        "surveys": table(
            "customer_id occurred_at kind score scale_max",
            "a 2024-12-31 csat 1 -",
            "a 2025-01-01 csat 5 -",
            "a 2025-01-31 csat 6 11",
            "a 2025-02-01 csat 1 -",
            "b 2025-01-02 nps 0 -",
            "e 2025-01-02 csat 5 -",
        ),
        "complaints": table(
            "customer_id occurred_at kind",
            "a 2024-12-31 complaint",
            "a 2025-02-01 complaint",
            "b 2025-01-31 complaint",
            "c 2025-01-02 inquiry",
            "e 2025-01-02 complaint",
        ),
    }
    frame = features_of("2025-03-01", tables).fillna(-1)
    assert frame["first_order_csat"].to_dict() == {"a": 0.75, "b": -1, "c": -1, "e": -1}
    assert frame["first_order_complaint"].to_dict() == {"a": 0, "b": 1, "c": 0, "e": -1}
    assert "first_order_late" not in frame
    assert "first_order_discounted" not in frame
