"""What holds of every shop: identities, groups, what is not known yet, what cannot be told."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.features.small import project_of
from tests.kpi.small import NOWHERE, buys, one, pack_of, value

from kizuna.errors import ConfigError, DataMissing
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.numbers import COLUMNS, STATES
from kizuna.kpi.pack import KpiPack, kpi_pack

# A pack takes half a second: to look for the smallest example would take minutes.
PHASES = (Phase.explicit, Phase.generate)
ORDERS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 700), st.integers(1, 500), st.booleans(), st.integers(0, 40)),
    min_size=1,
    max_size=60,
)


def wide(pack: KpiPack) -> pd.DataFrame:
    keys = ["kind", "period", "dimension", "group"]
    frame = pack.numbers.pivot(index=keys, columns="kpi", values="value")
    # A group of which nothing was ever counted has no rows of that KPI.
    totals = [kpi.code for kpi in KPIS if kpi.method == "total"]
    return frame.assign(**{name: frame[name].fillna(0) for name in totals})


def random_shop(rows: list[tuple[int, int, int, bool, int]]) -> dict[str, pd.DataFrame]:
    day = pd.Timestamp("2023-01-15")
    purchases = pd.DataFrame(
        [
            (f"c{c}", day + pd.Timedelta(days=d), float(a), back, day + pd.Timedelta(days=d + late))
            for c, d, a, back, late in [*rows, (9, 0, 1, False, 0), (9, 700, 1, False, 0)]
        ],
        columns=["customer_id", "occurred_at", "amount", "is_return", "known_at"],
    )
    customers = pd.DataFrame({"customer_id": [f"c{n}" for n in range(12)], "market": (["jp", "de", None, "jp"] * 3)})
    return {"purchases": purchases, "customers": customers}


@settings(max_examples=8, phases=PHASES)
@given(ORDERS, st.sampled_from([20, 90, 180]))
def test_identities(rows: list[tuple[int, int, int, bool, int]], active_days: int) -> None:
    pack = pack_of(random_shop(rows), "2024-04-01", "2024-12-31", churn={"active_within_days": active_days})
    frame = wide(pack)
    end = frame["customers_start"] + frame["customers_new"] + frame["customers_reactivated"] - frame["customers_lost"]
    assert (end == frame["customers_end"]).all()
    known = frame["churn_rate"].notna()
    assert np.allclose((frame["churn_rate"] + frame["crr_cohort"])[known], 1)
    gap = frame["crr_from_reactivated"] - frame["crr_from_new_lost"]
    assert np.allclose((frame["crr_formula"] - frame["crr_cohort"])[known], gap[known])
    parts = frame["revenue_retained"] + frame["revenue_new"] + frame["revenue_reactivated"]
    assert np.allclose(parts, frame["revenue"])
    # Groups add up to everybody.
    totals = pack.numbers[
        pack.numbers["unit"].isin(["customers", "orders"]) | pack.numbers["kpi"].str.startswith("revenue")
    ]
    totals = totals[totals["kpi"].isin([kpi.code for kpi in KPIS if kpi.method == "total"])]
    sums = totals.groupby(["kpi", "kind", "period", "dimension"])["value"].sum().unstack("dimension")
    for dimension in ("market", "segment"):
        assert np.allclose(sums[dimension].fillna(0), sums["all"])
    # The migration table is the same customers and the same money.
    moved = pack.migration.groupby(["kind", "period"])[["customers", "revenue"]].sum()
    everybody = frame.xs(("all", "all"), level=("dimension", "group"))
    assert np.allclose(moved["revenue"].reindex(everybody.index, fill_value=0), everybody["revenue"])
    lapsed = pack.migration.query("from_stage not in ('prospect', 'lapsed') and to_stage == 'lapsed'")
    left = lapsed.groupby(["kind", "period"])["customers"].sum().reindex(everybody.index, fill_value=0)
    cohort = (everybody["churn_rate"] * everybody["customers_start"]).fillna(0)
    assert np.allclose(left, cohort)


@settings(max_examples=4, phases=PHASES)
@given(ORDERS)
def test_order_of_rows_blocks_and_what_came_later_change_nothing(rows: list[tuple[int, int, int, bool, int]]) -> None:
    tables = random_shop(rows)
    plain = pack_of(tables, "2024-03-01", "2024-06-30")
    turned = {name: frame.iloc[::-1] for name, frame in tables.items()}
    pd.testing.assert_frame_equal(pack_of(turned, "2024-03-01", "2024-06-30").numbers, plain.numbers)
    blocks = pack_of(tables, "2024-03-01", "2024-06-30", engine={"rows_per_block": 5})
    pd.testing.assert_frame_equal(blocks.numbers, plain.numbers)
    known = tables["purchases"]
    known = known[(known["known_at"] < "2024-07-01") & (known["occurred_at"] < "2024-07-01")]
    # Without what came later nothing but the newest day differs, and that is that of --to.
    if known["occurred_at"].max() >= pd.Timestamp("2024-06-30"):
        then = pack_of(tables | {"purchases": known}, "2024-03-01", "2024-06-30")
        pd.testing.assert_frame_equal(then.numbers, plain.numbers)


def test_a_row_known_later_than_the_runs_day_is_not_seen() -> None:
    rows = buys(("a", "2024-05-01"), ("b", "2024-05-30"), ("z", "2023-01-01"), ("z", "2024-12-31"))
    rows["known_at"] = ["2024-05-01", "2024-06-20", None, None]
    assert value(pack_of({"purchases": rows}, "2024-05-01", "2024-06-10"), "orders", "2024-05") == 1
    assert value(pack_of({"purchases": rows}, "2024-05-01", "2024-06-20"), "orders", "2024-05") == 2


def test_the_run_stands_on_the_morning_after_to_or_after_the_newest_row() -> None:
    rows = buys(("a", "2024-01-05"), ("a", "2024-05-20"))
    early, late = (pack_of({"purchases": rows}, "2024-02-01", to) for to in ("2024-04-30", "2024-12-31"))
    assert (early.known_before, late.known_before) == (date(2024, 5, 1), date(2024, 5, 21))
    assert early.numbers["period"].drop_duplicates().tolist() == [
        "2024-02",
        "2024-03",
        "2024-04",
        "FY2024-Q1",
        "FY2024",
    ]
    row = one(late, "orders", "2024-05")
    assert (row["state"], row["finished"], row["value"]) == ("censored", False, 1)
    assert (row["direction"], one(late, "orders", "2024-04")["finished"]) == ("", True)


def test_late_rows_keep_a_period_open() -> None:
    rows = buys(("a", "2023-01-05"), ("a", "2024-05-01"))
    source = {"data": {"tables": {"purchases": {"arrives_after_days": 3}}}}
    row = one(pack_of({"purchases": rows}, "2024-04-01", "2024-05-31", **source), "orders", "2024-04")
    assert (row["state"], row["finished"]) == ("censored", True)
    assert one(pack_of({"purchases": rows}, "2024-04-01", "2024-05-31"), "orders", "2024-04")["state"] == "ok"


def test_too_soon_after_the_data_begin_nobody_can_be_told_from_a_new_customer() -> None:
    rows = buys(("a", "2024-01-05"), ("a", "2024-03-05"), ("a", "2024-05-05"), ("a", "2024-09-05"))
    pack = pack_of({"purchases": rows}, "2023-12-01", "2024-08-31", churn={"active_within_days": 90})
    states = {
        month: one(pack, "customers_new", month)["state"] for month in ("2023-12", "2024-01", "2024-04", "2024-05")
    }
    assert states == {"2023-12": "not_enough_data", "2024-01": "censored", "2024-04": "censored", "2024-05": "ok"}
    assert one(pack, "orders", "2024-01")["state"] == "ok"


def test_a_segment_is_that_of_the_periods_start_whatever_came_after() -> None:
    before = [("a", "2024-03-01"), ("b", "2024-02-01"), ("b", "2024-03-01"), ("z", "2023-01-01"), ("z", "2024-12-01")]
    after = [("a", "2024-05-03"), ("a", "2024-05-09"), ("a", "2024-05-19"), ("n", "2024-05-10")]
    quiet, busy = (pack_of({"purchases": buys(*rows)}, "2024-05-01", "2024-05-31") for rows in (before, before + after))
    for pack in (quiet, busy):
        stages = pack.numbers.query("kpi == 'customers_start' and dimension == 'segment' and period == '2024-05'")
        found = stages.set_index("group")["value"]
        assert found[found > 0].to_dict() == {"first": 1, "lapsing": 1}
    assert value(busy, "orders", "2024-05", "prospect", "segment") == 1
    assert value(busy, "orders", "2024-05", "first", "segment") == 3


def test_a_market_is_that_of_the_periods_start_or_the_first_one_known() -> None:
    customers = pd.DataFrame(
        [("a", "jp", "2024-01-01"), ("a", "de", "2024-05-15"), ("n", "us", "2024-05-20"), ("m", None, "2024-01-01")],
        columns=["customer_id", "market", "valid_from"],
    )
    rows = buys(("a", "2024-05-20"), ("a", "2024-06-20"), ("n", "2024-05-21"), ("m", "2024-05-22"), ("z", "2024-07-01"))
    pack = pack_of({"purchases": rows, "customers": customers}, "2024-05-01", "2024-06-30")
    orders = pack.numbers.query("kpi == 'orders' and dimension == 'market' and kind == 'month'")
    found = {tuple(key): number for *key, number in orders[["period", "group", "value"]].to_numpy() if number}
    assert found == {
        ("2024-05", "jp"): 1,
        ("2024-05", "us"): 1,
        ("2024-05", "unknown"): 1,
        ("2024-06", "de"): 1,
    }


def test_a_market_that_is_missing_in_a_month_is_said_to_be() -> None:
    customers = pd.DataFrame({"customer_id": ["a", "b"], "market": ["jp", "de"]})
    answers = pd.DataFrame(
        [("a", "2024-05-03", "nps", 9), ("b", "2024-05-03", "nps", 9), ("a", "2024-06-03", "nps", 9)],
        columns=["customer_id", "occurred_at", "kind", "score"],
    )
    rows = buys(("a", "2024-05-20"), ("b", "2024-05-20"), ("a", "2024-07-01"))
    pack = pack_of({"purchases": rows, "customers": customers, "surveys": answers}, "2024-05-01", "2024-06-30")
    row = one(pack, "nps", "2024-06", "de", "market")
    assert (row["state"], row["n"], math.isnan(row["value"])) == ("not_enough_data", 0, True)
    assert value(pack, "nps", "2024-06", "jp", "market") == 100


def test_tables_that_are_not_there_and_tables_without_rows() -> None:
    rows = buys(("a", "2024-04-20"), ("a", "2024-07-01"))
    bare = pack_of({"purchases": rows}, "2024-05-01", "2024-05-31")
    assert one(bare, "nps", "2024-05")["state"] == "no_table"
    assert set(bare.numbers["dimension"]) == {"all", "segment"}
    none = pd.DataFrame({name: pd.array([], dtype="str") for name in ("customer_id", "occurred_at", "kind", "score")})
    empty = project_of({"purchases": rows, "surveys": none}, output={"dir": NOWHERE}).opened
    pack = kpi_pack(empty, empty.config, date(2024, 5, 1), date(2024, 5, 31))
    assert one(pack, "nps", "2024-05")["state"] == "no_table"


def test_a_table_that_begins_later_has_nothing_to_say_yet() -> None:
    told = pd.DataFrame([("a", "2024-06-15", "nps", 9)], columns=["customer_id", "occurred_at", "kind", "score"])
    rows = buys(("a", "2024-04-20"), ("a", "2024-07-01"))
    pack = pack_of({"purchases": rows, "surveys": told}, "2024-05-01", "2024-05-31")
    assert one(pack, "nps", "2024-05")["state"] == "not_enough_data"


def test_the_table_is_whole() -> None:
    pack = pack_of(random_shop([(1, 400, 5, False, 0)]), "2024-03-01", "2024-06-30")
    assert pack.numbers.columns.tolist() == [*COLUMNS, "published_value", "published_known_before", "restated"]
    assert set(pack.numbers["state"]) <= set(STATES)
    keys = ["kpi", "kind", "period", "dimension", "group"]
    assert not pack.numbers.duplicated(keys).any()
    assert set(pack.numbers["kpi"]) == {kpi.code for kpi in KPIS} - {"cltv_model"}
    known = pack.numbers["low"].notna()
    assert (pack.numbers["low"] <= pack.numbers["value"] + 1e-9)[known].all()
    assert (pack.numbers["value"] <= pack.numbers["high"] + 1e-9)[known].all()
    assert pack.definitions["kpi"].tolist() == [kpi.code for kpi in KPIS]


@pytest.mark.parametrize(
    ("first", "last", "error", "text"),
    [
        (
            "2024-06-30",
            "2024-05-01",
            ConfigError,
            "KPIs were asked for from 2024-06-30 to 2024-05-01, which is earlier. Swap the two days.",
        ),
        (
            "2023-01-01",
            "2023-12-31",
            DataMissing,
            "KPIs were asked for 2023-01-01 to 2023-12-31, but the data begin on 2024-04-20. Choose later days.",
        ),
        (
            "2025-01-01",
            "2025-12-31",
            DataMissing,
            "KPIs were asked for 2025-01-01 to 2025-12-31, but the data end on 2024-07-01. Choose earlier days.",
        ),
    ],
)
def test_days_that_make_no_sense(first: str, last: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as told:
        pack_of({"purchases": buys(("a", "2024-04-20"), ("a", "2024-07-01"))}, first, last)
    assert str(told.value) == text


def test_a_shop_without_days_has_no_kpis() -> None:
    tables = {
        "labels": pd.DataFrame({"customer_id": ["a", "b"], "churned": [0, 1]}),
        "features": pd.DataFrame({"customer_id": ["a", "b"], "usage": [1.0, 2.0]}),
    }
    with pytest.raises(DataMissing) as told:
        pack_of(tables, "2024-01-01", "2024-12-31", churn={"definition": "provided"})
    assert str(told.value) == (
        "KPIs were asked for 2024-01-01 to 2024-12-31, but the data hold no dated row. "
        "Load purchases, subscriptions or other events with their days."
    )
