"""Tuning of churn: what a search finds is used only where rows that it never saw bear it out."""

from __future__ import annotations

import numpy as np
import pytest

from kizuna.errors import ConfigError
from kizuna.models.churn.task import Task
from kizuna.models.churn.tuning import tune_churn
from kizuna.models.learners.splits import Split
from kizuna.models.learners.tuning import TuneLimits

ROWS = 900
TASK = Task(("a", "b", "c"), ROWS, ROWS // 3, 90.0, 7, 1)


def days_of_rows(turned: bool = False) -> tuple[np.ndarray, np.ndarray, list[Split]]:
    """Three days' rows; who churns follows a and b, on the newest day the other way round where ``turned``."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(ROWS, 3))
    odds = 2 * X[:, 0] + X[:, 1] ** 2 - 1
    newest = np.arange(ROWS) >= 600
    if turned:
        odds = np.where(newest, -odds, odds)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(float)
    splits = [Split(np.arange(600), np.arange(600, 900)), Split(np.arange(300), np.arange(300, 600))]
    return X, y, splits


def test_the_same_trials_give_the_same_parameters() -> None:
    X, y, splits = days_of_rows()
    first, second = (tune_churn(X, y, splits, TASK, TuneLimits(10)) for _ in range(2))
    assert (first.params, first.gain, first.trials) == (second.params, second.gain, second.trials)
    assert first.trials[0].params["num_leaves"] == 7
    assert len(first.trials) == 10


def test_what_the_newest_day_does_not_bear_out_is_not_used() -> None:
    X, y, splits = days_of_rows(turned=True)
    found = tune_churn(X, y, splits, TASK, TuneLimits(10))
    best = min(trial.loss for trial in found.trials if trial.state == "complete")
    assert best < found.trials[0].loss
    assert (found.helped, found.params, found.measure) == (False, {}, "log_loss")
    assert found.low <= found.gain <= found.high
    assert "that is no help, and the defaults stay" in found.text


def test_the_newest_day_teaches_no_trial() -> None:
    X, y, splits = days_of_rows()
    turned = np.where(np.arange(ROWS) >= 600, 1 - y, y)
    trials = [tune_churn(X, outcome, splits, TASK, TuneLimits(6)).trials for outcome in (y, turned)]
    assert trials[0] == trials[1]


def test_a_fold_by_customer_that_decides_teaches_no_trial_of_the_others() -> None:
    X, y, _ = days_of_rows()
    parts = np.split(np.arange(ROWS), 3)
    splits = [Split(np.setdiff1d(np.arange(ROWS), part), part) for part in parts]
    turned = np.where(np.arange(ROWS) < 300, 1 - y, y)
    trials = [tune_churn(X, outcome, splits, TASK, TuneLimits(3)).trials for outcome in (y, turned)]
    assert trials[0] == trials[1]


def test_what_the_config_sets_no_trial_changes() -> None:
    X, y, splits = days_of_rows()
    found = tune_churn(X, y, splits, TASK, TuneLimits(4, fixed={"num_leaves": 3, "n_estimators": 12}))
    assert all("num_leaves" not in trial.params for trial in found.trials)
    assert {trial.params["n_estimators"] for trial in found.trials if trial.state == "complete"} == {12}


def test_one_split_is_searched_by_customer_inside_its_training_rows() -> None:
    X, y, splits = days_of_rows()
    owner = np.arange(ROWS) // 2
    found = tune_churn(X, y, splits[:1], TASK, TuneLimits(3), owner)
    assert len(found.trials) == 3


def test_nothing_to_search_on_is_said() -> None:
    X, y, splits = days_of_rows()
    with pytest.raises(ConfigError, match=r"needs rows to test on; no split was possible\. Set it to 0\.$"):
        tune_churn(X, y, [], TASK, TuneLimits(3))
    lone = np.where(np.arange(ROWS) < 600, 0.0, y)
    lone[0] = 1.0
    found = tune_churn(X, lone, splits[:1], TASK, TuneLimits(3))
    assert found.text == "Tuning found too few customers of each outcome to test a trial on, and the defaults stay."
    assert (found.params, found.trials, found.helped) == ({}, (), False)
