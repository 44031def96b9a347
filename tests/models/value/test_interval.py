"""Intervals of value: closed cases, exact coverage on the rows they learned from, honest coverage on new ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.models.value.interval import _NOMINAL, OutOfFoldRows, ValueIntervals, fit_intervals


def out_of_fold(rows, seed=0, shape=2.0):
    """Half stay, who are worth a gamma of the mean that is said; who leaves is worth nothing, and said to be worth 1."""
    draw = np.random.default_rng(seed)
    p = draw.uniform(0, 1, rows)
    lost = (draw.random(rows) < p).astype(float)
    said = draw.lognormal(4, 1, rows)
    value = np.where(lost == 1, 0.0, said * draw.gamma(shape, 1 / shape, rows))
    return OutOfFoldRows(np.column_stack([said, np.ones(rows)]), p, value, lost, np.arange(rows) % 3)


def inside(intervals, rows, coverage):
    low, high = intervals.bounds(rows.conditional, rows.p, coverage).T
    return (low <= rows.value) & (rows.value <= high)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_new_customers_fall_inside_as_often_as_asked(coverage):
    rows, new = out_of_fold(6000), out_of_fold(6000, seed=1)
    found = inside(fit_intervals(rows), new, coverage)
    # Where nothing at all is likelier than what was asked, no interval holds less.
    sure = new.p > coverage
    assert found[sure].mean() > coverage
    # Nor do the others hold less than the narrowest interval does, so that no share below that can be met.
    least = np.maximum(new.p, _NOMINAL[0]).mean()
    assert found.mean() == pytest.approx(max(coverage, least), abs=0.02)


def test_the_bounds_of_a_sure_customer_are_the_quantiles_of_the_shares():
    # Of who stays, shares found are 0.01, 0.02, … 2.00 of what is said; nobody leaves.
    said = np.full(200, 100.0)
    rows = OutOfFoldRows(
        np.column_stack([said, np.zeros(200)]), np.zeros(200), np.arange(1, 201.0), np.zeros(200), np.zeros(200, int)
    )
    low, high = fit_intervals(rows).bounds(np.array([[1000.0, 0.0]]), np.zeros(1), 0.8)[0]
    assert (low, high) == (pytest.approx(200, abs=25), pytest.approx(1800, abs=25))


def test_who_surely_leaves_is_worth_nothing():
    low, high = fit_intervals(out_of_fold(3000)).bounds(np.array([[50.0, 0.0]]), np.ones(1), 0.9)[0]
    assert (low, high) == (0.0, 0.0)


def test_more_doubt_is_wider_and_more_coverage_is_wider():
    intervals = fit_intervals(out_of_fold(5000))
    both = np.array([[100.0, 1.0]] * 3)
    low = intervals.bounds(both, np.array([0.0, 0.05, 0.5]), 0.8)[:, 0]
    assert low[0] >= low[1] >= low[2] == 0
    wide = [intervals.bounds(both[:1], np.array([0.1]), share)[0] for share in (0.5, 0.8, 0.95)]
    assert wide[0][1] < wide[1][1] < wide[2][1]


def test_a_fold_unlike_the_others_asks_for_wider_intervals():
    draw, fold = np.random.default_rng(4), np.arange(6000) % 3
    said, nobody = np.full(6000, 100.0), np.zeros(6000)
    value = said * draw.gamma(2.0, 0.5, 6000)
    alike, unlike = (
        fit_intervals(OutOfFoldRows(np.column_stack([said, nobody]), nobody, found, nobody, fold))
        for found in (value, np.where(fold == 0, 4 * value, value))
    )
    level = _NOMINAL.index(0.8)
    assert alike.held[level] == pytest.approx(0.8, abs=0.01)
    assert unlike.held[level] < 0.75


def test_losses_count_as_nothing():
    rows = out_of_fold(900)
    lowered = OutOfFoldRows(
        rows.conditional, rows.p, np.where(rows.value == 0, -30.0, rows.value), rows.lost, rows.fold
    )
    mine, plain = (fit_intervals(one).to_json() for one in (lowered, rows))
    assert mine == plain


def test_it_is_plain_json():
    intervals, rows = fit_intervals(out_of_fold(700)), out_of_fold(50, seed=2)
    again = ValueIntervals.from_json(json.loads(json.dumps(intervals.to_json(), allow_nan=False)))
    bounds = [one.bounds(rows.conditional, rows.p, 0.8).tolist() for one in (intervals, again)]
    assert bounds[0] == bounds[1]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000), st.floats(0.01, 0.99))
def test_a_few_rows_give_bounds_in_order(count, seed, coverage):
    rows = out_of_fold(count, seed)
    low, high = fit_intervals(rows).bounds(rows.conditional, rows.p, coverage).T
    assert np.isfinite(high).all()
    assert (low <= high).all()
    assert (low >= 0).all()
