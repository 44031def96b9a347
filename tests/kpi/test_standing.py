"""Stages: those of the definitions, and the usual gap that the features know."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.small import features_of, project_of

from kizuna.kpi.facts import Facts
from kizuna.kpi.standing import STAGES, Base, standing
from kizuna.timeline import day_of


def stages(rows: list[int], day: int, active_days: int = 180, regular_orders: int = 4) -> str:
    """The stage on a day of one customer who bought on some days."""
    frame = pd.DataFrame({"customer_id": "a", "occurred_at": pd.to_datetime(rows, unit="D"), "amount": 1.0})
    store = project_of({"purchases": frame}).store
    facts = Facts(store.block(0, 1).tables, 30_000, 1)
    found = standing(facts, Base("inactivity", active_days, regular_orders), np.array([day], dtype=np.int32))
    return STAGES[found.stage[0, 0]]


def test_each_stage() -> None:
    assert stages([20_000], 20_000) == "prospect"
    assert stages([20_000], 20_001) == "first"
    assert stages([20_000], 20_180) == "first"
    assert stages([20_000], 20_181) == "lapsed"
    assert stages([20_000, 20_180], 20_181) == "second"
    assert stages([20_000, 20_181], 20_182) == "reactivated"
    assert stages([20_000, 20_181, 20_190], 20_191) == "occasional"
    assert stages([20_000, 20_010, 20_020, 20_030], 20_040) == "regular"
    assert stages([20_000, 20_010, 20_020, 20_030], 20_050) == "lapsing"
    assert stages([20_000, 20_010], 20_030) == "lapsing"
    assert stages([20_000, 20_010, 20_020], 20_021) == "occasional"
    # Of the last 365 days only.
    assert stages([20_000, 20_100, 20_200, 20_300], 20_365) == "regular"
    assert stages([20_000, 20_100, 20_200, 20_300], 20_366) == "occasional"


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(19_000, 19_400)), min_size=8, max_size=80))
def test_lapsing_is_an_overdue_ratio_of_two_in_the_features(rows: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{customer}" for customer, _ in rows],
            "occurred_at": pd.to_datetime([day for _, day in rows], unit="D"),
            "amount": 1.0,
        }
    )
    day = pd.Timestamp("2023-02-20")
    features = features_of("2023-02-20", {"purchases": frame}, snapshots={"min_history_days": 1})
    store = project_of({"purchases": frame}).store
    facts = Facts(store.block(0, store.customers).tables, 30_000, store.customers)
    found = standing(facts, Base("inactivity", 1_000_000, 4), np.array([day_of(day.date())], dtype=np.int32))
    lapsing = found.stage[0] == STAGES.index("lapsing")
    expected = (features["overdue_ratio"] >= 2) & (features["orders"] >= 2)
    assert lapsing.tolist() == expected.tolist()
    assert found.orders[0].tolist() == features["orders"].tolist()
