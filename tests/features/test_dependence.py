"""Which columns a table stands behind: told by building every column with and without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kizuna.data.simulate import simulate
from kizuna.features.dependence import columns_behind
from kizuna.features.planning import make_plan
from kizuna.labels.definition import definition_of
from kizuna.project import Project, load


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=120, days=400, seed=3)
    return folder / "config.yaml"


@pytest.mark.parametrize("missing", [("engagement",), ("loyalty",), ("surveys", "complaints"), ("outreach",)])
def test_the_columns_are_those_that_a_shop_without_the_tables_builds_otherwise_or_not_at_all(
    shop: Path, missing: tuple[str, ...]
) -> None:
    project, select = load(shop), definition_of(load(shop).config).eligible
    day = project.day("2025-12-01")
    plan = make_plan(project.store, project.config, [day], select)
    tables = {name: one for name, one in project.config.data.tables.items() if name not in missing}
    data = project.config.data.model_copy(update={"tables": tables})
    without = Project(project.config.model_copy(update={"data": data}).placed(shop.parent, {}))
    full, poor = project.features(["2025-12-01"]), without.features(["2025-12-01"])
    assert full["customer_id"].tolist() == poor["customer_id"].tolist()
    expected = tuple(
        name
        for name in plan.names
        if name not in poor or not np.array_equal(full[name].to_numpy(), poor[name].to_numpy(), equal_nan=True)
    )
    assert expected
    assert columns_behind(project.store, plan, missing, day, select) == expected


def test_a_table_that_no_feature_reads_stands_behind_none(shop: Path) -> None:
    project = load(shop)
    select, day = definition_of(project.config).eligible, project.day("2025-12-01")
    plan = make_plan(project.store, project.config, [day], select)
    assert columns_behind(project.store, plan, ("suppressions",), day, select) == ()
