from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kizuna.errors import ConfigError
from kizuna.models import CltvRegressor
from kizuna.models.splits import Split


@pytest.fixture(scope="module")
def model(shop):
    return CltvRegressor().fit(shop.X, shop.value, churned=shop.churned)


def test_kept_and_churned_are_told_apart_and_each_total_is_right(model, shop):
    both = model.conditional(shop.X)
    assert both.shape == (800, 2)
    for column, outcome in ((0, 0), (1, 1)):
        rows = shop.churned == outcome
        assert both[rows, column].sum() == pytest.approx(shop.value[rows].sum())
    assert both[:, 0].mean() > 3 * both[:, 1].mean()


def test_expected_value_weighs_both(model, shop):
    kept, lost = model.conditional(shop.X).T
    p = np.linspace(0, 1, 800)
    np.testing.assert_allclose(model.predict(shop.X, p), (1 - p) * kept + p * lost)
    assert model.predict(shop.X, np.zeros(800)).tolist() == kept.tolist()


def test_without_probabilities_its_own_first_stage_stands_in(model, shop):
    predicted = model.predict(shop.X)
    kept, lost = model.conditional(shop.X).T
    assert ((np.minimum(kept, lost) <= predicted) & (predicted <= np.maximum(kept, lost))).all()
    assert predicted.sum() == pytest.approx(shop.value.sum(), rel=0.1)


def test_equal_windows_make_the_churned_worth_nothing(shop):
    model = CltvRegressor(equal_windows=True).fit(shop.X, shop.value, churned=shop.churned)
    assert model.conditional(shop.X)[:, 1].tolist() == [0.0] * 800
    assert model.oof_conditional_[:, 1].tolist() == [0.0] * 800


@pytest.mark.parametrize("estimator", ["hurdle", "tweedie", "sklearn.ensemble.RandomForestRegressor"])
def test_every_estimator_is_finite_and_not_negative_with_fifty_rows(estimator, tiny_shop):
    params = {"n_estimators": 5} if estimator.startswith("sklearn") else None
    model = CltvRegressor(estimator, params).fit(tiny_shop.X, tiny_shop.value, churned=tiny_shop.churned)
    for predicted in (model.conditional(tiny_shop.X), model.oof_conditional_, model.predict(tiny_shop.X)):
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


def test_the_order_of_values_is_learned(model, shop):
    kept = shop.churned == 0
    oof = model.oof_conditional_[kept, 0]
    high = shop.X["orders"].to_numpy()[kept] > 5
    assert oof[high].mean() > 1.3 * oof[~high].mean()


def test_the_same_inputs_give_the_same_bits(model, shop):
    again = CltvRegressor().fit(shop.X, shop.value, churned=shop.churned)
    assert again.conditional(shop.X).tolist() == model.conditional(shop.X).tolist()


def test_wrong_outcomes_are_explained(shop):
    with pytest.raises(ValueError, match=r"churned asks for one 0 or 1 per row of y; found shape \(3,\) for 800 rows"):
        CltvRegressor().fit(shop.X, shop.value, churned=[0, 1, 0])
    with pytest.raises(ConfigError, match=r"^model.cltv.estimator 'btyd' is unknown"):
        CltvRegressor("btyd").fit(shop.X, shop.value)


def test_scikit_learn_takes_it_as_one_of_its_own(shop):
    model = CltvRegressor(params={"n_estimators": 10})
    assert clone(model).get_params() == model.get_params()
    for data in (shop.X, shop.X.to_numpy()):
        assert np.isfinite(cross_val_score(model, data, shop.value, cv=3)).all()
    X = shop.X.drop(columns="never_seen")
    assert np.isfinite(make_pipeline(StandardScaler(), model).fit(X, shop.value).predict(X)).all()
