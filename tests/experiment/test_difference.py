import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.experiment.difference import (
    adjusted_difference,
    comparable_rows,
    customers_needed,
    visible_effect,
    winsorised,
)


def drawn(rows=200, seed=1, effect=0.0):
    draw = np.random.default_rng(seed)
    covariates = np.column_stack([draw.lognormal(8, 1, rows), draw.random(rows)])
    strata, target = draw.integers(0, 3, rows), draw.random(rows) < 0.7
    outcome = 0.4 * covariates[:, 0] - 2000 * covariates[:, 1] + 500 * strata + 900 * draw.normal(size=rows)
    return outcome + effect * target, target, covariates, strata


def test_it_is_the_coefficient_of_one_regression_with_everything_interacted():
    """Oracle: Lin (2013), regression of the outcome on arm, centred covariates and their products; HC2 by hand."""
    outcome, target, covariates, strata = drawn(effect=700)
    known = np.column_stack([covariates, strata == 1, strata == 2]).astype(float)
    centred = known - known.mean(axis=0)
    arm = target[:, None].astype(float)
    design = np.hstack([np.ones((200, 1)), arm, centred, arm * centred])
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcome
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = design * ((outcome - design @ slopes) ** 2 / (1 - leverage))[:, None]
    error = math.sqrt((inverse @ (meat.T @ design) @ inverse)[1, 1])
    found = adjusted_difference(outcome, target, covariates, strata)
    assert found.estimate == pytest.approx(slopes[1], rel=1e-8)
    assert found.error == pytest.approx(error, rel=1e-8)
    assert found.low < 700 < found.high
    assert (found.target_rows, found.control_rows) == (int(target.sum()), int((~target).sum()))
    assert found.plain == pytest.approx(outcome[target].mean() - outcome[~target].mean())


def test_adjustment_narrows_and_strata_compare_like_with_like():
    outcome, target, covariates, strata = drawn(rows=400, effect=300)
    adjusted = adjusted_difference(outcome, target, covariates, strata)
    assert adjusted.error < 0.5 * adjusted_difference(outcome, target, np.empty((400, 0))).error
    # Nobody of the good stratum is a control by choice: the plain difference is wrong by 10,000 × the imbalance.
    lopsided = np.where(strata == 2, np.arange(400) % 10 > 0, np.arange(400) % 2 > 0)
    base = np.random.default_rng(3).normal(size=400) + 10_000 * (strata == 2)
    assert adjusted_difference(base, lopsided, np.empty((400, 0)), strata).estimate == pytest.approx(0, abs=1)
    assert adjusted_difference(base, lopsided, np.empty((400, 0))).estimate > 1500


def test_with_equal_normal_errors_it_is_the_usual_interval():
    """For a difference of means of normal outcomes the redrawn t values are those of Student's table."""
    from scipy.stats import t

    draw = np.random.default_rng(5)
    target = np.arange(120) < 60
    found = adjusted_difference(draw.normal(size=120) + 3, target, np.empty((120, 0)))
    half = t.ppf(0.975, 118) * found.error
    assert found.high - found.estimate == pytest.approx(half, rel=0.08)
    assert found.estimate - found.low == pytest.approx(half, rel=0.08)
    assert found.interval(0.95) == pytest.approx((found.low, found.high))
    narrow, wide = found.interval(0.8), found.interval(0.99)
    assert wide[0] < found.low < narrow[0] < narrow[1] < found.high < wide[1]


def test_interval_and_p_value_agree():
    for effect in (0, 150, 300, 450):
        found = adjusted_difference(*drawn(effect=effect))
        assert (found.p_value < 0.05) == found.is_clear
    assert adjusted_difference(*drawn(effect=5000)).p_value == pytest.approx(2 / 2000)


@settings(max_examples=10, deadline=None)
@given(shift=st.floats(-1e6, 1e6), scale=st.floats(0.01, 100), seed=st.integers(0, 50))
def test_units_do_not_matter(shift, scale, seed):
    outcome, target, covariates, strata = drawn(rows=120, seed=seed)
    strata = strata % 2
    first = adjusted_difference(outcome, target, covariates, strata)
    second = adjusted_difference(scale * outcome + shift, target, covariates * scale + shift, strata)
    assert second.estimate == pytest.approx(scale * first.estimate, rel=1e-4, abs=1e-4 * scale * first.error)
    assert second.low == pytest.approx(scale * first.low, rel=1e-3, abs=1e-3 * scale * first.error)


def test_too_few_or_no_difference_at_all_is_no_effect():
    outcome, target, covariates, _ = drawn(rows=40)
    few = np.arange(40) < 34
    assert adjusted_difference(outcome, few, covariates) is None
    assert adjusted_difference(np.ones(40), target, covariates) is None
    assert adjusted_difference(np.zeros(40), target, covariates) is None


def test_a_covariate_that_says_nothing_is_left_out():
    outcome, target, covariates, _ = drawn()
    padded = np.column_stack([covariates, np.full(200, 7.0), covariates[:, 0]])
    assert adjusted_difference(outcome, target, padded).estimate == pytest.approx(
        adjusted_difference(outcome, target, covariates).estimate
    )


def test_strata_with_too_few_in_an_arm_cannot_be_compared():
    strata = np.array(["x"] * 10 + ["y"] * 10 + ["z"] * 3)
    target = np.array([True] * 5 + [False] * 5 + [True] * 6 + [False] * 4 + [True] * 3)
    np.testing.assert_array_equal(comparable_rows(target, strata), strata == "x")
    assert comparable_rows(np.array([], dtype=bool), np.array([], dtype=str)).tolist() == []


def test_sample_sizes():
    # Cohen (1988): a difference of half a standard deviation is seen with 63 in each arm.
    assert visible_effect(63, 63, 1.0) == pytest.approx(0.5, abs=0.001)
    assert math.isnan(visible_effect(0, 63, 1.0))
    outcome, target, covariates, strata = drawn(rows=400)
    found = adjusted_difference(outcome, target, covariates, strata)
    assert customers_needed(found, 2.8016 * found.error) == pytest.approx(400, abs=1)
    assert customers_needed(found, 1.4008 * found.error) == pytest.approx(1600, abs=4)
    assert customers_needed(found, 0.0) == 0


def test_winsorised_draws_in_the_ends():
    np.testing.assert_allclose(winsorised(np.append(np.arange(100.0), 1e9))[-1], 99)
    assert winsorised(np.arange(101.0)).min() == 1
