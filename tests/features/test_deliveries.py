"""Deliveries: returns, refunds, promises kept and broken."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.features.small import features_of, table


def test_an_order_is_late_from_the_day_after_its_promise_whether_it_has_come_since_or_not() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id promised_at delivered_at",
        "a 2025-01-01 1 in_time 2025-01-10 2025-01-10",
        "a 2025-01-01 1 late 2025-01-10 2025-01-11",
        "a 2025-01-01 1 comes_after_as_of 2025-01-10 2025-02-20",
        "a 2025-01-01 1 never 2025-01-10 -",
        "a 2025-01-01 1 due_yesterday 2025-02-09 -",
        "a 2025-01-01 1 no_promise - -",
        "b 2024-06-01 1 no_promise - -",
    )
    row = features_of("2025-02-10", {"purchases": purchases}).loc["a"]
    assert (row["late_deliveries_90d"], row["overdue_deliveries"]) == (3, 2)
    row = features_of("2025-02-11", {"purchases": purchases}).loc["a"]
    assert (row["late_deliveries_90d"], row["overdue_deliveries"]) == (4, 3)


def test_a_delivery_that_had_not_come_reads_the_same_whenever_it_comes_later() -> None:
    header = "customer_id occurred_at amount order_id promised_at delivered_at"
    sent = "a 2025-01-01 1 o1 2025-01-10 2025-01-05"
    never = table(header, sent, "a 2025-01-01 1 o1 2025-01-10 -")
    later = table(header, sent, "a 2025-01-01 1 o1 2025-01-10 2025-03-01")
    row, other = (features_of("2025-02-10", {"purchases": purchases}).loc["a"] for purchases in (never, later))
    assert row["overdue_deliveries"] == other["overdue_deliveries"]
    pd.testing.assert_series_equal(row, other, check_exact=True)


HEADER = "customer_id occurred_at amount order_id promised_at delivered_at"


def test_an_undelivered_order_is_late_by_the_days_that_it_is_overdue() -> None:
    purchases = table(
        HEADER,
        "a 2024-01-01 1 long_ago 2024-01-10 2024-06-01",
        "a 2024-01-01 1 lost_long_ago 2024-01-10 -",
        "a 2025-01-01 1 late 2025-01-10 2025-01-25",
        "a 2025-01-01 1 waiting 2025-01-31 -",
        "b 2025-01-01 1 in_time 2025-01-10 2025-01-10",
        "c 2025-01-01 1 comes_later 2025-01-31 2025-02-25",
        "d 2025-01-01 1 early 2025-01-10 2025-01-04",
        "d 2025-01-02 1 late 2025-01-10 2025-01-12",
    )
    frame = features_of("2025-02-21", {"purchases": purchases})
    assert frame["late_days_max_180d"].fillna(-1).to_dict() == {"a": 21, "b": -1, "c": 21, "d": 2}
    assert frame["late_delivery_share_180d"].to_dict() == {"a": 1, "b": 0, "c": 1, "d": 0.5}
    assert frame["delivery_vs_promise_days_365d"].fillna(-9).to_dict() == {
        "a": (143 + 15) / 2,
        "b": 0,
        "c": -9,
        "d": -2,
    }
    assert frame["overdue_deliveries"].to_dict() == {"a": 2, "b": 0, "c": 1, "d": 0}
    assert features_of("2025-02-11", {"purchases": purchases}).loc["a", "late_days_max_180d"] == 15


def test_a_lost_order_leaves_the_longest_delay_when_its_promise_leaves_the_window() -> None:
    purchases = table(HEADER, "a 2024-01-01 1 o1 2024-06-30 -", "a 2024-06-01 1 o2 2024-08-01 -")
    longest = [
        features_of(day, {"purchases": purchases}).loc["a", "late_days_max_180d"]
        for day in ("2024-12-28", "2024-12-29")
    ]
    assert longest == [181, 150]


def test_the_earliest_promise_of_the_first_rows_speaks_for_the_order() -> None:
    purchases = table(
        f"{HEADER} known_at",
        "a 2025-01-01 1 o1 2025-01-20 2025-01-25 -",
        "a 2025-01-01 1 o1 2025-01-10 2025-01-09 -",
        "a 2025-01-01 1 o1 - 2025-01-31 -",
        "a 2025-01-02 1 o1 2025-01-05 2025-01-31 -",
        "a 2025-01-01 1 o1 2025-01-05 2025-01-31 2025-01-08",
        "b 2024-06-01 1 o2 - - -",
    )
    row = features_of("2025-04-01", {"purchases": purchases}).loc["a"]
    assert (row["late_deliveries_90d"], row["late_delivery_share_180d"]) == (0, 0)
    assert row["orders"] == 1


def test_a_refund_counts_when_it_was_made() -> None:
    purchases = table(
        "customer_id occurred_at amount refunded_at",
        "a 2024-01-01 50 -",
        "a 2024-01-10 -5 2024-01-20",
        "a 2024-05-01 -5 2024-05-11",
        "a 2025-01-01 -5 2025-01-05",
        "a 2025-02-01 -5 2025-03-01",
        "a 2025-02-02 -7 -",
        "b 2024-01-01 50 2024-01-02",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["refund_days_365d"], a["refunds_pending"], a["refund_amount_365d"]) == ((10 + 4) / 2, 2, 22)
    assert (b["refunds_pending"], b["returns_365d"]) == (0, 0)
    assert np.isnan(b["refund_days_365d"])


def test_without_their_columns_there_is_no_word_on_refunds_and_promises() -> None:
    purchases = table("customer_id occurred_at amount promised_at", "a 2024-01-01 5 2024-01-02")
    names = features_of("2025-03-01", {"purchases": purchases}).columns
    assert not [
        name for name in names if "late_" in name or "delivery" in name or "overdue_d" in name or "refunds" in name
    ]
