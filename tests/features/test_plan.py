"""The plan that a model carries: it comes back from JSON as it went, and windows are read off names."""

from __future__ import annotations

import json

import pytest

from kizuna.features.plan import Column, FeaturePlan


def test_a_plan_survives_json() -> None:
    plan = FeaturePlan(
        windows_days=(7, 30),
        families=("purchases", "profile"),
        columns=(
            Column("orders_30d", "purchases", "FREQ_DOWN", "count"),
            Column("market=日本", "profile", "PROFILE", "flag"),
        ),
        vocabularies={"customers.market": ("US", "日本")},
        left_out=("windows of 90 days: longer than the 40 days of history at 2025-01-01",),
    )
    assert FeaturePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.names == ["orders_30d", "market=日本"]


@pytest.mark.parametrize(
    ("name", "window"),
    [("orders_30d", 30), ("revenue_change_180d", 180), ("orders", None), ("plan=7d", None), ("is_3d_printer", None)],
)
def test_the_window_is_read_off_the_name(name: str, window: int | None) -> None:
    assert Column(name, "purchases", "FREQ_DOWN", "count").window_days == window
