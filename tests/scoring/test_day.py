"""Dates and warnings of a scored day, through the real command's own functions, on shops of a few customers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kizuna.errors import ResultError
from kizuna.features.context import Pauses
from kizuna.labels.definition import Definition
from kizuna.labels.purchase_pasts import PurchasePasts
from kizuna.models import ChurnClassifier, CltvRegressor
from kizuna.models.btyd.next_purchase import SHARES, NextPurchase, is_overdue
from kizuna.models.churn.season_anchor import SeasonAnchor
from kizuna.project import Project
from kizuna.scoring.champion import LoadedModels
from kizuna.scoring.day import would_list
from kizuna.scoring.everyone import score_everyone
from kizuna.timeline import date_of, day_of

AS_OF = pd.Timestamp("2025-10-01")
DATES = ["expected_next_purchase_low", "expected_next_purchase", "expected_next_purchase_high"]
MODEL = NextPurchase(0.6, 50.0, SHARES, (0.2, 0.6, 0.95), 365, 0, None)


def log(customers: int = 60) -> pd.DataFrame:
    """Customers who come every so many days, some of whom have stopped; every seventh bought once, yesterday."""
    rows = []
    for number in range(customers):
        gap, end = 10 + 5 * (number % 12), "2025-09-30" if number % 3 else "2025-06-30"
        days = pd.date_range("2025-01-01" if number % 7 else end, end, freq=f"{gap}D")
        rows += [{"customer_id": f"{number:03d}", "occurred_at": day, "amount": 5.0} for day in days]
    return pd.DataFrame(rows)


def models_of(project: Project) -> LoadedModels:
    training = project.training_set("2025-09-01")
    churn = ChurnClassifier(estimator="rule").fit(training.features, training.churned, groups=training.customer_id)
    pair: Any = None
    return LoadedModels(pair, churn, None, training.frame.plan, training.definition, {}, MODEL)


@pytest.fixture(scope="module")
def project() -> Project:
    churn = {"horizon_days": 30, "active_within_days": 120}
    config = {"name": "shop", "data": {"tables": {}}, "churn": churn, "snapshots": {"min_history_days": 60}}
    return Project(config, tables={"purchases": log()}, today=AS_OF.date())


@pytest.fixture(scope="module")
def models(project: Project) -> LoadedModels:
    return models_of(project)


def scores_of(project: Project, models: LoadedModels) -> pd.DataFrame:
    return score_everyone(project.store, models, day_of(AS_OF), Pauses(()))[0].set_index("customer_id")


def test_every_eligible_customer_has_the_model_s_days(project: Project, models: LoadedModels) -> None:
    scores, rows = scores_of(project, models), log()
    by = rows.groupby("customer_id")["occurred_at"]
    repeats, age = by.size() - 1.0, (AS_OF - by.min()).dt.days.astype(float)
    usual = by.agg(lambda days: days.sort_values().diff().dt.days.tail(12).median())
    recency = (by.max() - by.min()).dt.days.astype(float)
    pasts = PurchasePasts(*(column[scores.index].to_numpy() for column in (repeats, recency, age, usual)))
    assert is_overdue(pasts).any()
    wanted = MODEL.days(pasts)
    assert len(scores) == 60
    found = np.column_stack([(scores[name] - AS_OF).dt.days for name in DATES])
    np.testing.assert_array_equal(found, wanted)
    assert (scores[DATES] >= AS_OF).all(axis=None)
    # Who bought once has a day, too, and a wide interval.
    assert (repeats["007"], *found[scores.index.get_loc("007")]) == (0, 6, 55, 234)


class Wrong:
    """A model that gives everybody the same."""

    def __init__(self, p: float) -> None:
        self.p = p

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        return np.full((len(features), 2), self.p)


@pytest.mark.parametrize("p", [np.nan, -0.1, 1.1])
def test_probabilities_that_are_none_end_at_their_gate(project: Project, models: LoadedModels, p: float) -> None:
    wrong: Any = Wrong(p)
    with pytest.raises(ResultError, match=r"^Gate probabilities: 60 of 60 .* Train again\. It cannot be accepted\.$"):
        scores_of(project, replace(models, churn=wrong))


def test_an_older_model_has_no_days(project: Project, models: LoadedModels) -> None:
    scores = scores_of(project, replace(models, next_purchase=None))
    assert scores[DATES].isna().all(axis=None)
    assert {str(kind) for kind in scores[DATES].dtypes} == {"datetime64[s]"}


def test_later_rows_change_no_day(models: LoadedModels, project: Project) -> None:
    later = pd.DataFrame({"customer_id": ["001"], "occurred_at": [AS_OF], "amount": [5.0]})
    tables = {"purchases": pd.concat([log(), later])}
    other = Project(project.config, tables=tables, today=date_of(day_of(AS_OF) + 1))
    pd.testing.assert_frame_equal(scores_of(other, models), scores_of(project, models))


def test_value_has_the_interval_of_the_probability_that_is_published(project: Project, models: LoadedModels) -> None:
    training = project.training_set("2025-09-01")
    value = np.nan_to_num(training.worth)
    cltv = CltvRegressor("tweedie", {"n_estimators": 5}, 30, 30)
    cltv.fit(training.features, value, churned=training.y, as_of=training.frame.as_of)
    scores = scores_of(project, replace(models, cltv=cltv))
    frame = project.features([AS_OF.date().isoformat()]).set_index("customer_id").loc[scores.index]
    low, high = cltv.interval(frame[training.features.columns], scores["churn_probability"], 0.8, day_of(AS_OF)).T
    np.testing.assert_array_equal(scores["cltv_low"], low)
    np.testing.assert_array_equal(scores["cltv_high"], high)
    assert (low < high).any()


def test_where_no_fold_was_possible_there_is_no_interval(project: Project, models: LoadedModels) -> None:
    training = project.training_set("2025-09-01")
    cltv = CltvRegressor("tweedie", horizon_days=30, churn_days=30).fit(training.features[:3], np.ones(3))
    assert cltv.intervals_ is None
    for model in (cltv, None):
        scores = scores_of(project, replace(models, cltv=model))
        assert scores[["cltv_low", "cltv_high"]].isna().all(axis=None)
        assert scores["cltv"].notna().all() == (model is not None)


def test_the_season_of_the_day_that_is_scored_moves_the_level_and_not_the_order(
    project: Project, models: LoadedModels
) -> None:
    day = day_of(AS_OF)
    in_season, over = (SeasonAnchor(((day - back, 1.0),), 30, 0.5) for back in (364, 500))
    plain, moved, later = (
        scores_of(project, replace(models, season=season))["churn_probability"] for season in (None, in_season, over)
    )
    np.testing.assert_allclose(np.log(moved / (1 - moved)), np.log(plain / (1 - plain)) + 0.5)
    pd.testing.assert_series_equal(later, plain)


def test_a_model_of_no_use_any_more_keeps_no_list_back(project: Project, models: LoadedModels) -> None:
    usable = replace(models, contract={"cltv_horizon_days": None, "margin": 1.0})
    listed = would_list(project.store, project.config, usable, day_of(AS_OF), [])
    assert listed is not None
    assert len(listed)
    # By this definition nobody is eligible on the day.
    of_no_use = replace(usable, definition=Definition("inactivity", 30, 0, 1))
    tomorrow = day_of(AS_OF) + 40
    assert would_list(project.store, project.config, of_no_use, tomorrow, []) is None
