from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.gate.level import DatedRows, SeasonLevel, season_level
from kizuna.models.churn.season_anchor import SeasonAnchor
from kizuna.timeline import LabelWindow, day_of

WINDOW = LabelWindow(60)
TRAIN_DAY = day_of(date(2025, 1, 1))


def a_shop(years, swing, seed=1, customers=300):
    """Snapshots every 28 days of customers whose silence tells, under a season of this swing in log odds."""
    generator = np.random.default_rng(seed)
    newest = TRAIN_DAY - WINDOW.end(0)
    days = np.arange(newest, TRAIN_DAY - 365 * years + 90, -28)
    as_of = np.repeat(days, customers).astype(np.int32)
    silence = generator.exponential(40, len(as_of)).round() + 1
    season = swing * np.cos(2 * np.pi * (as_of - TRAIN_DAY) / 365)
    log_odds = 0.8 * (np.log(silence) - 3.3) - 0.3 + season
    y = (generator.random(len(as_of)) < 1 / (1 + np.exp(-log_odds))).astype(float)
    orders = generator.poisson(2, len(as_of)) + 1.0
    features = pd.DataFrame(
        {"days_since_order": silence, "orders": orders, "revenue": orders * 10, "tenure_days": silence + 200}
    )
    customer = np.tile(np.arange(customers, dtype=np.int32), len(days))
    return DatedRows(features, y, as_of, customer, WINDOW, TRAIN_DAY, len(days))


def until(rows, day):
    """What would have been known on this day."""
    known = rows.as_of <= day - WINDOW.end(0)
    features = rows.features[known].reset_index(drop=True)
    known_rows = {"y": rows.y[known], "as_of": rows.as_of[known], "customer": rows.customer[known]}
    return replace(rows, features=features, train_day=day, **known_rows)


def test_a_strong_season_over_four_years_is_anchored_at_earlier_years():
    rows = a_shop(4, swing=1.0)
    found = season_level(rows, TRAIN_DAY - 4 * 365, seed=7)
    assert not found.unseen
    assert found.text.startswith("season seen: the level is anchored at the same weeks of earlier years (log loss 0.0")
    assert found.level_spread > 0.08
    # Most of the way to what the high season of earlier years would have needed.
    assert 0.5 < found.served.shift(TRAIN_DAY) < 1.1
    assert found.served.shift(TRAIN_DAY) == pytest.approx(found.served.share * found.served.earlier(TRAIN_DAY))
    # Half a year later the low season is due, and two years later nothing is known of the years before.
    assert found.served.shift(TRAIN_DAY + 182) < -0.4
    assert found.served.shift(TRAIN_DAY + 730) == 0.0
    # Past tests are anchored by what was known on their day.
    p = np.full(len(rows.y), 0.4)
    moved = found.anchored(p, rows.as_of)
    assert (moved[np.isin(rows.as_of, [*found.past])] != 0.4).all()
    assert (moved[~np.isin(rows.as_of, [*found.past])] == 0.4).all()
    assert 0 < len(found.past) < found.tested_days


def test_on_no_past_day_is_more_known_than_a_training_of_that_day_knew():
    rows = a_shop(4, swing=1.0)
    first = TRAIN_DAY - 4 * 365
    whole = season_level(rows, first, seed=7)
    days = sorted({int(day) for day in rows.as_of})
    decisions = []
    for day in days[::4]:
        if not len(until(rows, day).y):
            continue
        then = season_level(until(rows, day), first, seed=7)
        p = np.array([0.4])
        served = then.served_on(p, np.array([day], dtype=np.int32))
        np.testing.assert_allclose(whole.anchored(p, np.array([day], dtype=np.int32)), served, atol=1e-12)
        decisions.append(not then.unseen)
    # The decision itself is compared, on days of either outcome.
    assert set(decisions) == {True, False}


def test_what_happened_on_a_day_and_later_decides_nothing_of_that_day():
    rows = a_shop(4, swing=1.0)
    first = TRAIN_DAY - 4 * 365
    before = season_level(rows, first, seed=7)
    day = max(before.past)
    turned = np.where(rows.as_of + WINDOW.end(0) > day, 1 - rows.y, rows.y)
    after = season_level(replace(rows, y=turned), first, seed=7)
    assert {one: odds for one, odds in after.past.items() if one <= day} == before.past
    p, at = np.array([0.4]), np.array([day], dtype=np.int32)
    assert after.anchored(p, at) == before.anchored(p, at)


def test_without_a_season_nothing_is_anchored():
    found = season_level(a_shop(4, swing=0.0), TRAIN_DAY - 4 * 365, seed=7)
    assert found.unseen
    assert found.served.shift(TRAIN_DAY) == 0.0
    assert found.level_spread < 0.03
    assert found.text.endswith("past test days; the same weeks of earlier years have not surely helped)")


def test_one_year_of_history_leaves_the_season_unseen():
    found = season_level(a_shop(1, swing=0.8), TRAIN_DAY - 365, seed=7)
    assert found.unseen
    assert found.text == (
        f"season unseen: the level may be off by ±{found.level_spread * 100:.1f} points "
        f"(spread over {found.tested_days} past test days; 365 days of history, an anchor needs 730)"
    )
    assert found.level_spread > 0.03


def test_where_noise_hides_the_spread_a_bound_is_said():
    found = [season_level(a_shop(1, 0.0, seed, customers=60), TRAIN_DAY - 365, seed=7) for seed in range(12)]
    hidden = [one for one in found if one.level_spread == 0]
    assert hidden
    for one in hidden:
        # Sixty outcomes a day are off by about six points by chance alone.
        assert 0.02 < one.level_most < 0.12
        assert one.spread_text == f"the level may be off by up to ±{one.level_most * 100:.1f} points"
    assert all(one.level_most is None for one in found if one.level_spread > 0)


def test_two_years_of_which_few_quarters_were_tested():
    rows = a_shop(1, swing=0.3)
    found = season_level(rows, TRAIN_DAY - 800, seed=7)
    assert found.unseen
    assert found.text.endswith("test days lie in 2 of 4 quarters)")


def test_nothing_could_be_tested():
    rows = a_shop(4, swing=1.0)
    only = rows.as_of == rows.as_of.max()
    some = {"y": rows.y[only], "as_of": rows.as_of[only], "customer": rows.customer[only]}
    found = season_level(replace(rows, features=rows.features[only], **some), TRAIN_DAY - 4 * 365, seed=7)
    assert np.isnan(found.level_spread)
    assert found.text == (
        "season unseen: nothing tells by how much the level may be off "
        "(no snapshot is old enough to have taught a model of a later one)"
    )
    p = np.array([0.2, np.nan])
    assert found.anchored(p, np.zeros(2, dtype=np.int32)) is p


def test_large_tables_are_seen_through_whole_customers():
    rows = a_shop(4, swing=1.0, customers=2000)
    assert len(rows.y) > 60_000
    found, again = (season_level(rows, TRAIN_DAY - 1460, 7) for _ in range(2))
    assert found == again
    other = season_level(a_shop(4, 1.0, seed=2), TRAIN_DAY - 1460, 7)
    assert abs(found.served.shift(TRAIN_DAY) - other.served.shift(TRAIN_DAY)) < 0.15


def test_a_shift_moves_log_odds_of_its_day_only():
    season = SeasonLevel(True, 0.05, 9, "", past={400: 1.0})
    p = season.anchored(np.array([0.5, 0.5, np.nan]), np.array([400, 401, 400], dtype=np.int32))
    assert p[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert p[1] == 0.5
    assert np.isnan(p[2])
    # What was earned on a past day and is not today moves that test, and nothing that is served.
    whole, days = np.full(2, 0.5), np.array([400, 401], dtype=np.int32)
    assert season.served_on(whole, days) is whole
    seen = SeasonLevel(False, 0.05, 9, "", served=SeasonAnchor(((400 - 364, 2.0),), 60, 0.5))
    assert seen.served_on(whole, days)[0] == p[0] > seen.served_on(whole, days)[1] > 0.5


def test_a_model_is_taught_by_as_many_days_as_training_is():
    rows = a_shop(4, swing=0.0)
    # Four years ago everybody left; whoever is taught by the newest days knows nothing of that.
    long_ago = rows.as_of < TRAIN_DAY - 3 * 365
    rows = replace(rows, y=np.where(long_ago, 1.0, rows.y))
    first = TRAIN_DAY - 4 * 365
    off = {days: season_level(replace(rows, teaching_days=days), first, seed=7) for days in (12, 48)}
    assert off[12].level_spread < 0.7 * off[48].level_spread
    # Only training's own days say how far off the level is; those before them tell of seasons all the same.
    assert off[12].tested_days == 12 - 3
    assert [day for day, _ in off[12].served.needed] == [day for day, _ in off[48].served.needed]


def test_a_day_with_one_outcome_alone_needs_no_more_than_two_log_odds():
    rows = a_shop(4, swing=1.0)
    day = np.unique(rows.as_of)[20]
    found = season_level(replace(rows, y=np.where(rows.as_of == day, 1.0, rows.y)), TRAIN_DAY - 4 * 365, seed=7)
    assert dict(found.served.needed)[int(day)] < 2
    assert np.abs([odds for _, odds in found.served.needed]).max() < 2
