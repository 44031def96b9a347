"""The value model's fit: folds whose every label has ended, and the churn model's own probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from kizuna.evaluation.gate.level import SeasonLevel
from kizuna.labels.training_set import TrainingSet
from kizuna.models import ChurnClassifier
from kizuna.models.churn.season_anchor import SeasonAnchor
from kizuna.project import Project
from kizuna.training.churn_fitting import BesideTraining, Known, classifier
from kizuna.training.fitting import (
    _consecutive,
    _values_out_of_fold,
    fit_models,
    fit_value,
    make_value_folds,
    undated_attributes,
)

UNSEEN = SeasonLevel(True, float("nan"), 0, "nothing was tested")


def project(value_days: int, churn_days: int) -> Project:
    """Customers who come every so many days, some of whom stop."""
    rows, draw = [], np.random.default_rng(4)
    for number in range(150):
        gap, stop = 12 + 6 * (number % 9), pd.Timestamp("2024-09-01") + pd.Timedelta(days=int(draw.integers(0, 600)))
        days = pd.date_range("2024-06-01", min(stop, pd.Timestamp("2025-09-30")), freq=f"{gap}D")
        rows += [{"customer_id": f"{number:03d}", "occurred_at": day, "amount": 5.0 + number % 7} for day in days]
    config: dict[str, Any] = {
        "name": "shop",
        "data": {"tables": {}},
        "churn": {"horizon_days": churn_days, "active_within_days": 120},
        "cltv": {"horizon_days": value_days},
        "snapshots": {"min_history_days": 60},
        "model": {"cltv": {"params": {"n_estimators": 5}}},
    }
    return Project(config, tables={"purchases": pd.DataFrame(rows)}, today=pd.Timestamp("2025-10-01").date())


def anchored_on(days: NDArray[np.int32]) -> SeasonLevel:
    """A season that has earned to move every one of these days."""
    return replace(UNSEEN, past={int(day): 0.4 for day in days})


def fitted(shop: Project, training: TrainingSet, season: SeasonLevel = UNSEEN) -> tuple[Any, Any, ChurnClassifier]:
    churn = classifier(shop.config, "rfm", {}).fit(training.features, training.y, groups=training.customer_ids)
    beside = Known({}, training.frame.as_of, 0, season, BesideTraining())
    model, value, _ = fit_value(shop.config, training, churn, beside)
    return model, value, churn


@pytest.mark.parametrize(("value_days", "churn_days"), [(30, 90), (90, 30)])
def test_no_training_label_of_either_kind_ends_after_the_test_begins(value_days: int, churn_days: int) -> None:
    shop = project(value_days, churn_days)
    training = shop.training_set("2025-10-01")
    known = np.flatnonzero(~np.isnan(training.worth))
    folds, as_of = make_value_folds(shop.config, training, known), training.frame.as_of[known]
    assert folds.evaluation == "out_of_time"
    for split in folds.splits:
        (day,) = np.unique(as_of[split.test])
        assert as_of[split.train].max() + 90 <= day
        assert all(as_of[folds.splits[other].test].max() + 90 <= day for other in split.calibrated_by)


def test_what_is_measured_is_what_the_churn_model_says_with_the_level_of_the_season() -> None:
    shop = project(90, 30)
    training = shop.training_set("2025-10-01")
    known = slice(0, int((~np.isnan(training.worth)).sum()))
    folds = make_value_folds(shop.config, training, known)
    days = training.frame.as_of[known]
    season = anchored_on(np.unique(days))
    model, value, churn = fitted(shop, training, season)
    stage = classifier(shop.config, churn.estimator_name_, churn.params or {})
    plain = stage.out_of_fold(training.features[known], training.y[known], folds.splits, training.customer_ids[known])
    tested = folds.test_rows
    p = season.anchored(plain[tested], days[tested])
    assert (p > plain[tested]).all()
    kept, lost = model.oof_conditional_[tested].T
    assert value.predicted.tolist() == ((1 - p) * kept + p * lost).tolist()
    other = fitted(shop, training)[0]
    assert other.intervals_.to_json() != model.intervals_.to_json()


def test_the_value_of_a_day_does_not_tell_again_what_the_season_tells_of_churn() -> None:
    shop = project(90, 90)
    training = shop.training_set("2025-10-01")
    days = sorted({int(day) for day in training.frame.as_of})
    # A day on which many had stayed needed fewer churned: its money is told by the churn model, and by the level no more.
    needed = SeasonAnchor(((days[1], -1.0),), 90, 0.5)
    (plain, _, _), (told, _, _) = (
        fitted(shop, training, replace(UNSEEN, served=one)) for one in (SeasonAnchor(), needed)
    )
    lower = [
        day
        for day, a, b in zip(plain.pair_.level.days, plain.pair_.level.logs, told.pair_.level.logs, strict=True)
        if b < a
    ]
    assert lower == [days[1]]


def test_a_value_tested_on_the_same_days_ranks_the_past_lists() -> None:
    shop = project(90, 30)
    training = shop.training_set("2025-10-01")
    model, value, _ = fitted(shop, training)
    found = _values_out_of_fold(training, model, value, "out_of_time")
    assert found is not None
    known = slice(0, int((~np.isnan(training.worth)).sum()))
    tested = make_value_folds(shop.config, training, known).test_rows
    assert np.isfinite(found[tested]).all()
    assert np.isnan(found[known.stop :]).all()
    # By customer it would have seen the days that a churn model's test has not.
    assert _values_out_of_fold(training, model, value, "in_time") is None
    assert _values_out_of_fold(training, None, None, "out_of_time") is None


def test_folds_by_customer_have_seen_the_season_and_are_not_moved() -> None:
    shop = project(300, 30)
    training = shop.training_set("2025-10-01")
    season = anchored_on(np.unique(training.frame.as_of))
    (_, moved, _), (_, plain, _) = (fitted(shop, training, one) for one in (season, UNSEEN))
    assert plain.evaluation == "in_time"
    assert moved.predicted.tolist() == plain.predicted.tolist()


def test_buy_till_you_die_knows_whether_churn_is_silence() -> None:
    shop = project(90, 30)
    training = shop.training_set("2025-10-01")
    contracts = replace(training, definition=replace(training.definition, kind="cancellation"))
    assert [fitted(shop, one)[0].churn_is_silence for one in (training, contracts)] == [True, False]


def test_rows_that_follow_each_other_are_not_copied() -> None:
    assert _consecutive(np.array([3, 4, 5])) == slice(3, 6)
    assert _consecutive(np.array([3, 5])).tolist() == [3, 5]
    assert _consecutive(np.array([], dtype=np.intp)).tolist() == []
    training = project(90, 30).training_set("2025-10-01")
    known = _consecutive(np.flatnonzero(~np.isnan(training.worth)))
    assert isinstance(known, slice)
    assert known.stop < len(training.worth)
    some = training.features.iloc[known].reset_index(drop=True)
    assert np.shares_memory(some.to_numpy(), training.features.to_numpy())


def test_a_status_written_over_by_the_present_is_left_out_and_a_market_is_kept() -> None:
    shop = project(90, 30)
    purchases = shop.tables["purchases"]
    last = purchases.groupby("customer_id")["occurred_at"].max()
    silent = pd.Timestamp("2025-10-01") - last > pd.Timedelta(days=30)
    status = np.where(silent, "closed", "open")
    market = np.where(np.arange(len(last)) % 2, "north", "south")
    customers = pd.DataFrame({"customer_id": last.index, "status": status, "market": market})
    config = shop.config.document | {"model": {"churn": {"estimator": "rfm"}, "cltv": {"estimator": "tweedie"}}}
    config["data"] = {"tables": {"customers": {"attributes": ["status"]}}}
    whole = Project(config, {"purchases": purchases, "customers": customers}, today=pd.Timestamp("2025-10-01").date())
    training = whole.training_set("2025-10-01")
    assert {"status=closed", "status=open", "market=north"} <= set(training.features)
    undated = undated_attributes(whole.opened, training)
    found = fit_models(whole.config, training, BesideTraining(undated=undated), lambda line: None)
    assert [warning.features for warning in found.warnings if warning.kind == "overwritten"] == [
        ("status=closed", "status=open")
    ]
    assert found.findings == ()
    left = set(found.churn.feature_names_in_)
    assert left == set(found.training.features) == set(training.features) - {"status=closed", "status=open"}
    assert "status=open: today's value, written after the churn" in found.training.frame.plan.left_out
