from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from kizuna.models.churn.calibration import Calibration, fit_calibration


def expit(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def drawn(log_odds, seed=0):
    return (np.random.default_rng(seed).random(len(log_odds)) < expit(log_odds)).astype(float)


def test_platt_finds_the_line_that_made_the_outcomes():
    margin = np.random.default_rng(1).normal(0, 1.5, 40_000)
    line = fit_calibration(margin, drawn(0.5 * margin + 1), "platt")
    assert line.slope == pytest.approx(0.5, abs=0.02)
    assert line.intercept == pytest.approx(1.0, abs=0.03)
    assert line.rows == 40_000


def test_platt_is_the_minimum_of_its_loss():
    margin = np.random.default_rng(1).normal(0, 1.5, 60)
    y = drawn(margin)
    line = fit_calibration(margin, y, "platt")
    target = np.where(y > 0, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))

    def loss(v):
        z = v[0] * margin + v[1]
        return (np.logaddexp(0, z) - target * z).sum() + (v[0] - 1) ** 2 / 2

    best = minimize(loss, [1.0, 0.0], tol=1e-12).x
    np.testing.assert_allclose([line.slope, line.intercept], best, atol=1e-4)


def test_a_model_that_ranks_backwards_keeps_its_order_and_says_the_base_rate():
    margin = np.linspace(-2, 2, 1000)
    line = fit_calibration(margin, drawn(-2 * margin), "platt")
    assert line.slope == 0.01
    assert expit(line.apply(margin)).mean() == pytest.approx(0.5, abs=0.05)


def test_one_class_stays_finite():
    margin = np.linspace(-2, 2, 20)
    p = expit(fit_calibration(margin, np.zeros(20), "platt").apply(margin))
    assert 0 < p.min() < p.max() < 0.2


def test_nothing_to_learn_from_changes_nothing():
    assert fit_calibration(np.zeros(0), np.zeros(0)) == Calibration()
    assert fit_calibration(np.ones(9), np.ones(9), "none") == Calibration()
    assert Calibration().apply(np.array([-3.0, 0.25])).tolist() == [-3.0, 0.25]


def test_tests_of_other_seasons_share_the_slope_and_give_the_mean_level():
    draw = np.random.default_rng(2)
    margin = draw.normal(0, 1.5, 60_000)
    test = np.repeat([4, 9], 30_000)
    line = fit_calibration(margin, drawn(0.8 * margin + np.where(test == 4, 1.0, -1.0)), "platt", test)
    assert line.slope == pytest.approx(0.8, abs=0.02)
    assert line.intercept == pytest.approx(0.0, abs=0.05)


def test_levelled_keeps_the_shape_and_meets_the_mean():
    margin = np.random.default_rng(3).normal(0, 1, 999)
    for shape in (Calibration("platt", 0.7, 2.0, 5), Calibration("isotonic", 1.0, 0.0, 5, ((-1.0, -2.0), (1.0, 0.5)))):
        level = shape.levelled(margin, 0.1)
        assert expit(level.apply(margin)).mean() == pytest.approx(0.1, abs=1e-9)
        np.testing.assert_allclose(np.diff(level.apply(margin) - shape.apply(margin)), 0, atol=1e-12)


def test_isotonic_follows_a_bend_that_a_line_cannot_and_auto_takes_it_with_thousands():
    margin = np.random.default_rng(4).uniform(-3, 3, 40_000)
    bent = np.where(margin < 0, -2.0, -2 + 1.5 * margin)
    y = drawn(bent)
    curve = fit_calibration(margin, y, "auto")
    assert curve.method == "isotonic"
    np.testing.assert_allclose(expit(curve.apply(margin)), expit(bent), atol=0.05)
    assert fit_calibration(margin[:2000], y[:2000], "auto").method == "platt"


def test_auto_stays_with_the_line_where_the_line_is_right():
    margin = np.random.default_rng(5).normal(0, 1, 40_000)
    assert fit_calibration(margin, drawn(margin), "auto").method == "platt"


def test_isotonic_of_equal_margins_is_still_a_map():
    curve = fit_calibration(np.ones(100), drawn(np.zeros(100)), "isotonic")
    assert curve.method == "isotonic"
    assert curve.knots == ()


@settings(max_examples=50)
@given(
    st.lists(st.floats(-8, 8), min_size=30, max_size=80, unique=True),
    st.integers(0, 100),
    st.sampled_from(["platt", "isotonic"]),
)
def test_every_map_rises_strictly_is_finite_and_survives_json(margins, seed, method):
    margin = np.sort(np.array(margins))
    margin = margin[np.diff(margin, prepend=-99) > 1e-6]
    found = fit_calibration(margin, drawn(margin, seed), method)
    wide = np.concatenate([[margin[0] - 5], margin, [margin[-1] + 5]])
    assert (np.diff(found.apply(wide)) > 0).all()
    assert np.isfinite(found.apply(wide)).all()
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3), st.booleans())
def test_contributions_add_up_to_the_calibrated_log_odds(parts, bent):
    line = Calibration("platt", 0.6, -0.3, 10)
    curve = Calibration("isotonic", 0.6, -0.3, 10, ((-1.0, -1.5), (0.0, -1.0), (2.0, 1.0)))
    row = np.array([parts])
    out = (curve if bent else line).contributions(row)
    assert out.sum() == pytest.approx((curve if bent else line).apply(row.sum(axis=1))[0], abs=1e-9)


def test_contributions_keep_their_signs():
    curve = Calibration("isotonic", 0.6, -0.3, 10, ((-1.0, -1.5), (0.0, -1.0), (2.0, 1.0)))
    out = curve.contributions(np.array([[2.0, -0.5, 0.0, -1.0]]))
    assert np.sign(out[0, :3]).tolist() == [1, -1, 0]
    assert out[0, 3] == -1.5


@pytest.mark.parametrize("knots", [(), ((-1.0, -0.5), (1.0, 2.0))])
def test_a_raised_map_is_higher_everywhere(knots):
    line = Calibration("platt", 0.5, 1.0, 10, knots)
    margin = np.array([-3.0, -0.2, 0.0, 4.0])
    np.testing.assert_allclose(line.raised(0.25).apply(margin), line.apply(margin) + 0.25)
    assert line.raised(0.0) == line
