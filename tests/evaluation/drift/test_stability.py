"""The population stability index: bins, the formula, what chance alone gives."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.evaluation.drift.stability import Histogram, histogram, population_stability_index, stability


def by_hand(then: list[float], now: list[float], cuts: tuple[float, ...]) -> float:
    """The index by counting every value in every bin, in the slowest way."""
    edges = [-math.inf, *cuts, math.inf]
    total = 0.0
    bins = [[[v for v in side if low < v <= high] for side in (then, now)] for low, high in pairwise(edges)]
    bins.append([[v for v in side if math.isnan(v)] for side in (then, now)])
    filled = [(len(a) + 0.5, len(b) + 0.5) for a, b in bins if a or b]
    n, m = (sum(pair[side] for pair in filled) for side in (0, 1))
    for a, b in filled:
        total += (b / m - a / n) * math.log((b / m) / (a / n))
    return total


def test_the_formula_of_two_bins():
    expected, actual = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    assert population_stability_index(expected, actual) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    assert population_stability_index(expected, expected) == 0


def test_ten_values_in_bins_of_their_own():
    found = histogram(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    assert found == Histogram((1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5), (1,) * 10 + (0,))
    assert found.count(np.array([0.0, 1.5, 1.6, 99, np.nan, np.inf])).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert found.rows == 10


@pytest.mark.parametrize("ones", [1, 5, 50, 95, 99])
def test_a_flag_has_two_bins_however_rare_one_side_is(ones: int):
    values = np.array([1.0] * ones + [0.0] * (100 - ones))
    assert histogram(values) == Histogram((0.5,), (100 - ones, ones, 0))


def test_a_column_of_one_value_sees_a_change_to_either_side():
    found = histogram(np.array([3.0, 3.0, np.nan]))
    assert found.counts == (0, 2, 0, 1)
    assert found.count(np.array([2.9, 3.0, 3.1, np.nan])).tolist() == [1, 1, 1, 1]
    assert histogram(np.array([0.0, 0.0])).count(np.array([-1.0, 0.0, 1e-300])).tolist() == [1, 1, 1, 0]


def test_a_column_without_values_has_one_bin_for_values_to_come():
    found = histogram(np.array([np.nan, np.nan]))
    assert found == Histogram((), (0, 2))
    assert found.count(np.array([1.0, np.nan])).tolist() == [1, 1]
    assert histogram(np.zeros(0)) == Histogram((), (0, 0))


def test_nothing_can_be_said_without_rows():
    empty = histogram(np.zeros(0))
    found = stability(empty, [0, 0])
    assert math.isnan(found.psi)
    assert not found.exceeds(0.2)


def test_a_histogram_survives_json():
    found = histogram(np.array([0.1, 0.2, 0.7, np.nan]))
    assert Histogram.from_json(found.to_json()) == found


values = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-1e9, 1e9), st.just(math.nan)), min_size=1, max_size=40
)


@given(values, values)
def test_it_equals_the_sum_over_bins_counted_one_by_one(then: list[float], now: list[float]):
    found = histogram(np.array(then))
    counts = found.count(np.array(now))
    assert sum(found.counts) == len(then)
    assert counts.sum() == len(now)
    result = stability(found, counts)
    assert result.psi == pytest.approx(by_hand(then, now, found.cuts), abs=1e-12)
    assert result.psi >= 0
    assert stability(found, found.counts).psi == 0


@given(values, values)
def test_the_counts_of_parts_add_up_and_their_order_plays_no_part(then: list[float], now: list[float]):
    found = histogram(np.array(then))
    both = found.count(np.array(then + now))
    assert (found.count(np.array(then)) + found.count(np.array(now)) == both).all()
    assert histogram(np.array(then[::-1])) == found


@pytest.mark.parametrize(("n", "m"), [(200, 200), (100, 1000), (2000, 60)])
def test_chance_alone_stays_below_its_limit(n: int, m: int):
    draw = np.random.default_rng(3)
    beyond = 0
    for _ in range(1000):
        found = histogram(draw.normal(size=n))
        result = stability(found, found.count(draw.normal(size=m)))
        beyond += result.exceeds(0)
    assert beyond <= 6


def test_a_shift_of_one_deviation_is_beyond_chance_and_near_its_true_value():
    draw = np.random.default_rng(3)
    found = histogram(draw.normal(size=20_000))
    result = stability(found, found.count(draw.normal(1, 1, size=20_000)))
    # Of two normal densities one deviation apart the index is 1; ten bins keep most of it.
    assert 0.85 < result.psi < 1
    assert result.by_chance < 0.003
    assert result.exceeds(0.5)
