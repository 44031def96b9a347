"""Value by buy-till-you-die alone."""

from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.churn.silence import SilenceModel
from kizuna.models.value.btyd import RhythmValue, fit_rhythm_values, rhythm_value
from kizuna.models.value.rhythm import RhythmModel

SILENCE = SilenceModel(4, (0, 1, 2), (2.0, 200.0, 40.0), (0.6, 9.0, 0.8, 2.5), 365.0)
RHYTHM = RhythmModel(SILENCE, 3, 25.0, None, 365.0, 90.0)
BOTH = RhythmValue(RHYTHM, "active"), RhythmValue(RHYTHM, "silent")


def rows(count):
    draw = np.random.default_rng(count)
    since = draw.exponential(60, count).round() + 1
    columns = [
        draw.poisson(3, count) + 1.0,
        since + draw.exponential(300, count).round(),
        since,
        draw.lognormal(3, 1, count),
    ]
    return np.column_stack(columns), (draw.random(count) < 0.4).astype(float)


def test_value_is_orders_times_money_an_order():
    X, _ = rows(6)
    kept, churned = BOTH[0], RhythmValue(RHYTHM, "silent", 0.5)
    np.testing.assert_allclose(kept.predict(X), RHYTHM.expected_orders_if_active(X) * X[:, 3])
    np.testing.assert_allclose(churned.predict(X), RHYTHM.expected_orders_if_silent(X) * X[:, 3] / 2)
    either = RhythmValue(RHYTHM, "either")
    np.testing.assert_allclose(either.predict(X), RHYTHM.expected_orders(X) * X[:, 3])


def test_only_where_churn_is_silence_does_an_outcome_tell_of_orders():
    assert [rhythm_value(RHYTHM, outcome, True).given for outcome in (0, 1)] == ["active", "silent"]
    assert [rhythm_value(RHYTHM, outcome, False).given for outcome in (0, 1)] == ["either", "either"]
    # A contract of a customer long silent goes on, and he need not order once.
    X = np.array([[3.0, 900.0, 700.0, 20.0]])
    assert rhythm_value(RHYTHM, 0, False).predict(X)[0] < 20 < rhythm_value(RHYTHM, 0, True).predict(X)[0]


def test_the_total_of_each_outcome_is_right():
    X, lost = rows(400)
    value = np.where(lost == 1, X[:, 3] * 0.2, X[:, 3] * 3)
    for model, outcome in zip(fit_rhythm_values(X, value, lost, BOTH), (0, 1), strict=True):
        mine = lost == outcome
        assert model.predict(X[mine]).sum() == pytest.approx(value[mine].sum())


def test_where_few_hold_money_both_share_a_level():
    X, lost = rows(100)
    value = np.where(lost == 1, 0.0, X[:, 3])
    value[np.flatnonzero(lost)[0]] = 50_000.0
    kept, churned = fit_rhythm_values(X, value, lost, BOTH)
    assert kept.predict(X[lost == 0]).sum() == pytest.approx(value[lost == 0].sum())
    said = sum(model.predict(X[lost == outcome]).sum() for outcome, model in enumerate(BOTH))
    assert churned.level == pytest.approx(value.sum() / said)


def test_no_money_at_all_is_no_value():
    X, lost = rows(50)
    for model in fit_rhythm_values(X, np.zeros(50), lost, BOTH):
        assert model.predict(X).tolist() == [0.0] * 50
