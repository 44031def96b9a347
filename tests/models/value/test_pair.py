"""Both conditional models, their first stage and the level of a day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kizuna.models.value.btyd import RhythmValue
from kizuna.models.value.conditional import NOTHING
from kizuna.models.value.mean import MeanModel
from kizuna.models.value.pair import TaughtValues, ValueRecipe, fit_pair, mixed
from kizuna.models.value.rhythm import RHYTHM_COLUMNS


@pytest.fixture(scope="module")
def rows(shop):
    X = shop.X.assign(order_value=shop.X["revenue"] / shop.X["orders"])
    as_of = np.tile([1000, 1364], 400)
    # Twice the money on the first day: a season that no column shows.
    value = np.where(as_of == 1000, 2.0, 1.0) * shop.value
    return TaughtValues(X.to_numpy(), value, shop.churned.astype(float), as_of), tuple(X.columns)


def recipe(rows, estimator="auto", windows=(365.0, 90.0)):
    return ValueRecipe(estimator, {}, rows[1], windows, 7, 1)


def test_each_estimator_has_its_own_models(rows):
    everything = np.arange(800)
    kinds = {name: fit_pair(rows[0], everything, recipe(rows, name)) for name in ("auto", "btyd", "tweedie")}
    assert isinstance(kinds["auto"].kept, MeanModel)
    assert (kinds["auto"].kept.rhythm.given, kinds["auto"].churned.rhythm.given) == ("active", "silent")
    assert isinstance(kinds["btyd"].churned, RhythmValue)
    for pair in kinds.values():
        both = pair.conditional(rows[0].X, None)
        for column, outcome in ((0, 0), (1, 1)):
            mine = rows[0].lost == outcome
            assert both[mine, column].sum() == pytest.approx(rows[0].value[mine].sum())


def test_where_churn_is_no_silence_either_outcome_may_order(rows):
    contract = replace(recipe(rows), churn_is_silence=False)
    pair, btyd = (fit_pair(rows[0], np.arange(800), replace(contract, estimator=name)) for name in ("auto", "btyd"))
    assert (pair.kept.rhythm.given, pair.churned.rhythm.given) == ("either", "either")
    assert (btyd.kept.given, btyd.churned.given) == ("either", "either")


def test_the_columns_that_btyd_copies_are_its_own(rows):
    X = rows[0].X
    narrow = fit_pair(rows[0], np.arange(800), recipe(rows, "btyd")).kept
    assert narrow.rhythm.positions == tuple(rows[1].index(name) for name in RHYTHM_COLUMNS)
    told = replace(narrow, rhythm=narrow.rhythm.narrowed()).predict(X[:, narrow.rhythm.positions])
    assert told.tolist() == narrow.predict(X).tolist()


@pytest.mark.parametrize("estimator", ["auto", "btyd", "hurdle"])
def test_a_value_window_within_the_churn_window_leaves_nothing_to_the_churned(rows, estimator):
    for windows in ((90.0, 90.0), (60.0, 90.0)):
        assert fit_pair(rows[0], np.arange(800), recipe(rows, estimator, windows)).churned is NOTHING


@pytest.mark.parametrize("estimator", ["auto", "hurdle", "tweedie"])
def test_who_cancels_within_the_value_window_has_paid_until_then(rows, estimator):
    lost = rows[0].lost == 1
    paid = TaughtValues(rows[0].X, np.where(lost, 40.0, 90.0), rows[0].lost, None)
    for windows in ((90.0, 90.0), (60.0, 90.0)):
        contract = replace(recipe(rows, estimator, windows), churn_is_silence=False)
        both = fit_pair(paid, np.arange(800), contract).conditional(rows[0].X, None)
        assert both[lost, 1].sum() == pytest.approx(40.0 * lost.sum())
        assert both[:, 1].mean() == pytest.approx(40.0, rel=0.1)


def test_the_level_of_a_day_follows_the_same_weeks_of_the_year_before(rows):
    pair = fit_pair(rows[0], np.arange(800), recipe(rows))
    assert pair.level.days == (1000, 1364)
    plain, rich, poor = (pair.conditional(rows[0].X, as_of) for as_of in (None, 1364, 1728 + 140))
    np.testing.assert_allclose(rich, plain * pair.level.factor(1364))
    # The same weeks a year before were rich; the newest snapshot was poor, whatever the day.
    assert poor.sum() < 0.9 * plain.sum()
    assert rich.sum() > 1.1 * poor.sum()
    each = pair.conditional(rows[0].X, rows[0].as_of)
    assert each[1].tolist() == rich[1].tolist()


def test_without_days_there_is_no_level(rows):
    undated = TaughtValues(rows[0].X, rows[0].value, rows[0].lost, None)
    pair = fit_pair(undated, np.arange(800), recipe(rows))
    assert pair.conditional(undated.X, 5).tolist() == pair.conditional(undated.X, None).tolist()


def test_only_the_rows_named_teach(rows):
    half = np.arange(400)
    changed = TaughtValues(
        rows[0].X, np.where(np.arange(800) < 400, rows[0].value, 1e6), 1 - rows[0].lost, rows[0].as_of
    )
    kept = np.where(np.arange(800) < 400, rows[0].lost, changed.lost)
    changed = TaughtValues(changed.X, changed.value, kept, changed.as_of)
    first, second = (fit_pair(one, half, recipe(rows)) for one in (rows[0], changed))
    assert first.conditional(rows[0].X, 1364).tolist() == second.conditional(rows[0].X, 1364).tolist()


def test_the_mixture_is_weighed_by_the_probability():
    assert mixed(np.array([[100.0, 20.0], [50.0, 0.0]]), np.array([0.25, 1.0])).tolist() == [80.0, 0.0]


def test_the_first_stage_knows_who_leaves(rows):
    pair = fit_pair(rows[0], np.arange(800), recipe(rows))
    p = pair.churn_probability(rows[0].X)
    assert p[rows[0].lost == 1].mean() > p[rows[0].lost == 0].mean() + 0.15
