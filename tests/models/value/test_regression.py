"""The Tweedie regression with a log link."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.models.value.regression import LOG_COLUMNS, ValueRegression, fit_value_regression, log_positions


def shop(rows=3000, seed=0):
    """Value grows as the square root of revenue and falls with silence; the last column says nothing."""
    draw = np.random.default_rng(seed)
    silence, orders = draw.exponential(60, rows).round(), draw.poisson(3, rows) + 1.0
    revenue = orders * draw.lognormal(4, 0.8, rows)
    X = np.column_stack([silence, orders, revenue, silence + 100, draw.normal(size=rows)])
    mean = 3 * np.sqrt(revenue) / (1 + silence) ** 0.3
    value = np.where(draw.random(rows) < 0.7, mean / 0.7 * draw.gamma(2, 0.5, rows), 0.0)
    return X, value, mean


def fit(X, value):
    return fit_value_regression(X, value, (0, 1, 2, 3), (4,), float(value.max()))


def test_columns_are_found_by_name():
    assert log_positions(["revenue", "orders", "x", "tenure_days", "days_since_order"]) == (4, 1, 0, 3)
    assert log_positions(list(LOG_COLUMNS[:3])) is None


def test_powers_of_the_columns_are_learned_and_the_total_is_right():
    X, value, mean = shop()
    model = fit(X, value)
    predicted = model.predict(X)
    assert predicted.sum() == pytest.approx(value.sum())
    assert np.corrcoef(np.log(predicted), np.log(mean))[0, 1] > 0.99
    assert abs(model.weights[4]) < 0.03 < abs(model.weights[2])


def test_it_is_the_minimum_of_the_penalised_deviance():
    """Tweedie deviance of power 1.5 with a penalty of 0.01: no step from the fitted weights lowers it."""
    X, value, _ = shop(400)
    model = fit(X, value)
    target = value / value.mean()

    def loss(weights, intercept):
        shifted = replace(model, weights=weights, intercept=intercept, level=1.0)
        mean = shifted.predict(X)
        return np.mean(2 * (mean**0.5 + target * mean**-0.5)) + 0.005 * np.square(weights).sum()

    best = loss(model.weights, model.intercept)
    for place in range(5):
        for step in (-0.02, 0.02):
            weights = tuple(weight + step * (at == place) for at, weight in enumerate(model.weights))
            assert loss(weights, model.intercept) > best
    assert min(loss(model.weights, model.intercept + step) for step in (-0.02, 0.02)) > best


def test_the_currency_does_not_matter():
    X, value, _ = shop()
    yen = X * np.array([1, 1, 160, 1, 1])
    np.testing.assert_allclose(fit(yen, value * 160).predict(yen), 160 * fit(X, value).predict(X), rtol=1e-6)


def test_extremes_teach_no_more_than_the_highest_taught_but_count_in_the_total():
    X, value, _ = shop()
    raised = value.copy()
    raised[5] = 1e7
    model = fit_value_regression(X, raised, (0, 1, 2, 3), (4,), float(value.max()))
    assert model.predict(X).sum() == pytest.approx(raised.sum())
    assert np.ptp(np.log(model.predict(X)) - np.log(fit(X, value).predict(X))) < 0.2


def test_a_gap_takes_the_median_and_never_ordered_is_not_ordered_today():
    X, value, _ = shop(999)
    model = fit(X, value)
    never, usual, today = np.repeat(X[:1], 3, axis=0)
    never[0], usual[0], today[0] = np.nan, np.median(X[:, 0]), 0.0
    said = model.predict(np.array([never, usual, today]))
    assert said[0] == said[1] < 0.7 * said[2]
    # Gaps of training neither move the median nor stop the fit; a column of gaps alone says nothing.
    X[::5, 0], X[:, 4] = np.nan, np.nan
    gappy = fit(X, value)
    assert gappy.fills[0] == np.nanmedian(X[:, 0])
    assert (gappy.fills[4], gappy.weights[4]) == (0.0, 0.0)


def test_a_row_does_not_depend_on_the_rows_beside_it():
    X, value, _ = shop()
    model = fit(X, value)
    assert model.predict(X)[:7].tolist() == model.predict(X[:7]).tolist()
    again = ValueRegression.from_json(json.loads(json.dumps(model.to_json())))
    assert again.predict(X).tolist() == model.predict(X).tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e3, 1e6), min_size=5, max_size=30), st.integers(0, 3))
def test_it_is_finite_and_above_nothing(values, gaps):
    value = np.array(values)
    value[0] = max(1.0, 1.0 - value[1:].sum())
    draw = np.random.default_rng(len(values))
    X = draw.exponential(100, (len(value), 5))
    X[:gaps, 2] = np.nan
    predicted = fit_value_regression(X, value, (0, 1, 2, 3), (4,), float(value.max())).predict(X)
    assert np.isfinite(predicted).all()
    assert (predicted > 0).all()
