from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.btyd.histories import Histories, check_rows, collapse, collapsed, read_histories, thinned


def refusal(*columns, weights=None):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        read_histories(*columns, weights)
    return str(caught.value)


def test_columns_come_back_as_given():
    read = read_histories([2, 0], [5, 0], [9, 4])
    assert read.frequency.tolist() == [2.0, 0.0]
    assert read.recency.tolist() == [5.0, 0.0]
    assert read.age.tolist() == [9.0, 4.0]
    assert read.weight.tolist() == [1.0, 1.0]
    assert len(read_histories([], [], [])) == 0


def test_the_last_digit_of_a_division_is_forgiven():
    assert read_histories([1], [0.1 + 0.2], [0.3]).recency.tolist() == [0.3]


def test_impossible_histories_are_refused_with_the_first_one_shown():
    assert refusal([1, 2], [3], [4, 5]) == (
        "frequency, recency and age must be columns of one length; found shapes (2,), (1,) and (2,). "
        "Give one number per customer in each."
    )
    assert refusal([[1]], [[3]], [[4]]) == (
        "frequency, recency and age must be columns of one length; found shapes (1, 1), (1, 1) and (1, 1). "
        "Give one number per customer in each."
    )
    assert refusal([1, 2], [3, np.nan], [4, 5]) == (
        "1 of 2 customers have no finite recency (row 1: recency nan). Fill the gap, or leave the customer out."
    )
    assert refusal([1, -2], [3, 3], [4, 5]) == (
        "1 of 2 customers have a negative frequency (row 1: frequency -2). Counts and times are 0 or more."
    )
    assert refusal([0.5, 2.5], [3, 3], [4, 5]) == (
        "2 of 2 customers have a frequency that is not a whole number (row 0: frequency 0.5). Count repeat purchases."
    )
    assert refusal([1, 1], [3, 30], [4, 5]) == (
        "1 of 2 customers have a last purchase later than now (row 1: recency 30, age 5). "
        "Measure both from the first purchase, in one unit of time."
    )
    assert refusal([0, 1], [3, 3], [4, 5]) == (
        "1 of 2 customers have no repeat purchase, but a time of the last one (row 0: frequency 0, recency 3). "
        "Recency runs from the first purchase to the last, so it is 0 after a single one."
    )
    assert refusal([1], [1], [1], weights=[1, 2]) == "1 rows and 2 weights. Give one weight per row."
    assert refusal([1], [1], [1], weights=[-1]).startswith("1 of 1 customers have a negative weights")


def test_right_rows_pass():
    check_rows("anything", np.zeros(3, dtype=bool), {}, "Nothing to do.")


def test_equal_rows_are_counted_once():
    columns = [np.array([2.0, 1, 2, 2, 5]), np.array([7.0, 7, 7, 6, 5])]
    (first, second), weight = collapse(columns, np.array([1.0, 1, 3, 1, 0]))
    assert first.tolist() == [1.0, 2.0, 2.0]
    assert second.tolist() == [7.0, 6.0, 7.0]
    assert weight.tolist() == [1.0, 1.0, 4.0]
    assert collapse([np.zeros(0)], np.zeros(0))[1].size == 0


def test_the_order_of_rows_does_not_show_in_any_bit():
    draw = np.random.default_rng(0)
    x, weight = draw.integers(0, 3, 200).astype(float), draw.random(200)
    order = draw.permutation(200)
    one, other = collapse([x], weight), collapse([x[order]], weight[order])
    assert one[1].tolist() == other[1].tolist()


def test_thinning_keeps_every_kth_row():
    ten = np.arange(10.0)
    rows = collapsed(Histories(ten, ten, ten, np.ones(10)))
    assert thinned(rows, 5).frequency.tolist() == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert len(thinned(rows, 100)) == 10
