from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kizuna.errors import ModelError
from kizuna.models import ChurnClassifier, CltvRegressor


@pytest.fixture(scope="module")
def models(shop):
    return (
        ChurnClassifier("rule").fit(shop.X, shop.churned),
        CltvRegressor(params={"n_estimators": 5}).fit(shop.X, shop.value),
    )


def test_columns_are_found_by_name_whatever_else_the_frame_holds(models, shop):
    shuffled = shop.X[shop.X.columns[::-1]].assign(customer_id=shop.customer)
    for model in models:
        assert model.predict(shuffled).tolist() == model.predict(shop.X).tolist()


def test_missing_columns_are_named(models, shop):
    text = (
        "The model asks for 10 columns, and 2 of them are missing: orders, complaints. "
        "Build the features by the model's own plan, or train again."
    )
    for model in models:
        with pytest.raises(ModelError) as error:
            model.predict(shop.X.drop(columns=["complaints", "orders"]))
        assert str(error.value) == text


def test_many_missing_columns_are_abbreviated(models, shop):
    with pytest.raises(ModelError, match=r"10 of them are missing: days_since_order, .*, orders_30d and others\."):
        models[0].predict_proba(pd.DataFrame({"x": [1.0]}))


def test_integers_and_nullable_numbers_are_read_as_floats(models, shop):
    as_given = shop.X[:5]
    nullable = as_given.convert_dtypes()
    assert models[0].predict_proba(nullable).tolist() == models[0].predict_proba(as_given).tolist()


def test_a_day_without_customers_has_no_answers(models, shop):
    assert models[0].predict_proba(shop.X[:0]).shape == (0, 2)
    assert models[0].contributions(shop.X[:0]).shape == (0, 11)
    assert models[1].conditional(shop.X[:0]).shape == (0, 2)


def test_infinity_is_refused(models, shop):
    with pytest.raises(ValueError, match="infinity"):
        models[0].predict_proba(shop.X.assign(orders=np.inf))
