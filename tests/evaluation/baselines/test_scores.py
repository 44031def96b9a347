from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from kizuna.evaluation.baselines.history_rules import expected_money, probability_of_silence
from kizuna.evaluation.baselines.scores import (
    churn_baselines,
    mean_spend,
    money_rankings,
    ranking_only,
    value_baselines,
)
from kizuna.models.learners.splits import Split

SPLIT = Split(np.array([0, 1, 2, 3, 4, 5]), np.array([6, 7, 8]))
Y = np.array([0.0, 1, 0, 1, 0, 1, 0, 1, 1])


@pytest.fixture
def purchases():
    return pd.DataFrame(
        {
            "days_since_order": [3.0, 50, 7, 90, 20, 30, 12, 80, np.nan],
            "orders": [9.0, 1, 4, 1, 2, 3, 5, 2, 0],
            "revenue": [900.0, 20, 300, 15, -30, 90, 200, 60, 0],
            "tenure_days": [400.0, 60, 200, 90, 100, 150, 110, 20, np.nan],
        }
    )


def test_rules_by_hand(purchases):
    scores = churn_baselines(purchases, Y, [SPLIT], horizon_days=30)
    assert list(scores) == ["recency_rule", "rate_rule", "rfm_logistic"]
    # Who never ordered is silent one day longer than anybody known.
    np.testing.assert_array_equal(scores["recency_rule"], [np.nan] * 6 + [12, 80, 91])
    expected = [np.exp(-30 * 5.5 / 200), np.exp(-30 * 2.5 / 110), np.exp(-30 * 0.5 / 90)]
    np.testing.assert_allclose(scores["rate_rule"][6:], expected)
    assert np.isnan(scores["rate_rule"][:6]).all()


def test_rfm_logistic_is_logistic_regression_on_three_logarithms(purchases):
    scores = churn_baselines(purchases, Y, [SPLIT])
    filled = purchases.fillna({"days_since_order": np.expm1(np.log1p([3, 50, 7, 90, 20, 30]).mean())})
    logs = np.log1p(filled[["days_since_order", "orders", "revenue"]].clip(lower=0).to_numpy())
    # The gap takes the training median of the logarithm.
    logs[8, 0] = np.median(logs[:6, 0])
    scaler = StandardScaler().fit(logs[:6])
    oracle = LogisticRegression().fit(scaler.transform(logs[:6]), Y[:6])
    np.testing.assert_allclose(scores["rfm_logistic"][6:], oracle.predict_proba(scaler.transform(logs[6:]))[:, 1])


def test_outcomes_of_the_test_are_not_looked_at(purchases):
    flipped = np.where(np.arange(9) >= 6, 1 - Y, Y)
    for X in (purchases, purchases.drop(columns="orders")):
        before, after = churn_baselines(X, Y, [SPLIT]), churn_baselines(X, flipped, [SPLIT])
        for name in before:
            np.testing.assert_array_equal(before[name], after[name])


def test_without_purchases_the_base_rate_and_a_logistic_on_everything():
    X = pd.DataFrame({"age": [20.0, 60, 25, 61, 22, 70, 30, 65, np.nan], "empty": np.nan, "constant": 1.0})
    scores = churn_baselines(X, Y, [SPLIT])
    assert list(scores) == ["base_rate", "logistic_all"]
    assert scores["base_rate"][6:].tolist() == [0.5, 0.5, 0.5]
    assert scores["logistic_all"][6] < 0.5 < scores["logistic_all"][7]


def test_a_training_part_of_one_class_says_a_constant(purchases):
    scores = churn_baselines(purchases, np.zeros(9), [SPLIT])
    np.testing.assert_allclose(scores["rfm_logistic"][6:], 0.5 / 7)


def test_columns_without_anything_say_the_base_rate():
    scores = churn_baselines(pd.DataFrame({"empty": [np.nan] * 9}), Y, [SPLIT])
    np.testing.assert_allclose(scores["logistic_all"][6:], 0.5)


def test_names_that_only_rank_are_told(purchases):
    scores = churn_baselines(purchases, Y, [SPLIT])
    assert ranking_only("inactivity") == ("recency_rule",)
    # That a customer buys nothing does not say that the contract ends.
    assert ranking_only("cancellation") == ranking_only("provided") == ("recency_rule", "rate_rule", "bgnbd")
    for name in set(scores) - set(ranking_only("inactivity")):
        assert ((scores[name][6:] >= 0) & (scores[name][6:] <= 1)).all()


def test_mean_spend_by_hand(purchases):
    # 900 in 400 days; a loss counts as nothing; 60 in 20 days counts as 30 days.
    expected = np.array([900 / 400 * 90, 0, 60 / 30 * 90, 0])
    np.testing.assert_allclose(mean_spend(purchases, 90)[[0, 4, 7, 8]], expected)
    np.testing.assert_allclose(mean_spend(purchases, 90, margin=0.3)[[0, 4, 7, 8]], 0.3 * expected)


def test_bgnbd_learns_from_the_newest_day_of_the_training_part_alone(purchases):
    as_of = np.array([1, 1, 1, 2, 2, 2, 9, 9, 9], dtype=np.int32)
    scores = churn_baselines(purchases, Y, [SPLIT], 30, as_of)
    assert list(scores) == ["recency_rule", "rate_rule", "rfm_logistic", "bgnbd"]
    newest = purchases.iloc[[3, 4, 5]]
    told = probability_of_silence(newest, purchases.iloc[[6, 7, 8]], 30, 0.5)
    np.testing.assert_array_equal(scores["bgnbd"], [*[np.nan] * 6, *told])
    # Who never ordered has no history: the training part's share of churned.
    assert told[2] == 0.5


def test_values_by_three_rules_with_the_margin(purchases):
    as_of = np.array([1, 1, 1, 2, 2, 2, 9, 9, 9], dtype=np.int32)
    frame = purchases.assign(orders_365d=purchases["orders"], revenue_365d=purchases["revenue"])
    whole = value_baselines(frame, [SPLIT], as_of, 90)
    assert list(whole) == ["mean_spend", "formula", "btyd_rule"]
    third = value_baselines(frame, [SPLIT], as_of, 90, margin=0.3)
    for name, values in whole.items():
        assert np.isnan(values[:6]).all()
        np.testing.assert_allclose(third[name][6:], 0.3 * values[6:])
    np.testing.assert_allclose(whole["mean_spend"][6:], mean_spend(frame, 90)[6:])
    np.testing.assert_allclose(whole["formula"][6:], [200 / (110 / 365) * 90 / 365, 60 / (90 / 365) * 90 / 365, 0])
    np.testing.assert_allclose(whole["btyd_rule"][6:], expected_money(frame.iloc[[3, 4, 5]], frame.iloc[[6, 7, 8]], 90))
    assert list(value_baselines(purchases, [SPLIT], as_of, 90)) == ["mean_spend", "btyd_rule"]
    assert value_baselines(purchases[["orders"]], [SPLIT], as_of, 90) == {}


def test_rankings_by_money_stand_where_their_columns_are(purchases):
    risk = {"rfm_logistic": np.linspace(0.1, 0.9, 9), "bgnbd": np.zeros(9)}
    both = money_rankings(purchases, risk)
    np.testing.assert_allclose(both["mean_spend"], mean_spend(purchases, 365))
    np.testing.assert_allclose(both["rfm_logistic_value"], risk["rfm_logistic"] * mean_spend(purchases, 365))
    assert list(money_rankings(purchases, {"base_rate": np.zeros(9)})) == ["mean_spend"]
    for missing in ("revenue", "tenure_days"):
        assert money_rankings(purchases.drop(columns=missing), risk) == {}
