"""Cancellation: eligible hold a live contract without notice; churned end it and hold none at the window's end."""

from __future__ import annotations

import pytest
from tests.features.small import table
from tests.labels.small import labels_of

HEADER = "customer_id started_at ended_at notice_at"
WINDOW = {"definition": "cancellation", "horizon_days": 30}


def test_eligible_holds_a_live_contract_and_gave_no_notice() -> None:
    subscriptions = table(
        HEADER,
        "live 2024-01-01 - -",
        "ends_later 2024-01-01 2025-03-01 -",
        "notice_later 2024-01-01 2025-05-01 2025-03-01",
        "ended 2024-01-01 2025-02-28 -",
        "noticed 2024-01-01 2025-05-01 2025-02-28",
        "begins_today 2025-03-01 - -",
        "one_of_two 2024-01-01 2024-06-01 -",
        "one_of_two 2024-01-01 - -",
        "noticed_one_of_two 2024-01-01 - 2025-01-01",
        "noticed_one_of_two 2024-01-01 - -",
    )
    eligible = labels_of("2025-03-01", "2025-12-01", {"subscriptions": subscriptions}, **WINDOW)["eligible"]
    names = {"live", "ends_later", "notice_later", "one_of_two", "noticed_one_of_two"}
    assert set(eligible.index[eligible]) == names


def test_an_end_or_a_notice_in_the_window_is_churn() -> None:
    subscriptions = table(
        HEADER,
        "live 2024-01-01 - -",
        "first_day 2024-01-01 2025-03-01 -",
        "last_day 2024-01-01 2025-03-30 -",
        "day_after 2024-01-01 2025-03-31 -",
        "notice 2024-01-01 2025-06-01 2025-03-10",
        "notice_after 2024-01-01 2025-06-01 2025-03-31",
    )
    churned = labels_of("2025-03-01", "2025-12-01", {"subscriptions": subscriptions}, **WINDOW)["churned"]
    assert set(churned.index[churned == 1]) == {"first_day", "last_day", "notice"}


def test_another_contract_live_at_the_window_s_end_keeps_the_customer() -> None:
    subscriptions = table(
        HEADER,
        "changed_plan 2024-01-01 2025-03-10 -",
        "changed_plan 2025-03-10 - -",
        "second_ends_too 2024-01-01 2025-03-10 -",
        "second_ends_too 2025-03-10 2025-03-20 -",
        "second_under_notice 2024-01-01 2025-03-10 -",
        "second_under_notice 2024-06-01 2025-09-01 2025-03-20",
        "begins_after 2024-01-01 2025-03-10 -",
        "begins_after 2025-03-31 - -",
        "both_go_on 2024-01-01 - -",
        "both_go_on 2024-06-01 2025-03-10 -",
    )
    churned = labels_of("2025-03-01", "2025-12-01", {"subscriptions": subscriptions}, **WINDOW)["churned"]
    assert set(churned.index[churned == 1]) == {"second_ends_too", "second_under_notice", "begins_after"}


@pytest.mark.parametrize(("train_day", "churned"), [("2025-04-10", 0.0), ("2025-04-11", 1.0)])
def test_what_training_could_not_know_has_not_happened(train_day: str, churned: float) -> None:
    subscriptions = table(HEADER, "a 2024-01-01 2025-04-10 -", "b 2024-01-01 - -")
    found = labels_of("2025-03-20", train_day, {"subscriptions": subscriptions}, **WINDOW)
    assert found["churned"].to_dict() == {"a": churned, "b": 0}


def test_the_gap_moves_the_window() -> None:
    subscriptions = table(
        HEADER, "in_gap 2024-01-01 2025-03-10 -", "first_day 2024-01-01 2025-03-11 -", "last 2024-01-01 2025-04-09 -"
    )
    found = labels_of("2025-03-01", "2025-12-01", {"subscriptions": subscriptions}, **WINDOW, gap_days=10)
    assert found["churned"].to_dict() == {"in_gap": 0, "first_day": 1, "last": 1}
