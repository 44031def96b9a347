from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kizuna.models.learners.splits import Split, pooled, rows_at, stratified_splits


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=60),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_every_row_is_tested_once_and_customers_stay_together(rows, count, seed):
    groups, y = np.array([g for g, _ in rows]), np.array([float(c) for _, c in rows])
    splits = stratified_splits(y, groups, count, seed)
    if not splits:
        ones, zeros = len(set(groups[y == 1])), len(set(groups[y == 0]))
        assert min(ones, zeros, len(set(groups))) < 2
        return
    assert sorted(np.concatenate([split.test for split in splits])) == list(range(len(y)))
    for split in splits:
        assert sorted([*split.train, *split.test]) == list(range(len(y)))
        assert not set(groups[split.train]) & set(groups[split.test])
        assert split.calibrated_by == ()


def test_folds_have_the_same_share_of_churned():
    y = np.array([1.0] * 10 + [0.0] * 40)
    assert [y[split.test].sum() for split in stratified_splits(y)] == [2, 2, 2, 2, 2]


def test_folds_are_fewer_where_few_churned():
    y = np.array([1.0] * 3 + [0.0] * 40)
    assert len(stratified_splits(y)) == 3
    assert stratified_splits(np.zeros(10)) == []


def test_the_seed_draws_and_the_same_seed_draws_the_same():
    y = (np.arange(60) % 3 == 0).astype(float)
    tests = [[split.test.tolist() for split in stratified_splits(y, seed=seed)] for seed in (1, 1, 2)]
    assert tests[0] == tests[1]
    assert tests[0] != tests[2]


def test_pooled_is_nan_where_never_tested_and_the_mean_where_tested_twice():
    splits = [Split(np.array([3]), np.array([0, 1])), Split(np.array([3]), np.array([1]))]
    out = pooled([np.array([0.2, 0.4]), np.array([0.6])], splits, 3)
    np.testing.assert_array_equal(out, [0.2, 0.5, np.nan])


def test_pooled_keeps_two_columns_apart():
    out = pooled([np.array([[1.0, 2.0]])], [Split(np.array([0]), np.array([1]))], 2)
    np.testing.assert_array_equal(out, [[np.nan, np.nan], [1.0, 2.0]])


@given(st.lists(st.integers(0, 7), max_size=9), st.booleans())
def test_rows_are_those_of_the_positions_in_their_order(positions, by_column):
    X = np.arange(24.0).reshape(8, 3)
    X = np.asfortranarray(X) if by_column else X
    for chosen in (positions, sorted(set(positions)), range(2, 6), range(8)):
        at = np.array(chosen, dtype=np.intp)
        assert rows_at(X, at).tolist() == X[at].tolist()
