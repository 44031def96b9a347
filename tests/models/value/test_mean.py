"""The mean of trees, regression and buy-till-you-die, and what stands in for it."""

from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.value import conditional
from kizuna.models.value.btyd import RhythmValue
from kizuna.models.value.conditional import NOTHING, ConditionalModel
from kizuna.models.value.mean import MeanModel, MeanTask, fit_mean, lacking_columns
from kizuna.models.value.rhythm import fit_rhythm

NAMES = ["days_since_order", "orders", "revenue", "tenure_days", "order_value", "noise"]


def rows(count, seed=0):
    draw = np.random.default_rng(seed)
    since, orders = draw.exponential(60, count).round() + 1, draw.poisson(3, count) + 1.0
    money = draw.lognormal(3, 0.7, count)
    tenure = since + draw.exponential(300, count).round()
    X = np.column_stack([since, orders, orders * money, tenure, money, draw.normal(size=count)])
    return X, money * orders * draw.gamma(2.0, 0.5, count) * (draw.random(count) < 0.8)


TASK = MeanTask(NAMES, {}, 7, 1)


def said(X, value, given="active", names=NAMES):
    return RhythmValue(fit_rhythm(X, names, (365, 90)), given)


def test_it_is_the_mean_of_its_parts_however_many_rows_there_are_at_once(monkeypatch):
    X, value = rows(600)
    model = fit_mean(X, value, said(X, value), TASK)
    assert isinstance(model, MeanModel)
    wide = np.column_stack([X, model.rhythm.rhythm.columns(X)])
    parts = [model.trees.predict(wide), model.regression.predict(wide), model.rhythm.predict(X)]
    np.testing.assert_allclose(model.predict(X), np.mean(parts, axis=0))
    for part in (*parts, model.predict(X)):
        assert part.sum() == pytest.approx(value.sum())
    together = model.predict(X)
    monkeypatch.setattr(conditional, "_ROWS_AT_ONCE", 7)
    assert model.predict(X).tolist() == together.tolist()
    assert model.predict(X[:0]).tolist() == []


def test_where_columns_are_missing_trees_stand_alone():
    X, value = rows(300)
    names = ["days_since_order", "orders", "x", "tenure_days", "order_value", "noise"]
    assert lacking_columns(names) == ["revenue"]
    assert lacking_columns(["noise"]) == ["orders", "tenure_days", "days_since_order", "order_value", "revenue"]
    assert lacking_columns(NAMES) == []
    for rhythm, known in ((said(X, value, names=NAMES), MeanTask(names, {}, 7, 1)), (None, TASK)):
        model = fit_mean(X, value, rhythm, known)
        assert isinstance(model, ConditionalModel)
        assert model.predict(X).sum() == pytest.approx(value.sum())


def test_where_few_values_are_positive_everybody_is_average():
    X, value = rows(300)
    value[19:] = 0.0
    model = fit_mean(X, value, said(X, value, "silent"), TASK)
    np.testing.assert_allclose(model.predict(X), value.mean())
    assert fit_mean(X, np.zeros(300), said(X, value, "silent"), TASK) is NOTHING


def test_columns_added_on_the_side_teach_as_if_they_stood_in_the_matrix():
    X, value = rows(600)
    model = fit_mean(X, value, said(X, value), TASK)
    wide = np.column_stack([X, model.rhythm.rhythm.columns(X)])
    trees = conditional.fit_conditional(wide, value, "tweedie", {}, (7, 1))
    np.testing.assert_allclose(model.trees.predict(wide), trees.predict(wide), rtol=1e-12)
    assert model.regression.positions == (0, 1, 2, 3, 6, 7, 8)
