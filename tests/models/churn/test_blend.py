from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.churn.blend import BlendModel, blend_trial
from kizuna.models.churn.ladder import Rung, Trial, log_loss
from kizuna.models.churn.task import Task, TaughtRows
from kizuna.models.learners.splits import Split, stratified_splits

TASK = Task((), 6000, 2000, 90, 7, 1)


class Said:
    """A model whose log odds are one column, of which half is its bias."""

    def __init__(self, column):
        self.column = column

    def margin(self, X):
        return X[:, self.column]

    def contributions(self, X):
        return np.column_stack([X[:, self.column] / 4, X[:, self.column] / 4, X[:, self.column] / 2])


def said(name, column, X, splits):
    rung = Rung(name, ({"column": column},), lambda rows, settings: [Said(s["column"]) for s in settings])
    return Trial(rung, {"column": column}, 0.7, 0.6, tuple(X[split.test, column] for split in splits))


def test_log_odds_and_contributions_are_weighted_means():
    X = np.array([[1.0, 3.0], [-2.0, 2.0]])
    blend = BlendModel((Said(0), Said(1)), (0.25, 0.75))
    assert blend.margin(X).tolist() == [2.5, 1.0]
    assert blend.contributions(X).tolist() == [[0.625, 0.625, 1.25], [0.25, 0.25, 0.5]]


def noisy(noise: tuple[float, ...], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns that are the true log odds with noise added, and outcomes."""
    draw = np.random.default_rng(0)
    truth = draw.normal(0, 1.5, rows)
    y = (draw.random(rows) < 1 / (1 + np.exp(-truth))).astype(float)
    return np.column_stack([truth + draw.normal(0, spread, rows) for spread in noise]), y


@pytest.mark.parametrize(
    ("noise", "rows"), [((1.0, 1.0), 6000), ((2.0, 0.8), 6000), ((2.0, 0.8), 300), ((20.0, 0.5), 6000)]
)
def test_weights_have_the_lowest_log_loss_held_to_even_ones(noise, rows):
    X, y = noisy(noise, rows)
    splits = stratified_splits(y)
    trial = blend_trial([said("logistic", 0, X, splits), said("lightgbm", 1, X, splits)], y, splits)
    grid = np.arange(101) / 100
    tested = np.concatenate([split.test for split in splits])
    losses = [
        log_loss(y[tested], w * X[tested, 0] + (1 - w) * X[tested, 1]) + 2 * (w - 0.5) ** 2 * 20 * 5 / rows
        for w in grid
    ]
    first, second = trial.setting["weights"]
    assert first == pytest.approx(grid[int(np.argmin(losses))], abs=0.011)
    assert first + second == pytest.approx(1)
    (model,) = trial.rung.fit(TaughtRows(X, y, TASK), [trial.setting])
    np.testing.assert_allclose(model.margin(X), X @ [first, second], rtol=1e-12)


def test_a_test_is_blended_by_what_was_known_on_its_day():
    X, y = noisy((2.0, 0.5), 3000)
    old, new = np.arange(1000, 2000), np.arange(2000, 3000)
    splits = [Split(np.arange(2000), new, calibrated_by=(1,)), Split(np.arange(1000), old)]

    def margins(outcomes: np.ndarray) -> tuple[np.ndarray, ...]:
        parts = [said("logistic", 0, X, splits), said("lightgbm", 1, X, splits)]
        return blend_trial(parts, outcomes, splits).margins

    newest, oldest = margins(y)
    # Nothing was known before the oldest test; its outcomes weigh the newest one, whose own outcomes change nothing.
    np.testing.assert_allclose(oldest, X[old].mean(axis=1))
    weight = np.linalg.lstsq(X[new], newest, rcond=None)[0]
    assert weight[1] > 0.6
    flipped = np.where(np.arange(3000) >= 2000, 1 - y, y)
    assert margins(flipped)[0].tolist() == newest.tolist()
    earlier = y.copy()
    earlier[old] = X[old, 0] > 0
    assert np.linalg.lstsq(X[new], margins(earlier)[0], rcond=None)[0][0] > 0.6


def test_few_rows_stay_near_even_and_many_lean_on_the_better():
    weight = {}
    for rows in (200, 20_000):
        X, y = noisy((1.5, 0.5), rows)
        splits = stratified_splits(y)
        trial = blend_trial([said("logistic", 0, X, splits), said("lightgbm", 1, X, splits)], y, splits)
        weight[rows] = trial.setting["weights"][1]
    assert 0.5 < weight[200] < 0.8 < weight[20_000]


def test_a_part_without_weight_is_not_taught():
    X, y = noisy((30.0, 0.3, 0.5), 6000)
    splits = stratified_splits(y)
    trial = blend_trial(
        [said(name, place, X, splits) for place, name in enumerate(("btyd", "logistic", "lightgbm"))], y, splits
    )
    assert trial.setting["weights"][0] == 0
    (model,) = trial.rung.fit(TaughtRows(X, y, TASK), [trial.setting])
    assert len(model.parts) == len(model.weights) == 2


def test_without_splits_both_weigh_the_same():
    X, y = np.zeros((4, 2)), np.array([0.0, 1, 0, 1])
    trial = blend_trial([said("logistic", 0, X, []), said("lightgbm", 1, X, [])], y, [])
    assert trial.setting["weights"] == [0.5, 0.5]
    assert np.isnan(trial.auc)
    one = [Split(np.array([0, 1]), np.array([2, 3]))]
    assert len(blend_trial([said("logistic", 0, X, one), said("lightgbm", 1, X, one)], y, one).margins) == 1
