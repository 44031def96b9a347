"""Orders, money, rhythm and experience: ten rows and the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.features.small import features_of, table


def test_windows_are_half_open_and_an_event_on_the_day_itself_is_future() -> None:
    purchases = table(
        "customer_id occurred_at amount",
        "a 2024-01-01 1",
        "a 2025-01-30 2",
        "a 2025-01-31 4",
        "a 2025-03-01 8",
        "a 2025-03-02 16",
    )
    row = features_of("2025-03-02", {"purchases": purchases}).loc["a"]
    assert row["revenue_30d"] == 4 + 8
    assert row["revenue"] == 1 + 2 + 4 + 8
    assert (row["orders_30d"], row["orders"], row["days_since_order"]) == (2, 4, 1)


def test_a_row_counts_from_the_day_after_it_was_known() -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "a 2025-01-01 1 -",
        "a 2025-02-01 2 2025-03-09",
        "a 2025-02-02 4 2025-03-10",
        "a 2025-02-03 8 2025-01-01",
    )
    row = features_of("2025-03-10", {"purchases": purchases}).loc["a"]
    assert (row["orders"], row["revenue"]) == (3, 1 + 2 + 8)


def test_an_order_is_its_lines_and_is_dated_by_the_line_known_first() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id known_at",
        "a 2024-06-01 1 o0 -",
        "a 2025-01-01 1 o1 2025-03-01",
        "a 2025-02-20 1 o1 -",
        "a 2025-02-21 1 - -",
        "a 2025-02-21 1 - -",
        "b 2025-01-01 1 o1 -",
    )
    frame = features_of("2025-03-10", {"purchases": purchases})
    assert frame["orders"].to_dict() == {"a": 3, "b": 1}
    assert frame["orders_30d"].to_dict() == {"a": 2, "b": 0}


def test_without_order_id_the_rows_of_one_day_are_one_order() -> None:
    purchases = table("customer_id occurred_at amount", "a 2025-01-01 1", "a 2025-01-01 2", "a 2025-01-02 3")
    row = features_of("2025-02-15", {"purchases": purchases}).loc["a"]
    assert (row["orders"], row["order_value"], row["is_one_time"]) == (2, 3, 0)


def test_a_return_is_minus_its_size_and_never_a_purchase() -> None:
    purchases = table(
        "customer_id occurred_at amount is_return",
        "a 2025-01-01 100 no",
        "a 2025-03-01 30 yes",
        "a 2025-03-02 -20 -",
        "b 2024-11-01 5 yes",
    )
    frame = features_of("2025-03-10", {"purchases": purchases})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["orders"], a["revenue"], a["revenue_30d"], a["days_since_order"]) == (1, 50, -50, 68)
    assert (a["returns_90d"], a["return_share"]) == (2, 0.5)
    assert (b["orders"], b["revenue"]) == (0, -5)
    assert np.isnan([b["days_since_order"], b["tenure_days"], b["order_value"], b["return_share"]]).all()


def test_rhythm_is_the_median_of_the_last_12_gaps_between_days() -> None:
    days = [pd.Timestamp("2024-01-01"), *pd.date_range("2024-06-01", periods=13, freq="10D")]
    purchases = pd.DataFrame({"customer_id": "a", "occurred_at": [*days, days[-1]], "amount": 1.0})
    row = features_of("2024-10-19", {"purchases": purchases}).loc["a"]
    assert (row["usual_gap_days"], row["gap_cv"], row["days_since_order"], row["overdue_ratio"]) == (10, 0, 20, 2)


def test_what_is_not_yet_known_leaves_no_trace_in_a_sum_however_large_it_is() -> None:
    known = ["a 2025-01-01 0.1 -", "a 2025-01-20 0.2 -", "a 2025-02-03 19.99 -"]
    fortune = ["a 2025-01-10 1e17 2025-04-01", "a 2025-02-02 1e17 2025-04-01"]
    header = "customer_id occurred_at amount known_at"
    without = features_of("2025-02-10", {"purchases": table(header, *known)}).loc["a"]
    with_it = features_of("2025-02-10", {"purchases": table(header, *known, *fortune)}).loc["a"]
    assert with_it["revenue_7d"] == without["revenue_7d"] == 19.99
    pd.testing.assert_series_equal(with_it, without, check_exact=True)


def test_discounts_are_counted_among_the_orders_of_the_year() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id discount_amount",
        "a 2024-01-01 1 begun_before_the_year 0",
        "a 2024-04-01 1 begun_before_the_year 5",
        "a 2024-06-01 1 full_price -",
        "b 2023-01-01 1 old 1",
        "b 2024-06-01 1 full_price 0",
        "b 2024-07-01 1 two_lines 0",
        "b 2024-07-01 1 two_lines 2",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    assert frame["discount_share_365d"].to_dict() == {"a": 0.0, "b": 0.5}
    assert frame["full_price_orders_365d"].to_dict() == {"a": 1.0, "b": 1.0}


def test_a_window_longer_than_the_history_gives_no_column() -> None:
    purchases = table("customer_id occurred_at amount discount_amount channel", "a 2025-01-01 1 - web")
    names = set(features_of("2025-06-30", {"purchases": purchases}).columns)
    assert {"orders_change_90d", "revenue_change_90d", "orders_90d", "channel_changed"} <= names
    # A change looks back over two windows: 180 days are there, 179 are one too few.
    fewer = set(features_of("2025-06-29", {"purchases": purchases}).columns)
    assert {"orders_90d", "channel_changed"} <= fewer
    assert not {"orders_change_90d", "revenue_change_90d"} & fewer
    assert not {"orders_change_180d", "discount_share_365d", "purchase_channels_365d", "refund_amount_365d"} & names


def test_the_change_of_a_window_looks_at_the_one_before_it() -> None:
    purchases = table(
        "customer_id occurred_at amount", "a 2024-12-02 64", "a 2024-12-03 1", "a 2025-03-03 2", "a 2025-03-03 4"
    )
    row = features_of("2025-06-01", {"purchases": purchases}).loc["a"]
    assert (row["orders_change_90d"], row["revenue_change_90d"]) == (1 - 1, 6 - 1)


def test_channels_are_those_of_purchases_and_the_last_two_days_are_compared() -> None:
    purchases = table(
        "customer_id occurred_at amount channel known_at",
        "a 2024-06-01 1 web -",
        "a 2025-01-01 1 Web -",
        "a 2025-01-02 -1 phone -",
        "a 2025-01-03 1 - -",
        "b 2025-01-01 1 web -",
        "b 2025-01-02 1 web -",
        "b 2025-01-02 1 shop 2025-01-05",
        "c 2025-01-01 1 shop -",
        "c 2025-01-02 1 web -",
        "c 2025-01-02 1 shop -",
        "d 2025-01-01 1 shop -",
    )
    frame = features_of("2025-06-02", {"purchases": purchases})
    assert frame["purchase_channels_365d"].to_dict() == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert frame["channel_changed"].fillna(-1).to_dict() == {"a": 1, "b": 0, "c": 0, "d": -1}
