"""The likelihood against the integral it stands for, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, gamma

from kizuna.models.btyd.histories import collapsed, read_histories
from kizuna.models.btyd.likelihood import log_likelihood, make_sums

TRIPLES = [(0, 0.0, 5.0), (1, 2.0, 5.0), (3, 4.0, 4.0), (6, 3.5, 9.0)]
letter = st.floats(-4, 4).map(np.exp)


def value(x, last, age, params, first_chance):
    sums = make_sums(collapsed(read_histories([x], [last], [age])), first_chance)
    return log_likelihood(sums, np.array(params))[0]


def integral(x, last, age, params, first_chance):
    """The history's density given rate and dropout probability, averaged over a grid of log rates and log odds."""
    r, alpha, a, b = params
    chances = x + first_chance
    log_rate, log_odds = np.linspace(-30, 4, 1_500)[:, None], np.linspace(-25, 20, 1_500)
    rate, p = np.exp(log_rate), 1 / (1 + np.exp(-log_odds))
    alive = (1 - p) ** chances * rate**x * np.exp(-rate * age)
    gone = p * (1 - p) ** (chances - 1) * rate**x * np.exp(-rate * last) if chances else 0.0
    weight = gamma.pdf(rate, r, scale=1 / alpha) * rate * beta.pdf(p, a, b) * p * (1 - p)
    cell = (log_rate[1, 0] - log_rate[0, 0]) * (log_odds[1] - log_odds[0])
    return float(np.sum((alive + gone) * weight)) * cell


@pytest.mark.parametrize("first_chance", [0, 1])
@pytest.mark.parametrize("triple", TRIPLES)
def test_it_is_the_integral_over_rates_and_dropout_probabilities(triple, first_chance):
    params = (1.3, 4.0, 1.6, 2.5)
    assert value(*triple, params, first_chance) == pytest.approx(
        np.log(integral(*triple, params, first_chance)), abs=1e-7
    )


@pytest.mark.parametrize("first_chance", [0, 1])
@settings(max_examples=60)
@given(params=st.tuples(letter, letter, letter, letter))
def test_the_gradient_is_that_of_differences(params, first_chance):
    draw = np.random.default_rng(5)
    x = draw.integers(0, 6, 40)
    age = draw.uniform(1, 30, 40)
    sums = make_sums(collapsed(read_histories(x, np.where(x > 0, age * draw.random(40), 0.0), age)), first_chance)
    logs = np.log(params)
    _, gradient = log_likelihood(sums, np.exp(logs))
    for at in range(4):
        step = np.eye(4)[at] * 1e-5
        up, down = log_likelihood(sums, np.exp(logs + step))[0], log_likelihood(sums, np.exp(logs - step))[0]
        assert gradient[at] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-4)


def test_huge_letters_come_close_to_the_models_without_differences():
    # Rate 0.3 for everybody, nobody drops out: Poisson arrivals.
    sums = make_sums(collapsed(read_histories([2], [4.0], [10.0])), 0)
    assert log_likelihood(sums, np.array([3e9, 1e10, 1e-9, 1.0]))[0] == pytest.approx(2 * np.log(0.3) - 3.0, abs=1e-6)


def test_sums_count_customers_beyond_each_purchase():
    sums = make_sums(collapsed(read_histories([0, 2, 2, 3], [0, 5, 5, 6], [9, 9, 9, 9], [10, 1, 1, 1])), 0)
    assert sums.beyond.tolist() == [3.0, 3.0, 1.0]
    assert sums.customers == 13
    assert sums.rows.shape == (4, 3)
