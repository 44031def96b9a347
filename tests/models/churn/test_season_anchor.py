import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.models.churn.season_anchor import SeasonAnchor, fit_anchor, shifted, windows_apart
from kizuna.timeline import LabelWindow

WINDOW = LabelWindow(90)
# A year of snapshots, four weeks apart, each with what it needed.
YEAR = SeasonAnchor(tuple((day, float(np.sin(day / 58))) for day in range(0, 364, 28)), 90, 0.5)
# How much log loss a move of one log odds that is not due costs, at probabilities about .3 or .7.
INFORMATION = 0.2


def test_by_hand():
    anchor = SeasonAnchor(((100, 1.0), (121, 0.4), (200, 9.0)), 60, 0.5)
    # Day 464 is day 100 a year later: weights 1 and 1/2, and 200 is too far.
    assert anchor.earlier(464) == pytest.approx((1.0 + 0.5 * 0.4) / 1.5)
    assert anchor.shift(464) == pytest.approx(0.5 * (1.0 + 0.5 * 0.4) / 1.5)
    # Two years later it counts as much, three years later no more.
    assert anchor.shift(464 + 364) == anchor.shift(464)
    assert anchor.shift(464 + 728) == 0.0
    # One day, three weeks off, weighs half and is not scaled up.
    assert SeasonAnchor(((100, 1.0),), 60, 0.5).shift(485) == pytest.approx(0.5 * 0.5)
    # What is known only after the day that is asked for does not count.
    assert SeasonAnchor(((100, 1.0),), 365, 0.5).shift(464) == 0.0
    assert SeasonAnchor().shift(464) == 0.0


def test_from_week_to_week_nothing_jumps_and_in_the_third_year_it_is_over():
    shifts = np.array([YEAR.shift(day) for day in range(364, 1300)])
    assert np.abs(np.diff(shifts)).max() < 0.02
    assert np.abs(shifts).max() > 0.3
    assert (shifts[728 + 42 :] == 0).all()


def test_the_share_by_hand():
    # Two years of days 91 days apart, between two years that do not matter but complete the means: 1, -1, 1, -1, then
    # .5, -.5, .7, -.7 around nothing.
    first = {91 * k: (-1.0) ** k for k in range(4)}
    again = {364 + 91 * k: (-1.0) ** k * (0.5, 0.7)[k // 2 % 2] for k in range(4)}
    needed = first | again
    # Of a day, of what is beyond the mean of the days from half a year before to half a year after, the last not included.
    beyond = {
        day: odds - np.mean([other for then, other in needed.items() if -182 <= then - day < 182])
        for day, odds in needed.items()
    }
    said, found = (np.array([beyond[day + years] for day in first]) for years in (0, 364))
    slope = said @ found / (said @ said)
    score = said * (found - slope * said)
    assert slope - 3.182 * score.std(ddof=1) * np.sqrt(4) / (said @ said) > 0
    anchor = fit_anchor(needed, LabelWindow(91))
    assert anchor.share == pytest.approx(slope * 4 / 5)
    assert anchor.shift(728) == pytest.approx(anchor.share * (beyond[0] + beyond[364]) / 2)
    # Off by .5 the interval reaches 0, and two windows are too few whatever they show.
    wild = {day: odds + np.sign(odds) * (0.5 if abs(odds) > 0.6 else -0.5) for day, odds in again.items()}
    assert fit_anchor(first | wild, LabelWindow(91)).share == 0.0
    two = {day: odds for day, odds in again.items() if day < 364 + 182}
    assert fit_anchor(first | two, LabelWindow(91)).share == 0.0


def test_what_the_whole_year_needs_is_no_season():
    needed = {day: float(np.sin(day / 58)) for day in range(0, 1092, 28)}
    anchor = fit_anchor(needed, WINDOW)
    assert anchor.share > 0.8
    moved = fit_anchor({day: odds + 0.4 for day, odds in needed.items()}, WINDOW)
    assert moved.share == pytest.approx(anchor.share)
    assert moved.shift(1092) == pytest.approx(anchor.shift(1092))
    assert fit_anchor(dict.fromkeys(needed, 0.4), WINDOW).shift(1092) == 0.0


def test_what_comes_back_larger_is_carried_over_once():
    first = {91 * k: (-1.0) ** k for k in range(4)}
    again = {364 + 91 * k: 2 * (-1.0) ** k for k in range(4)}
    assert fit_anchor(first | again, LabelWindow(91)).share == pytest.approx(4 / 5)
    turned = {364 + 91 * k: -1 * (-1.0) ** k for k in range(4)}
    assert fit_anchor(first | turned, LabelWindow(91)).share == 0.0
    assert fit_anchor({}, WINDOW) == SeasonAnchor((), 90)


def test_windows_that_overlap_count_as_one():
    assert windows_apart(np.arange(0, 270, 28), 90) == 3
    assert windows_apart(np.array([0, 900]), 90) == 2
    assert windows_apart(np.array([], dtype=np.int64), 90) == 0


def wandering(generator, days, spread, memory_days=60):
    """A daily level that wanders about 0."""
    kept = np.exp(-1 / memory_days)
    steps = generator.normal(0, spread * np.sqrt(1 - kept**2), days)
    level = [generator.normal(0, spread)]
    for step in steps[1:]:
        level.append(kept * level[-1] + step)
    return np.array(level)


def anchored(level, generator, years, customers=1000):
    """The shift on the last day, and what it changes in log loss: above 0 is lower."""
    today, so_far = years * 365, np.concatenate([[0.0], np.cumsum(level)])
    days = np.arange(today - 90, 89, -28)[::-1]
    true = (so_far[days + 90] - so_far[days]) / 90
    seen = true + generator.normal(0, 1 / np.sqrt(customers * INFORMATION), len(days))
    taught = {int(day): seen[days <= day - 90] for day in days}
    needed = {int(day): seen[k] - taught[day].mean() for k, day in enumerate(days) if len(taught[day])}
    shift = fit_anchor(needed, WINDOW).shift(today)
    due = (so_far[today + 90] - so_far[today]) / 90 - seen.mean()
    return shift, INFORMATION * (shift * due - shift**2 / 2), INFORMATION * due**2 / 2


def over_many(level_of, years, runs=120):
    """How often there is an anchor, the mean change in log loss, and what a perfect one would have changed."""
    found = []
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        found.append(anchored(level_of(generator, years * 365 + 90), generator, years))
    shifts, gains, possible = np.array(found).T
    return float((shifts != 0).mean()), float(gains.mean()), float(possible.mean())


def season(generator, days):
    """A shop that sells more in winter than in summer, by .6 log odds either way."""
    return 0.6 * np.cos(2 * np.pi * (np.arange(days) + generator.integers(365)) / 365) + wandering(
        generator, days, 0.15
    )


def gifts(generator, days):
    """A shop that sells in one month of the year."""
    return -2.5 * ((np.arange(days) + generator.integers(365)) % 365 < 30) + wandering(generator, days, 0.15)


def promotion(generator, days):
    """A shop without a season, where everybody bought once in the last year."""
    level, begins = wandering(generator, days, 0.1), days - 90 - generator.integers(60, 400)
    level[begins : begins + 45] -= 2
    return level


def no_season(generator, days):
    return wandering(generator, days, 0.2)


@pytest.mark.parametrize("years", [3, 5])
def test_levels_without_a_season_hardly_ever_have_an_anchor_and_it_costs_nothing(years):
    engaged, gain, _ = over_many(no_season, years)
    assert engaged <= 0.05
    assert gain > -0.0003


@pytest.mark.parametrize("years", [3, 5])
def test_a_promotion_is_not_taken_for_a_season(years):
    engaged, gain, _ = over_many(promotion, years)
    assert engaged <= 0.03
    assert gain > -0.0003


@pytest.mark.parametrize(("level_of", "least"), [(season, (0.85, 0.98)), (gifts, (0.6, 0.95))])
def test_a_strong_season_has_one_and_log_loss_is_lower_by_most_of_what_is_possible(level_of, least):
    for years, often in zip((3, 5), least, strict=True):
        engaged, gain, possible = over_many(level_of, years)
        assert engaged >= often
        assert gain > 0.5 * possible


def test_what_of_a_days_own_need_comes_again():
    anchor = SeasonAnchor(((100, 1.0), (128, -0.4)), 60, 0.5)
    assert anchor.believed(np.array([128, 100, 101, 100], dtype=np.int32)).tolist() == [-0.2, 0.5, 0.0, 0.5]
    assert SeasonAnchor().believed(np.array([100], dtype=np.int32)).tolist() == [0.0]


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
