from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.models.churn.rule import expected_orders, fit_rule, rule_positions

NAMES = ["revenue", "tenure_days", "orders"]


def test_the_rule_by_hand():
    # 90 · (2 + 1/2) / (10 + 90) = 2.25 orders expected; silence has probability exp(−2.25) = 0.1054.
    X = np.array([[5.0, 10.0, 2.0]])
    rule = fit_rule(X, rule_positions(NAMES), horizon_days=90)
    assert expected_orders(np.array([2.0]), np.array([10.0]), 90) == 2.25
    assert 1 / (1 + np.exp(-rule.margin(X)[0])) == pytest.approx(np.exp(-2.25), rel=1e-12)


def test_a_longer_horizon_makes_silence_rarer():
    X = np.array([[0.0, 100.0, 3.0]])
    short, long = (fit_rule(X, (2, 1), days).margin(X)[0] for days in (30, 90))
    assert long < short


def test_gaps_take_the_training_median():
    train = np.array([[0.0, 100.0, 1.0], [0.0, 200.0, 3.0], [0.0, 300.0, 8.0]])
    rule = fit_rule(train, (2, 1), 90)
    assert rule.median == (3.0, 200.0)
    gap, median = np.array([[0.0, np.nan, np.nan]]), np.array([[0.0, 200.0, 3.0]])
    assert rule.margin(gap) == rule.margin(median)


def test_columns_without_anything_do_not_break_it():
    X = np.full((3, 3), np.nan)
    assert np.isfinite(fit_rule(X, (2, 1), 90).margin(X)).all()


@given(st.floats(0, 1e6), st.floats(0, 1e5))
def test_contributions_are_the_shapley_values_of_two_players(orders, tenure):
    train = np.array([[0.0, 100.0, 1.0], [0.0, 200.0, 3.0], [0.0, 300.0, 8.0]])
    rule = fit_rule(train, (2, 1), 90)
    row = np.array([[7.0, tenure, orders]])
    usual = np.array([[7.0, 200.0, 3.0]])
    expected = np.zeros(3)
    for order in permutations([1, 2]):
        seen = usual.copy()
        for column in order:
            before = rule.margin(seen)[0]
            seen[0, column] = row[0, column]
            expected[column] += (rule.margin(seen)[0] - before) / 2
    out = rule.contributions(row)[0]
    np.testing.assert_allclose(out[:3], expected, atol=1e-9)
    assert out.sum() == pytest.approx(rule.margin(row)[0], abs=1e-9)


def test_positions_are_none_without_both_columns():
    assert rule_positions(NAMES) == (2, 1)
    assert rule_positions(["orders", "revenue"]) is None
    assert rule_positions([]) is None
