"""The formulas against the shop itself, lived on from one morning under other draws."""

from dataclasses import replace

import numpy as np
import pytest

from kizuna.data.simulation.events import Log
from kizuna.data.simulation.keyed import keys_of
from kizuna.data.simulation.outreach import persuade
from kizuna.data.simulation.step import step
from kizuna.data.simulation.truth import truth_of


def redrawn(shop, state, number):
    """The same state with everything that has not happened yet drawn anew: the gap, the fading, the leaving, the days."""
    generator, world = np.random.default_rng(number), shop.world
    count, shape = len(state.orders), world.parameters.buying.gap_shape
    lives = replace(
        world.lives,
        fade_at=state.hazard + generator.exponential(size=count),
        leave_at=state.fade_hazard + generator.exponential(size=count),
    )
    rows = np.arange(count)
    for _ in range(300):
        gaps = generator.gamma(shape, 1 / shape, len(rows))
        longer = gaps > state.clock[rows]
        state.threshold[rows[longer]] = gaps[longer]
        rows = rows[~longer]
    state.threshold[rows] = state.clock[rows] + generator.exponential(1 / shape, len(rows))
    return replace(world, lives=lives, keys=keys_of(1000 + number, count))


def lived_on(shop, days, worlds, contact=False):
    """Per customer: how often there was no order in 90 days, the mean value, and the mean value where there was none."""
    none, value, value_none = (np.zeros(len(shop.state.orders)) for _ in range(3))
    for number in range(worlds):
        state, log = shop.copy(), Log()
        world = redrawn(shop, state, number)
        if contact:
            persuade(world, state, shop.day - 1, np.flatnonzero(state.last_order >= shop.day - 180))
        silent = np.zeros(len(none), dtype=bool)
        for day in range(shop.day, shop.day + days):
            step(world, state, day, log)
            if day == shop.day + 89:
                silent = state.last_order < shop.day
        rows = log.rows("purchases")
        inside = (rows["order_day"] >= shop.day) & (rows["order_day"] < shop.day + days)
        spent = np.bincount(rows["customer"], rows["amount"] * inside, minlength=len(none))
        none, value, value_none = none + silent, value + spent, value_none + spent * silent
    return none / worlds, value / worlds, value_none / worlds


def agrees(formula, lived, worlds, width=3.5):
    """Whether the means agree within their sampling error, overall and in fifths by the formula."""
    order = np.argsort(formula, kind="stable")
    for part in [order, *np.array_split(order, 5)]:
        error = np.sqrt((formula[part] * (1 - formula[part])).sum() / worlds) / len(part)
        assert formula[part].mean() == pytest.approx(lived[part].mean(), abs=width * error + 0.006)


def test_no_order_in_ninety_days(shop):
    truth = truth_of(shop.world, shop.state, shop.day)
    rows, p = truth["customer"], truth["p_churn"]
    none, _, _ = lived_on(shop, 90, worlds=6)
    assert none[rows][p == 1].mean() > 0.995
    agrees(p[p < 1], none[rows][p < 1], worlds=6)
    fading = (shop.state.fading[rows] <= shop.day) & (p < 1)
    assert p[fading].mean() > p[(p < 1) & ~fading].mean() + 0.2


def test_no_order_after_a_contact(shop):
    truth = truth_of(shop.world, shop.state, shop.day)
    rows, p = truth["customer"], truth["p_churn_if_contacted"]
    none, _, _ = lived_on(shop, 90, worlds=6, contact=True)
    agrees(p[p < 1], none[rows][p < 1], worlds=6)


@pytest.mark.slow
def test_more_worlds_and_the_value_of_a_year(shop):
    truth = truth_of(shop.world, shop.state, shop.day)
    rows, p = truth["customer"], truth["p_churn"]
    none, value, value_none = (lived[rows] for lived in lived_on(shop, 365, worlds=60))
    agrees(p[p < 1], none[p < 1], worlds=60)
    expected = p * truth["value_if_churned"] + (1 - p) * truth["value_if_kept"]
    assert expected.sum() == pytest.approx(value.sum(), rel=0.04)
    assert (p * truth["value_if_churned"]).sum() == pytest.approx(value_none.sum(), rel=0.06)
    for part in np.array_split(np.argsort(expected)[(p == 1).sum() :], 5):
        assert expected[part].mean() == pytest.approx(value[part].mean(), rel=0.08)


def test_who_has_left_is_lost_and_worth_nothing(shop):
    truth = truth_of(shop.world, shop.state, shop.day)
    gone = shop.state.left[truth["customer"]] <= shop.day
    assert gone.sum() > 100
    assert (truth["p_churn"][gone] == 1).all()
    assert (truth["p_churn_if_contacted"][gone] == 1).all()
    assert (truth["value_if_kept"][gone] == 0).all()
    assert (truth["value_if_churned"][gone] == 0).all()
    assert np.isfinite(np.concatenate(list(truth.values()))).all()


def test_telling_the_truth_changes_nothing(shop):
    before = shop.copy()
    truth_of(shop.world, shop.state, shop.day)
    for name in vars(before):
        np.testing.assert_array_equal(getattr(before, name), getattr(shop.state, name))
