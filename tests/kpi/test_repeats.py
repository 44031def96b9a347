"""Buying again and what a customer is worth, on rows whose answer one can count."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.kpi.small import buys, one, pack_of, value

from kizuna.evaluation.baselines.formula import cltv_formula


def lines(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "order_id", "product_id"])
    return frame.assign(amount=10.0)


def test_an_order_in_two_shipments_is_one_and_the_same_product_must_come_from_an_earlier_order() -> None:
    rows = lines(
        ("a", "2024-05-01", "o1", "p"), ("a", "2024-05-03", "o1", "p"),  # one order in two parts
        ("b", "2024-03-01", "o2", "p"), ("b", "2024-05-02", "o3", "p"),  # the same again
        ("c", "2024-03-01", "o4", "p"), ("c", "2024-05-02", "o5", "q"),  # something else
        ("z", "2024-07-31", "o9", "x"),
    )  # fmt: skip
    pack = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31")
    assert value(pack, "orders", "2024-05") == 3
    assert value(pack, "repeat_rate_any", "2024-05") == pytest.approx(2 / 3)
    assert value(pack, "repeat_rate_same_product", "2024-05") == pytest.approx(1 / 3)


def test_a_return_is_no_repeat() -> None:
    rows = buys(("a", "2024-05-01", 10.0), ("a", "2024-05-09", -10.0), ("z", "2024-07-31"))
    assert value(pack_of({"purchases": rows}, "2024-05-01", "2024-05-31"), "repeat_rate_any", "2024-05") == 0


def test_the_ladder_counts_cohorts_that_were_followed_to_the_end() -> None:
    rows = buys(
        ("y", "2023-01-01"),
        ("a", "2024-01-10"), ("a", "2024-04-09"), ("a", "2024-04-20"),  # second after 90 days, third after 11
        ("b", "2024-01-20"), ("b", "2024-04-20"),  # after 91
        ("c", "2024-01-25"), ("d", "2024-02-25"), ("d", "2024-02-26"), ("z", "2024-06-01"),
    )  # fmt: skip
    pack = pack_of({"purchases": rows}, "2024-01-01", "2024-06-01")
    assert value(pack, "f2_rate_90d", "2024-01") == pytest.approx(1 / 3)
    assert value(pack, "f3_rate_90d", "2024-02") == 0
    assert one(pack, "f3_rate_90d", "2024-04")["state"] == "censored"
    assert one(pack, "f2_rate_180d", "2024-01")["state"] == "censored"
    assert math.isnan(value(pack, "f2_rate_180d", "2024-01"))
    # The last of February's cohort began on the 29th at the latest: 90 days later is 29 May, which has been seen.
    assert one(pack, "f2_rate_90d", "2024-02")["state"] == "reference"
    assert one(pack, "f2_rate_90d", "2024-03")["state"] == "not_enough_data"
    days = one(pack, "days_to_second", "2024-01")
    assert (days["value"], days["n"], days["open"], days["state"]) == (91, 3, 1, "censored")


def test_the_formula_is_the_product_of_its_three_factors_and_that_of_the_list() -> None:
    rows = buys(
        ("a", "2023-06-01", 100.0), ("a", "2024-02-01", 300.0), ("a", "2024-03-01", -50.0), ("b", "2024-03-01", 80.0),
        ("c", "2023-01-01", 999.0), ("y", "2022-06-01"), ("z", "2024-06-30", 1.0),
    )  # fmt: skip
    sections = {"cltv": {"horizon_days": 180, "margin": 0.5}}
    pack = pack_of({"purchases": rows}, "2024-04-01", "2024-04-30", **sections)
    factors = [value(pack, name, "2024-04") for name in ("cltv_order_value", "cltv_orders_per_year", "cltv_years")]
    # a: 2 orders and 350 in 335 days; b: 1 order and 80, watched for 61 days, which count as 90.
    assert factors == pytest.approx([430 / 3, 3 / ((335 + 90) / 365), 180 / 365])
    assert value(pack, "cltv_formula", "2024-04") == pytest.approx(0.5 * math.prod(factors))
    mean = pd.DataFrame({"orders_365d": [1.5], "revenue_365d": [215.0], "tenure_days": [(335 + 90) / 2]})
    assert value(pack, "cltv_formula", "2024-04") == pytest.approx(cltv_formula(mean, 180, 0.5)[0])


def test_lifetime_by_churn_is_the_textbooks_other_factor() -> None:
    rows = buys(*((f"c{n}", "2024-04-01") for n in range(4)), *((f"c{n}", "2024-05-20") for n in range(3)),
                ("y", "2022-06-01"), ("z", "2024-06-30"))  # fmt: skip
    pack = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31", churn={"active_within_days": 45})
    assert value(pack, "churn_rate", "2024-05") == 0.25
    assert value(pack, "lifetime_by_churn_years", "2024-05") == pytest.approx(31 / 365 / 0.25)
    factors = [
        value(pack, name, "2024-05") for name in ("cltv_order_value", "cltv_orders_per_year", "lifetime_by_churn_years")
    ]
    assert value(pack, "cltv_formula_by_churn", "2024-05") == pytest.approx(math.prod(factors))
    assert "cltv_model" not in set(pack.numbers["kpi"])
