"""The frame: what is planned and what is left out, one row per key, and the same plan whatever comes later."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.features.small import everyone, features_of, project_of, table

from kizuna.errors import ModelError
from kizuna.features.frame import build_frame, count_rows
from kizuna.features.planning import make_plan
from kizuna.features.sample import Listed
from kizuna.project import Project
from kizuna.timeline import day_of

DAY = day_of(date(2025, 3, 1))
PURCHASES = table("customer_id occurred_at amount", "b 2024-12-01 5", "a 2025-01-01 7", "a 2025-02-01 9")


def test_windows_longer_than_the_history_are_left_out_and_said_so() -> None:
    store = project_of({"purchases": PURCHASES}).opened
    plan = make_plan(store, store.config, [DAY, DAY - 28], everyone)
    assert plan.windows_days == (7, 30, 90)
    assert plan.left_out == (
        "windows of 180 days: longer than the 90 days of history at 2025-03-01",
        "windows of 365 days: longer than the 90 days of history at 2025-03-01",
        "orders_change_90d: reaches further back than the 90 days of history at 2025-03-01",
        "revenue_change_90d: reaches further back than the 90 days of history at 2025-03-01",
    )
    assert "orders_change_90d" not in plan.names
    assert {column.window_days for column in plan.columns} == {None, 7, 30, 90}


def test_families_and_columns_can_be_left_out() -> None:
    tables = {"purchases": PURCHASES, "complaints": table("customer_id occurred_at", "a 2025-01-01")}
    project = project_of(tables, features={"families": ["purchases"], "exclude": ["revenue*", "orders"]})
    plan = make_plan(project.opened, project.config, [DAY], everyone)
    assert plan.families == ("purchases",)
    assert "orders" not in plan.names
    assert not [name for name in plan.names if name.startswith(("revenue", "complaint"))]
    assert "orders: features.exclude" in plan.left_out
    assert "revenue_7d: features.exclude" in plan.left_out


def test_a_text_with_too_many_values_gets_no_columns() -> None:
    features = pd.DataFrame({"customer_id": [f"c{i:03}" for i in range(201)], "coupon": [f"x{i}" for i in range(201)]})
    store = project_of({"features": features, "purchases": PURCHASES}).opened
    plan = make_plan(store, store.config, [DAY], everyone)
    assert not [name for name in plan.names if name.startswith("coupon")]
    assert "features.coupon: 201 different texts, like an identifier" in plan.left_out


def test_a_column_that_the_tables_no_longer_give_is_an_error() -> None:
    project = project_of({"purchases": PURCHASES, "complaints": table("customer_id occurred_at", "a 2025-01-01")})
    plan = make_plan(project.opened, project.config, [DAY], everyone)
    today = project_of({"purchases": PURCHASES}).opened
    with pytest.raises(ModelError) as error:
        build_frame(today, plan, [DAY], everyone)
    assert str(error.value) == (
        f"The model asks for {len(plan.columns)} features, but today's tables do not give first_order_complaint, "
        "complaints_30d, complaints_90d, complaints, days_since_complaint and others. Bring the table or column back, or "
        "train again."
    )


def test_people_see_ids_days_and_float64_columns() -> None:
    frame = project_of({"purchases": PURCHASES}).features(["2025-03-01", "2025-02-01"])
    assert list(frame.columns[:2]) == ["customer_id", "as_of"]
    assert frame["as_of"].dtype == "datetime64[s]"
    assert (frame.dtypes.iloc[2:] == np.float64).all()
    keys = list(zip(frame["as_of"].dt.date.map(str), frame["customer_id"], strict=True))
    assert keys == [("2025-02-01", "a"), ("2025-02-01", "b"), ("2025-03-01", "a"), ("2025-03-01", "b")]


def test_selected_pairs_are_counted_as_they_are_built() -> None:
    store = project_of({"purchases": PURCHASES}).opened

    def bought(tables: object, rows: object) -> np.ndarray:
        return rows.customer == 0  # type: ignore[attr-defined]

    plan = make_plan(store, store.config, [DAY], bought)
    assert len(build_frame(store, plan, [DAY, DAY - 5], bought)) == count_rows(store, [DAY, DAY - 5], bought) == 2
    assert len(build_frame(store, plan, [DAY], everyone, sample=Listed(frozenset("b")))) == 1


def test_an_old_row_that_arrives_later_does_not_change_the_plan_of_an_earlier_day() -> None:
    header = "customer_id occurred_at amount known_at"
    rows = ["a 2025-01-15 5 -", "b 2025-02-01 5 -"]
    plans = []
    for more in ([], ["a 2024-01-01 5 2025-03-02"]):
        project = project_of({"purchases": table(header, *rows, *more)})
        plans.append(make_plan(project.opened, project.config, [DAY], everyone))
    assert plans[0].windows_days == plans[1].windows_days == (7, 30)


def test_a_frame_from_python_needs_no_more_than_its_tables() -> None:
    project = Project({"name": "shop", "data": {"tables": {"purchases": {}}}}, {"purchases": PURCHASES})
    assert project.features(["2025-03-01"])["orders"].tolist() == [2, 1]


def test_texts_of_one_name_do_not_share_their_levels() -> None:
    """A points programme's tier and an attribute called loyalty_tier would both give loyalty_tier=…: the first keeps it."""
    names = [f"c{i:02}" for i in range(60)]
    tables = {
        "purchases": table("customer_id occurred_at amount", *(f"{name} 2025-02-01 5" for name in names)),
        "loyalty": table(
            "customer_id occurred_at kind tier",
            *(f"{name} 2025-02-01 tier {'gold' if i < 40 else 'silver'}" for i, name in enumerate(names)),
        ),
        "customers": table(
            "customer_id loyalty_tier orders",
            *(f"{name} {'silver' if i < 40 else 'gold'} many" for i, name in enumerate(names)),
        ),
    }
    sources = {"purchases": {}, "loyalty": {}, "customers": {"attributes": ["loyalty_tier", "orders"]}}
    found = features_of("2025-03-01", tables, data={"tables": sources})
    gold = found["loyalty_tier=gold"]
    assert gold.tolist() == [1.0] * 40 + [0.0] * 20
    assert (gold + found["loyalty_tier=silver"] == 1).all()
    assert (found["orders"] == 1).all()
    assert "orders=many" not in found
