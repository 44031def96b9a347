"""Subscriptions: contracts live, their age, price and end."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table


def test_a_contract_whose_end_is_known_ahead_is_live_until_then() -> None:
    subscriptions = table(
        "customer_id started_at ended_at notice_at renews_at price",
        "a 2024-01-01 2025-03-01 2025-02-01 2025-04-01 10",
        "b 2024-01-01 2025-02-28 - 2025-04-01 20",
        "c 2024-01-01 - 2025-03-01 2025-02-01 30",
    )
    frame = features_of("2025-03-01", {"subscriptions": subscriptions})
    assert frame["has_contract"].to_dict() == {"a": 1, "b": 0, "c": 1}
    assert frame["notice_given"].to_dict() == {"a": 1, "b": 0, "c": 0}
    assert frame["contract_days"].fillna(-1).to_dict() == {"a": 425, "b": -1, "c": 425}
    assert frame["contract_days_left"].fillna(-1).to_dict() == {"a": 31, "b": -1, "c": -28}
    assert frame["contracts_ended"].to_dict() == {"a": 0, "b": 1, "c": 0}
    assert frame["days_since_contract_end"].fillna(-1).to_dict() == {"a": -1, "b": 1, "c": -1}


def test_age_and_days_left_are_those_of_a_contract_that_is_live() -> None:
    subscriptions = table(
        "customer_id started_at ended_at renews_at",
        "a 2024-03-01 - 2025-03-11",
        "a 2024-09-01 2024-10-01 2026-01-01",
    )
    row = features_of("2025-03-01", {"subscriptions": subscriptions}).loc["a"]
    assert (row["has_contract"], row["contract_days"], row["contract_days_left"]) == (1, 365, 10)


def test_a_price_does_not_move_with_an_end_that_has_not_come() -> None:
    # (0.1 + 0.2) + 0.3 and (0.3 + 0.2) + 0.1 differ in the last digit: the order of a day's rows must rest on the past.
    header = "customer_id started_at ended_at price"
    prices = {"2026-01-01": "0.1", "2026-01-02": "0.2", "2026-01-03": "0.3"}
    ends = list(prices)
    one = table(header, *(f"a 2025-01-01 {end} {prices[end]}" for end in ends))
    other = table(
        header, *(f"a 2025-01-01 {end} {price}" for end, price in zip(reversed(ends), prices.values(), strict=True))
    )
    row, again = (features_of("2025-03-01", {"subscriptions": rows}).loc["a"] for rows in (one, other))
    assert row["contract_price"] == again["contract_price"]


def test_nobody_with_a_contract_is_not_the_same_as_a_contract_without_end() -> None:
    tables = {
        "customers": table("customer_id", "a", "b"),
        "subscriptions": table("customer_id started_at", "a 2024-01-01"),
    }
    frame = features_of("2025-03-01", tables)
    assert frame["has_contract"].to_dict() == {"a": 1, "b": 0}
    assert np.isnan(frame.loc["b", "contract_days"])
    assert "contracts_ended" not in frame
    assert "notice_given" not in frame


def test_a_contract_that_renews_by_itself_is_the_last_live_one() -> None:
    subscriptions = table(
        "customer_id started_at ended_at auto_renew",
        "a 2024-01-01 - true",
        "a 2024-06-01 2024-09-01 false",
        "b 2024-01-01 - true",
        "b 2024-06-01 - false",
        "c 2024-01-01 2024-09-01 true",
    )
    frame = features_of("2025-03-01", {"subscriptions": subscriptions})
    assert frame["auto_renew"].fillna(-1).to_dict() == {"a": 1, "b": 0, "c": -1}
