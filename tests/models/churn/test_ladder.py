from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from kizuna.errors import ConfigError
from kizuna.models.churn.ladder import Rung, auc, build_ladder, log_loss, try_rungs
from kizuna.models.churn.task import Task, TaughtRows
from kizuna.models.learners.splits import Split, stratified_splits

TASK = Task(("days_since_order", "orders", "tenure_days", "complaints"), 1000, 300, 90, 7, 1)
NAMELESS = Task((), 1000, 300, 90, 7, 1)


def names(estimator, params=None, task=TASK):
    return [rung.name for rung in build_ladder(estimator, params, task)]


def test_auto_climbs_from_the_rule_to_the_trees():
    assert names("auto") == ["rule", "btyd", "logistic", "lightgbm"]
    assert names("auto", task=NAMELESS) == ["logistic", "lightgbm"]
    assert names("blend") == ["btyd", "logistic", "lightgbm"]
    with_money = replace(TASK, names=("days_since_order", "orders", "revenue", "tenure_days", "complaints"))
    assert names("auto", task=with_money) == ["rule", "btyd", "rfm", "rfm_btyd", "logistic", "lightgbm"]
    assert names("blend", task=with_money) == ["btyd", "rfm", "rfm_btyd", "logistic", "lightgbm"]
    assert names("blend", task=NAMELESS) == ["logistic", "lightgbm"]
    assert names("sklearn.naive_bayes.GaussianNB") == ["sklearn.naive_bayes.GaussianNB"]


def test_logistic_tries_the_purchase_columns_first_and_all_columns_where_there_are_no_others():
    (rung,) = build_ladder("logistic", None, TASK)
    assert [(s["columns"], s["C"]) for s in rung.settings] == [
        *[("purchases", 0.003), ("purchases", 0.03), ("purchases", 0.3)],
        *[("all", 0.003), ("all", 0.03), ("all", 0.3)],
    ]
    (rung,) = build_ladder("logistic", {"C": 2}, NAMELESS)
    assert rung.settings == ({"columns": "all", "C": 2.0},)


def test_the_logistic_tries_recency_frequency_and_money_first():
    task = replace(TASK, names=("days_since_order", "orders", "revenue", "orders_30d", "complaints"))
    (rung,) = build_ladder("logistic", {"C": 0.03}, task)
    assert [setting["columns"] for setting in rung.settings] == ["rfm", "purchases", "all"]
    (rung,) = build_ladder("logistic", {"C": 0.03}, replace(task, rows=2_000_000))
    assert [setting["columns"] for setting in rung.settings] == ["rfm", "purchases"]


def test_the_logistic_on_purchases_looks_at_nothing_else(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    task = Task(tuple(shop.X.columns), len(y), 100, 90, 7, 1)
    (rung,) = build_ladder("logistic", {"columns": "purchases", "C": 0.3}, task)
    (model,) = rung.fit(TaughtRows(X, y, task), rung.settings)
    used = np.abs(model.contributions(X)[:, :-1]).max(axis=0) > 0
    assert list(np.array(shop.X.columns)[used]) == [
        *["days_since_order", "orders", "revenue", "tenure_days", "orders_30d", "usual_gap_days"]
    ]


def test_given_parameters_leave_one_setting():
    (rung,) = build_ladder("lightgbm", {"n_estimators": 12, "num_leaves": 3}, TASK)
    (setting,) = rung.settings
    assert (setting["n_estimators"], setting["num_leaves"]) == (12, 3)


def test_parameters_by_name_of_the_model_reach_that_model_only():
    params = {"lightgbm": {"n_estimators": 12}, "logistic": {"C": 5}}
    ladder = {rung.name: rung.settings for rung in build_ladder("auto", params, TASK)}
    assert [s["C"] for s in ladder["logistic"]] == [5.0, 5.0]
    assert [s["n_estimators"] for s in ladder["lightgbm"]] == [12]
    (alone,) = build_ladder("lightgbm", params, TASK)
    assert alone.settings == ladder["lightgbm"]


@pytest.mark.parametrize(
    ("estimator", "params", "task", "text"),
    [
        (
            "lightgmb",
            {},
            TASK,
            "model.churn.estimator 'lightgmb' is unknown. Did you mean 'lightgbm'? Known are auto, rule, btyd, "
            "rfm, rfm_btyd, logistic, lightgbm, blend, or an import path such as sklearn.ensemble.RandomForestClassifier.",
        ),
        (
            "auto",
            {"num_leaves": 5},
            TASK,
            "model.churn.params asks for 'num_leaves' while the estimator is auto. With auto, write the parameters "
            "under the name of their model: rule, btyd, rfm, rfm_btyd, logistic, lightgbm.",
        ),
        (
            "rule",
            {},
            NAMELESS,
            "model.churn.estimator 'rule' needs the columns orders and tenure_days; found 0 named columns without "
            "them. Configure purchases, or choose logistic.",
        ),
        (
            "rfm",
            {},
            TASK,
            "model.churn.estimator 'rfm' needs the columns days_since_order, orders, revenue; found 4 named columns "
            "without all of them. Configure purchases, or choose logistic.",
        ),
        (
            "rfm_btyd",
            {},
            NAMELESS,
            "model.churn.estimator 'rfm_btyd' needs the columns days_since_order, orders, revenue, tenure_days; found 0 named "
            "columns without all of them. Configure purchases, or choose logistic.",
        ),
        (
            "rfm",
            {"columns": "all"},
            replace(TASK, names=("days_since_order", "orders", "revenue")),
            "model.churn.params: rfm takes C alone; found columns.",
        ),
        ("rule", {"C": 1}, TASK, "model.churn.params: the rule takes no parameters; found C."),
        (
            "logistic",
            {"c": 1},
            TASK,
            "model.churn.params asks logistic for 'c'. "
            "Parameters are C (inverse strength of the penalty) and columns (recency, rfm, purchases or all).",
        ),
        ("logistic", {"C": 0}, TASK, "model.churn.params.C asks for a number above 0; found 0."),
        (
            "logistic",
            {"columns": "x"},
            TASK,
            "model.churn.params.columns asks for recency, rfm, purchases or all; found 'x'.",
        ),
    ],
)
def test_what_is_unknown_is_explained(estimator, params, task, text):
    with pytest.raises(ConfigError) as error:
        build_ladder(estimator, params, task)
    assert str(error.value) == text


class Said:
    """A model that says one log odds, whatever it sees."""

    def __init__(self, log_odds):
        self.log_odds = log_odds

    def margin(self, X):
        return np.full(len(X), self.log_odds)


def test_the_setting_with_the_lowest_log_loss_wins_and_of_equal_ones_the_first():
    X, y = np.zeros((20, 1)), (np.arange(20) < 5).astype(float)
    right = float(np.log(5 / 15))
    settings = ({"say": 0.0}, {"say": right + 0.01}, {"say": right}, {"say": 3.0})
    rung = Rung("said", settings, lambda rows, chosen: [Said(s["say"]) for s in chosen])
    (trial,) = try_rungs([rung], X, y, stratified_splits(y), TASK)
    assert trial.setting == {"say": right + 0.01}
    assert trial.auc == 0.5
    assert trial.log_loss == pytest.approx(sklearn_log_loss(y, np.full(20, 0.25)), abs=1e-3)


def test_a_test_of_one_class_has_no_auc_and_without_splits_nothing_is_measured():
    X, y = np.zeros((6, 1)), np.array([0.0, 0, 0, 1, 1, 1])
    rung = Rung("said", ({"say": 0.0},), lambda rows, chosen: [Said(0.0)])
    (trial,) = try_rungs([rung], X, y, [Split(np.array([0, 3]), np.array([1, 2]))], TASK)
    assert np.isnan(trial.auc)
    assert trial.log_loss == pytest.approx(np.log(2))
    (unmeasured,) = try_rungs([rung], X, y, [], TASK)
    assert np.isnan([unmeasured.auc, unmeasured.log_loss]).all()
    assert unmeasured.margins == ()


def test_auc_shares_ties():
    assert auc(np.array([0.0, 1, 1, 0]), np.array([1.0, 1, 2, 2])) == 0.5
    assert auc(np.ones(3), np.arange(3.0)) is None


def test_log_loss_by_hand():
    # p = 1/2 for everybody.
    assert log_loss(np.array([0.0, 1.0]), np.zeros(2)) == pytest.approx(np.log(2))
