"""Gates of the result: probabilities that can be, near training and the last list, and a list as long as ever."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kizuna.config_file import parse_config
from kizuna.config_gates import Gates
from kizuna.evaluation.drift.reference import Reference
from kizuna.evaluation.drift.stability import histogram
from kizuna.fingerprint import file_sha256
from kizuna.lists.publication import Publication
from kizuna.scoring.gates.gate import Gate
from kizuna.scoring.gates.results import DayResult, last_list_gates, possible_gate, recent, size_gates, training_gate

CONFIG = parse_config({"name": "shop", "data": {"tables": {}}})
LIMITS = CONFIG.gates
NAMES = {"churn": "shop-churn v1"}
SPREAD = np.linspace(0.05, 0.95, 500)


def reference(usual_score: float = 0.0) -> Reference:
    return Reference(1, {}, {}, histogram(SPREAD), usual_score, {}, {})


def published(folder: Path, p: np.ndarray, value: float = 100.0, model: str = "shop-churn v1") -> Publication:
    pd.DataFrame({"churn_probability": p, "cltv": value}).to_parquet(folder / "scores.parquet")
    files = [{"path": "scores.parquet", "rows": len(p), "sha256": file_sha256(folder / "scores.parquet")}]
    manifest = {"models": {"churn": model}, "counts": {"listed": 50}, "list_size": 50, "files": files}
    return Publication(date(2025, 11, 24), 1, folder, manifest)


def result(p: np.ndarray, value: float = 100.0) -> DayResult:
    return DayResult(p, np.full(len(p), value), 50, 50)


@pytest.mark.parametrize("wrong", [np.nan, -0.01, 1.01, np.inf])
def test_a_probability_that_cannot_be_stops_the_day(wrong: float):
    gate = possible_gate(np.append(SPREAD, wrong))
    assert (gate.status, gate.value, gate.waivable, gate.exit_code) == ("fail", 1.0, False, 13)
    assert gate.said == "1 of 501 probabilities are no number between 0 and 1."


def test_the_same_for_everybody_stops_a_shop_of_a_hundred():
    assert possible_gate(np.full(100, 0.5)).said == "all 100 customers have the same probability."
    assert possible_gate(np.full(99, 0.5)).status == "pass"
    assert possible_gate(np.array([0.0, 1.0])).status == "pass"


def test_probabilities_far_from_training_warn_then_stop():
    shifted = [(0.0, "pass"), (0.08, "warn"), (0.4, "fail")]
    for by, status in shifted:
        gate = training_gate(np.clip(SPREAD + by, 0, 1), reference(), 0.0, LIMITS)
        assert gate.status == status, (by, gate.value)
    assert gate.refusal.startswith("Gate score_drift: the probabilities lie ")
    assert gate.refusal.endswith(
        "0.5 is allowed (gates.max_score_psi). Look at the tables, train again, or go back with kizuna rollback, or accept "
        "it: --accept-gate score_drift --why TEXT."
    )


def test_as_far_as_training_s_own_days_went_is_no_drift():
    p = np.clip(SPREAD + 0.4, 0, 1)
    far = training_gate(p, reference(), 0.0, LIMITS).value
    assert far is not None
    assert training_gate(p, reference(far + 0.01), 0.0, LIMITS).status == "pass"
    assert training_gate(p, None, 0.0, LIMITS).status == "pass"


def test_a_dozen_customers_are_not_judged_by_chance():
    assert training_gate(np.array([0.1, 0.2, 0.9]), reference(), 0.0, LIMITS).status == "pass"


def test_the_first_list_has_nothing_to_be_compared_with():
    assert [gate.status for gate in last_list_gates(result(SPREAD), NAMES, None, CONFIG)] == ["pass"] * 3


def test_the_same_as_the_last_list_passes(tmp_path: Path):
    gates = last_list_gates(result(SPREAD), NAMES, published(tmp_path, SPREAD), CONFIG)
    assert [(gate.name, gate.status, gate.value) for gate in gates] == [
        ("list_drift", "pass", 0.0),
        ("mean_value", "pass", 1.0),
        ("high_share", "pass", 0.0),
    ]


def test_far_from_the_last_list_stops_unless_the_model_is_another(tmp_path: Path):
    lower = SPREAD * 0.5
    drift, _, high = last_list_gates(result(lower), NAMES, published(tmp_path, SPREAD), CONFIG)
    assert (drift.status, high.status) == ("fail", "fail")
    assert drift.said.endswith(
        "from those of the list of 2025-11-24 (stability index); 0.5 is allowed (gates.max_list_psi)."
    )
    assert high.said == (
        "0% of the eligible are of high risk, on the list of 2025-11-24 39%; a change of 20 points is allowed "
        "(gates.max_high_change)."
    )
    drift, value, high = last_list_gates(
        result(lower), NAMES, published(tmp_path, SPREAD, model="shop-churn v2"), CONFIG
    )
    assert (drift.value, value.value, high.status) == (None, None, "fail")


@pytest.mark.parametrize(
    ("now", "status"), [(201, "fail"), (200, "pass"), (50, "pass"), (49, "fail"), (0, "pass"), (np.nan, "pass")]
)
def test_money_of_another_unit_stops_the_day(tmp_path: Path, now: float, status: str):
    gate = last_list_gates(result(SPREAD, now), NAMES, published(tmp_path, SPREAD, 100.0), CONFIG)[1]
    assert gate.status == status
    if now == 201:
        assert gate.refusal == (
            "Gate mean_value: the mean value (cltv) is 2 times that of the list of 2025-11-24; at most 2 times more or less is "
            "allowed (gates.max_value_ratio). See whether amounts changed their unit, or accept it: --accept-gate mean_value "
            "--why TEXT."
        )


def test_a_list_of_months_ago_is_not_looked_at(tmp_path: Path):
    last = published(tmp_path, SPREAD)
    assert recent([last], date(2025, 12, 1)) is last
    assert recent([last], date(2026, 1, 24)) is None
    assert recent([], date(2025, 12, 1)) is None


def before(*counts: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Manifests of (eligible, listed, asked)."""
    return [
        {"definition": {"kind": "inactivity"}, "counts": {"eligible": a, "listed": b}, "list_size": c}
        for a, b, c in counts
    ]


def sizes(
    eligible: int, listed: int, size: int, lists: list[dict[str, Any]], definition: str = "inactivity"
) -> list[Gate]:
    day = DayResult(np.linspace(0, 1, eligible), np.zeros(eligible), listed, size)
    return size_gates(day, lists, {"kind": definition}, Gates())


def test_half_as_many_as_usual_stop_the_day():
    lists = before((1000, 100, 100), (1000, 110, 100), (1000, 90, 100))
    assert [gate.status for gate in sizes(500, 50, 100, lists)] == ["pass", "pass"]
    eligible, listed = sizes(499, 49, 100, lists)
    assert eligible.said == (
        "499 customers are eligible, 50% of what is usual (1,000, the median of the last 3 lists); at least 50% are asked "
        "for (gates.min_eligible_share)."
    )
    assert listed.said == (
        "49 customers are listed, 49% of what is usual (100, the median of the last 3 lists); at least 50% are asked for "
        "(gates.min_list_share)."
    )


def test_another_definition_or_another_size_is_nothing_to_compare_with():
    lists = before((1000, 100, 100))
    assert [gate.status for gate in sizes(100, 30, 30, lists, "cancellation")] == ["pass", "pass"]


def test_a_list_of_nobody_never_goes_out_by_itself():
    gate = sizes(300, 0, 100, [])[1]
    assert gate.refusal == (
        "Gate list_size: nobody is listed, of 300 eligible and 100 asked for. Look at at_risk.min_probability, the limits of "
        "the list and the tables, or accept it: --accept-gate list_size --why TEXT."
    )
