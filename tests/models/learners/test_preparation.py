from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kizuna.models.learners.preparation import Preparation, fit_preparation


def test_five_rows_by_hand():
    # Mean of 1, 2, 3 and the median 2 twice: 2; variance (1 + 1) / 5; two of five rows are gaps.
    X = np.array([[1.0], [2.0], [3.0], [np.nan], [np.nan]])
    preparation = fit_preparation(X, np.array([0]))
    spread, gap_spread = np.sqrt(0.4), np.sqrt(0.4 * 0.6)
    np.testing.assert_allclose(
        preparation.apply(X),
        np.column_stack([np.array([-1, 0, 1, 0, 0]) / spread, (np.array([0, 0, 0, 1, 1]) - 0.4) / gap_spread]),
    )
    assert preparation.owner.tolist() == [0, 0]


def test_a_heavy_tail_is_logged_in_units_of_its_own_median():
    X = np.array([[0.0], *[[10.0]] * 20, [20.0], [100_000.0]])
    preparation = fit_preparation(X, np.array([0]))
    assert preparation.log_scale.tolist() == [10.0]
    cents = fit_preparation(X * 100, np.array([0]))
    np.testing.assert_allclose(cents.apply(X * 100), preparation.apply(X))


def test_shares_and_rare_flags_are_left_alone():
    flag = np.array([1.0] + [0.0] * 99)
    share = np.linspace(0, 1, 100)
    assert fit_preparation(np.column_stack([flag, share]), np.array([0, 1])).log_scale.tolist() == [0.0, 0.0]


def test_empty_and_constant_columns_are_zero_and_stay_zero_when_taught():
    X = np.column_stack([np.full(4, np.nan), np.full(4, 0.1)])
    prepared = fit_preparation(X, np.array([0, 1])).apply(X)
    assert prepared.shape == (4, 2)
    np.testing.assert_allclose(prepared, 0, atol=1e-12)


def test_extremes_are_held_within_five_deviations():
    X = np.arange(100.0)[:, None]
    preparation = fit_preparation(X, np.array([0]))
    assert preparation.apply(np.array([[1e9], [-1e9]])).ravel().tolist() == [5.0, -5.0]


@given(arrays(np.float64, (7, 3), elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))))
def test_nothing_unfinite_comes_out_and_json_gives_the_same_bits(X):
    preparation = fit_preparation(X, np.array([0, 2]))
    prepared = preparation.apply(X)
    assert np.isfinite(prepared).all()
    again = Preparation.from_json(json.loads(json.dumps(preparation.to_json())))
    np.testing.assert_array_equal(again.apply(X), prepared)
