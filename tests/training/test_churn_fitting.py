import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sklearn.naive_bayes import GaussianNB

from kizuna.config_file import parse_config
from kizuna.evaluation.assessment import ChurnRows
from kizuna.evaluation.baselines.scores import ranking_only
from kizuna.evaluation.folds import FoldPlan, make_folds
from kizuna.evaluation.gate.level import SeasonLevel
from kizuna.evaluation.measures.intervals import Interval
from kizuna.features.frame import Frame
from kizuna.features.plan import Column, FeaturePlan
from kizuna.timeline import LabelWindow
from kizuna.tracking.registry import ModelPair, ModelVersion
from kizuna.training.churn_fitting import BesideTraining, Known, _has_signal, classifier, fit_churn

UNSEEN = SeasonLevel(True, float("nan"), 0, "nothing was tested")


def a_config(estimator="auto"):
    tables = {"purchases": {"path": "orders.csv"}}
    return parse_config({"name": "shop", "data": {"tables": tables}, "model": {"churn": {"estimator": estimator}}})


def a_shop(customers=320, seed=1, base=-2.4):
    """Rows of one day of customers whose silence tells who leaves and whose orders do not."""
    generator = np.random.default_rng(seed)
    silence = generator.exponential(50, customers).round() + 1
    log_odds = base + 2.5 * (np.log(silence) - 3.4)
    churned = (generator.random(customers) < 1 / (1 + np.exp(-log_odds))).astype(float)
    orders = generator.poisson(2, customers) + 1.0
    tenure = generator.integers(200, 400, customers).astype(float)
    features = pd.DataFrame(
        {"days_since_order": silence, "orders": orders, "tenure_days": tenure, "revenue": orders * 10}
    )
    customer = np.arange(customers, dtype=np.int32)
    as_of = np.zeros(customers, dtype=np.int32)
    folds = make_folds(as_of, customer, churned, FoldPlan(LabelWindow(90), 3, 7, dated=False))
    return ChurnRows(features, churned, customer, folds), as_of, 1 / (1 + np.exp(-log_odds))


def known(as_of, season=UNSEEN, beside=None, **baselines):
    return Known(baselines, as_of, 0, season, beside or BesideTraining())


def checks(decision):
    return {check.name: check.status for check in decision.checks}


def test_too_few_churners_for_a_ladder_and_a_rule_that_is_behind():
    rows, as_of, _ = a_shop(base=-3.4)
    assert 15 < rows.churned.sum() < 50
    silence = rows.features["days_since_order"].to_numpy()
    model, assessment, decision = fit_churn(a_config(), rows, known(as_of, recency_rule=silence), {})
    assert model.estimator_name_ == "logistic"
    assert model.why_.startswith(
        "auto took logistic instead of rule, which was behind a rule or failed the gate. logistic was tried;"
    )
    assert decision.passed
    assert assessment.metrics["auc"] > assessment.baselines["recency_rule"]["auc"] - 0.003
    asked, _, refused = fit_churn(a_config("rule"), rows, known(as_of, recency_rule=silence), {})
    assert asked.estimator_name_ == "rule"
    assert not refused.passed


def test_where_no_rung_reaches_a_baseline_the_first_is_returned_refused():
    rows, as_of, _ = a_shop(base=-3.4)
    model, _, decision = fit_churn(a_config(), rows, known(as_of, oracle=rows.churned), {})
    assert model.estimator_name_ == "rule"
    assert checks(decision)["baseline"] == "fail"
    assert decision.grade == "D"


def test_the_level_is_raised_in_the_evidence_and_never_in_the_model():
    rows, as_of, truth = a_shop(base=-1.0)
    as_of = as_of + 400
    raised = SeasonLevel(False, 0.02, 9, "in a test", past={400: 0.5})
    plain, before, _ = fit_churn(a_config("logistic"), rows, known(as_of, truth=truth), {})
    model, after, decision = fit_churn(a_config("logistic"), rows, known(as_of, raised, truth=truth), {})

    def odds(p):
        return np.log(p / (1 - p))

    np.testing.assert_allclose(odds(after.scores["kizuna"]), odds(before.scores["kizuna"]) + 0.5)
    said = [one.predict_proba(rows.features)[:, 1].tolist() for one in (model, plain)]
    assert said[0] == said[1]
    assert decision.text.endswith("Season seen: the level is anchored at the same weeks of earlier years (in a test).")


def test_a_rule_that_only_ranks_here_has_no_level():
    rows, as_of, truth = a_shop(base=-1.0)
    contracts = replace(rows, ranking_only=ranking_only("cancellation"))
    found = [
        fit_churn(a_config("logistic"), one, known(as_of, bgnbd=np.clip(truth * 0.5, 0, 1), rfm_logistic=truth), {})[1]
        for one in (rows, contracts)
    ]
    assert [set(one.evidence.baseline_levels) for one in found] == [{"bgnbd", "rfm_logistic"}, {"rfm_logistic"}]
    assert "log_loss" in found[0].baselines["bgnbd"]
    assert "log_loss" not in found[1].baselines["bgnbd"]


class Counted(GaussianNB):
    """Somebody's estimator that remembers how often it was fitted."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counted.fits += 1
        return super().fit(X, y, sample_weight)


def test_the_champions_recipe_is_refitted_once_however_many_steps_are_taken():
    rows, as_of, _ = a_shop(base=-3.4)
    recipe = {"estimator": "tests.training.test_churn_fitting.Counted", "params": {}}
    tags = {"recipe": json.dumps(recipe)}
    champion = ModelPair(ModelVersion("shop-churn", "3", "run", datetime(2025, 1, 1, tzinfo=UTC), (), tags), None)
    Counted.fits = 0
    classifier(a_config(), **recipe).out_of_fold(rows.features, rows.churned, rows.folds.splits, rows.customer)
    once, Counted.fits = Counted.fits, 0
    beside = known(as_of, beside=BesideTraining(champion=champion), oracle=rows.churned)
    _, assessment, _ = fit_churn(a_config(), rows, beside, {})
    assert Counted.fits == once > 0
    assert assessment.evidence.ahead_of_champion is not None


def test_the_champions_recipe_and_todays_customers_are_measured_too():
    rows, as_of, truth = a_shop(base=-1.0)
    tags = {"recipe": json.dumps({"estimator": "rule", "params": {}})}
    version = ModelVersion("shop-churn", "3", "run", datetime(2025, 1, 1, tzinfo=UTC), (), tags)
    columns = tuple(Column(name, "purchases", "RECENCY", "days") for name in rows.features)
    plan = FeaturePlan((90,), ("purchases",), columns)
    values = rows.features.to_numpy()[:120].copy()
    values[:, 3] = np.nan
    ids = np.array([f"c{number:04d}" for number in range(120)], dtype=object)
    today = Frame(np.arange(120, dtype=np.int32), np.zeros(120, dtype=np.int32), values, plan, ids)
    beside = BesideTraining(champion=ModelPair(version, None), population=today)
    _, assessment, decision = fit_churn(a_config("logistic"), rows, known(as_of, beside=beside, truth=truth), {})
    assert assessment.evidence.ahead_of_champion.low > 0
    assert checks(decision)["champion"] == "pass"
    assert assessment.evidence.population.missing == ("revenue",)
    assert checks(decision)["population"] == "warn"
    assert decision.passed
    assert set(assessment.segments["segment"]) == {"several orders"}


def test_a_signal_that_one_of_several_tries_may_show_by_chance_is_none():
    rows, as_of, _ = a_shop()
    silence = rows.features["days_since_order"].to_numpy()
    _, assessment, _ = fit_churn(a_config(), rows, known(as_of, recency_rule=silence), {})
    for low, surely in ((0.51, False), (0.53, True)):
        evidence = replace(assessment.evidence, auc=Interval(0.60, low, 0.69))
        assert _has_signal(replace(assessment, evidence=evidence)) == surely
