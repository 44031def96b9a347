from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.blend import BlendModel, blend_trial
from kizuna.models.ladder import Rung, Trial
from kizuna.models.splits import Split, stratified_splits
from kizuna.models.task import Task, TaughtRows

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


@pytest.mark.parametrize(
    ("noise", "weights"), [((1.0, 1.0), [1 / 2, 1 / 2]), ((1.0, 6.0), [2 / 3, 1 / 3]), ((6.0, 1.0), [1 / 3, 2 / 3])]
)
def test_the_better_part_weighs_more_and_equals_weigh_the_same(noise, weights):
    draw = np.random.default_rng(0)
    truth = draw.normal(0, 1.5, 6000)
    y = (draw.random(6000) < 1 / (1 + np.exp(-truth))).astype(float)
    X = np.column_stack([truth + draw.normal(0, spread, 6000) for spread in noise])
    splits = stratified_splits(y)
    trial = blend_trial([said("logistic", 0, X, splits), said("lightgbm", 1, X, splits)], y, splits)
    assert trial.rung.name == "blend"
    assert trial.setting == {"weights": weights, "logistic": {"column": 0}, "lightgbm": {"column": 1}}
    (model,) = trial.rung.fit(TaughtRows(X, y, TASK), [trial.setting])
    for split, margin in zip(splits, trial.margins, strict=True):
        assert model.margin(X[split.test]).tolist() == margin.tolist()


def test_without_splits_both_weigh_the_same():
    X, y = np.zeros((4, 2)), np.array([0.0, 1, 0, 1])
    trial = blend_trial([said("logistic", 0, X, []), said("lightgbm", 1, X, [])], y, [])
    assert trial.setting["weights"] == [0.5, 0.5]
    assert np.isnan(trial.auc)
    one = [Split(np.array([0, 1]), np.array([2, 3]))]
    assert len(blend_trial([said("logistic", 0, X, one), said("lightgbm", 1, X, one)], y, one).margins) == 1
