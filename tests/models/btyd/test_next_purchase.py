"""When a customer buys next: golden by simulation, what holds for any customer, and levels that mend a wrong shape."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.labels.purchase_pasts import Followed, PurchasePasts
from kizuna.models import MBGNBD
from kizuna.models.btyd.next_purchase import SHARES, NextPurchase, fit_next_purchase, is_overdue
from kizuna.models.btyd.purchasing import Parameters
from kizuna.models.btyd.simulation import simulate_customers

# A shop much like CDNOW, time in days.
TRUTH = Parameters(r=0.6, alpha=50.0, a=0.7, b=1.6, first_chance=1)
PLAIN = NextPurchase(0.6, 50.0, SHARES, SHARES, 365, 0, None)


def regular(repeats: np.ndarray, recency_days: np.ndarray, age_days: np.ndarray) -> PurchasePasts:
    """Customers whose gaps are all alike."""
    gap = np.divide(recency_days, repeats, out=np.full(len(repeats), np.nan), where=repeats > 0)
    return PurchasePasts(repeats, recency_days, age_days, gap)


def pasts(*rows: tuple[float, float, float]) -> PurchasePasts:
    return regular(*np.array(rows, dtype=np.float64).T)


@pytest.mark.parametrize(("repeats", "age_days"), [(0, 60), (1, 200), (4, 300)])
def test_the_days_are_those_of_customers_drawn_from_the_model(repeats: int, age_days: int) -> None:
    """Of simulated customers with this history, those who buy within a year; a live customer's next wait is exponential."""
    drawn = simulate_customers(TRUTH, 400_000, age_days, seed=3)
    alike = drawn.alive & (drawn.frequency == repeats)
    wait = np.random.default_rng(4).exponential(1 / drawn.rate[alike])
    wait = wait[wait < 365]
    assert len(wait) > 3000
    found = PLAIN.days(pasts((repeats, age_days, age_days)))[0]
    for share, days in zip(SHARES, found, strict=True):
        spread = 4 * np.sqrt(share * (1 - share) / len(wait))
        assert np.mean(wait < days) - spread <= share <= np.mean(wait < days + 1) + spread


def test_ten_customers_by_hand() -> None:
    # With a shape of 1 the share by day t of those within w is t (s + w) / (w (s + t)), s the scale.
    model = NextPurchase(1.0, 100.0, SHARES, SHARES, 300, 0, None)
    repeats, age = np.zeros(10), np.arange(0.0, 1000.0, 100.0)
    scale = 100 + age
    wanted = [np.floor(q * scale * 300 / (scale + 300 * (1 - q))) for q in SHARES]
    np.testing.assert_array_equal(model.days(regular(repeats, age, age)), np.column_stack(wanted))
    np.testing.assert_allclose(
        model.share_by(repeats, age, np.full(10, 60.0), 300), 60 * (scale + 300) / 300 / (scale + 60)
    )


positive = st.floats(1e-4, 1e4)


@given(
    positive,
    positive,
    st.tuples(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(0.001, 0.999)),
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 5000)), min_size=1, max_size=10),
)
def test_what_holds_for_any_customer(
    r: float, alpha: float, levels: tuple[float, float, float], rows: list[tuple[int, int]]
) -> None:
    low, middle, high = sorted(levels)
    later = (low + (1 - low) / 4, middle + (1 - middle) / 4, high + (1 - high) / 4)
    model = NextPurchase(r, alpha, (low, middle, high), later, 365, 0, None)
    repeats, age = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    days = model.days(regular(repeats, age / 5, age))
    assert (days >= 0).all()
    assert (days <= 364).all()
    assert (np.diff(days, axis=1) >= 0).all()
    assert (days == np.floor(days)).all()
    # Another day of silence never brings the purchase nearer, another purchase never puts it off.
    assert (model.days(regular(repeats, age / 5, age + 1)) >= days).all()
    assert (model.days(regular(repeats + 1, age, age)) <= days).all()


@given(st.integers(0, 50), st.integers(1, 2000), st.floats(0.01, 0.99))
def test_the_quantile_is_where_the_share_is(repeats: int, age: int, share: float) -> None:
    x, t = np.array([float(repeats)]), np.array([float(age)])
    time = PLAIN._quantile(x, t, share)
    assert PLAIN.share_by(x, t, time, 365)[0] == pytest.approx(share, rel=1e-9)


def steady(customers: int, age_days: int, seed: int) -> tuple[PurchasePasts, np.ndarray]:
    """Customers who come every 30 days, give or take three, and the days until they come again."""
    draw = np.random.default_rng(seed)
    first = -draw.integers(age_days // 2, age_days, customers)
    visits = first[:, None] + np.round(np.cumsum(draw.normal(30, 3, (customers, 60)), axis=1))
    visits = np.column_stack([first, visits])
    past = visits < 0
    last = np.where(past, visits, -np.inf).max(axis=1)
    coming = np.where(past, np.inf, visits).min(axis=1)
    return regular(past.sum(axis=1) - 1.0, last - first, -first.astype(float)), coming


def test_levels_learned_on_an_earlier_day_hold_where_customers_take_longer_than_they_used_to() -> None:
    # Before either day they come every thirty days, after it every ninety.
    then, followed = steady(2000, 300, seed=1)
    now, coming = steady(2000, 400, seed=2)
    model = fit_next_purchase(now, Followed(then, then, 3 * followed, 100), 365)
    assert model is not None
    assert model.tested == 1000
    assert model.levels != SHARES
    # Of the buyers who taught nothing, four in five lie between the levels that ship.
    assert model.coverage == pytest.approx(0.8, abs=0.04)
    days = model.days(now)
    assert 0.75 < np.mean((3 * coming >= days[:, 0]) & (3 * coming <= days[:, 2])) < 0.9
    assert 0.4 < np.mean(3 * coming < days[:, 1]) < 0.6
    plain = fit_next_purchase(now, None, 365)
    assert plain is not None
    assert (plain.levels, plain.coverage) == (SHARES, None)
    before = plain.days(now)
    # The interval moves to later days, at both ends.
    assert (days[:, 0] > before[:, 0]).all()
    assert (days[:, 2] > before[:, 2]).all()


def test_levels_stay_where_the_interval_held_about_what_it_should() -> None:
    drawn = simulate_customers(TRUTH, 6000, 300, seed=6)
    everybody, alive = regular(drawn.frequency, drawn.recency, drawn.age), drawn.alive
    wait = np.random.default_rng(8).exponential(1 / drawn.rate)
    buyers = alive & (wait < 100)
    model = fit_next_purchase(everybody, Followed(everybody, everybody.where(buyers), np.floor(wait[buyers]), 100), 365)
    assert model is not None
    assert model.tested == buyers.sum() // 2
    assert model.coverage == pytest.approx(0.8, abs=0.05)
    assert model.levels == SHARES


def test_few_followed_purchases_hardly_move_the_levels() -> None:
    then, followed = steady(2000, 300, seed=1)
    ten = slice(0, 10)
    model = fit_next_purchase(then, Followed(then, then.where(ten), followed[ten] * 0 + 99, 100), 365)
    assert model is not None
    assert model.tested == 5
    assert model.levels != SHARES
    # All five who taught stand at the very end, and weigh 5 of 105.
    np.testing.assert_allclose(model.levels, np.array(SHARES) * 100 / 105 + 5 / 105, atol=1e-3)


def test_the_long_overdue_have_levels_of_their_own_never_earlier_ones() -> None:
    drawn = simulate_customers(TRUTH, 12_000, 300, seed=6)
    everybody = regular(drawn.frequency, drawn.recency, drawn.age)
    wait = np.random.default_rng(8).exponential(1 / drawn.rate)
    buyers = drawn.alive & (wait < 100)
    then, late = everybody.where(buyers), is_overdue(everybody.where(buyers))
    assert late.sum() > 150

    def model(days: np.ndarray) -> NextPurchase:
        found = fit_next_purchase(everybody, Followed(everybody, then, np.floor(days), 100), 365)
        assert found is not None
        return found

    # Who is long overdue comes in the second half of the hundred days, or in the first.
    later = model(np.where(late, 50 + wait[buyers] / 2, wait[buyers]))
    assert later.levels == SHARES
    assert all(own > level + 0.05 for own, level in zip(later.overdue_levels[:2], SHARES[:2], strict=True))
    days, plain = later.days(everybody), replace(later, overdue_levels=SHARES).days(everybody)
    assert (days[~is_overdue(everybody)] == plain[~is_overdue(everybody)]).all()
    assert (days[is_overdue(everybody), 1] > plain[is_overdue(everybody), 1]).mean() > 0.9
    earlier = model(np.where(late, wait[buyers] / 2, wait[buyers]))
    assert earlier.overdue_levels == earlier.levels
    assert NextPurchase.from_json(json.loads(json.dumps(later.to_json()))) == later
    stored = {name: value for name, value in later.to_json().items() if name != "overdue_levels"}
    assert NextPurchase.from_json(stored).overdue_levels == later.levels


def test_few_of_the_long_overdue_teach_nothing() -> None:
    then, followed = steady(2000, 300, seed=1)
    silent = np.arange(2000) < 90
    then = replace(then, usual_gap_days=np.where(silent, 0.1, then.usual_gap_days))
    found = fit_next_purchase(then, Followed(then, then, np.where(silent, 99.0, followed), 100), 365)
    assert found is not None
    assert found.overdue_levels == found.levels


def test_who_is_overdue() -> None:
    found = is_overdue(pasts((3, 30, 70), (3, 30, 71), (0, 0, 500), (1, 365, 400)))
    assert found.tolist() == [False, True, False, False]


def test_who_tests_the_levels_has_not_taught_them() -> None:
    then, followed = steady(400, 300, seed=1)
    other = followed.copy()
    other[1::2] = 99
    first, second = (fit_next_purchase(then, Followed(then, then, days, 100), 365) for days in (followed, other))
    assert first is not None
    assert second is not None
    assert first.levels == second.levels
    assert first.coverage != second.coverage


def test_the_parameters_are_those_of_the_buy_till_you_die_model() -> None:
    drawn = simulate_customers(TRUTH, 3000, 300, seed=5)
    everybody = regular(drawn.frequency, drawn.recency, drawn.age)
    model, known = fit_next_purchase(everybody, None, 365), MBGNBD().fit(drawn.frequency, drawn.recency, drawn.age)
    assert model is not None
    assert (model.r, model.alpha) == (known.params_["r"], known.params_["alpha"])
    assert NextPurchase.from_json(json.loads(json.dumps(model.to_json()))) == model


def test_nobody_came_back_gives_no_days() -> None:
    nobody = pasts((0, 0, 30), (0, 0, 60))
    assert fit_next_purchase(nobody, None, 365) is None
    # Where nobody had come back on the earlier day either, the levels stay as they are.
    later = fit_next_purchase(pasts((1, 20, 30), (0, 0, 60)), Followed(nobody, nobody, np.array([3.0, 4.0]), 30), 365)
    assert later is not None
    assert later.levels == SHARES
