"""The rules for Prometheus: well formed, and of metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from kizuna.config_watch import Watch
from kizuna.watch.metrics import HELPS

ROOT = Path(__file__).parents[2]


def test_every_rule_is_whole_and_asks_for_metrics_that_there_are() -> None:
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert set(group) == {"name", "rules"}
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    for rule in group["rules"]:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        asked = set(re.findall(r"kizuna_[a-z_]+", rule["expr"]))
        assert asked
        assert asked <= set(HELPS)
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert (ROOT / rule["annotations"]["runbook"]).is_file()
        placed = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert placed <= {"shop", "command", "table", "gate", "destination"}


def test_the_page_tells_every_metric_and_every_key() -> None:
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    assert [name for name in HELPS if f"| `{name}` |" not in page] == []
    assert [key for key in Watch.model_fields if f"`watch.{key}`" not in page] == []
