from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.errors import ConfigError
from kizuna.models.learners.linear import LinearModel
from kizuna.models.value.conditional import NOTHING, check_value_estimator, fit_conditional

MACHINE = (7, 1)


def test_few_rows_say_their_mean_returns_included():
    # 10 + 20 + 0 − 6 over four rows.
    model = fit_conditional(np.zeros((4, 1)), np.array([10.0, 20.0, 0.0, -6.0]), "hurdle", {}, MACHINE)
    np.testing.assert_allclose(model.predict(np.ones((2, 1))), [6.0, 6.0])


def test_no_rows_or_no_money_say_nothing():
    for value in (np.zeros(0), np.zeros(30), np.full(30, -5.0), np.array([5.0, -9.0])):
        model = fit_conditional(np.zeros((len(value), 1)), value, "hurdle", {}, MACHINE)
        assert model is NOTHING
        assert model.predict(np.zeros((2, 1))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("estimator", ["hurdle", "tweedie", "sklearn.linear_model.LinearRegression"])
def test_the_total_of_the_training_rows_is_right_and_order_is_learned(estimator):
    draw = np.random.default_rng(0)
    x = draw.uniform(0, 1, 2000)
    value = draw.lognormal(3 + 2 * x, 0.8)
    value[draw.random(2000) < 0.2] = 0
    value[5] = 168_000
    X = np.column_stack([x, draw.normal(size=2000)])
    model = fit_conditional(X, value, estimator, {}, MACHINE)
    predicted = model.predict(X)
    assert predicted.sum() == pytest.approx(value.sum())
    assert predicted.min() >= 0
    assert predicted[x > 0.8].mean() > 3 * predicted[x < 0.2].mean()
    assert predicted.max() < 5_000


def test_the_share_of_positive_values_follows_the_columns():
    draw = np.random.default_rng(1)
    x = draw.uniform(0, 1, 2000)
    value = np.where(draw.random(2000) < x, 100.0, 0.0)
    model = fit_conditional(x[:, None], value, "hurdle", {}, MACHINE)
    assert isinstance(model.share, LinearModel)
    low, high = model.predict(np.array([[0.1], [0.9]]))
    assert low < 30 < 70 < high


def test_the_currency_does_not_matter():
    draw = np.random.default_rng(2)
    X = draw.normal(size=(300, 3))
    value = draw.lognormal(3 + X[:, 0], 0.5)
    for estimator in ("hurdle", "tweedie"):
        euro, yen = (fit_conditional(X, value * rate, estimator, {}, MACHINE).predict(X) for rate in (1, 160))
        np.testing.assert_allclose(yen, euro * 160, rtol=1e-4)


def test_a_lognormal_amount_is_learned_from_logarithms_and_its_total_is_right():
    # Means of the logarithm are 3 and 5; the mean amount is exp(1/2) times their exponentials.
    draw = np.random.default_rng(3)
    x = np.repeat([0.0, 1.0], 2000)
    value = np.where(draw.random(4000) < 0.9, draw.lognormal(3 + 2 * x, 1.0), 0.0)
    params = {"amount": "lognormal", "n_estimators": 200}
    low, high = fit_conditional(x[:, None], value, "hurdle", params, MACHINE).predict(np.array([[0.0], [1.0]]))
    np.testing.assert_allclose([low, high], 0.9 * np.exp([3.5, 5.5]), rtol=0.1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e4, 1e7), min_size=1, max_size=60), st.sampled_from(["hurdle", "tweedie"]))
def test_predictions_are_finite_and_not_negative(values, estimator):
    value = np.array(values)
    X = np.column_stack([np.arange(len(value)), np.full(len(value), np.nan)])
    predicted = fit_conditional(X, value, estimator, {}, MACHINE).predict(X)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0).all()
    assert predicted.sum() == pytest.approx(max(value.sum(), 0), rel=1e-6, abs=1e-6)


def test_a_share_however_sure_is_no_overflow():
    draw = np.random.default_rng(4)
    X = draw.normal(size=(400, 1))
    model = fit_conditional(X, np.where(X[:, 0] > 0, 10.0, 0.0), "hurdle", {}, MACHINE)
    sure = replace(model, share=replace(model.share, weights=model.share.weights * 1e5))
    low, high = sure.predict(np.array([[-5.0], [5.0]]))
    assert (low, high) == (0.0, pytest.approx(model.level * 10, rel=0.05))


def test_unknown_estimators_are_explained():
    with pytest.raises(ConfigError) as error:
        check_value_estimator("hurdel", {}, MACHINE)
    assert str(error.value) == (
        "model.cltv.estimator 'hurdel' is unknown. Did you mean 'hurdle'? Known are auto, hurdle, tweedie, btyd, "
        "or an import path such as sklearn.ensemble.RandomForestRegressor."
    )
    with pytest.raises(ConfigError, match=r"^model.cltv.params asks LightGBM for 'depth'"):
        check_value_estimator("hurdle", {"depth": 3}, MACHINE)
    with pytest.raises(ConfigError) as error:
        check_value_estimator("hurdle", {"amount": "normal"}, MACHINE)
    assert str(error.value) == "model.cltv.params.amount asks for gamma or lognormal; found 'normal'."
    with pytest.raises(ConfigError, match=r"^model.cltv.params asks LightGBM for 'amount'"):
        check_value_estimator("tweedie", {"amount": "gamma"}, MACHINE)
    with pytest.raises(ConfigError) as error:
        check_value_estimator("btyd", {"num_leaves": 3}, MACHINE)
    assert str(error.value) == "model.cltv.params has num_leaves; btyd has nothing to set. Leave params out."
    with pytest.raises(ConfigError, match=r"^model.cltv.estimator asks for a regressor; sklearn.svm.SVC is none."):
        check_value_estimator("sklearn.svm.SVC", {}, MACHINE)
