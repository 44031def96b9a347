from datetime import date

import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.level import DatedRows, SeasonLevel, season_level
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
    return DatedRows(features, y, as_of, np.tile(np.arange(customers, dtype=np.int32), len(days)), WINDOW, TRAIN_DAY)


def test_a_strong_season_over_four_years_is_anchored_at_last_years():
    rows = a_shop(4, swing=1.0)
    found = season_level(rows, TRAIN_DAY - 4 * 365, seed=7)
    assert not found.unseen
    assert found.text.startswith("season seen: the level is anchored at the same weeks of last year (log loss 0.0")
    assert found.level_spread > 0.08
    # Half of the way to what the high season of last year would have needed.
    assert 0.3 < found.shift < 0.7
    # Past tests are anchored by what was known on their day, and then lose less.
    p = np.full(len(rows.y), 0.4)
    moved = found.anchored(p, rows.as_of)
    assert set(found.shifts) < set(rows.as_of.tolist())
    assert (moved[rows.as_of == min(rows.as_of)] == 0.4).all()


def test_without_a_season_nothing_is_anchored():
    found = season_level(a_shop(4, swing=0.0), TRAIN_DAY - 4 * 365, seed=7)
    assert found.unseen
    assert (found.shift, dict(found.shifts)) == (0.0, {})
    assert found.level_spread < 0.03
    assert found.text.endswith("past test days; the same weeks of last year have not surely helped)")


def test_one_year_of_history_leaves_the_season_unseen():
    found = season_level(a_shop(1, swing=0.8), TRAIN_DAY - 365, seed=7)
    assert found.unseen
    assert found.text == (
        f"season unseen: the order of customers is reliable, the level may be off by ±{found.level_spread * 100:.1f} points "
        f"(spread over {found.tested_days} past test days; 365 days of history, an anchor needs 730)"
    )
    assert found.level_spread > 0.03


def test_two_years_of_which_few_quarters_were_tested():
    rows = a_shop(1, swing=0.3)
    found = season_level(rows, TRAIN_DAY - 800, seed=7)
    assert found.unseen
    assert found.text.endswith("test days lie in 2 of 4 quarters)")


def test_nothing_could_be_tested():
    rows = a_shop(4, swing=1.0)
    only = rows.as_of == rows.as_of.max()
    one_day = DatedRows(
        rows.features[only], rows.y[only], rows.as_of[only], rows.customer[only], rows.window, rows.train_day
    )
    found = season_level(one_day, TRAIN_DAY - 4 * 365, seed=7)
    assert np.isnan(found.level_spread)
    assert found.text == (
        "season unseen: the order of customers is reliable, nothing tells by how much the level may be off "
        "(no snapshot is old enough to have taught a model of a later one)"
    )
    p = np.array([0.2, np.nan])
    assert found.anchored(p, np.zeros(2, dtype=np.int32)) is p


def test_what_is_known_later_changes_no_earlier_shift():
    rows = a_shop(4, swing=1.0)
    early = rows.as_of <= TRAIN_DAY - 365
    before = DatedRows(
        rows.features[early].reset_index(drop=True),
        rows.y[early],
        rows.as_of[early],
        rows.customer[early],
        WINDOW,
        TRAIN_DAY - 365 + 60,
    )
    whole, then = season_level(rows, TRAIN_DAY - 1460, 7), season_level(before, TRAIN_DAY - 1460, 7)
    shared = set(whole.shifts) & set(then.shifts)
    assert shared
    assert all(whole.shifts[day] == pytest.approx(then.shifts[day]) for day in shared)


def test_large_tables_are_seen_through_whole_customers():
    rows = a_shop(4, swing=1.0, customers=2000)
    assert len(rows.y) > 60_000
    found, again = (season_level(rows, TRAIN_DAY - 1460, 7) for _ in range(2))
    assert found == again
    assert abs(found.shift - season_level(a_shop(4, 1.0, seed=2), TRAIN_DAY - 1460, 7).shift) < 0.15


def test_a_shift_moves_log_odds_of_its_day_only():
    season = SeasonLevel(False, 0.05, 9, "", 0.0, {7: 1.0})
    p = season.anchored(np.array([0.5, 0.5, np.nan]), np.array([7, 8, 7], dtype=np.int32))
    assert p[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert p[1] == 0.5
    assert np.isnan(p[2])
