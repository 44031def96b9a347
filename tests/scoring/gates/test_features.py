"""Gates of the features: columns gone or new, texts spelled anew, and drift."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.small import everyone, project_of
from kizuna.config_gates import Gates
from kizuna.data.store import Store
from kizuna.evaluation.drift.day import count_day
from kizuna.evaluation.drift.reference import Population, Reference, reference_of
from kizuna.features.frame import build_frame
from kizuna.features.plan import IS_TREATED, FeaturePlan
from kizuna.features.planning import make_plan
from kizuna.scoring.gates.features import columns_gate, drift_gate, level_gates
from kizuna.scoring.gates.gate import Gate
from kizuna.timeline import day_of

DAY = day_of(date(2025, 6, 1))
Tables = dict[str, pd.DataFrame]


def tables() -> Tables:
    """120 customers of two markets; one buys every 1 to 20 days, with an order id and a channel."""
    ids = [f"c{number:03}" for number in range(120)]
    parts = []
    for number, name in enumerate(ids):
        days = pd.date_range("2025-01-01", "2025-12-31", freq=f"{1 + number % 20}D")
        parts.append(
            pd.DataFrame({"customer_id": name, "occurred_at": days, "amount": 10.0 + number, "channel": "web"})
        )
    customers = pd.DataFrame({"customer_id": ids, "market": ["JP", "US"] * 60, "birth_date": "1980-01-01"})
    return {"purchases": pd.concat(parts, ignore_index=True), "customers": customers}


def opened(found: Tables, **sections: Any) -> Store:
    store = project_of(found, **sections).opened
    store.require_sound()
    return store


@pytest.fixture(scope="module")
def plan() -> FeaturePlan:
    store = opened(tables())
    return make_plan(store, store.config, [DAY], everyone)


@pytest.fixture(scope="module")
def reference(plan: FeaturePlan) -> Reference:
    values = build_frame(opened(tables()), plan, [DAY], everyone).values
    return reference_of(Population(values, np.linspace(0, 1, len(values)), DAY), [], plan, {})


def without(table: str, column: str) -> Tables:
    return tables() | {table: tables()[table].drop(columns=column)}


def test_the_tables_of_training_pass(plan: FeaturePlan):
    assert columns_gate(opened(tables()), plan) == Gate("features", "pass", 0.0, 0.0, exit_code=12, waivable=False)


def test_a_column_that_is_gone_stops_the_day_and_cannot_be_accepted(plan: FeaturePlan):
    gate = columns_gate(opened(without("customers", "birth_date")), plan)
    assert (gate.status, gate.value, gate.exit_code, gate.waivable) == ("fail", 1.0, 12, False)
    assert gate.refusal == (
        f"Gate features: the model asks for {len(plan.columns)} features, but today's tables do not give age_years. Bring the "
        "table or column back, or train again. It cannot be accepted."
    )


def test_a_text_that_is_gone_or_became_a_number_is_missing(plan: FeaturePlan):
    gate = columns_gate(opened(without("customers", "market")), plan)
    assert "do not give market=JP, market=US." in gate.said


def test_a_table_that_is_gone_names_five_columns(plan: FeaturePlan):
    gate = columns_gate(opened({"purchases": tables()["purchases"]}), plan)
    assert gate.status == "fail"
    assert gate.value == sum(column.family == "profile" for column in plan.columns)


def test_what_is_new_since_training_only_warns(plan: FeaturePlan):
    surveys = pd.DataFrame({"customer_id": ["c000"], "occurred_at": ["2025-05-01"], "kind": ["nps"], "score": [9]})
    tier = tables()["customers"].assign(tier=["gold", "iron"] * 60, visits=1.5)
    found = tables() | {"surveys": surveys, "customers": tier}
    gate = columns_gate(
        opened(
            found, data={"tables": {"customers": {"attributes": ["tier", "visits"]}, "purchases": {}, "surveys": {}}}
        ),
        plan,
    )
    assert gate.status == "warn"
    assert (
        gate.said
        == "family surveys, first_order_csat, visits, customers.tier are new since the model was trained and not used."
    )
    assert gate.value == 0


def test_what_was_left_out_on_purpose_is_not_new(plan: FeaturePlan):
    store = opened(
        tables(), features={"exclude": ["orders_*"], "families": ["purchases", "profile"], "windows_days": [7, 30]}
    )
    narrow = make_plan(store, store.config, [DAY], everyone)
    assert columns_gate(store, narrow).status == "pass"


def test_a_column_that_only_training_fills_is_not_missing(plan: FeaturePlan):
    store = opened(tables(), training={"treated": "flag"})
    flagged = make_plan(store, store.config, [DAY], everyone)
    assert IS_TREATED in flagged.columns
    assert columns_gate(store, flagged).status == "pass"


def market(spelled: dict[str, str | None]) -> Tables:
    customers = tables()["customers"]
    return tables() | {"customers": customers.assign(market=customers["market"].map(spelled))}


@pytest.mark.parametrize(
    ("spelled", "status", "value"),
    [
        ({"JP": "JP", "US": "US"}, "pass", 1.0),
        ({"JP": "JP", "US": "USA"}, "pass", 0.5),
        ({"JP": "jp", "US": "us"}, "fail", 0.0),
        ({"JP": None, "US": "US"}, "pass", 1.0),
        ({"JP": None, "US": None}, "pass", None),
    ],
)
def test_texts_that_the_model_never_learned(plan, reference, spelled, status, value):
    day = count_day(opened(market(spelled)), plan, everyone, reference, DAY)
    (gate,) = level_gates(reference, day, Gates())
    assert (gate.name, gate.status, gate.value, gate.exit_code) == ("levels.customers.market", status, value, 12)


def test_a_new_spelling_is_said_in_shares(plan, reference):
    day = count_day(opened(market({"JP": "jp", "US": "us"})), plan, everyone, reference, DAY)
    assert level_gates(reference, day, Gates())[0].refusal == (
        "Gate levels.customers.market: 0% of its texts are levels that the model learned, in training 100%; at least 50% of "
        "that share is asked for (gates.min_level_share). Bring the old spelling back, or train again, or accept it: "
        "--accept-gate levels.customers.market --why TEXT."
    )


def test_drift_warns_and_stops_only_where_asked(plan, reference):
    dear = tables()
    dear["purchases"]["amount"] *= 100
    day = count_day(opened(dear), plan, everyone, reference, DAY)
    gate = drift_gate(plan, reference, day, Gates())
    assert gate.status == "warn"
    assert gate.value > 2
    assert "revenue" in gate.said
    stopped = drift_gate(plan, reference, day, Gates(max_feature_psi=1.0))
    assert (stopped.status, stopped.limit, stopped.exit_code) == ("fail", 1.0, 13)
    same = count_day(opened(tables()), plan, everyone, reference, DAY)
    assert drift_gate(plan, reference, same, Gates()) == Gate("feature_drift", "pass", 0.0, 0.2)
