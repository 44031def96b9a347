"""A day's features beside those of training: counts by block, levels, what is usual, the most moved first."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.small import everyone, project_of
from kizuna.data.knowable import known_rows
from kizuna.evaluation.drift.day import DRIFT_COLUMNS, count_day, drifted, feature_drift
from kizuna.evaluation.drift.reference import Population, Reference, level_counts, reference_of, score_stability
from kizuna.evaluation.drift.stability import stability
from kizuna.features.frame import build_frame
from kizuna.features.plan import FeaturePlan
from kizuna.features.planning import make_plan
from kizuna.models.churn.season_anchor import SeasonAnchor
from kizuna.project import Project
from kizuna.timeline import day_of

DAY = day_of(date(2025, 6, 1))


@pytest.fixture(scope="module")
def shop() -> Project:
    """300 customers of two markets who buy every 1 to 30 days."""
    draw = np.random.default_rng(5)
    ids = [f"c{number:03}" for number in range(300)]
    rows = []
    for number, name in enumerate(ids):
        every = 1 + number % 30
        days = pd.date_range("2025-01-01", "2025-12-31", freq=f"{every}D")
        rows.append(pd.DataFrame({"customer_id": name, "occurred_at": days, "amount": draw.gamma(2, 50, len(days))}))
    customers = pd.DataFrame({"customer_id": ids, "market": ["JP", "US", "FR"] * 100})
    return project_of({"purchases": pd.concat(rows), "customers": customers}, engine={"rows_per_block": 1000})


@pytest.fixture(scope="module")
def plan(shop: Project) -> FeaturePlan:
    return make_plan(shop.opened, shop.config, [DAY], everyone)


def values_on(shop: Project, plan: FeaturePlan, day: int) -> np.ndarray:
    return build_frame(shop.opened, plan, [day], everyone).values


@pytest.fixture(scope="module")
def reference(shop: Project, plan: FeaturePlan) -> Reference:
    values = values_on(shop, plan, DAY)
    before = Population(values_on(shop, plan, DAY - 28), np.linspace(0.2, 1, len(values)), DAY - 28)
    everybody = Population(values, np.linspace(0, 1, len(values)), DAY)
    return reference_of(everybody, [before], plan, known_rows(shop.opened, DAY))


def test_the_day_of_training_lies_where_it_lay(shop, plan, reference):
    day = count_day(shop.opened, plan, everyone, reference, DAY)
    assert len(shop.opened.ranges()) > 5
    assert day.rows == 300
    assert {name: tuple(counts.tolist()) for name, counts in day.features.items()} == {
        name: found.counts for name, found in reference.features.items()
    }
    found = feature_drift(plan, reference, day)
    assert list(found) == DRIFT_COLUMNS
    assert (found["psi"] == 0).all()
    assert sorted(found["feature"]) == sorted(plan.names)
    assert drifted(found, 0.0).empty


def test_a_later_day_is_measured_as_its_whole_columns_are(shop, plan, reference):
    later = DAY + 150
    found = feature_drift(plan, reference, count_day(shop.opened, plan, everyone, reference, later))
    values = values_on(shop, plan, later)
    for row in found.itertuples():
        column = reference.features[row.feature]
        whole = values[:, plan.names.index(row.feature)]
        assert row.psi == pytest.approx(stability(column, column.count(whole)).psi)
        assert row.missing_now == pytest.approx(np.isnan(whole).mean())
    assert found["psi"].is_monotonic_decreasing
    assert "orders" in set(drifted(found, 0.2)["feature"])
    assert "market=JP" not in set(drifted(found, 0.2)["feature"])


def test_what_moved_as_far_between_training_days_is_usual(shop, plan, reference):
    found = feature_drift(plan, reference, count_day(shop.opened, plan, everyone, reference, DAY - 28))
    moved = found[found["psi"] > np.maximum(0.2, found["by_chance"])]
    assert len(moved)
    assert drifted(found, 0.2).empty


def test_levels_with_a_column_are_counted_beside_all_that_are_known(shop, plan, reference):
    assert plan.vocabularies["customers.market"] == ("FR", "JP", "US")
    assert reference.listed == {"customers.market": 1.0}
    values = values_on(shop, plan, DAY)
    mine = [plan.names.index(f"market={level}") for level in ("FR", "JP", "US")]
    values[:100, mine] = 0
    values[100:150, mine] = np.nan
    assert level_counts(values, plan) == {"customers.market": (250, 150)}


def test_the_reference_survives_the_contract_and_older_models_have_none(reference):
    assert Reference.from_contract({"reference": reference.to_json()}) == reference
    assert Reference.from_contract({}) is None
    assert Reference.from_contract({"reference": None}) is None
    assert reference.tables == {"purchases": reference.tables["purchases"], "customers": 300}


def test_a_season_s_own_shift_is_no_drift(reference):
    p = np.linspace(0.01, 0.99, 300)
    moved = SeasonAnchor(((DAY - 730, 1.2), (DAY - 365, 1.2)), 90, 1.0).moved(p, DAY)
    assert score_stability(reference, moved, 0.0).psi > 0.2
    assert score_stability(reference, moved, 1.2).psi == pytest.approx(score_stability(reference, p, 0.0).psi, abs=1e-9)
