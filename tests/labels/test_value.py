"""Value: net money of the window, without returns of orders that were placed before it."""

from __future__ import annotations

import pytest
from tests.features.small import table
from tests.labels.small import worth_of

from kizuna.timeline import LabelWindow

MONTH = LabelWindow(30)


def test_purchases_minus_returns_times_margin() -> None:
    purchases = table(
        "customer_id occurred_at amount is_return",
        "a 2025-02-28 1000 no",
        "a 2025-03-01 100 no",
        "a 2025-03-30 30 no",
        "a 2025-03-30 20 yes",
        "a 2025-03-31 1000 no",
        "b 2025-02-01 5 no",
    )
    assert worth_of("2025-03-01", "2025-06-01", purchases, MONTH, margin=0.5) == {"a": 55, "b": 0}
    assert worth_of("2025-03-01", "2025-06-01", purchases, LabelWindow(30, gap_days=10)) == {"a": 1010, "b": 0}


def test_a_return_counts_only_if_its_order_was_placed_in_the_window() -> None:
    purchases = table(
        "customer_id occurred_at amount is_return order_id",
        "a 2025-02-20 50 no before",
        "a 2025-03-05 50 yes before",
        "b 2025-03-02 50 no inside",
        "b 2025-03-05 20 yes inside",
        "b 2025-03-31 30 yes inside",
        "c 2025-02-20 50 no before",
        "c 2025-03-05 7 yes -",
        "d 2025-02-20 50 no twice",
        "d 2025-03-02 60 no twice",
        "d 2025-03-05 60 yes twice",
    )
    found = worth_of("2025-03-01", "2025-06-01", purchases, MONTH)
    assert found == {"a": 0, "b": 30, "c": -7, "d": 60}


def test_the_same_order_number_of_another_customer_is_another_order() -> None:
    purchases = table(
        "customer_id occurred_at amount order_id",
        "a 2025-03-02 50 o1",
        "a 2025-03-05 -20 o1",
        "b 2025-02-20 50 o1",
        "b 2025-03-05 -20 o1",
    )
    assert worth_of("2025-03-01", "2025-06-01", purchases, MONTH) == {"a": 30, "b": 0}


@pytest.mark.parametrize(("train_day", "worth"), [("2025-05-31", 100), ("2025-06-01", 100), ("2025-06-02", 150)])
def test_rows_known_on_training_s_day_or_later_are_not_counted(train_day: str, worth: float) -> None:
    purchases = table(
        "customer_id occurred_at amount known_at",
        "a 2025-03-02 100 -",
        "a 2025-03-03 50 2025-06-01",
        "b 2025-02-01 1 -",
    )
    assert worth_of("2025-03-01", train_day, purchases, MONTH) == {"a": worth, "b": 0}


def test_an_order_that_training_could_not_know_does_not_place_its_return() -> None:
    header = "customer_id occurred_at amount order_id known_at"
    known = ["a 2025-03-02 100 o1 -", "a 2025-03-05 -30 o2 -"]
    cut = worth_of("2025-03-01", "2025-06-01", table(header, *known), MONTH)
    whole = worth_of("2025-03-01", "2025-06-01", table(header, *known, "a 2025-02-20 30 o2 2025-06-01"), MONTH)
    assert cut == whole == {"a": 70}
