import numpy as np
import pytest

from kizuna.data.simulation.renewal import renewal_of


@pytest.mark.parametrize("age", [0.0, 0.3, 1.5, -0.5])
def test_expected_orders_agree_with_drawing_them(age):
    generator, shape = np.random.default_rng(0), 1.5
    gaps = generator.gamma(shape, 1 / shape, (60_000, 20))
    first = gaps[:, 0]
    alive = first > max(age, 0)
    times = np.cumsum(np.column_stack([first[alive] - age, gaps[alive, 1:]]), axis=1)
    ahead = np.array([0.05, 0.4, 1.0, 3.0, 7.0, 9.0])
    drawn = [(times <= x).sum(axis=1).mean() for x in ahead]
    expected = renewal_of(shape).expected_orders(np.full(6, age), ahead)
    np.testing.assert_allclose(expected, drawn, rtol=0.015, atol=0.003)


def test_exponential_gaps_have_no_memory():
    renewal = renewal_of(1.0)
    ages, ahead = np.array([0.0, 0.5, 2.0, 30.0]), 0.7
    none = np.exp(renewal.log_none_since(ages + ahead) - renewal.log_none_since(ages))
    np.testing.assert_allclose(none, np.exp(-0.7), rtol=1e-6)
    np.testing.assert_allclose(renewal.expected_orders(ages, np.full(4, ahead)), 0.7, rtol=2e-3)
    np.testing.assert_allclose(renewal.share_younger(np.array([0.7])), 1 - np.exp(-0.7), rtol=1e-4)
