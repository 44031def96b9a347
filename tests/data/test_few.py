"""Some customers of a store: the same rows in the same order, and the same features, as in the whole."""

from __future__ import annotations

import numpy as np
import pytest

from kizuna.data.few import FewCustomers, customers_alone
from kizuna.data.simulate import simulate
from kizuna.data.store import Store
from kizuna.features.frame import build_frame
from kizuna.features.planning import make_plan
from kizuna.features.sample import Listed
from kizuna.labels.definition import definition_of
from kizuna.project import Project, load


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=150, days=400, seed=3)
    return load(folder / "config.yaml")


def test_each_table_holds_the_rows_of_these_customers_in_their_order(project: Project) -> None:
    store = project.store
    everybody = store.ids()
    wanted = [str(everybody[place]) for place in (140, 3, 77)]
    with customers_alone(store, [*wanted, "nobody"]) as few:
        assert isinstance(few, FewCustomers)
        assert few.customers == 3
        assert few.ids().tolist() == sorted(wanted)
        assert few.ids(1, 2).tolist() == sorted(wanted)[1:2]
        for table in store.tables:
            mine, whole = few.events(table, 0, 3), store.events(table, 0, store.customers)
            for place, name in enumerate(sorted(wanted)):
                at = everybody.tolist().index(name)
                here, there = (slice(*events.starts[[n, n + 1]]) for events, n in ((mine, place), (whole, at)))
                assert mine.day[here].tolist() == whole.day[there].tolist()
                for column, values in mine.numbers.items():
                    np.testing.assert_array_equal(values[here], whole.numbers[column][there])
    tables = store.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert not [name for (name,) in tables if name.startswith("few_")]


def test_features_of_a_few_are_those_of_the_whole(project: Project) -> None:
    day, select = project.day("2025-12-01"), definition_of(project.config).eligible
    plan = make_plan(project.store, project.config, [day], select)
    full = build_frame(project.store, plan, [day], select).to_pandas()
    some = full["customer_id"].iloc[::7]
    few = build_frame(project.store, plan, [day], select, Listed(frozenset(some))).to_pandas()
    expected = full.iloc[::7].reset_index(drop=True)
    assert few.equals(expected)
    assert build_frame(project.store, plan, [day], select, Listed(frozenset())).to_pandas().empty


def test_an_engine_that_holds_the_shop_in_parts_gives_the_whole(project: Project) -> None:
    class Parted(Store):
        pass

    parted = Parted(project.store.connection, project.config, project.store.today)
    with customers_alone(parted, ["a"]) as found:
        assert found is parted
