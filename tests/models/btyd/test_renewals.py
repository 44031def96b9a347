from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.btyd.renewals import discounted_renewals


def by_terms(alpha, beta, survived, discount, terms=60_000):
    """Renewal after renewal: each reached with the retention rates so far, each discounted once more."""
    n = survived + 1 + np.arange(terms)
    survival = np.cumprod((beta + n - 1) / (alpha + beta + n - 1))
    return float(survival @ (1 + discount) ** -np.arange(terms, dtype=float))


@pytest.mark.parametrize("alpha", [1e-3, 0.668, 1.0, 2.0, 3.0, 50.0])
@pytest.mark.parametrize("beta", [1e-3, 3.806, 500.0])
@pytest.mark.parametrize("discount", [1e-3, 0.1, 3.0])
def test_it_is_the_sum_over_renewals(alpha, beta, discount):
    found = discounted_renewals(alpha, beta, np.array([0.0, 7.0, 0.0]), discount)
    expected = [by_terms(alpha, beta, k, discount) for k in (0, 7)]
    assert found.tolist() == pytest.approx([expected[0], expected[1], expected[0]], rel=1e-9)


def test_a_tiny_discount_comes_close_to_none():
    # Without a discount: (beta + k) / (alpha − 1).
    assert discounted_renewals(3.0, 4.0, np.array([2.0]), 1e-9)[0] == pytest.approx(3.0, rel=1e-6)
