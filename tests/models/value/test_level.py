"""The level of a day: what the same weeks of earlier years and the newest snapshot show."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kizuna.models.value.level import ValueLevel, fit_level


def test_ratios_are_drawn_to_nothing_where_few_rows_hold_money():
    # 20 rows of value 3 where 2 was said, half believed; 1 of 21 for the other day; nothing where nothing was found.
    as_of = np.array([100] * 20 + [128] * 3 + [156] * 2)
    found = np.array([3.0] * 20 + [4.0, 0.0, 0.0] + [0.0, 0.0])
    said = np.array([2.0] * 20 + [1.0, 1.0, 1.0] + [5.0, 5.0])
    level = fit_level(as_of, found, said)
    assert (level.days, level.rows) == ((100, 128), (20, 1))
    assert level.logs == pytest.approx((np.log(1.5) / 2, np.log(4 / 3) / 21))


def test_a_factor_is_no_more_than_a_few_tenths():
    level = fit_level(np.repeat([0, 28], 10_000), np.full(20_000, 100.0), np.ones(20_000))
    assert level.logs == pytest.approx((0.5, 0.5), rel=0.01)
    assert level.factor(364) == pytest.approx(np.exp(0.5), rel=0.01)


def test_earlier_years_are_weighed_by_their_rows_and_the_newest_is_half_believed():
    level = ValueLevel((0, 28, 100, 364), (0.2, -0.1, 9.0, 0.04), (30, 10, 999, 50))
    # 6 and 22 of 42 days from a year ago. Beliefs of 0.6 and 0.5 are more than one.
    earlier = (30 * 36 * 0.2 + 10 * 20 * -0.1) / (30 * 36 + 10 * 20)
    assert level.factor(370) == pytest.approx(np.exp((0.6 * earlier + 0.5 * 0.04) / 1.1))
    # Two years after the first two; a year after the newest, which counts as the newest alone.
    earlier = (30 * 0.2 + 10 * -0.1) / 40
    assert level.factor(742) == pytest.approx(np.exp((0.6 * earlier + 0.5 * 0.04) / 1.1))
    assert level.factor(250) == pytest.approx(np.exp(0.5 * 0.04))


def test_the_fewer_snapshots_are_near_the_less_they_are_believed():
    # 35 of 42 days from a year ago: a sixth of 0.6, with 0.5 for the newest.
    assert ValueLevel((0, 200), (0.3, 0.1), (10, 10)).factor(399) == pytest.approx(np.exp(0.1 * 0.3 + 0.5 * 0.1))


def test_a_snapshot_alone_is_not_counted_twice():
    level = ValueLevel((0,), (0.2,), (50,))
    assert level.factor(np.array([1, 364, 728])).tolist() == pytest.approx([np.exp(0.1)] * 3)


def test_the_total_does_not_jump_from_one_week_to_the_next():
    days = tuple(range(0, 365, 28))
    lone = ValueLevel(days, tuple(0.5 * (day == 168) for day in days), (40,) * len(days))
    yearly = ValueLevel((0, 365), (0.5, 0.5), (40, 40))
    for level in (lone, yearly):
        factors = level.factor(np.arange(365, 365 + 740))
        assert np.abs(np.diff(np.log(factors))).max() < 0.6 * 0.5 / 28
        weekly = np.abs(np.diff(np.log(factors[::7]))).max()
        assert 0 < weekly < 0.06


def test_days_are_answered_in_the_shape_they_are_asked_in():
    level = ValueLevel((0, 100), (0.2, 0.1), (30, 30))
    assert level.factor(364).shape == ()
    both = level.factor(np.array([364, 200, 364]))
    assert both[0] == both[2] > both[1] > 1
    assert ValueLevel().factor(np.array([1, 2])).tolist() == [1.0, 1.0]


def test_it_is_plain_json():
    level = ValueLevel((0, 28), (0.2, -0.1), (30, 10))
    assert ValueLevel.from_json(json.loads(json.dumps(level.to_json()))) == level
