"""An outbox beside lists in an object store: what one machine has begun another one ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.delivery.week import CRM, FIRST, SECOND, at_stage, config_of, delivered, handed, interrupt, published_day

from kizuna.config import Config
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import published
from servers import object_store


@pytest.mark.slow
def test_a_delivery_that_one_machine_began_is_ended_by_another(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    def machine(name: str) -> Config:
        config = config_of(tmp_path / name, CRM.replace("crm,", f"crm, drop: '{tmp_path}/there',"))
        fetch_output("s3://shop/exports", config.output_dir)
        return config

    with object_store(tmp_path):
        first = machine("first")
        delivered(first, published_day(first, FIRST, {"a": "high"}))
        publication = published_day(first, SECOND, {"b": "high"})
        with at_stage("ended", "drop", interrupt), pytest.raises(KeyboardInterrupt):
            delivered(first, publication)
        names = ["crm-000001-2026-01-05-r1.csv", "crm-000002-2026-01-12-r1.csv"]
        before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "there").iterdir()}
        assert sorted(before) == names
        second = machine("second")
        found = published(second.output_dir, SECOND)
        assert found is not None
        (done,) = delivered(second, found)
        assert (done.state, done.attempts) == ("delivered", 2)
        assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "there").iterdir()} == before
        assert list(handed(machine("third"), "crm")) == names
