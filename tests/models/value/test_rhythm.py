"""Rhythm and spend: orders and money from four columns, checked against the models they come from and against draws."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.models.btyd import MBGNBD, GammaGamma
from kizuna.models.btyd.estimate import Estimate
from kizuna.models.churn.silence import SilenceModel, untaught_silence
from kizuna.models.value.rhythm import RHYTHM_COLUMNS, RhythmModel, fit_rhythm, missing_columns

R, ALPHA, A, B = 0.6, 9.0, 0.8, 2.5
SILENCE = SilenceModel(4, (0, 1, 2), (2.0, 200.0, 40.0), (R, ALPHA, A, B), 365.0)
# Orders, days since the first and the last, money an order.
ROWS = np.array([[1, 10, 10, 30.0], [1, 400, 400, 8.0], [5, 350, 20, 50.0], [5, 350, 200, 50.0], [20, 700, 5, 12.0]])


def named(cls, **params):
    """A buy-till-you-die model of known parameters."""
    estimate = Estimate(params, 0.0, dict.fromkeys(params, 0.1), (), ())
    extra = {"observed_mean": 40.0} if cls is GammaGamma else {}
    return cls.from_json({"model": cls.__name__, "customers": 10.0, **extra, **estimate.to_json()})


SPEND = named(GammaGamma, p=6.0, q=4.0, v=20.0)
MODEL = RhythmModel(SILENCE, 3, 25.0, SPEND, 365.0, 90.0)


def test_orders_and_money_are_those_of_the_models():
    model = named(MBGNBD, r=R, alpha=ALPHA, a=A, b=B)
    orders, tenure, since, value = ROWS.T
    said = model.expected_purchases(orders - 1, (tenure - since) / 7, tenure / 7, 365 / 7)
    np.testing.assert_allclose(MODEL.expected_orders(ROWS), said, rtol=1e-12)
    # p (v + n z) / (p n + q − 1), n counting all orders.
    np.testing.assert_allclose(MODEL.order_value(ROWS), 6 * (20 + orders * value) / (6 * orders + 3))
    columns = MODEL.columns(ROWS)
    np.testing.assert_allclose(np.exp(columns[:, :2]), np.column_stack([said, MODEL.order_value(ROWS)]))
    np.testing.assert_allclose(columns[:, 2], columns[:, 0] + columns[:, 1])


def test_silence_and_activity_add_up_to_everybody():
    orders, tenure, since, _ = ROWS.T
    model = named(MBGNBD, r=R, alpha=ALPHA, a=A, b=B)
    history = (orders - 1, (tenure - since) / 7, tenure / 7)
    none = model.probability_of_no_purchase(*history, 90 / 7)
    silent, active = MODEL.expected_orders_if_silent(ROWS), MODEL.expected_orders_if_active(ROWS)
    np.testing.assert_allclose(none * silent + (1 - none) * active, MODEL.expected_orders(ROWS), rtol=1e-9)
    later = model.expected_purchases(orders - 1, (tenure - since) / 7, tenure / 7 + 90 / 7, 275 / 7)
    np.testing.assert_allclose(silent, later)
    assert (active >= 1).all()
    assert (silent < MODEL.expected_orders(ROWS)).all()


def drawn_orders(row, draw, all_alive):
    """Orders within 90 days and in the rest of 365 of a hundred thousand lives that could have had this history."""
    n = 100_000
    x, now, last = row[0] - 1, row[1] / 7, (row[1] - row[2]) / 7
    gone = 0.0 if all_alive else A / (B + x) * ((ALPHA + now) / (ALPHA + last)) ** (R + x)
    alive = draw.random(n) < 1 / (1 + gone)
    rate, leaves = draw.gamma(R + x, 1 / (ALPHA + now), n), draw.beta(A, B + x + 1, n)
    time, early, late = np.zeros(n), np.zeros(n), np.zeros(n)
    for _ in range(400):
        time += draw.exponential(1 / rate)
        alive &= time < 365 / 7
        if not alive.any():
            break
        early += alive & (time < 90 / 7)
        late += alive & (time >= 90 / 7)
        alive &= draw.random(n) >= leaves
    return early, late


@pytest.mark.parametrize("row", [0, 2, 3])
def test_orders_given_the_outcome_are_those_of_drawn_lives(row):
    early, late = drawn_orders(ROWS[row], np.random.default_rng(row), False)
    silent = early == 0
    assert MODEL.expected_orders_if_silent(ROWS)[row] == pytest.approx(late[silent].mean(), rel=0.05)
    assert MODEL.expected_orders_if_active(ROWS)[row] == pytest.approx((early + late)[~silent].mean(), rel=0.03)


@pytest.mark.parametrize("horizon_days", [90.0, 365.0])
def test_a_frequent_buyer_long_gone_is_worth_what_a_live_one_is_if_he_comes_back(horizon_days):
    """An order proves him alive, however unlikely it is: here less than once in 10¹⁸."""
    gone = np.array([[80.0, 700.0, 600.0, 20.0]])
    model = RhythmModel(SILENCE, 3, 25.0, SPEND, horizon_days, 90.0)
    early, late = drawn_orders(gone[0], np.random.default_rng(9), True)
    orders = early + late if horizon_days == 365 else early
    assert model.expected_orders(gone)[0] < 1e-18
    assert model.expected_orders_if_active(gone)[0] == pytest.approx(orders[early > 0].mean(), rel=0.02)
    assert model.expected_orders_if_active(gone)[0] > 5


def test_nothing_is_ordered_after_silence_where_the_windows_are_equal():
    model = RhythmModel(SILENCE, 3, 25.0, SPEND, 90.0, 90.0)
    assert model.expected_orders_if_silent(ROWS).tolist() == [0.0] * 5
    assert (model.expected_orders_if_active(ROWS) >= model.expected_orders(ROWS)).all()


def test_gaps_take_the_usual_and_returns_are_worth_nothing():
    X = np.array([[1, 10, 10, np.nan], [np.nan, np.nan, np.nan, 25.0], [1, 10, 10, -5.0]])
    without = RhythmModel(SILENCE, 3, 25.0, None, 365.0, 90.0)
    assert without.order_value(X).tolist() == [25.0, 25.0, 0.0]
    assert np.isfinite(without.columns(X)).all()
    assert MODEL.order_value(X)[0] == pytest.approx(6 * (20 + 25) / 9)


def test_its_parameters_are_found_again():
    draw = np.random.default_rng(5)
    # Far from the usual parameters, and everybody orders again within the year: outcomes would not tell the rates.
    truth = {"r": 6.0, "alpha": 8.0, "a": 0.3, "b": 6.0}
    lives = named(MBGNBD, **truth).simulate(8000, draw.uniform(20, 150, 8000), seed=5)
    spend = draw.gamma(4.0, 10.0, 8000)
    orders, tenure = lives.frequency + 1, lives.age * 7
    X = np.column_stack([orders, tenure, tenure - lives.recency * 7, spend * draw.gamma(orders * 5, 1 / (orders * 5))])
    gap = np.array([[np.nan, np.nan, np.nan, np.nan]])
    found = fit_rhythm(np.vstack([X, gap]), RHYTHM_COLUMNS, (182, 91))
    assert (found.horizon_days, found.label_days, found.silence.horizon_days) == (182.0, 91.0, 182.0)
    assert np.abs(np.log(found.silence.parameters) - np.log(list(truth.values()))).max() < 0.2
    # Chances of orders within 26 weeks, of who is alive and orders at that rate.
    chance = np.where(lives.alive, -np.expm1(-lives.rate * 26), 0.0).mean()
    assert (1 / (1 + np.exp(found.silence.margin(X)))).mean() == pytest.approx(chance, abs=0.02)
    assert found.spend is not None
    np.testing.assert_allclose(found.order_value(X).mean(), 40.0, rtol=0.03)


def test_where_few_have_ordered_twice_the_usual_parameters_stand():
    once = np.tile([1.0, 30.0, 30.0, 9.0], (500, 1))
    model = fit_rhythm(np.vstack([once, ROWS]), RHYTHM_COLUMNS, (365, 90))
    assert model.silence == untaught_silence(np.vstack([once, ROWS]), (0, 1, 2), 365)


def test_where_columns_are_missing_there_is_none():
    assert fit_rhythm(ROWS, ["orders", "tenure_days", "days_since_order", "x"], (365, 90)) is None
    assert missing_columns(["orders", "x"]) == ["tenure_days", "days_since_order", "order_value"]
    assert missing_columns(RHYTHM_COLUMNS) == []


def test_few_rows_keep_their_own_average():
    model = fit_rhythm(ROWS, ["orders", "tenure_days", "days_since_order", "order_value"], (365, 90))
    assert model.spend is None
    assert model.order_value(ROWS).tolist() == ROWS[:, 3].tolist()


def test_it_is_plain_json():
    for model in (MODEL, RhythmModel(SILENCE, 3, 25.0, None, 90.0, 90.0)):
        again = RhythmModel.from_json(json.loads(json.dumps(model.to_json(), allow_nan=False)))
        assert again.columns(ROWS).tolist() == model.columns(ROWS).tolist()
        assert again.expected_orders_if_active(ROWS).tolist() == model.expected_orders_if_active(ROWS).tolist()


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 500), st.floats(0, 5000), st.floats(0, 5000), st.floats(-100, 1e9))
def test_whatever_the_columns_hold_it_is_finite(orders, tenure, since, value):
    row = np.array([[orders, tenure, since, value]])
    assert np.isfinite(MODEL.columns(row)).all()
    assert MODEL.expected_orders_if_silent(row)[0] >= 0
    assert np.isfinite(MODEL.expected_orders_if_active(row)).all()
