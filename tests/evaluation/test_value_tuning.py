"""Tuning of value: what a search wins in order and level is used only where rows that it never saw bear it out."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ConfigError
from kizuna.evaluation.folds import FoldPlan, make_folds
from kizuna.evaluation.measures.intervals import decimals
from kizuna.evaluation.measures.metrics import normalised_gini, total_ratio
from kizuna.evaluation.value_assessment import ValueRows
from kizuna.evaluation.value_tuning import SAME_VALUE_LOSS, tune_value, untried_value, value_loss
from kizuna.models.learners.tuning import TuneLimits
from kizuna.models.value.pair import TaughtValues, ValueRecipe, fit_pair, mixed
from kizuna.timeline import LabelWindow

DAYS = (300, 200, 100)


def a_shop(customers: int = 300, dated: bool = True, newest: str = "alike") -> ValueRows:
    """Three days of the same customers. Worth waves with a, the newest day's as the others' (alike) or turned, or nil."""
    rng = np.random.default_rng(2)
    rows = customers * 3
    features = pd.DataFrame(rng.normal(size=(rows, 4)), columns=["a", "b", "c", "d"])
    as_of = np.repeat(np.array(DAYS, dtype=np.int32), customers)
    ids = np.tile(np.arange(customers, dtype=np.int32), 3)
    wave = 2 * np.sin(5 * features["a"].to_numpy())
    if newest == "turned":
        wave = np.where(as_of == 300, -wave, wave)
    churned = (rng.random(rows) < 0.3).astype(float)
    worth = (1 - churned) * np.exp(wave) * rng.gamma(4, 10, rows)
    if newest == "nil":
        worth = np.where(as_of == 300, 0.0, worth)
    folds = make_folds(as_of, ids, churned, FoldPlan(LabelWindow(90), 3, 7, dated, customer_folds=3))
    return ValueRows(features, as_of, ids, worth, churned, folds)


def recipe(estimator: str = "tweedie", **params: object) -> ValueRecipe:
    return ValueRecipe(estimator, params, ("a", "b", "c", "d"), (90.0, 90.0), 7, 1)


def with_worth(rows: ValueRows, worth: np.ndarray) -> ValueRows:
    return ValueRows(rows.features, rows.as_of, rows.customer, worth, rows.churned, rows.folds)


def test_the_loss_is_order_and_level_together() -> None:
    assert value_loss(1.0, 1.0) == 0.0
    assert value_loss(0.4, 1.15) == pytest.approx(0.6)
    assert value_loss(0.4, 1 / 1.15) == pytest.approx(0.6)
    assert value_loss(0.4, 1.5) == pytest.approx(0.6 + np.log(1.5 / 1.15))
    assert value_loss(0.4, 0.5) == pytest.approx(0.6 + np.log(2 / 1.15))
    assert value_loss(0.4, 0.0) == value_loss(0.4, 100.0) == value_loss(0.4, float("nan")) == pytest.approx(1.6)
    assert np.isnan(value_loss(float("nan"), 1.0))


@given(st.floats(-1, 1), st.floats(0.01, 100))
def test_the_loss_takes_too_much_and_too_little_alike(gini: float, ratio: float) -> None:
    assert value_loss(gini, ratio) == pytest.approx(value_loss(gini, 1 / ratio))
    assert 1 - gini - 1e-12 <= value_loss(gini, ratio) <= 2 - gini + 1e-12


def test_a_search_that_helps_is_used_and_its_numbers_are_those_of_the_models() -> None:
    rows = a_shop(1500)
    found = tune_value(rows, recipe(), TuneLimits(12))
    assert found.helped
    assert found.gain > SAME_VALUE_LOSS
    assert found.low <= found.gain <= found.high
    taught = TaughtValues(rows.features.to_numpy(), rows.worth, rows.churned, rows.as_of.astype(np.int64))
    newest = rows.folds.splits[0]

    def measured(params: dict) -> tuple[float, float]:
        pair = fit_pair(taught, newest.train, recipe(**params))
        X = taught.X[newest.test]
        said = mixed(pair.conditional(X, 300), pair.churn_probability(X))
        return normalised_gini(rows.worth[newest.test], said), total_ratio(rows.worth[newest.test], said)

    (best, total), (default, plain) = measured(found.params), measured({})
    assert found.gain == pytest.approx(value_loss(default, plain) - value_loss(best, total))
    told = (
        f"On the test that no trial saw, the best one's normalised Gini is {decimals(best)} (the defaults' {decimals(default)}) "
        f"and its predicted over actual total {total:.2f} ({plain:.2f}). Order and level together gain {found.gain:+.4f} "
        f"(interval {found.low:+.4f} to {found.high:+.4f}): it is used."
    )
    cut = sum(trial.state == "pruned" for trial in found.trials)
    begun, rest = found.text.split(". ", 1)
    assert re.fullmatch(rf"Tuning of value tried 12 settings of LightGBM in \d+\.\d minutes \({cut} cut short\)", begun)
    assert rest == told


def test_what_the_newest_day_does_not_bear_out_is_not_used() -> None:
    found = tune_value(a_shop(newest="turned"), recipe(), TuneLimits(12))
    assert min(trial.loss for trial in found.trials if trial.state == "complete") < found.trials[0].loss
    assert (found.helped, found.params, found.measure) == (False, {}, "value_loss")
    assert found.text.endswith("that is no help, and the defaults stay.")


@pytest.mark.parametrize("dated", [True, False])
def test_the_test_that_decides_teaches_no_trial(dated: bool) -> None:
    rows = a_shop(dated=dated)
    assert rows.folds.evaluation == ("out_of_time" if dated else "in_time")
    other = rows.worth.copy()
    other[rows.folds.splits[0].test] *= 7
    first, second = (
        tune_value(with_worth(rows, worth), recipe(), TuneLimits(3), dated).trials for worth in (rows.worth, other)
    )
    assert first == second


def test_the_same_trials_give_the_same_parameters() -> None:
    rows = a_shop(customers=150)
    first, second = (tune_value(rows, recipe(), TuneLimits(4)) for _ in range(2))
    assert (first.params, first.gain, first.low, first.trials) == (
        second.params,
        second.gain,
        second.low,
        second.trials,
    )


def test_one_test_is_searched_by_customer_inside_its_training_rows() -> None:
    rows = a_shop()
    one = ValueRows(
        rows.features,
        rows.as_of,
        rows.customer,
        rows.worth,
        rows.churned,
        make_folds(rows.as_of, rows.customer, rows.churned, FoldPlan(LabelWindow(150), 1, 7)),
    )
    assert len(one.folds.splits) == 1
    assert len(tune_value(one, recipe(), TuneLimits(2)).trials) == 2


@pytest.mark.parametrize(
    ("estimator", "params"), [("auto", {"num_leaves": 4}), ("hurdle", {"amount": "lognormal", "num_leaves": 4})]
)
def test_what_the_config_sets_no_trial_changes(estimator: str, params: dict) -> None:
    found = tune_value(a_shop(customers=150), recipe(estimator, **params), TuneLimits(2))
    assert len(found.trials) == 2
    assert all("num_leaves" not in trial.params and np.isfinite(trial.loss) for trial in found.trials)


def test_a_wrong_parameter_is_refused_before_any_trial() -> None:
    with pytest.raises(ConfigError, match=r"^model\.cltv\.params asks LightGBM for 'leaves', which is not a parameter"):
        tune_value(a_shop(customers=150), recipe(leaves=3), TuneLimits(2))


def test_tests_without_money_leave_the_defaults_and_say_so() -> None:
    for rows in (a_shop(newest="nil"), with_worth(a_shop(), np.zeros(900))):
        found = tune_value(rows, recipe(), TuneLimits(2))
        assert (found.params, found.trials, found.text) == ({}, (), untried_value().text)
    assert untried_value().text == (
        "Tuning of value found no tests that hold money to try anything on, and the defaults stay."
    )
