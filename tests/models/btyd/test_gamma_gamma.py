from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma
from sklearn.base import clone
from tests.models.btyd.cdnow import cdnow

from kizuna.errors import ContractError
from kizuna.models import GammaGamma
from kizuna.models.btyd.gamma_gamma import _surface


def fitted(p, q, v, observed=10.0):
    return GammaGamma.from_json(
        {
            "model": "GammaGamma",
            "customers": 1.0,
            "observed_mean": observed,
            "params": {"p": p, "q": q, "v": v},
            "log_likelihood": 0.0,
            "standard_errors": {},
            "at_boundary": [],
            "warnings": [],
        }
    )


def sales(p, q, v, customers, seed=0):
    draw = np.random.default_rng(seed)
    x = draw.integers(0, 8, customers)
    rate = draw.gamma(q, 1 / v, customers)
    return x, np.where(x > 0, draw.gamma(p * np.maximum(x, 1), 1 / rate) / np.maximum(x, 1), 0.0)


def test_golden():
    # Fader & Hardie, the gamma-gamma note: p 6.25, q 3.74, v 15.44.
    model = GammaGamma().fit(cdnow()["frequency"], cdnow()["mean_value"])
    assert list(model.params_.values()) == pytest.approx([6.2488, 3.7446, 15.4478], abs=5.1e-4)
    assert model.customers_ == 946
    assert model.population_mean_ == pytest.approx(35.17, abs=0.005)
    assert model.warnings_ == ()


def test_the_likelihood_is_the_integral_over_rates():
    # Two customers: 3 transactions of mean 12, 1 of 5. The mean of x Gamma(p, rate) values is Gamma(p x, x rate).
    p, q, v = 2.0, 3.0, 9.0
    point = np.log([p, q, p * v / q])
    value, _ = _surface(np.array([1.0, 3.0]), np.array([5.0, 12.0]), np.ones(2)).slope(point)
    parts = [
        quad(
            lambda rate, x=x, z=z: gamma.pdf(z, p * x, scale=1 / (x * rate)) * gamma.pdf(rate, q, scale=1 / v),
            0,
            np.inf,
        )
        for x, z in ((3, 12.0), (1, 5.0))
    ]
    assert value == pytest.approx(sum(np.log(part[0]) for part in parts), abs=1e-7)


@settings(max_examples=50)
@given(st.tuples(*[st.floats(-3, 3)] * 3))
def test_the_gradient_is_that_of_differences(point):
    x, mean = sales(3.0, 4.0, 20.0, 30)
    surface = _surface(x[x > 0].astype(float), mean[x > 0], np.ones((x > 0).sum()))
    at = np.array(point)
    _, gradient = surface.slope(at)
    for coordinate in range(3):
        step = np.eye(3)[coordinate] * 1e-5
        difference = (surface.slope(at + step)[0] - surface.slope(at - step)[0]) / 2e-5
        assert gradient[coordinate] == pytest.approx(difference, rel=1e-5, abs=1e-4)


def test_true_parameters_are_found_again():
    model = GammaGamma().fit(*sales(4.0, 3.0, 20.0, 60_000))
    for name, truth in {"p": 4.0, "q": 3.0, "v": 20.0}.items():
        assert abs(model.params_[name] - truth) < 4 * model.standard_errors_[name] < truth


def test_the_expectation_is_that_of_simulated_customers():
    draw = np.random.default_rng(4)
    rate = draw.gamma(3.0, 1 / 20.0, 400_000)
    x = draw.integers(1, 6, 400_000)
    mean = draw.gamma(4.0 * x, 1 / rate) / x
    predicted, truth = fitted(4.0, 3.0, 20.0).expected_value(x, mean), 4.0 / rate
    for count in range(1, 6):
        for low, high in ((0, 20), (20, 50), (50, 100)):
            rows = (x == count) & (mean >= low) & (mean < high)
            assert truth[rows].mean() == pytest.approx(predicted[rows].mean(), rel=0.02)


def test_shrinkage_by_hand():
    # p (v + x mean) / (p x + q − 1) with 2, 3, 9: (18 + 2·x·mean) / (2x + 2); nothing bought: 2·9 / 2 = 9.
    model = fitted(2.0, 3.0, 9.0)
    assert model.expected_value([0, 1, 5], [np.nan, 20.0, 20.0]).tolist() == pytest.approx([9.0, 14.5, 218 / 12])
    assert model.expected_value([], []).shape == (0,)


def test_an_infinite_mean_is_said_and_stood_in_for():
    model = fitted(2.0, 0.5, 9.0, observed=31.0)
    assert model.population_mean_ == 31.0
    assert model.warnings_ == (
        "The population mean is infinite (q = 0.5 is not above 1): a few customers hold most of the money. "
        "The mean over the customers, 31, stands in for it.",
    )
    # 2·1 + .5 − 1 = 1.5 is above 0: (18 + 40) / 1.5. With p = .2 it is not, and the own mean stays.
    assert model.expected_value([0, 1], [0.0, 20.0]) == pytest.approx([31.0, 58 / 1.5])
    assert fitted(0.2, 0.5, 9.0).expected_value([1], [20.0]).tolist() == [20.0]
    assert (
        GammaGamma()
        .fit(*sales(3.0, 0.7, 10.0, 4_000))
        .warnings_[0]
        .startswith("The population mean is infinite (q = 0.")
    )


def test_customers_who_do_not_differ_in_value():
    x = np.arange(1, 9).repeat(300)
    mean = np.random.default_rng(1).gamma(3.0 * x, 1.0) / x
    model = GammaGamma().fit(x, mean)
    assert model.at_boundary_ in ((), ("q", "v"))
    assert model.expected_value([1, 5], [0.5, 9.0]) == pytest.approx([3.0, 3.0], abs=0.4)
    same = GammaGamma().fit(x, np.full(len(x), 30.0))
    assert same.at_boundary_ == ("p", "q", "v")
    assert same.warnings_ == (
        "Customers do not differ in what their purchases are worth on average.",
        "Each customer's purchases are all worth the same: p is as large as it may be.",
    )
    assert same.expected_value([0, 3], [0.0, 30.0]) == pytest.approx([30.0, 30.0], rel=1e-3)


def test_neither_order_nor_counting_nor_currency_shows():
    x, mean = sales(4.0, 3.0, 20.0, 300)
    once = GammaGamma().fit(x, mean)
    order = np.random.default_rng(0).permutation(300)
    assert GammaGamma().fit(x[order], mean[order]).to_json() == once.to_json()
    doubled = GammaGamma().fit(x, mean, np.full(300, 2))
    assert doubled.params_ == pytest.approx(once.params_, rel=1e-6)
    yen = GammaGamma().fit(x, mean * 150)
    assert list(yen.params_.values()) == pytest.approx(np.array(list(once.params_.values())) * [1, 1, 150], rel=1e-6)
    assert yen.expected_value(x, mean * 150) == pytest.approx(150 * once.expected_value(x, mean))


def test_impossible_rows_are_refused():
    with pytest.raises(ValueError, match=r"^GammaGamma is fitted to at least one customer; found none\. Give values"):
        GammaGamma().fit([], [])
    with pytest.raises(ContractError) as nobody:
        GammaGamma().fit([0, 0], [0, 0])
    assert str(nobody.value) == (
        "GammaGamma needs customers with repeat transactions; found none among 2 customers. "
        "Wait for repeat transactions, or use a longer history."
    )
    with pytest.raises(ValueError) as worthless:  # noqa: PT011 - the whole text is compared
        GammaGamma().fit([1, 2, 0], [5, 0, 0])
    assert str(worthless.value) == (
        "1 of 3 customers have transactions, but no mean value above 0 (row 1: frequency 2, mean_value 0). "
        "Leave free orders and returns out."
    )
    with pytest.raises(ValueError, match=r"^1 of 1 customers have a frequency that is not a whole number"):
        GammaGamma().fit([1.5], [5])
    with pytest.raises(ValueError, match=r"^frequency and mean_value must be columns of one length"):
        GammaGamma().fit([1, 2], [5])


def test_it_is_an_estimator_and_plain_json():
    model = clone(GammaGamma()).fit(*sales(4.0, 3.0, 20.0, 300))
    again = GammaGamma.from_json(json.loads(json.dumps(model.to_json(), allow_nan=False)))
    assert again.to_json() == model.to_json()
    assert again.expected_value([0, 2], [0, 9]).tolist() == model.expected_value([0, 2], [0, 9]).tolist()
    with pytest.raises(ValueError, match=r"^A GammaGamma was asked for; the tree holds a BGNBD\. Read it as that\.$"):
        GammaGamma.from_json({"model": "BGNBD"})
