"""Products: categories, repeats, novelties, items, unit price."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table


def test_categories_count_once_and_are_new_once() -> None:
    purchases = table(
        "customer_id occurred_at amount category",
        "a 2024-01-01 1 cd",
        "a 2025-02-01 1 cd",
        "a 2025-02-02 1 book",
        "a 2025-02-03 1 -",
    )
    row = features_of("2025-03-01", {"purchases": purchases}).loc["a"]
    assert (row["categories"], row["new_categories_365d"]) == (2, 1)


def test_the_most_frequent_category_is_a_share_of_the_rows_that_have_one() -> None:
    purchases = table(
        "customer_id occurred_at amount category",
        "a 2024-01-01 99 toy",
        "a 2024-12-01 1 cd",
        "a 2025-02-01 1 cd",
        "a 2025-02-02 90 book",
        "a 2025-02-02 -90 book",
        "a 2025-02-03 1 -",
        "b 2024-01-01 1 cd",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    assert frame["top_category_share_365d"].fillna(-1).to_dict() == {"a": 2 / 3, "b": -1}


def test_an_order_in_two_shipments_is_no_repeat_and_returns_are_none() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id product_id known_at",
        "a 2024-01-01 1 o1 tea -",
        "a 2025-02-01 1 o2 tea -",
        "a 2025-02-05 1 o2 tea -",
        "b 2025-02-01 1 o3 pot -",
        "b 2025-02-05 1 o3 pot -",
        "b 2025-02-06 -1 o3 pot -",
        "b 2025-02-07 1 o4 Pot -",
        "c 2025-02-01 1 o5 cup 2025-02-20",
        "c 2025-02-02 1 o6 cup -",
        "d 2025-02-01 1 o7 - -",
        "d 2025-02-02 1 o8 - -",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    assert frame["repeat_products_365d"].to_dict() == {"a": 2, "b": 0, "c": 0, "d": 0}


def test_a_product_is_new_for_90_days_and_not_before_its_launch() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id launched_at",
        "a 2024-06-30 1 o1 2024-04-01",
        "a 2024-07-01 1 o2 2024-04-01",
        "a 2024-07-01 1 o2 2024-07-01",
        "a 2024-08-01 1 o3 2024-08-02",
        "b 2024-07-01 1 o4 2024-04-01",
        "b 2024-08-01 1 o5 -",
        "b 2024-01-01 1 o6 2024-01-01",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    assert frame["new_product_orders_365d"].to_dict() == {"a": 2, "b": 0}


def test_items_per_order_and_unit_price_compare_half_years() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id quantity",
        "a 2024-08-01 10 o1 2",
        "a 2024-08-01 30 o1 -",
        "a 2025-02-01 60 o2 6",
        "a 2025-02-03 20 o3 1",
        "a 2025-02-04 99 o3 0",
        "a 2025-02-05 -60 o2 6",
        "b 2025-02-01 5 o4 1",
        "c 2024-01-01 5 o5 1",
    )
    frame = features_of("2025-03-01", {"purchases": purchases})
    a, b = frame.loc["a"], frame.loc["b"]
    assert a["items_per_order_365d"] == (2 + 1 + 6 + 1 + 0) / 3
    assert a["items_per_order_change_180d"] == (6 + 1) / 2 - 3
    assert a["unit_price_change_180d"] == (10 + 20) / 2 - 5
    assert b["items_per_order_365d"] == 1
    assert np.isnan([b["items_per_order_change_180d"], b["unit_price_change_180d"]]).all()
