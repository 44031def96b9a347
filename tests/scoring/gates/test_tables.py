"""Gates of the tables: fresh, as long as they were, and still filling."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from features.small import project_of
from kizuna.config_gates import Gates
from kizuna.data.knowable import known_rows
from kizuna.data.store import Store
from kizuna.scoring.gates.gate import Gate
from kizuna.scoring.gates.tables import PastRows, freshness_gates, recent_gates, rows_gates
from kizuna.timeline import day_of

DAY = day_of(date(2025, 12, 1))
LIMITS = Gates()


def lists(*counts: int, accepted: int | None = None) -> list[dict[str, Any]]:
    """Manifests of lists that knew so many purchases; the gate was accepted for one of them."""
    return [
        {
            "rows_known": {"purchases": count},
            "gates": [{"name": "rows.purchases", "status": "fail", "accepted_by": "ana" if k == accepted else None}],
        }
        for k, count in enumerate(counts)
    ]


def rows_gate(now: int, past: PastRows, limits: Gates = LIMITS) -> Gate:
    (gate,) = rows_gates({"purchases": now}, past, limits, "purchases")
    return gate


def test_a_shrunk_table_fails_with_both_numbers_said():
    gate = rows_gate(5_000, PastRows(lists(9_900, 10_000, 10_100), True, {}))
    assert (gate.status, gate.value, gate.limit, gate.exit_code, gate.waivable) == ("fail", 0.5, 0.8, 10, True)
    assert gate.refusal == (
        "Gate rows.purchases: 5,000 rows are known, 50% of what the last 3 lists knew (median 10,000); at least 80% are "
        "asked for (gates.min_rows_share). Load the whole table, or accept it: --accept-gate rows.purchases --why TEXT."
    )


@pytest.mark.parametrize(
    ("now", "status"), [(7_999, "fail"), (8_000, "pass"), (18_000, "pass"), (18_001, "fail"), (0, "fail")]
)
def test_the_limits_themselves_are_allowed(now: int, status: str):
    assert rows_gate(now, PastRows(lists(10_000), True, {})).status == status


def test_after_a_list_that_knew_no_row_there_is_no_growth_to_speak_of():
    assert rows_gate(10_000, PastRows(lists(10_000, 0), True, {})).status == "pass"


def test_only_the_last_lists_count_and_their_middle_one():
    past = PastRows(lists(*[90_000] * 5, 10_000, 10_000, 99_999), True, {})
    assert rows_gate(9_000, past, Gates(earlier_lists=3)).status == "pass"
    assert rows_gate(9_000, past, Gates(earlier_lists=8)).status == "fail"


def test_before_the_first_list_training_tells():
    gate = rows_gate(500, PastRows([], False, {"purchases": 1_000}))
    assert (
        gate.said
        == "500 rows are known, 50% of what training knew (1,000); at least 80% are asked for (gates.min_rows_share)."
    )
    assert rows_gate(5_000, PastRows([], False, {"purchases": 1_000})).status == "pass"
    assert rows_gate(500, PastRows([], False, {})) == Gate("rows.purchases", "pass", None, 0.8, exit_code=10)
    assert rows_gate(500, PastRows([{"counts": {}}], False, {})).status == "pass"


def test_few_rows_fewer_are_chance_but_none_is_none():
    assert rows_gate(5, PastRows(lists(10), True, {})).status == "pass"
    assert rows_gate(0, PastRows(lists(3), True, {})).status == "fail"


def test_a_table_that_came_twice_fails_where_the_last_list_is_near():
    gate = rows_gate(20_000, PastRows(lists(10_000), True, {}))
    assert (gate.value, gate.limit) == (2.0, 1.8)
    assert (
        gate.said
        == "20,000 rows are known, 200% of what the last list knew (10,000); at most 180% are allowed (gates.max_rows_share)."
    )
    assert rows_gate(20_000, PastRows(lists(10_000), False, {})).status == "pass"


def test_what_was_accepted_is_usual_from_then_on():
    assert rows_gate(4_000, PastRows(lists(9_000, 10_000, 4_000), True, {})).status == "fail"
    assert rows_gate(4_000, PastRows(lists(9_000, 10_000, 4_000, accepted=2), True, {})).status == "pass"


def test_nobody_can_accept_an_empty_table_of_purchases():
    past = PastRows(lists(10_000), True, {"surveys": 100})
    purchases, surveys = rows_gates({"purchases": 0, "surveys": 0}, past, LIMITS, "purchases")
    assert (purchases.status, purchases.waivable) == ("fail", False)
    assert (surveys.status, surveys.waivable) == ("fail", True)


def store_of(last_day: str, every: str = "1D") -> Store:
    """A shop with a purchase and a visit a day; the visits end on ``last_day``."""
    days = pd.date_range("2024-06-01", "2025-11-30")
    visits = pd.date_range("2024-06-01", last_day, freq=every)
    tables = {
        "purchases": pd.DataFrame({"customer_id": "a", "occurred_at": days, "amount": 1.0}),
        "engagement": pd.DataFrame({"customer_id": "a", "occurred_at": visits, "kind": "visit"}),
    }
    sources = {
        "purchases": {"warn_after_days": 3, "error_after_days": 7},
        "engagement": {"warn_after_days": 3, "error_after_days": 400},
    }
    return project_of(tables, data={"tables": sources}).opened


def recent(store: Store, before: list[dict[str, Any]] | None = None) -> dict[str, Gate]:
    return {gate.name: gate for gate in recent_gates(store, DAY, LIMITS, before or [])}


def test_a_table_that_still_fills_passes():
    gates = recent(store_of("2025-11-30"))
    assert gates["recent.engagement"] == Gate("recent.engagement", "pass", 1.0, 0.5, exit_code=10)


@pytest.mark.parametrize("last_day", ["2025-11-20", "2025-11-01", "2025-10-01", "2025-09-10"])
def test_a_table_that_stopped_fails_for_months(last_day: str):
    gates = recent(store_of(last_day))
    assert gates["recent.engagement"].status == ("pass" if last_day == "2025-11-20" else "fail")
    assert gates["recent.purchases"].status == "pass"


def test_a_stop_is_said_in_rows():
    gate = recent(store_of("2025-11-05"))["recent.engagement"]
    assert gate.refusal == (
        "Gate recent.engagement: 3 rows are of the last 28 days, 11% of what the least of 8 such periods before had (28); at "
        "least 50% are asked for (gates.min_recent_share). Load what is missing, or accept it: --accept-gate "
        "recent.engagement --why TEXT."
    )


def test_a_table_of_campaigns_now_and_then_is_not_judged():
    assert recent(store_of("2025-09-01", every="70D"))["recent.engagement"].value is None


def test_what_was_accepted_last_time_only_warns():
    before = [{"gates": [{"name": "recent.engagement", "status": "fail"}]}]
    assert recent(store_of("2025-10-01"), before)["recent.engagement"].status == "warn"
    before = [{"gates": [{"name": "recent.engagement", "status": "pass"}]}]
    assert recent(store_of("2025-10-01"), before)["recent.engagement"].status == "fail"


def test_freshness_keeps_its_words_and_its_two_limits():
    fresh, stale = freshness_gates(store_of("2025-11-01"), DAY + 5)
    assert (fresh.name, fresh.status, fresh.value, fresh.limit) == ("freshness.purchases", "warn", 6.0, 3.0)
    assert (stale.name, stale.status, stale.value, stale.limit) == ("freshness.engagement", "warn", 35.0, 3.0)
    gate = freshness_gates(store_of("2025-11-30"), DAY + 8)[0]
    assert gate.refusal == (
        "Gate freshness.purchases: Table purchases has its newest row on 2025-11-30, 9 days before 2025-12-09; 7 days are "
        "allowed. Load it, or raise data.tables.purchases.error_after_days. It cannot be accepted."
    )
    assert [gate.status for gate in freshness_gates(store_of("2025-11-30"), DAY)] == ["pass", "pass"]


def test_rows_of_a_later_time_are_not_counted():
    store = store_of("2025-11-30")
    assert known_rows(store, DAY - 100)["purchases"] == known_rows(store, DAY)["purchases"] - 100
