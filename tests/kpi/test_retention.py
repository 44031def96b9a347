"""Who stayed, left, came and came back, on rows whose answer one can count."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.kpi.small import buys, one, pack_of, value

YEAR = {"churn": {"active_within_days": 90}, "kpi": {"fiscal_year_start_month": 1}}


def golden() -> pd.DataFrame:
    """100 active on 2024-01-01, 10 of them lost by the year's end; 20 acquired in the year, 5 of them lost again."""
    rows = [("early", "2023-01-01")]
    for number in range(100):
        rows += [(f"old{number:03}", "2023-12-20")] + ([(f"old{number:03}", "2024-12-20")] if number >= 10 else [])
    for number in range(20):
        rows += [(f"new{number:02}", "2024-02-01")] + ([(f"new{number:02}", "2024-12-01")] if number >= 5 else [])
    return buys(*rows)


def test_the_golden_example_formula_85_cohort_90() -> None:
    pack = pack_of({"purchases": golden()}, "2024-01-01", "2024-12-31", **YEAR)
    assert value(pack, "customers_start", "FY2024") == 100
    assert value(pack, "customers_new", "FY2024") == 20
    assert value(pack, "customers_lost", "FY2024") == 15
    assert value(pack, "customers_end", "FY2024") == 105
    assert value(pack, "crr_formula", "FY2024") == 0.85
    assert value(pack, "crr_cohort", "FY2024") == 0.90
    assert value(pack, "churn_rate", "FY2024") == pytest.approx(0.10)
    # The difference explained: formula − cohort = from reactivated − from new customers lost.
    assert value(pack, "crr_from_reactivated", "FY2024") == 0
    assert value(pack, "crr_from_new_lost", "FY2024") == 0.05


def test_reactivation_is_apart_from_retention_and_from_new_customers() -> None:
    # a: active all along; b: lapsed before, back in May; c: lapses in May; d: new; e: lapsed, stays away.
    rows = buys(
        ("e", "2023-01-01"), ("b", "2023-12-01"), ("a", "2024-03-20"), ("c", "2024-02-05"), ("a", "2024-05-10"),
        ("b", "2024-05-11", 70.0), ("d", "2024-05-12", 30.0), ("z", "2024-06-30"),
    )  # fmt: skip
    pack = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31", churn={"active_within_days": 90})
    told = {
        name: value(pack, f"customers_{name}", "2024-05") for name in ("start", "new", "reactivated", "lost", "end")
    }
    assert told == {"start": 2, "new": 1, "reactivated": 1, "lost": 1, "end": 3}
    assert value(pack, "reactivation_rate", "2024-05") == 0.5
    assert (value(pack, "crr_formula", "2024-05"), value(pack, "crr_cohort", "2024-05")) == (1.0, 0.5)
    assert value(pack, "crr_from_reactivated", "2024-05") == 0.5
    assert value(pack, "churn_rate_net", "2024-05") == 0
    money = {part: value(pack, f"revenue{part}", "2024-05") for part in ("", "_retained", "_new", "_reactivated")}
    assert money == {"": 110, "_retained": 10, "_new": 30, "_reactivated": 70}
    assert value(pack, "revenue_per_crr_point", "2024-05") == pytest.approx(10 / 1 * 2 / 100)
    moved = pack.migration[(pack.migration["period"] == "2024-05")]
    assert moved[["from_stage", "to_stage", "customers", "revenue"]].to_numpy().tolist() == [
        ["prospect", "first", 1, 30.0],
        ["first", "second", 1, 10.0],
        ["first", "lapsed", 1, 0.0],
        ["lapsed", "lapsed", 1, 0.0],
        ["lapsed", "reactivated", 1, 70.0],
    ]


def test_a_start_of_nobody_gives_a_state_and_no_error() -> None:
    pack = pack_of({"purchases": buys(("a", "2024-01-05"), ("b", "2024-06-30"))}, "2024-05-01", "2024-05-31",
                   churn={"active_within_days": 30})  # fmt: skip
    row = one(pack, "churn_rate", "2024-05")
    assert (row["state"], row["n"]) == ("not_enough_data", 0)
    assert math.isnan(row["value"])
    assert value(pack, "customers_start", "2024-05") == 0


def test_a_return_takes_from_its_own_day_and_is_no_purchase() -> None:
    rows = pd.DataFrame(
        [
            ("a", "2024-04-10", 100.0, False),
            ("a", "2024-05-02", 40.0, True),
            ("b", "2024-05-03", 9.0, False),
            ("z", "2024-06-01", 1.0, False),
        ],
        columns=["customer_id", "occurred_at", "amount", "is_return"],
    )
    pack = pack_of({"purchases": rows}, "2024-04-01", "2024-05-31", churn={"active_within_days": 25})
    assert value(pack, "revenue", "2024-05") == -31
    assert value(pack, "revenue_retained", "2024-05") == -40
    # a is lost 25 days after the purchase in April, whatever the return; b, who is new, too.
    assert value(pack, "customers_lost", "2024-05") == 2


def test_net_revenue_retention_compares_with_the_same_customers_a_year_before() -> None:
    rows = buys(("a", "2023-05-05", 100.0), ("b", "2023-05-06", 100.0), ("a", "2024-05-07", 150.0), ("c", "2024-05-08", 900.0),
                ("z", "2022-01-01"), ("z", "2024-06-30"))  # fmt: skip
    pack = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31")
    row = one(pack, "net_revenue_retention", "2024-05")
    assert (row["value"], row["n"], row["state"]) == (0.75, 2, "reference")


def test_contracts_live_until_they_end_or_notice_is_given() -> None:
    contracts = pd.DataFrame(
        [
            ("a", "2024-01-10", None, None),
            ("b", "2024-01-10", "2024-05-15", None),
            ("c", "2024-01-10", None, "2024-05-20"),
            ("d", "2024-05-02", None, None),
            ("e", "2023-06-01", "2024-02-01", None),
            ("e", "2024-05-03", None, None),
            ("f", "2024-01-10", "2024-06-15", None),
            ("z", "2024-06-30", None, None),
        ],
        columns=["customer_id", "started_at", "ended_at", "notice_at"],
    )
    pack = pack_of({"subscriptions": contracts}, "2024-05-01", "2024-05-31", churn={"definition": "cancellation"})
    told = {
        name: value(pack, f"customers_{name}", "2024-05") for name in ("start", "new", "reactivated", "lost", "end")
    }
    assert told == {"start": 4, "new": 1, "reactivated": 1, "lost": 2, "end": 4}
    assert value(pack, "crr_cohort", "2024-05") == 0.5
    assert one(pack, "revenue", "2024-05")["state"] == "no_table"
    assert value(pack, "customers_start", "2024-05", "first", "segment") == 4
    assert {"from_stage": "lapsed", "to_stage": "reactivated", "customers": 1} in pack.migration[
        ["from_stage", "to_stage", "customers"]
    ].to_dict("records")


def test_prospects_are_counted_and_never_lost_from_the_counts() -> None:
    customers = pd.DataFrame(
        [("a", "2024-01-01"), ("p", "2024-05-10"), ("q", "2024-06-10"), ("r", None)],
        columns=["customer_id", "first_seen_at"],
    )
    rows = buys(("a", "2024-01-02"), ("p", "2024-06-05"), ("a", "2024-06-30"))
    pack = pack_of({"purchases": rows, "customers": customers}, "2024-04-01", "2024-06-30")
    assert [value(pack, "prospects", month) for month in ("2024-04", "2024-05", "2024-06")] == [1, 2, 2]


def test_the_cost_of_contacts_only_where_it_is_known() -> None:
    outreach = pd.DataFrame(
        [("a", "2024-05-05", "offer", 3.0), ("b", "2024-05-05", "offer", 5.0), ("c", "2024-05-05", "offer", 90.0)],
        columns=["customer_id", "occurred_at", "kind", "cost"],
    )
    rows = buys(("a", "2024-04-20"), ("b", "2024-04-10"), ("c", "2023-01-01"), ("z", "2024-06-30"))
    pack = pack_of(
        {"purchases": rows, "outreach": outreach}, "2024-05-01", "2024-05-31", churn={"active_within_days": 45}
    )
    assert value(pack, "retention_cost_per_kept", "2024-05") == 8.0
    free = pack_of({"purchases": rows, "outreach": outreach.drop(columns="cost")}, "2024-05-01", "2024-05-31")
    assert one(free, "retention_cost_per_kept", "2024-05")["state"] == "no_table"
