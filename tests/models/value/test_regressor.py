from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kizuna.errors import ConfigError, ModelError
from kizuna.models import CltvRegressor
from kizuna.models.learners.splits import Split
from kizuna.models.value.pair import ChurnForecast

ESTIMATORS = ["auto", "hurdle", "tweedie", "btyd", "sklearn.ensemble.RandomForestRegressor"]


def with_order_value(X):
    return X.assign(order_value=X["revenue"] / X["orders"])


@pytest.fixture(scope="module")
def frame(shop):
    return with_order_value(shop.X)


@pytest.fixture(scope="module")
def model(shop, frame):
    return CltvRegressor().fit(frame, shop.value, churned=shop.churned)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_kept_and_churned_are_told_apart_and_each_total_is_right(estimator, shop, frame):
    both = CltvRegressor(estimator).fit(frame, shop.value, churned=shop.churned).conditional(frame)
    assert both.shape == (800, 2)
    for column, outcome in ((0, 0), (1, 1)):
        rows = shop.churned == outcome
        assert both[rows, column].sum() == pytest.approx(shop.value[rows].sum())
    assert both[:, 0].mean() > 3 * both[:, 1].mean()


def test_expected_value_weighs_both(model, frame):
    kept, lost = model.conditional(frame).T
    p = np.linspace(0, 1, 800)
    np.testing.assert_allclose(model.predict(frame, p), (1 - p) * kept + p * lost)
    assert model.predict(frame, np.zeros(800)).tolist() == kept.tolist()


def test_without_probabilities_its_own_first_stage_stands_in(model, shop, frame):
    predicted = model.predict(frame)
    kept, lost = model.conditional(frame).T
    assert ((np.minimum(kept, lost) <= predicted) & (predicted <= np.maximum(kept, lost))).all()
    assert predicted.sum() == pytest.approx(shop.value.sum(), rel=0.1)


def test_equal_windows_make_the_churned_worth_nothing(shop):
    model = CltvRegressor(horizon_days=90, churn_days=90).fit(shop.X, shop.value, churned=shop.churned)
    assert model.conditional(shop.X)[:, 1].tolist() == [0.0] * 800
    assert model.oof_conditional_[:, 1].tolist() == [0.0] * 800


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_is_finite_and_not_negative_with_fifty_rows(estimator, tiny_shop):
    params = {"n_estimators": 5} if estimator.startswith("sklearn") else None
    X, as_of = with_order_value(tiny_shop.X), np.repeat([20_000, 20_028], 25)
    model = CltvRegressor(estimator, params).fit(X, tiny_shop.value, churned=tiny_shop.churned, as_of=as_of)
    for predicted in (model.conditional(X, 20_364), model.oof_conditional_, model.predict(X), model.interval(X)):
        assert np.isfinite(predicted).all()
        assert (predicted >= 0).all()


def test_nobody_churned(shop):
    model = CltvRegressor().fit(shop.X, shop.value, churned=np.zeros(800))
    assert model.conditional(shop.X)[:, 1].tolist() == [0.0] * 800
    assert np.isfinite(model.oof_conditional_).all()
    assert np.isfinite(model.predict(shop.X)).all()


def test_everybody_churned(shop):
    model = CltvRegressor().fit(shop.X, shop.value, churned=np.ones(800))
    assert model.conditional(shop.X)[:, 0].tolist() == [0.0] * 800


def test_churned_is_read_off_the_value_where_it_is_not_given(shop):
    implied, given = (
        CltvRegressor(params={"n_estimators": 5}).fit(shop.X, shop.value, churned=churned).conditional(shop.X)
        for churned in (None, (shop.value <= 0).astype(int))
    )
    assert implied.tolist() == given.tolist()


def test_out_of_fold_values_never_saw_their_own_row(shop):
    splits = [Split(np.arange(400), np.arange(400, 800))]
    raised = np.where(np.arange(800) >= 400, shop.value * 1000, shop.value)
    first, second = (
        CltvRegressor().fit(shop.X, value, churned=shop.churned, splits=splits).oof_conditional_
        for value in (shop.value, raised)
    )
    assert np.isnan(first[:400]).all()
    assert first[400:].tolist() == second[400:].tolist()


def lives(customers, seed):
    """A shop that buys till it dies: four columns, and what came of them in 90 and 365 days."""
    draw = np.random.default_rng(seed)
    a, b, r, alpha = 0.7, 2.5, 0.8, 8.0
    rate, leaves = draw.gamma(r, 1 / alpha, customers), draw.beta(a, b, customers)
    age, money = draw.uniform(10, 100, customers), draw.gamma(5.0, 8.0, customers)
    now, last, orders = np.zeros(customers), np.zeros(customers), np.ones(customers)
    soon, value = np.zeros(customers), np.zeros(customers)
    alive = draw.random(customers) >= leaves
    while alive.any():
        now += draw.exponential(1 / rate)
        known, ahead = alive & (now < age), alive & (now >= age) & (now < age + 365 / 7)
        orders, last = orders + known, np.where(known, now, last)
        soon += ahead & (now < age + 90 / 7)
        value += ahead * money * draw.gamma(4.0, 0.25, customers)
        alive &= (known | ahead) & (draw.random(customers) >= leaves)
    shown = money * draw.gamma(4 * orders, 0.25 / orders)
    X = pd.DataFrame(
        {
            "orders": orders,
            "tenure_days": 7 * age,
            "days_since_order": 7 * (age - last),
            "order_value": shown,
            "revenue": orders * shown,
        }
    )
    return X, value, (soon == 0).astype(float)


@pytest.mark.parametrize("estimator", ["auto", "btyd"])
def test_new_customers_of_a_shop_that_is_known_are_met(estimator):
    X, value, churned = lives(4000, 1)
    new, later, silent = lives(4000, 2)
    model = CltvRegressor(estimator).fit(X, value, churned=churned)
    kept, lost = model.conditional(new).T
    for said, rows in ((kept, silent == 0), (lost, silent == 1)):
        assert said[rows].sum() == pytest.approx(later[rows].sum(), rel=0.1)
    p = model.pair_.churn_probability(new.to_numpy())
    assert model.predict(new, p).sum() == pytest.approx(later.sum(), rel=0.1)
    for coverage in (0.8, 0.9):
        low, high = model.interval(new, p, coverage).T
        assert ((low <= later) & (later <= high)).mean() == pytest.approx(coverage, abs=0.025)


def test_intervals_hold_the_share_that_was_asked_for(model, shop, frame):
    p = shop.churned * 0.8 + 0.1
    low, high = model.interval(frame, p, 0.8).T
    value = np.maximum(shop.value, 0)
    assert ((low <= value) & (value <= high)).mean() == pytest.approx(0.85, abs=0.1)
    wide = model.interval(frame, coverage=0.95)
    assert (wide[:, 1] >= model.interval(frame, coverage=0.5)[:, 1]).all()
    for coverage in (0, 1, 80):
        with pytest.raises(ValueError, match=r"It is a share between 0 and 1, such as 0\.8\.$"):
            model.interval(frame, p, coverage)


def test_intervals_learn_from_the_probabilities_that_are_given(shop, frame):
    splits = [Split(np.arange(400, 800), np.arange(400)), Split(np.arange(400), np.arange(400, 800))]

    def fitted(p):
        model, told = CltvRegressor("tweedie", {"n_estimators": 10}), None if p is None else ChurnForecast(p)
        return model.fit(frame, shop.value, churned=shop.churned, splits=splits, churn=told)

    blind, sure, own = (fitted(p) for p in (np.full(800, shop.churned.mean()), shop.churned * 0.98 + 0.01, None))
    assert blind.conditional(frame).tolist() == sure.conditional(frame).tolist() == own.conditional(frame).tolist()
    value = np.maximum(shop.value, 0)
    for model, p in ((blind, np.full(800, shop.churned.mean())), (sure, shop.churned * 0.98 + 0.01)):
        low, high = model.interval(frame, p, 0.8).T
        assert ((low <= value) & (value <= high)).mean() == pytest.approx(0.83, abs=0.06)
    stage = np.full(800, np.nan)
    for split in splits:
        rest = CltvRegressor("tweedie", {"n_estimators": 10}).fit(
            frame.iloc[split.train], shop.value[split.train], churned=shop.churned[split.train]
        )
        stage[split.test] = rest.pair_.churn_probability(frame.to_numpy()[split.test])
    assert fitted(stage).intervals_.to_json() == own.intervals_.to_json()


def test_given_probabilities_must_be_known_where_splits_test(shop, frame):
    splits = [Split(np.arange(400), np.arange(400, 800))]
    p = np.where(np.arange(800) < 400, np.nan, 0.5)
    model = CltvRegressor("tweedie", {"n_estimators": 5})
    fit = {"churned": shop.churned, "splits": splits}
    assert model.fit(frame, shop.value, **fit, churn=ChurnForecast(p)).intervals_ is not None
    p[790:] = np.nan
    with pytest.raises(ValueError, match="churn.probability") as error:
        model.fit(frame, shop.value, **fit, churn=ChurnForecast(p))
    assert str(error.value) == (
        "churn.probability asks for a number between 0 and 1 for each row that splits test; 10 of 400 have none. "
        "Pass the out-of-fold probabilities of the same splits."
    )
    with pytest.raises(
        ValueError, match=r"^churn\.probability asks for one number per row of y; found shape \(3,\) for 800"
    ):
        model.fit(frame, shop.value, **fit, churn=ChurnForecast([0.5] * 3))


def test_without_a_fold_there_is_no_interval(shop):
    model = CltvRegressor().fit(shop.X[:3], np.ones(3))
    assert model.conditional(shop.X[:3]).shape == (3, 2)
    with pytest.raises(ModelError) as error:
        model.interval(shop.X[:3])
    assert str(error.value) == (
        "Intervals of value were asked for, but no fold was possible in training. Load more history."
    )


def test_the_level_of_a_day_moves_both_values_and_their_bounds(shop, frame):
    as_of = np.repeat([20_000, 20_028], 400)
    rich = np.where(as_of == 20_000, 2.0, 1.0) * shop.value
    model = CltvRegressor("tweedie").fit(frame, rich, churned=shop.churned, as_of=as_of)
    factor = model.pair_.level.factor(20_364)
    assert factor > model.pair_.level.factor(20_392) > model.pair_.level.factor(20_200)
    np.testing.assert_allclose(model.conditional(frame, 20_364), factor * model.conditional(frame))
    np.testing.assert_allclose(model.predict(frame, as_of=20_364), factor * model.predict(frame))
    assert not np.array_equal(model.interval(frame, as_of=20_364), model.interval(frame))


def test_it_says_what_it_fitted(model, shop, tiny_shop):
    data = f"800 rows, {shop.churned.sum()} churned, {(shop.value > 0).sum()} with value."
    assert model.why_ == f"the mean of Tweedie trees, a Tweedie regression and MBG/NBD with Gamma-Gamma; {data}"
    plain = CltvRegressor().fit(shop.X, shop.value, churned=shop.churned)
    assert plain.why_ == f"Tweedie trees alone, because columns are missing: order_value; {data}"
    asked = CltvRegressor("tweedie").fit(shop.X, shop.value, churned=shop.churned)
    assert asked.why_ == f"tweedie was asked for; {data}"
    few = CltvRegressor().fit(with_order_value(tiny_shop.X)[:12], tiny_shop.value[:12], churned=tiny_shop.churned[:12])
    assert few.why_.startswith(
        "the average of each outcome, because too few of those who stayed hold value to learn more;"
    )


def test_btyd_needs_its_columns(shop):
    with pytest.raises(ConfigError) as error:
        CltvRegressor("btyd").fit(shop.X, shop.value, churned=shop.churned)
    assert str(error.value) == (
        "model.cltv.estimator btyd reads orders, tenure_days, days_since_order, order_value; the training set lacks "
        "order_value. Keep the family purchases in features.families and out of features.exclude, or choose auto or tweedie."
    )


def test_the_order_of_values_is_learned(model, shop):
    kept = shop.churned == 0
    oof = model.oof_conditional_[kept, 0]
    high = shop.X["orders"].to_numpy()[kept] > 5
    assert oof[high].mean() > 1.3 * oof[~high].mean()


def test_the_same_inputs_give_the_same_bits(model, shop, frame):
    again = CltvRegressor().fit(frame, shop.value, churned=shop.churned)
    assert again.conditional(frame).tolist() == model.conditional(frame).tolist()
    assert again.interval(frame).tolist() == model.interval(frame).tolist()


def test_wrong_outcomes_are_explained(shop):
    with pytest.raises(ValueError, match=r"churned asks for one 0 or 1 per row of y; found shape \(3,\) for 800 rows"):
        CltvRegressor().fit(shop.X, shop.value, churned=[0, 1, 0])
    with pytest.raises(ConfigError, match=r"^model.cltv.estimator 'bytd' is unknown"):
        CltvRegressor("bytd").fit(shop.X, shop.value)


def test_scikit_learn_takes_it_as_one_of_its_own(shop):
    model = CltvRegressor(params={"n_estimators": 10})
    assert clone(model).get_params() == model.get_params()
    for data in (shop.X, shop.X.to_numpy()):
        assert np.isfinite(cross_val_score(model, data, shop.value, cv=3)).all()
    X = shop.X.drop(columns="never_seen")
    assert np.isfinite(make_pipeline(StandardScaler(), model).fit(X, shop.value).predict(X)).all()
