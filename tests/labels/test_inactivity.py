"""Silence: eligible bought lately, churned buys nothing in the window."""

from __future__ import annotations

from tests.features.small import table
from tests.labels.small import labels_of


def test_the_window_is_half_open_on_both_sides() -> None:
    purchases = table(
        "customer_id occurred_at amount",
        *(f"{name} 2025-02-01 5" for name in ("first", "last", "after", "gap")),
        "first 2025-03-11 5",
        "last 2025-04-09 5",
        "after 2025-04-10 5",
        "gap 2025-03-10 5",
    )
    found = labels_of("2025-03-01", "2025-06-01", {"purchases": purchases}, horizon_days=30, gap_days=10)
    assert found["churned"].to_dict() == {"first": 0, "last": 0, "after": 1, "gap": 1}
    assert found["eligible"].all()


def test_eligible_bought_within_the_days_before_and_visits_or_returns_do_not_count() -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "edge 2025-01-30 5 -",
        "too_long_ago 2025-01-29 5 -",
        "today 2025-03-01 5 -",
        "known_late 2025-02-01 5 2025-03-01",
        "returns 2024-01-01 5 -",
        "returns 2025-02-01 -5 -",
        "visits 2024-01-01 5 -",
    )
    visits = table("customer_id occurred_at kind", "visits 2025-02-28 visit")
    tables = {"purchases": purchases, "engagement": visits}
    eligible = labels_of("2025-03-01", "2025-06-01", tables, active_within_days=30)["eligible"]
    assert eligible.index[eligible].tolist() == ["edge"]


def test_a_return_in_the_window_is_no_purchase() -> None:
    purchases = table(
        "customer_id occurred_at amount is_return",
        "a 2025-02-01 5 no",
        "a 2025-03-10 5 yes",
        "b 2025-02-01 5 no",
        "b 2025-03-10 0 no",
    )
    found = labels_of("2025-03-01", "2025-06-01", {"purchases": purchases}, horizon_days=30)
    assert found["churned"].to_dict() == {"a": 1, "b": 0}


def test_a_purchase_known_only_on_training_s_day_has_not_happened() -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "a 2025-02-01 5 -",
        "a 2025-03-10 5 2025-06-01",
        "b 2025-02-01 5 -",
        "b 2025-03-10 5 2025-05-31",
    )
    found = labels_of("2025-03-01", "2025-06-01", {"purchases": purchases}, horizon_days=30)
    assert found["churned"].to_dict() == {"a": 1, "b": 0}
