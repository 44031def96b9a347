"""Tuning: what a search finds is used only where rows that it never saw bear it out."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kizuna.errors import ConfigError
from kizuna.models.splits import Split
from kizuna.models.task import Task
from kizuna.models.tuning import TuneBudget, tune_trees

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
    first, second = (tune_trees(X, y, splits, TASK, TuneBudget(10)) for _ in range(2))
    assert (first.params, first.gain, first.trials) == (second.params, second.gain, second.trials)
    assert first.trials[0].params["num_leaves"] == 7
    assert len(first.trials) == 10


def test_what_the_newest_day_does_not_bear_out_is_not_used() -> None:
    X, y, splits = days_of_rows(turned=True)
    found = tune_trees(X, y, splits, TASK, TuneBudget(10))
    best = min(trial.log_loss for trial in found.trials if trial.state == "complete")
    assert best < found.trials[0].log_loss
    assert (found.helped, found.params) == (False, {})
    assert found.low <= found.gain <= found.high
    assert "no help, and the defaults stay" in found.text


def test_the_newest_day_teaches_no_trial() -> None:
    X, y, splits = days_of_rows()
    turned = np.where(np.arange(ROWS) >= 600, 1 - y, y)
    trials = [tune_trees(X, outcome, splits, TASK, TuneBudget(6)).trials for outcome in (y, turned)]
    assert trials[0] == trials[1]


def test_one_split_is_searched_by_customer_inside_its_training_rows() -> None:
    X, y, splits = days_of_rows()
    owner = np.arange(ROWS) // 2
    found = tune_trees(X, y, splits[:1], TASK, TuneBudget(3), owner)
    assert len(found.trials) == 3


def test_time_is_a_budget_too() -> None:
    X, y, splits = days_of_rows()
    assert len(tune_trees(X, y, splits, TASK, TuneBudget(500, minutes=1e-4)).trials) < 500


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    X, y, splits = days_of_rows()
    with pytest.raises(ConfigError, match=r"pip install 'kizuna\[tune\]'"):
        tune_trees(X, y, splits, TASK, TuneBudget(1))
