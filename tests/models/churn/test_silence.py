"""The buy-till-you-die model of three columns: its formula, its fit, its contributions."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from kizuna.models.churn.silence import (
    SilenceModel,
    _history,
    _log_purchase,
    fit_silence,
    silence_positions,
)

PARAMETERS = (0.5, 8.0, 0.9, 2.0)
MODEL = SilenceModel(4, (1, 2, 3), (2.0, 200.0, 40.0), PARAMETERS, 91.0)


def test_the_columns_are_found_by_name() -> None:
    assert silence_positions(["days_since_order", "x", "orders", "tenure_days"]) == (2, 3, 0)
    assert silence_positions(["orders", "tenure_days"]) is None


@pytest.mark.parametrize(("orders", "tenure", "since"), [(1, 70, 70), (4, 350, 14), (4, 350, 210), (12, 700, 3)])
def test_the_probability_is_the_integral_over_rates_and_chances(orders: int, tenure: int, since: int) -> None:
    """By Bayes over a grid: who bought x more times, the last at t, and is silent since, buys none in H weeks."""
    r, alpha, a, b = PARAMETERS
    x, last, now, ahead = orders - 1, (tenure - since) / 7, tenure / 7, 13.0
    drops = [beta.expect(lambda p, k=k: p ** k[0] * (1 - p) ** k[1], (a, b)) for k in ((1, x), (0, x + 1))]

    def over_rates(of: object) -> float:
        return quad(lambda rate: of(rate) * gamma.pdf(rate, r, scale=1 / alpha) * rate**x, 0, 5, limit=500, epsabs=0)[0]

    gone = drops[0] * over_rates(lambda rate: np.exp(-rate * last))
    alive = drops[1] * over_rates(lambda rate: np.exp(-rate * now))
    silent = drops[1] * over_rates(lambda rate: np.exp(-rate * (now + ahead)))
    found = MODEL.margin(np.array([[0.0, orders, tenure, since]]))[0]
    assert 1 / (1 + np.exp(-found)) == pytest.approx((gone + silent) / (gone + alive), rel=1e-5)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.integers(1, 20), st.integers(1, 900), st.integers(1, 400))
def test_slopes_are_those_of_the_formula(point: list[float], orders: int, tenure: int, since: int) -> None:
    history = _history([np.array([float(value)]) for value in (orders, tenure, min(since, tenure))])
    _, slopes = _log_purchase(np.array(point), history, 13.0)
    for place in range(4):
        step = np.eye(4)[place] * 1e-5
        up, down = (_log_purchase(np.array(point) + sign * step, history, 13.0)[0][0] for sign in (1, -1))
        assert slopes[place, 0] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-6)


def test_outcomes_give_the_parameters_back() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.zeros(30_000), rng.integers(1, 9, 30_000), rng.integers(1, 700, 30_000), np.zeros(30_000)])
    X[:, 3] = np.minimum(rng.integers(1, 250, 30_000), X[:, 2])
    p = 1 / (1 + np.exp(-MODEL.margin(X)))
    fitted = fit_silence(X, (rng.random(30_000) < p).astype(float), (1, 2, 3), 91.0)
    np.testing.assert_allclose(1 / (1 + np.exp(-fitted.margin(X))), p, atol=0.03)


def test_contributions_are_shapley_values_and_add_up() -> None:
    X = np.array([[9.0, 6, 400, 10], [9.0, 1, 90, 90], [9.0, np.nan, 300, 200]])
    found = MODEL.contributions(X)
    np.testing.assert_allclose(found.sum(axis=1), MODEL.margin(X), atol=1e-12)
    assert found[:, 0].tolist() == [0, 0, 0]
    usual = np.array([np.nan, *MODEL.median])
    for row, parts in zip(X, found, strict=True):
        expected = np.zeros(4)
        for order in permutations((1, 2, 3)):
            now = usual.copy()
            for column in order:
                before = MODEL.margin(now[None])[0]
                now[column] = row[column]
                expected[column] += (MODEL.margin(now[None])[0] - before) / 6
        np.testing.assert_allclose(parts[:4], expected, atol=1e-12)


def test_the_longer_silent_the_likelier_gone_and_odds_stay_finite() -> None:
    since = np.array([0.0, 10, 50, 200, 500])
    X = np.column_stack([np.zeros(5), np.full(5, 40.0), np.full(5, 500.0), since])
    margin = MODEL.margin(X)
    assert (np.diff(margin) > 0).all()
    assert np.isfinite(MODEL.margin(np.array([[0, 100_000.0, 10, 1], [0, 1, 0, 0], [0, 0, 5_000, 5_000]]))).all()


def test_it_is_the_same_after_a_round_through_json() -> None:
    assert SilenceModel.from_json(MODEL.to_json()) == MODEL
