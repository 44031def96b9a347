from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.churn.calibration import Calibration, fit_calibration
from kizuna.models.churn.ladder import build_ladder, try_rungs
from kizuna.models.churn.out_of_fold import TrainingRows, calibrations_by_then, shipped_calibration
from kizuna.models.churn.task import Task
from kizuna.models.learners.splits import Split, stratified_splits

NAMELESS = Task((), 1, 1, 90, 7, 1)


def expit(x):
    return 1 / (1 + np.exp(-x))


def seasons(level, rows=3000, seed=0):
    """Snapshots of ``rows`` rows each: churn follows x at slope 1, at the level of each snapshot."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows * len(level))
    snapshot = np.repeat(np.arange(len(level)), rows)
    y = (draw.random(len(x)) < expit(x + np.array(level)[snapshot])).astype(float)
    return TrainingRows(x[:, None], y, None, NAMELESS), snapshot


FOREIGN = "sklearn.linear_model.LogisticRegression"


def trial_of(data, splits, estimator="logistic"):
    params = {"C": 1.0} if estimator == "logistic" else None
    (trial,) = try_rungs(build_ladder(estimator, params, data.task), data.X, data.y, splits, data.task)
    return trial


def test_folds_by_customer_give_shape_and_level_by_pooling():
    data, _ = seasons([0.5])
    splits = stratified_splits(data.y)
    trial = trial_of(data, splits)
    expected = fit_calibration(np.concatenate(trial.margins), data.y[np.concatenate([s.test for s in splits])], "platt")
    assert shipped_calibration(trial, data, splits, "platt", 7) == expected
    assert expected.slope == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("estimator", ["logistic", FOREIGN])
def test_the_season_of_a_test_does_not_move_the_level_of_the_shipped_model(estimator):
    # The newest snapshot churned far more; the refitted model has learned from it already.
    data, snapshot = seasons([0.0, 0.0, 1.0])
    splits = [Split(np.flatnonzero(snapshot < 2), np.flatnonzero(snapshot == 2))]
    trial = trial_of(data, splits, estimator)
    shipped = shipped_calibration(trial, data, splits, "platt", 7)
    carried_on = fit_calibration(trial.margins[0], data.y[snapshot == 2], "platt")
    assert carried_on.intercept == pytest.approx(1, abs=0.15)
    assert shipped.intercept == pytest.approx(0, abs=0.1)
    assert shipped.slope == pytest.approx(carried_on.slope, abs=1e-6)


def test_a_model_fitted_by_likelihood_keeps_its_mean_probability():
    data, snapshot = seasons([0.0, 0.0, 1.0])
    splits = [Split(np.flatnonzero(snapshot < 2), np.flatnonzero(snapshot == 2))]
    trial = trial_of(data, splits)
    shipped = shipped_calibration(trial, data, splits, "platt", 7)
    (margin,) = trial.margins
    assert expit(shipped.apply(margin)).mean() == pytest.approx(expit(margin).mean(), abs=1e-9)


def test_a_rule_that_learns_nothing_takes_the_level_of_the_tests():
    draw = np.random.default_rng(0)
    X = np.column_stack([draw.poisson(3, 4000) + 1.0, draw.exponential(300, 4000) + 30])
    y = (draw.random(4000) < 0.8).astype(float)
    task = Task(("orders", "tenure_days"), 4000, 800, 90, 7, 1)
    splits = [Split(np.arange(2000), np.arange(2000, 4000))]
    (trial,) = try_rungs(build_ladder("rule", None, task), X, y, splits, task)
    shipped = shipped_calibration(trial, TrainingRows(X, y, None, task), splits, "platt", 7)
    assert expit(shipped.apply(trial.margins[0])).mean() == pytest.approx(y[2000:].mean(), abs=0.01)


def test_a_test_is_calibrated_by_earlier_tests_only():
    data, snapshot = seasons([0.0, 0.2, -0.1, 0.4])
    rows = [np.flatnonzero(snapshot == k) for k in range(4)]
    splits = [
        Split(np.concatenate(rows[:3]), rows[3], calibrated_by=(1,)),
        Split(rows[0], rows[1]),
    ]
    flipped = TrainingRows(data.X, np.where(snapshot == 3, 1 - data.y, data.y), None, NAMELESS)
    before, after = (
        calibrations_by_then(trial_of(given, splits), given, splits, "platt", 7) for given in (data, flipped)
    )
    assert before == after
    earlier = TrainingRows(data.X, np.where(snapshot == 1, 1 - data.y, data.y), None, NAMELESS)
    moved = calibrations_by_then(trial_of(earlier, splits), earlier, splits, "platt", 7)
    assert moved[0] != before[0]


def test_without_earlier_tests_a_model_fitted_by_likelihood_is_believed_for_a_later_day():
    data, snapshot = seasons([0.0, 2.0])
    split = Split(np.flatnonzero(snapshot == 0), np.flatnonzero(snapshot == 1))
    assert calibrations_by_then(trial_of(data, [split]), data, [split], "platt", 7) == [Calibration()]


def test_without_earlier_tests_the_training_part_calibrates_anything_else_by_customer():
    data, snapshot = seasons([0.0, 2.0])
    split = Split(np.flatnonzero(snapshot == 0), np.flatnonzero(snapshot == 1))
    (by_then,) = calibrations_by_then(trial_of(data, [split], FOREIGN), data, [split], "platt", 7)
    assert by_then.rows == 3000
    assert by_then.intercept == pytest.approx(0, abs=0.1)


def test_folds_by_customer_are_calibrated_by_the_splits_they_name_or_else_from_inside():
    data, _ = seasons([0.5])
    first, second, *_ = stratified_splits(data.y)
    rest = np.setdiff1d(np.arange(len(data.y)), np.concatenate([first.test, second.test]))
    splits = [first, Split(second.train, second.test, (0, 2)), Split(np.concatenate([first.test, second.test]), rest)]
    trial = trial_of(data, splits)
    found = calibrations_by_then(trial, data, splits, "platt", 7)
    tested = np.concatenate([first.test, rest])
    assert found[1] == fit_calibration(np.concatenate([trial.margins[0], trial.margins[2]]), data.y[tested], "platt")
    assert [calibration.rows for calibration in found] == [2400, 2400, 1200]


def test_customers_are_not_split_when_the_training_part_calibrates():
    # Every customer has two equal rows with equal outcomes, and x is pure noise: a model that saw the twin would look
    # far better than it is, and the slope would not fall towards zero.
    draw = np.random.default_rng(1)
    customers = 300
    x = np.repeat(draw.normal(size=(customers, 40)), 2, axis=0)
    y = np.repeat((draw.random(customers) < 0.5).astype(float), 2)
    data, together = (
        TrainingRows(x, y, np.repeat(np.arange(customers), 2), NAMELESS),
        TrainingRows(x, y, None, NAMELESS),
    )
    split = Split(np.arange(400), np.arange(400, 600))
    apart, mixed = (
        calibrations_by_then(trial_of(rows, [split], FOREIGN), rows, [split], "platt", 7)[0].slope
        for rows in (data, together)
    )
    assert apart < 0.4 < mixed


def test_large_training_parts_are_sampled_by_customer():
    data, snapshot = seasons([0.0, 0.0], rows=30_000)
    split = Split(np.flatnonzero(snapshot == 0), np.flatnonzero(snapshot == 1))
    (by_then,) = calibrations_by_then(trial_of(data, [split], FOREIGN), data, [split], "platt", 7)
    assert 19_000 < by_then.rows < 21_000


def test_none_stays_none_and_no_splits_change_nothing():
    data, _ = seasons([0.0], rows=200)
    splits = stratified_splits(data.y)
    trial = trial_of(data, splits)
    assert shipped_calibration(trial, data, splits, "none", 7) == Calibration()
    assert calibrations_by_then(trial, data, splits, "none", 7) == [Calibration()] * 5
    assert shipped_calibration(trial, data, [], "auto", 7) == Calibration()
    assert calibrations_by_then(trial, data, [], "auto", 7) == []
