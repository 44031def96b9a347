import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.models.churn.season_anchor import SeasonAnchor, shifted

# A year of snapshots, four weeks apart, each with what it needed.
YEAR = SeasonAnchor(tuple((day, float(np.sin(day / 58))) for day in range(0, 364, 28)), 90)


def test_by_hand():
    anchor = SeasonAnchor(((100, 1.0), (130, 0.4), (200, 9.0)), 60)
    # Day 465 is day 100 a year later: weights 1 and 1/2, and 200 is too far.
    assert anchor.shift(465) == pytest.approx(0.5 * (1.0 + 0.5 * 0.4) / 1.5)
    # One day, thirty days off, weighs half and is not scaled up.
    assert SeasonAnchor(((100, 1.0),), 60).shift(495) == pytest.approx(0.5 * 0.5)
    # What is known only after the day that is asked for does not count.
    assert SeasonAnchor(((100, 1.0),), 366).shift(465) == 0.0
    assert SeasonAnchor().shift(465) == 0.0


def test_from_week_to_week_nothing_jumps_and_after_a_year_it_is_over():
    shifts = np.array([YEAR.shift(day) for day in range(365, 900)])
    assert np.abs(np.diff(shifts)).max() < 0.02
    assert np.abs(shifts).max() > 0.3
    assert (shifts[365 + 60 :] == 0).all()


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=8), st.floats(-2, 2))
def test_a_shift_moves_log_odds_and_keeps_gaps(values, by):
    p = np.array([*values, np.nan])
    moved = shifted(p, by)
    assert np.isnan(moved[-1])
    np.testing.assert_allclose(np.log(moved / (1 - moved))[:-1], np.log(p / (1 - p))[:-1] + by, atol=1e-9)
    assert shifted(p, 0.0) is p


def test_certainty_stays_a_probability():
    moved = shifted(np.array([0.0, 1.0]), 1.0)
    assert 0 < moved[0] < 1e-5
    assert 1 - 1e-5 < moved[1] < 1


def test_it_is_stored_as_plain_json():
    assert SeasonAnchor.from_json(json.loads(json.dumps(YEAR.to_json()))) == YEAR
    assert YEAR.moved(np.array([0.5]), 450) == shifted(np.array([0.5]), YEAR.shift(450))
