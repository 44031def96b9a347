"""Every number of a small simulated shop equals the one that brute force finds, in every group and period looked at."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.kpi.oracle import Truth, cut, kpis
from tests.kpi.small import NOWHERE

from kizuna.data.simulate import simulate
from kizuna.kpi.pack import KpiPack, kpi_pack
from kizuna.project import load

ACTIVE_DAYS = 60
TABLES = ("customers", "purchases", "complaints", "surveys", "referrals")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=80, days=500, seed=5)
    return folder


@pytest.fixture(scope="module")
def pack(shop: Path) -> KpiPack:
    overrides = [f"churn.active_within_days={ACTIVE_DAYS}", "engine.rows_per_block=1500", f"output.dir={NOWHERE}"]
    project = load(shop / "config.yaml", overrides)
    return kpi_pack(project.store, project.config, date(2025, 1, 1), date(2025, 11, 20))


@pytest.fixture(scope="module")
def truth(shop: Path) -> Truth:
    tables = cut({name: pd.read_parquet(shop / f"{name}.parquet") for name in TABLES}, "2025-11-21")
    return Truth(tables, pd.Timestamp("2025-11-21"), ACTIVE_DAYS)


def groups(truth: Truth, dimension: str, start: pd.Timestamp) -> dict[str, list[str]]:
    """Customers by group as at the period's start."""
    people = truth.customers()
    if dimension == "all":
        return {"all": people}
    if dimension == "segment":
        stages = {customer: truth.stage(customer, start) for customer in people}
    else:
        stages = truth.tables["customers"].set_index("customer_id")[dimension].to_dict()
    return {group: [c for c in people if stages.get(c) == group] for group in sorted(set(stages.values()))}


@pytest.mark.parametrize(
    ("dimension", "period", "start", "end"),
    [
        ("all", "2025-05", "2025-05-01", "2025-06-01"),
        ("all", "2025-11", "2025-11-01", "2025-11-21"),
        ("all", "FY2025-Q1", "2025-04-01", "2025-07-01"),
        ("all", "FY2025", "2025-04-01", "2025-11-21"),
        ("market", "2025-07", "2025-07-01", "2025-08-01"),
        ("language", "FY2025-Q2", "2025-07-01", "2025-10-01"),
        ("segment", "2025-08", "2025-08-01", "2025-09-01"),
    ],
)
def test_brute_force_agrees(pack: KpiPack, truth: Truth, dimension: str, period: str, start: str, end: str) -> None:
    frame = pack.numbers[(pack.numbers["dimension"] == dimension) & (pack.numbers["period"] == period)]
    seen = frame.pivot(index="group", columns="kpi", values="value")
    compared = 0
    for group, members in groups(truth, dimension, pd.Timestamp(start)).items():
        expected = kpis(truth, members, pd.Timestamp(start), pd.Timestamp(end))
        if group not in seen.index:
            assert not any(np.nan_to_num(number) for number in expected.values()), group
            continue
        got = seen.loc[group].reindex(list(expected)).astype(float)
        for name, number in expected.items():
            if name not in frame[frame["group"] == group]["kpi"].to_numpy():
                assert np.isnan(number) or number == 0, (group, name)
                continue
            assert got[name] == pytest.approx(number, rel=1e-8, abs=1e-8, nan_ok=True), (group, name)
            compared += 1
    assert compared >= 20


def test_the_migration_table_agrees(pack: KpiPack, truth: Truth) -> None:
    start, end = pd.Timestamp("2025-07-01"), pd.Timestamp("2025-10-01")
    moves = (
        pd.Series([f"{truth.stage(c, start)} {truth.stage(c, end)}" for c in truth.customers()])
        .value_counts()
        .to_dict()
    )
    moves.pop("prospect prospect", None)
    mine = pack.migration[pack.migration["period"] == "FY2025-Q2"]
    assert dict(zip(mine["from_stage"] + " " + mine["to_stage"], mine["customers"], strict=True)) == moves
    assert len(moves) >= 8


def test_blocks_of_customers_change_nothing(shop: Path, pack: KpiPack) -> None:
    project = load(
        shop / "config.yaml", [f"churn.active_within_days={ACTIVE_DAYS}", f"output.dir={NOWHERE}", "engine.threads=2"]
    )
    whole = kpi_pack(project.store, project.config, date(2025, 1, 1), date(2025, 11, 20))
    pd.testing.assert_frame_equal(whole.numbers, pack.numbers)
    pd.testing.assert_frame_equal(whole.migration, pack.migration)


def test_intervals_of_rates_and_of_changes_agree_with_a_bootstrap_of_customers(truth: Truth, pack: KpiPack) -> None:
    """The orders' complaints of a month and the change of revenue: 400 redraws of whole customers, seed 1."""
    purchases = truth.tables["purchases"].assign(month=lambda f: f["day"].dt.strftime("%Y-%m"))
    net = np.where(purchases["is_return"], -purchases["amount"].abs(), purchases["amount"])
    table = purchases.assign(net=net).pivot_table(
        index="customer_id", columns="month", values="net", aggfunc="sum", fill_value=0
    )
    gaps = (table["2025-10"] - table["2025-09"]).to_numpy()
    generator = np.random.default_rng(1)
    drawn = [gaps[generator.integers(0, len(gaps), len(gaps))].sum() for _ in range(400)]
    row = pack.numbers.query("kpi == 'revenue' and period == '2025-10' and dimension == 'all'").iloc[0]
    assert row["change"] == pytest.approx(gaps.sum())
    half = 1.96 * np.std(drawn)
    assert (row["change_high"] - row["change_low"]) / 2 == pytest.approx(half, rel=0.15)
