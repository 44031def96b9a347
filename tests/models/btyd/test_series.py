from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, hyp2f1
from scipy.stats import nbinom

from kizuna.models.btyd.series import _integral, live_purchases


def one(shape, odds, chances, a, b):
    return live_purchases(np.array([shape]), np.array([odds]), np.array([float(chances)]), (a, b))[0]


def closed_form(shape, odds, chances, a, b):
    """Fader, Hardie & Lee (2005), equation 9, from the state of a customer who stayed ``chances`` times."""
    stays = b + chances
    z = odds / (1 + odds)
    return (a + stays - 1) / (a - 1) * (1 - (1 - z) ** shape * hyp2f1(shape, stays, a + stays - 1, z))


def integral(shape, odds, chances, a, b):
    """The mean over the dropout probability p of (1 − (1 + p odds)^−shape) / p, on a fine grid of p's log odds."""
    stays = b + chances
    grid = np.linspace(-40 / min(a, 1), 40 / min(stays, 1), 60_001)
    log_p, log_q = -np.logaddexp(0, -grid), -np.logaddexp(0, grid)
    purchases = -np.expm1(-shape * np.log1p(np.exp(log_p) * odds)) / np.exp(log_p)
    return float(np.sum(purchases * np.exp(a * log_p + stays * log_q - betaln(a, stays)))) * (grid[1] - grid[0])


def by_terms(shape, odds, chances, a, b, terms=20_000):
    """The sum itself, far beyond where it matters."""
    n = np.arange(1, terms)
    stays = b + chances + np.arange(terms - 1)
    reached = np.cumsum(np.concatenate([[1.0], np.cumprod(stays / (a + stays))])[: terms - 1])
    return float(nbinom.pmf(n, shape, 1 / (1 + odds)) @ reached)


@pytest.mark.parametrize("a", [0.3, 0.79, 2.5, 7.0])
@pytest.mark.parametrize("chances", [0, 1, 8])
@pytest.mark.parametrize("odds", [0.01, 0.8, 6.0])
def test_it_is_the_published_closed_form(a, chances, odds):
    case = (0.24 + chances, odds, chances, a, 2.4)
    assert one(*case) == pytest.approx(closed_form(*case), rel=1e-8)


@settings(max_examples=40)
@given(
    st.floats(0.05, 30),
    st.floats(1e-3, 20),
    st.integers(0, 40),
    st.floats(0.2, 20),
    st.floats(1.0, 20),
)
def test_it_is_the_integral_over_dropout_probabilities(shape, odds, chances, a, b):
    assert one(shape, odds, chances, a, b) == pytest.approx(integral(shape, odds, chances, a, b), rel=1e-7)


def test_where_the_closed_form_breaks_the_sum_holds():
    # At a = 1 the closed form divides 0 by 0; with thousands of purchases it overflows; so does the first term.
    assert one(2.0, 0.5, 3, 1.0, 2.0) == pytest.approx(by_terms(2.0, 0.5, 3, 1.0, 2.0), rel=1e-12)
    assert one(2_000.0, 1.5, 2_000, 0.5, 2.0) == pytest.approx(by_terms(2_000.0, 1.5, 2_000, 0.5, 2.0), rel=1e-9)
    assert one(0.5, 900.0, 0, 1.2, 0.4) == pytest.approx(integral(0.5, 900.0, 0, 1.2, 0.4), rel=1e-8)


def test_the_limits():
    assert one(2.0, 0.0, 3, 0.7, 2.0) == 0
    # Nobody drops out: r t / alpha. Everybody does after one purchase: the probability of one purchase.
    assert one(2.5, 0.6, 1, 1e-12, 1.0) == pytest.approx(1.5, rel=1e-9)
    assert one(2.5, 0.6, 0, 1e12, 1e-3) == pytest.approx(1 - 1.6**-2.5, rel=1e-9)
    assert live_purchases(np.zeros(0), np.zeros(0), np.zeros(0), (1.0, 1.0)).shape == (0,)


@pytest.mark.parametrize("a", [1e-6, 0.4, 1.0, 30.0, 5_000.0])
@pytest.mark.parametrize("b", [1e-6, 2.0, 5_000.0])
def test_the_integral_for_long_horizons_is_the_series(a, b):
    assert _integral(0.7, 9_000.0, a, b) == pytest.approx(one(0.7, 9_000.0, 0, a, b), rel=1e-8)
    assert _integral(5.5, 3.0, a, b + 5) == pytest.approx(one(5.5, 3.0, 5, a, b), rel=1e-8)


def test_a_horizon_without_end_is_the_number_of_purchases_ever():
    # Alive for certain now, with p ~ Beta(3, 2): E[1 / p] = (3 + 2 - 1) / (3 - 1) = 2.
    assert one(1.5, 1e300, 0, 3.0, 2.0) == pytest.approx(2.0, rel=1e-9)
    assert live_purchases(np.ones(3), np.array([1e9, 0.5, 1e9]), np.zeros(3), (3.0, 2.0))[[0, 2]] == pytest.approx(
        [one(1.0, 1e9, 0, 3.0, 2.0)] * 2
    )
