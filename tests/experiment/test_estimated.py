"""What probabilities promise of a list: by hand, by trying all outcomes, and as often as it says."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from kizuna.experiment.estimated import estimated_quality, expected_auc, expected_share, poisson_binomial
from kizuna.experiment.realised import realised_quality


def shop(p: list[float], arms: list[str], listed: int) -> pd.DataFrame:
    """The first ``listed`` customers are on the list, and were never on another."""
    on = np.arange(len(p)) < listed
    return pd.DataFrame({"churn_probability": p, "arm": arms, "is_listed": on, "ever_listed": on})


def test_five_customers_by_hand() -> None:
    # Two targets and one control on the list, two never listed; the control stands for two customers.
    found = estimated_quality(
        shop([0.9, 0.8, 0.6, 0.3, 0.1], ["target", "target", "control", "target", "target"], 3), 0.5
    )
    assert found.precision.estimate == pytest.approx(0.6)
    assert (found.precision.low, found.precision.high) == (0, 1)
    assert found.base_rate.estimate == pytest.approx((2 * 0.6 + 0.3 + 0.1) / 4)
    assert found.lift.estimate == pytest.approx(0.6 / 0.4)
    # Pairs of who leaves and who stays: those in order over those in any order; nobody is paired with himself.
    in_order = 1.2 * (0.7 + 0.9) + 0.3 * 0.9
    assert found.auc.estimate == pytest.approx(in_order / (in_order + 0.1 * (0.8 + 0.7) + 0.3 * 0.8))


def test_where_nobody_is_left_alone_all_count() -> None:
    found = estimated_quality(shop([0.9, 0.7, 0.1], ["target"] * 3, 2), 0.0)
    assert found.precision.estimate == pytest.approx(0.8)
    assert found.base_rate.estimate == pytest.approx(1.7 / 3)


def test_the_distribution_of_a_count_is_that_of_all_outcomes() -> None:
    p = np.array([0.1, 0.5, 0.5, 0.9, 0.35, 1.0])
    found = np.zeros(len(p) + 1)
    for outcome in itertools.product((0, 1), repeat=len(p)):
        found[sum(outcome)] += np.prod(np.where(outcome, p, 1 - p))
    assert poisson_binomial(p) == pytest.approx(found, abs=1e-12)
    assert poisson_binomial(np.full(1500, 0.3)).sum() == pytest.approx(1)


def test_an_empty_list_promises_nothing() -> None:
    found = estimated_quality(shop([0.9, 0.1], ["target", "target"], 0), 0.5)
    assert np.isnan([found.precision.estimate, found.lift.estimate]).all()
    assert found.base_rate.estimate == pytest.approx(0.5)


@pytest.mark.parametrize("spread", [0.3, 2.0])
def test_intervals_hold_as_often_as_they_say(spread: float) -> None:
    """Of 200 shops whose customers leave by their own probabilities, at least 95 in 100 less what chance takes away."""
    draw = np.random.default_rng(round(10 * spread))
    held = []
    for _ in range(200):
        p = draw.beta(spread, 2 * spread, 250)
        arm = np.where(draw.random(250) < 0.3, "control", "target")
        listed = np.argsort(np.argsort(-p)) < 100
        rows = pd.DataFrame({"churn_probability": p, "arm": arm, "is_listed": listed, "ever_listed": listed})
        promised = estimated_quality(rows, 0.3)
        came = realised_quality(rows.assign(churned=(draw.random(250) < p).astype(float)), 0.3)
        pairs = [
            (promised.precision, came.precision.estimate),
            (promised.base_rate, came.base_rate),
            (promised.lift, came.lift.estimate),
            (promised.auc, came.auc),
        ]
        held.append([interval.low - 1e-9 <= value <= interval.high + 1e-9 for interval, value in pairs])
    share = np.mean(held, axis=0)
    assert (share >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)).all(), share
    # Nor are they wider than they need be, but for a count's steps.
    assert (share[1:] <= 0.95 + 3 * np.sqrt(0.95 * 0.05 / 200)).all(), share


def test_many_customers_are_told_by_the_normal_distribution() -> None:
    p = np.linspace(0.01, 0.99, 2001)
    few, many = expected_share(p[:2000], np.ones(2000)), expected_share(p, np.ones(2001))
    assert (few.low, few.high) == pytest.approx((many.low, many.high), abs=1e-3)
    assert expected_auc(np.full(3000, 0.3), np.ones(3000)).estimate == pytest.approx(0.5)
