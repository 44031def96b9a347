"""Which version was champion on a day: the registry's log once there is one, the models' own days before it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kizuna.timeline import day_of
from kizuna.tracking.champions import Champions, champions_of
from kizuna.tracking.registry import Registry
from kizuna.tracking.runs import talking


def number(text: str) -> int:
    return day_of(date.fromisoformat(text))


def on_days(found: Champions, *days: str) -> list[str | None]:
    return [found.on(number(day)) for day in days]


def made(promoted: list[tuple[str, str]], trained: dict[str, str | None]) -> Champions:
    days = {version: None if until is None else number(until) for version, until in trained.items()}
    return Champions(tuple((number(since), version) for since, version in promoted), days)


def test_from_the_first_promotion_on_the_log_tells() -> None:
    found = made([("2026-06-01", "1"), ("2026-07-06", "2")], {"1": "2026-06-01", "2": "2026-07-01"})
    asked = ("2026-05-31", "2026-06-01", "2026-07-05", "2026-07-06", "2026-09-01")
    assert on_days(found, *asked) == [None, "1", "1", "2", "2"]
    assert found.first_day == number("2026-06-01")


def test_a_rollback_counts_from_its_own_day() -> None:
    log = [("2026-06-01", "1"), ("2026-07-06", "2"), ("2026-08-03", "1")]
    found = made(log, {"1": "2026-06-01", "2": "2026-07-01"})
    assert on_days(found, "2026-07-05", "2026-08-02", "2026-08-03") == ["1", "2", "1"]


def test_before_any_promotion_a_model_counts_from_the_day_it_was_trained_until() -> None:
    """A shop that trained on its past, all on one day in November."""
    log = [("2026-11-22", "1"), ("2026-11-22", "2"), ("2026-11-22", "3")]
    found = made(log, {"1": "2025-06-01", "2": "2025-10-01", "3": "2025-10-01"})
    asked = ("2025-05-31", "2025-06-01", "2025-09-30", "2025-10-01", "2026-11-21", "2026-11-22")
    assert on_days(found, *asked) == [None, "1", "1", "3", "3", "3"]


def test_what_was_trained_later_than_the_day_never_counts() -> None:
    found = made([("2026-06-01", "1"), ("2026-06-02", "2")], {"1": "2026-05-30", "2": "2026-06-10"})
    assert on_days(found, "2026-06-02", "2026-06-09", "2026-06-10") == ["1", "1", "2"]


def test_a_model_of_undated_labels_knows_no_day() -> None:
    found = made([("2026-06-01", "1")], {"1": None})
    assert on_days(found, "2020-01-01", "2026-06-01") == ["1", "1"]
    assert made([], {}).on(0) is None
    assert made([], {}).first_day is None


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A store in memory where there is such a thing: SQLite flushes every small change."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield Registry(f"sqlite:///{folder}/mlflow.db", "shop")


def register(registry: Registry, folder: Path, train_day: str) -> str:
    model = folder / f"m{train_day}"
    model.mkdir(parents=True)
    (model / "model.json").write_text(train_day)
    with registry.training_run(f"train {train_day}", {}) as run:
        return run.log_model("churn", model, ["x"], ["churn_probability"], {"train_day": train_day})


def test_the_registry_tells_of_deleted_versions_too(registry: Registry, tmp_path: Path) -> None:
    """In Tokyo the second promotion is on the 2nd; the refused third version was never champion."""
    assert champions_of(registry, "Asia/Tokyo") == Champions((), {})
    for day in ("2025-06-01", "2025-10-01", "2025-11-01"):
        register(registry, tmp_path / "models", day)
    registry.promote("1", datetime(2026, 6, 1, 3, 0, tzinfo=UTC))
    registry.promote("2", datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    before = champions_of(registry, "Asia/Tokyo")
    assert before == made([("2026-06-01", "1"), ("2026-06-02", "2")], {"1": "2025-06-01", "2": "2025-10-01"})
    with talking(registry.uri) as client:
        client.delete_model_version("shop-churn", "1")
    assert champions_of(registry, "Asia/Tokyo") == before
    assert registry.trained_until() == {"1": "2025-06-01", "2": "2025-10-01", "3": "2025-11-01"}


def test_an_alias_set_past_kizuna_counts_from_the_train_day(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path / "models", "2025-06-01")
    with talking(registry.uri) as client:
        client.set_registered_model_alias("shop-churn", "champion", "1")
    assert on_days(champions_of(registry, "UTC"), "2025-05-31", "2025-06-01") == [None, "1"]
