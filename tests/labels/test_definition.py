"""The definition that a model carries."""

from __future__ import annotations

from tests.features.small import project_of, table

from kizuna.labels.definition import Definition, definition_of
from kizuna.timeline import LabelWindow


def test_a_config_s_definition_knows_its_table_window_and_delay() -> None:
    subscriptions = table("customer_id started_at", "a 2025-01-01")
    project = project_of(
        {"subscriptions": subscriptions},
        data={"tables": {"subscriptions": {"arrives_after_days": 4}}},
        churn={"definition": "cancellation", "horizon_days": 60, "gap_days": 7},
    )
    definition = definition_of(project.config)
    assert definition == Definition("cancellation", 60, 7, 180, arrives_after_days=4)
    assert definition.table == "subscriptions"
    assert definition.window == LabelWindow(60, 7, 4)
    assert Definition(**definition.to_json()) == definition


def test_each_kind_has_its_table() -> None:
    tables = {kind: Definition(kind, 90, 0, 180).table for kind in ("inactivity", "cancellation", "provided")}
    assert tables == {"inactivity": "purchases", "cancellation": "subscriptions", "provided": "labels"}
