"""Columns as numbers in bins."""

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.leaks.bins import auc_of_groups, bins_of, edges_of, numbers_of


def test_text_becomes_the_place_of_its_value_and_null_stays_null():
    assert numbers_of(pd.Series(["b", None, "a", "b"])) == pytest.approx([1, np.nan, 0, 1], nan_ok=True)
    assert numbers_of(pd.Series([3, 1])).tolist() == [3, 1]


def test_a_value_that_fills_a_bin_has_its_own_and_nulls_too():
    values = np.array([0.0] * 50 + list(range(1, 51)) + [np.nan])
    bins = bins_of(values, edges_of(values))
    assert set(bins[:50]) != set(bins[50:100])
    assert len(set(bins[:50])) == 1
    assert bins[100] == bins.max() > bins[99]
    assert edges_of(np.array([np.nan])).size == 0


def test_groups_of_one_score_are_ties():
    assert auc_of_groups([0, 1], np.array([0.0, 1]), np.array([1.0, 0])) == 1
    assert auc_of_groups([0, 0], np.array([0.0, 1]), np.array([1.0, 0])) == 0.5
    assert np.isnan(auc_of_groups([0], np.array([1.0]), np.array([0.0])))
