"""The shifted-beta-geometric model on the two segments of the paper.

Fader & Hardie (2007), "How to project customer retention", table 1: per cent of customers still there after 0 to 12 years;
the model is fitted to years 0 to 7 of a thousand customers each.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from kizuna.errors import ContractError
from kizuna.models import ShiftedBetaGeometric
from kizuna.models.btyd.shifted_beta_geometric import _surface

REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]


def contracts(percent, years=7):
    """periods, churned and weights: the lost of each year, and who is still there after the last."""
    left = np.array(percent[: years + 1]) * 10
    return np.append(np.arange(years), years), np.append(np.ones(years), 0), np.append(-np.diff(left), left[-1])


def fitted(alpha, beta):
    return ShiftedBetaGeometric.from_json(
        {
            "model": "ShiftedBetaGeometric",
            "customers": 1.0,
            "params": {"alpha": alpha, "beta": beta},
            "log_likelihood": 0.0,
            "standard_errors": {},
            "at_boundary": [],
            "warnings": [],
        }
    )


@pytest.mark.parametrize(
    ("percent", "letters", "log_likelihood"),
    [(REGULAR, (0.704, 1.182), -1680.3), (HIGH_END, (0.668, 3.806), -1611.2)],
)
def test_golden(percent, letters, log_likelihood):
    model = ShiftedBetaGeometric().fit(*contracts(percent))
    assert tuple(model.params_.values()) == pytest.approx(letters, abs=5.1e-4)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=0.05)
    assert model.customers_ == pytest.approx(1_000)
    # Five years ahead the projection stays within two points of what was seen.
    assert model.survival(np.arange(13)) * 100 == pytest.approx(percent, abs=2.0)


def test_survival_and_retention_by_hand():
    # alpha 1, beta 2: survival 2 / (2 + t), retention (1 + t) / (2 + t).
    model = fitted(1.0, 2.0)
    assert model.survival([0, 1, 2, 8]) == pytest.approx([1, 2 / 3, 1 / 2, 1 / 5])
    assert model.retention([0, 1, 2]).tolist() == pytest.approx([1.0, 2 / 3, 3 / 4])
    assert np.cumprod(fitted(0.7, 1.2).retention(np.arange(30))) == pytest.approx(
        fitted(0.7, 1.2).survival(np.arange(30))
    )


def test_residual_lifetime():
    model = fitted(0.668, 3.806)
    # Discounted by hand: the renewals to come of customers who survived two, over the chance to be among them.
    n = np.arange(3, 5_000)
    by_hand = model.survival(n) / model.survival([2]) @ 1.1 ** -(n - 3.0)
    assert model.expected_residual_lifetime([2], 0.1)[0] == pytest.approx(by_hand)
    n = np.arange(5_000)
    assert model.expected_lifetime(0.1) == pytest.approx(model.survival(n) @ 1.1 ** -n.astype(float))
    # Those who have stayed longer stay longer: heterogeneity.
    assert np.all(np.diff(model.expected_residual_lifetime(np.arange(9), 0.1)) > 0)
    assert model.expected_residual_lifetime([0, 3]).tolist() == [np.inf, np.inf]
    assert fitted(3.0, 4.0).expected_residual_lifetime([0, 2]).tolist() == [2.0, 3.0]
    with pytest.raises(
        ValueError, match=r"^A discount of -0\.1 was asked for\. Give a rate per period of 0 or more, such as"
    ):
        model.expected_residual_lifetime([0], -0.1)


@pytest.mark.parametrize(("survived", "lost"), [(0, 1), (3, 1), (4, 0)])
def test_the_likelihood_is_the_integral_over_customers(survived, lost):
    # Coordinates of Beta(1.5, 3): log odds of the mean, log of the sum.
    point = np.array([np.log(1.5 / 3), np.log(4.5)])
    value, _ = _surface(np.array([float(survived)]), np.array([float(lost)]), np.ones(1)).slope(point)
    theta = (np.arange(400_000) + 0.5) / 400_000
    density = theta**lost * (1 - theta) ** survived * beta_distribution.pdf(theta, 1.5, 3)
    assert value == pytest.approx(np.log(density.mean()), abs=1e-6)


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_the_gradient_is_that_of_differences(odds, spread):
    survived, lost, weight = contracts(REGULAR)
    surface = _surface(survived.astype(float), lost, weight)
    point = np.array([odds, spread])
    _, gradient = surface.slope(point)
    for at in range(2):
        step = np.eye(2)[at] * 1e-5
        difference = (surface.slope(point + step)[0] - surface.slope(point - step)[0]) / 2e-5
        assert gradient[at] == pytest.approx(difference, rel=1e-5, abs=1e-3)


def test_true_parameters_are_found_again_though_most_are_still_customers():
    draw = np.random.default_rng(0)
    lost_at = draw.geometric(draw.beta(0.8, 3.0, 60_000))
    watched = draw.integers(0, 10, 60_000)
    model = ShiftedBetaGeometric().fit(np.minimum(lost_at - 1, watched), lost_at <= watched)
    for name, truth in {"alpha": 0.8, "beta": 3.0}.items():
        assert abs(model.params_[name] - truth) < 4 * model.standard_errors_[name] < truth


def test_neither_order_nor_counting_shows():
    periods, churned, weights = contracts(REGULAR)
    counts = weights.round().astype(int)
    once = ShiftedBetaGeometric().fit(periods, churned, counts).to_json()
    order = np.random.default_rng(0).permutation(counts.sum())
    one_each = periods.repeat(counts)[order], churned.repeat(counts)[order]
    assert ShiftedBetaGeometric().fit(*one_each).to_json() == once


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (([1, 2, 3], [0, 0, 0]), "No contract is ever lost: the data hold too few losses to say when."),
        (([0, 0], [1, 1]), "Every contract is lost at its first renewal."),
        (([0] * 50 + [9] * 50, [1] * 50 + [0] * 50), "Contracts are lost at the first renewal or never."),
        (([4, 5, 6] * 9, [1] * 27), "Customers do not differ: the retention rate stays the same over time."),
    ],
)
def test_edges_are_said(rows, words):
    model = ShiftedBetaGeometric().fit(*rows)
    assert model.warnings_ == (words,)
    assert model.at_boundary_ == ("alpha", "beta")
    assert np.all(np.isfinite(model.survival(np.arange(20))))


def test_impossible_rows_are_refused():
    with pytest.raises(
        ValueError, match=r"^ShiftedBetaGeometric is fitted to at least one customer; found none\. Give contr"
    ):
        ShiftedBetaGeometric().fit([], [])
    with pytest.raises(ContractError) as young:
        ShiftedBetaGeometric().fit([0, 0], [0, 0])
    assert str(young.value) == (
        "ShiftedBetaGeometric needs contracts that came up for renewal; found 2 customers in their first period. "
        "Wait for the first renewals."
    )
    with pytest.raises(ValueError) as churned:  # noqa: PT011 - the whole text is compared
        ShiftedBetaGeometric().fit([1, 2], [0, 2])
    assert str(churned.value) == "1 of 2 customers have neither 0 nor 1 in churned (row 1: churned 2). 1 means lost."
    with pytest.raises(ValueError) as half:  # noqa: PT011 - the whole text is compared
        ShiftedBetaGeometric().fit([1, 0.5], [0, 1])
    assert str(half.value) == (
        "1 of 2 customers have periods that are not whole (row 1: periods 0.5). Count the renewals survived."
    )
    with pytest.raises(ValueError, match=r"^1 of 1 customers have a negative periods"):
        fitted(1.0, 1.0).survival(-1)
    with pytest.raises(NotFittedError):
        ShiftedBetaGeometric().survival([1])


def test_it_is_an_estimator_and_plain_json():
    model = clone(ShiftedBetaGeometric()).fit(*contracts(REGULAR))
    again = ShiftedBetaGeometric.from_json(json.loads(json.dumps(model.to_json(), allow_nan=False)))
    assert again.to_json() == model.to_json()
    assert again.survival([5]).tolist() == model.survival([5]).tolist()
    with pytest.raises(
        ValueError, match=r"^A ShiftedBetaGeometric was asked for; the tree holds a BGNBD\. Read it as that"
    ):
        ShiftedBetaGeometric.from_json({"model": "BGNBD"})
