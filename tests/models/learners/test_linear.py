from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from kizuna.models.learners.linear import LinearModel, fit_linear, purchase_positions


def expit(x):
    return 1 / (1 + np.exp(-x))


def test_purchase_columns_are_found_by_name():
    names = [
        *["days_since_order", "orders", "orders_30d", "orders_change_90d", "revenue_365d", "revenue_change_30d"],
        *["tenure_days", "usual_gap_days", "gap_cv", "overdue_ratio", "is_one_time", "order_value"],
        *["complaints_30d", "returns_30d", "tenure", "orders_old", "nps_last", "categories"],
    ]
    assert purchase_positions(names) == list(range(12))


def test_it_is_logistic_regression_on_prepared_columns(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = fit_linear(X, y, [0, 1, 6], [0.03])
    oracle = LogisticRegression(C=0.03, tol=1e-10, max_iter=1000).fit(model.preparation.apply(X), y)
    np.testing.assert_allclose(model.weights, oracle.coef_[0], atol=1e-5)
    np.testing.assert_allclose(model.margin(X), oracle.decision_function(model.preparation.apply(X)), atol=1e-4)


def test_each_penalty_of_a_path_is_the_model_of_that_penalty_alone(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    path = fit_linear(X, y, None, [0.003, 0.3])
    (alone,) = fit_linear(X, y, None, [0.3])
    np.testing.assert_allclose(path[1].margin(X), alone.margin(X), atol=1e-4)
    assert np.abs(path[0].weights).sum() < np.abs(path[1].weights).sum()


def test_contributions_add_up_and_are_zero_on_average_over_training(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = fit_linear(X, y, None, [0.3])
    parts = model.contributions(X)
    assert parts.shape == (len(X), X.shape[1] + 1)
    np.testing.assert_allclose(parts.sum(axis=1), model.margin(X), atol=1e-9)
    np.testing.assert_allclose(parts[:, :-1].mean(axis=0), 0, atol=1e-12)
    assert np.unique(parts[:, -1]).size == 1


def test_a_gap_belongs_to_its_own_column():
    X = np.column_stack([[1.0, 2.0, np.nan, np.nan] * 20, np.zeros(80)])
    y = np.isnan(X[:, 0]).astype(float)
    (model,) = fit_linear(X, y, None, [1.0])
    parts = model.contributions(np.array([[np.nan, 0.0], [1.0, 0.0]]))
    assert parts[0, 0] > 1 > -1 > parts[1, 0]
    assert parts[:, 1].tolist() == [0.0, 0.0]


def test_one_class_says_how_many_were_seen():
    # Nine rows that stayed: (0 + 1/2) / (9 + 1).
    (model,) = fit_linear(np.random.default_rng(0).random((9, 2)), np.zeros(9), None, [0.1])
    np.testing.assert_allclose(expit(model.margin(np.array([[0.0, 1.0], [5.0, np.nan]]))), 0.05)


def test_a_row_does_not_depend_on_the_rows_beside_it(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = fit_linear(X, y, None, [0.3])
    together = model.margin(X[:50])
    assert together.tolist() == [model.margin(X[row : row + 1])[0] for row in range(50)]


def test_json_gives_the_same_bits(shop):
    X, y = shop.X.to_numpy(), shop.churned.astype(float)
    (model,) = fit_linear(X, y, None, [0.03])
    again = LinearModel.from_json(json.loads(json.dumps(model.to_json())))
    assert again.margin(X).tolist() == model.margin(X).tolist()
    assert again.contributions(X).tolist() == model.contributions(X).tolist()


def test_no_rows_give_no_answers(shop):
    (model,) = fit_linear(shop.X.to_numpy(), shop.churned.astype(float))[:1]
    assert model.margin(np.zeros((0, 10))).shape == (0,)
    assert model.contributions(np.zeros((0, 10))).shape == (0, 11)
    with pytest.raises(IndexError):
        model.margin(np.zeros((1, 2)))
