"""What stays and what goes when a run's metrics meet those before it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kizuna import journal
from kizuna.journal import Journal
from kizuna.watch.exposition import Sample, exposed
from kizuna.watch.metrics import HELPS, merged
from watch.exposed import strictly_read

LABELS = '{shop="shop",command="score"}'
GOOD = {"published": "2026-01-05", "listed": 30, "eligible": 400, "score_mean": 0.25, "rows": {"purchases": 10}}


def run_of(command: str, **notes: Any) -> Journal:
    with journal.journal_of(command, as_json=False) as run:
        with journal.stage("read"):
            pass
        journal.note(**notes)
    return run


def values(samples: dict[Sample, float]) -> dict[str, float]:
    return strictly_read(exposed(samples, HELPS))


def test_a_failure_keeps_the_success_and_the_list_and_replaces_the_run() -> None:
    after = merged({}, run_of("score", **GOOD), "shop", 0)
    good = values(after)
    assert good[f"kizuna_listed{LABELS}"] == 30
    assert good[f"kizuna_list_day_timestamp_seconds{LABELS}"] == 1767571200
    assert good['kizuna_rows{shop="shop",command="score",table="purchases"}'] == 10
    gates = [
        {"name": "freshness", "status": "fail", "accepted_by": None, "value": 9.0},
        {"name": "drift", "status": "warn", "accepted_by": None, "value": None},
        {"name": "score_drift", "status": "fail", "accepted_by": "somebody", "value": 0.6},
    ]
    deliveries = {"braze": True, "crm": False}
    bad = values(merged(after, run_of("score", gates=gates, deliveries=deliveries), "shop", 10))
    assert bad[f"kizuna_last_exit_code{LABELS}"] == 10
    for name in ("last_success_timestamp_seconds", "listed", "eligible", "score_mean", "list_day_timestamp_seconds"):
        assert bad[f"kizuna_{name}{LABELS}"] == good[f"kizuna_{name}{LABELS}"]
    assert 'kizuna_rows{shop="shop",command="score",table="purchases"}' not in bad
    assert bad['kizuna_gates_failed{shop="shop",command="score",gate="freshness"}'] == 1
    assert bad['kizuna_gates_failed{shop="shop",command="score",gate="drift"}'] == 0
    assert bad['kizuna_gates_warned{shop="shop",command="score",gate="drift"}'] == 1
    assert bad['kizuna_gates_failed{shop="shop",command="score",gate="score_drift"}'] == 0
    assert bad[f"kizuna_score_psi{LABELS}"] == 0.6
    assert bad['kizuna_deliveries_failed{shop="shop",command="score",destination="braze"}'] == 1
    assert bad['kizuna_deliveries_failed{shop="shop",command="score",destination="crm"}'] == 0


@pytest.mark.parametrize(
    ("code", "notes", "counts"), [(0, GOOD, True), (15, GOOD, True), (20, GOOD, False), (0, {}, False)]
)
def test_score_has_succeeded_once_a_list_is_published(code: int, notes: dict[str, Any], counts: bool) -> None:
    found = values(merged({}, run_of("score", **notes), "shop", code))
    assert (f"kizuna_last_success_timestamp_seconds{LABELS}" in found) == counts


def test_a_backfill_of_days_that_are_published_already_has_come_to_its_end() -> None:
    found = values(merged({}, run_of("backfill"), "shop", 0))
    assert 'kizuna_last_success_timestamp_seconds{shop="shop",command="backfill"}' in found


def test_the_days_of_a_backfill_are_one_step() -> None:
    with journal.journal_of("backfill", as_json=False) as run:
        for name in ("day 2025-10-01", "day 2025-10-08", "deliver crm"):
            with journal.stage(name):
                pass
    found = values(merged({}, run, "shop", 0))
    steps = {re.findall('stage="(.*)"', name)[0] for name in found if name.startswith("kizuna_stage_seconds")}
    assert steps == {"day", "deliver crm"}


def test_other_commands_and_other_shops_stay() -> None:
    after = merged({}, run_of("train"), "shop", 0)
    after = merged(after, run_of("train"), "other", 0)
    after = merged(after, run_of("score"), "shop", 12)
    found = values(after)
    codes = {name: value for name, value in found.items() if name.startswith("kizuna_last_exit_code")}
    assert sorted(codes.values()) == [0, 0, 12]
    assert len([name for name in found if name.startswith("kizuna_last_success")]) == 2


def test_an_older_week_does_not_move_the_newest_day() -> None:
    after = merged({}, run_of("score", **GOOD), "shop", 0)
    after = merged(after, run_of("score", **GOOD | {"published": "2025-12-29"}), "shop", 0)
    assert values(after)[f"kizuna_list_day_timestamp_seconds{LABELS}"] == 1767571200


def test_notes_that_are_no_numbers_are_left_out() -> None:
    odd = {"listed": "many", "eligible": None, "score_mean": float("nan"), "rows": 3, "gates": "all", "deliveries": {}}
    found = values(merged({}, run_of("score", **odd), "shop", 20))
    assert sorted(name.split("{")[0] for name in found) == [
        *("kizuna_last_exit_code", "kizuna_last_run_timestamp_seconds", "kizuna_run_duration_seconds"),
        "kizuna_stage_seconds",
    ]
