"""The catalog: every KPI whose tables are there is measured, and only those."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.kpi.small import NOWHERE

from kizuna.data.simulate import simulate
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.pack import kpi_pack
from kizuna.project import Project, load


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=250, days=620, seed=9)
    return folder


def test_codes_are_there_once_and_the_headline_fits_one_page() -> None:
    codes = [kpi.code for kpi in KPIS]
    assert len(set(codes)) == len(codes)
    assert 12 <= sum(kpi.headline for kpi in KPIS) <= 20
    for kpi in KPIS:
        assert kpi.waits_days in (0, 30, 90, 180)
        assert kpi.method in ("rate", "net_promoters") or kpi.factor == 1


def test_a_shop_with_all_tables_has_all_kpis_and_each_has_a_value(shop: Path) -> None:
    project = load(shop / "config.yaml", [f"output.dir={NOWHERE}"])
    numbers = kpi_pack(project.store, project.config, date(2025, 1, 1), date(2025, 12, 31)).numbers
    everybody = numbers[numbers["dimension"] == "all"]
    without = {"complaint_reopen_rate", "cltv_model"}
    for kpi in KPIS:
        mine = everybody[everybody["kpi"] == kpi.code]
        if kpi.code in without:
            assert (mine["state"] == "no_table").all()
            continue
        assert len(mine) == 12 + 4 + 1, kpi.code
        assert (mine["state"] != "no_table").all(), kpi.code
        assert np.isfinite(mine["value"]).any(), kpi.code
    assert set(numbers["dimension"]) == {"all", "market", "language", "segment", "touchpoint"}


@pytest.mark.parametrize("table", ["customers", "complaints", "outreach", "surveys", "referrals"])
def test_without_a_table_its_kpis_say_so_and_the_others_stay(shop: Path, table: str) -> None:
    project = load(shop / "config.yaml", [f"output.dir={NOWHERE}"])
    tables = {name: source for name, source in project.config.data.tables.items() if name != table}
    config = project.config.model_copy(update={"data": project.config.data.model_copy(update={"tables": tables})})
    less = kpi_pack(Project(config).store, config, date(2025, 6, 1), date(2025, 6, 30)).numbers
    gone = {kpi.code for kpi in KPIS if any(need.split(".")[0] == table for need in kpi.needs)}
    gone |= {"complaint_reopen_rate"}
    assert set(less.loc[less["state"] == "no_table", "kpi"]) == gone
