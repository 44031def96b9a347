"""The search by itself: what is drawn, what is cut short, what is kept apart, and when it ends."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kizuna.errors import ConfigError
from kizuna.models.learners.splits import Split
from kizuna.models.learners.tuning import TreeSpace, TuneLimits, is_help, search_trees, searched_tests, untried, verdict

FIRST = {
    "num_leaves": 7,
    "learning_rate": 0.05,
    "min_child_samples": 10,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "n_estimators": 40,
}
SPACE = TreeSpace(FIRST, 400, (20, 200))
TESTS = [Split(np.arange(5), np.arange(5, 10)), Split(np.arange(10), np.arange(10, 15))]


def loss(params: dict, split: Split) -> dict[int, float]:
    """Small trees and 30 of them lose the least."""
    return {
        count: abs(np.log(params["num_leaves"] / 4)) + abs(count - 30) / 100 for count in (30, params["n_estimators"])
    }


def test_the_first_trial_is_the_first_set_and_the_best_is_never_worse() -> None:
    found = search_trees(loss, TESTS, SPACE, TuneLimits(30), 7)
    assert found.trials[0].params == FIRST | {"n_estimators": 30}
    assert found.trials[0].loss == pytest.approx(np.log(7 / 4))
    finished = [trial.loss for trial in found.trials if trial.state == "complete"]
    assert min(finished) < finished[0]
    assert found.best == next(trial.params for trial in found.trials if trial.loss == min(finished))
    assert found.best["n_estimators"] == 30
    assert len(found.trials) == 30


def test_trials_behind_the_median_are_cut_short_once_eight_are_done() -> None:
    found = search_trees(loss, TESTS, SPACE, TuneLimits(30), 7)
    cut = [trial.number for trial in found.trials if trial.state == "pruned"]
    assert cut
    assert min(cut) >= 8
    assert found.text == f"tried 30 settings of LightGBM in 0.0 minutes ({len(cut)} cut short)"


def test_the_same_number_of_trials_gives_the_same_search() -> None:
    first, second = (search_trees(loss, TESTS, SPACE, TuneLimits(12), 7) for _ in range(2))
    other = search_trees(loss, TESTS, SPACE, TuneLimits(12), 8)
    assert (first.trials, first.best) == (second.trials, second.best)
    assert other.trials != first.trials


def test_every_draw_lies_in_its_range() -> None:
    for trial in search_trees(loss, TESTS, SPACE, TuneLimits(40), 3).trials:
        assert 3 <= trial.params["num_leaves"] <= 63
        assert 0.01 <= trial.params["learning_rate"] <= 0.2
        assert 5 <= trial.params["min_child_samples"] <= 40
        assert 20 <= trial.params["n_estimators"] <= 200


def test_what_is_fixed_reaches_every_trial_and_is_not_drawn() -> None:
    seen = []

    def noted(params: dict, split: Split) -> dict[int, float]:
        seen.append((params["num_leaves"], params["max_depth"]))
        return loss(params, split)

    found = search_trees(noted, TESTS, SPACE, TuneLimits(5, fixed={"num_leaves": 9, "max_depth": 4}), 7)
    assert set(seen) == {(9, 4)}
    assert "num_leaves" not in found.best


def test_time_is_a_limit_too_and_one_trial_is_always_made() -> None:
    assert len(search_trees(loss, TESTS, SPACE, TuneLimits(5000, minutes=1e-9), 7).trials) == 1
    assert len(search_trees(loss, TESTS, SPACE, TuneLimits(1), 7).trials) == 1


def test_the_rows_that_decide_are_taken_out_of_every_other_test() -> None:
    y = np.tile([0.0, 1.0], 6)
    folds = [np.arange(0, 4), np.arange(4, 8), np.arange(8, 12)]
    confirm, searched = searched_tests(y, [Split(np.setdiff1d(np.arange(12), fold), fold) for fold in folds], None, 7)
    assert confirm.test.tolist() == [0, 1, 2, 3]
    assert [(split.train.tolist(), split.test.tolist()) for split in searched] == [
        ([8, 9, 10, 11], [4, 5, 6, 7]),
        ([4, 5, 6, 7], [8, 9, 10, 11]),
    ]


def test_tests_that_nothing_else_can_teach_give_way_to_folds_inside() -> None:
    y, owner = np.tile([0.0, 1.0], 6), np.repeat(np.arange(6), 2)
    halves = [np.arange(0, 6), np.arange(6, 12)]
    confirm, searched = searched_tests(y, [Split(halves[1], halves[0]), Split(halves[0], halves[1])], owner, 7)
    assert len(searched) == 3
    for split in searched:
        assert set(split.train) | set(split.test) == set(confirm.train)
        assert not set(owner[split.train]) & set(owner[split.test])
    assert searched_tests(np.zeros(12), [confirm], owner, 7)[1] == []


def test_no_search_leaves_the_defaults_and_numbers_undefined() -> None:
    found = untried("log_loss", "Nothing to try on.")
    assert (found.params, found.helped, found.trials, found.text) == ({}, False, (), "Nothing to try on.")
    assert np.isnan([found.gain, found.low, found.high]).all()
    assert verdict(True) == "it is used."
    assert [is_help(*found, 0.01) for found in ((0.02, 0.001), (0.02, -0.001), (0.01, 0.005))] == [True, False, False]
    assert verdict(False) == "that is no help, and the defaults stay."


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError) as caught:
        search_trees(loss, TESTS, SPACE, TuneLimits(1), 7)
    assert str(caught.value) == (
        "tune_trials asks for a search, but Optuna is not installed. Install it: pip install 'kizuna[tune]'."
    )
