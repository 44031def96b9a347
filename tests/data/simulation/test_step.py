from dataclasses import replace

import numpy as np
import pytest

from kizuna.data.simulation.parameters import Leaving, Ratios
from kizuna.data.simulation.state import NEVER


def share_left_after_first_order(shop):
    """Among those whose first order lies two weeks back and who had one order by then."""
    old = shop.state.first_order < shop.day - 20
    at_once = shop.state.left == shop.state.first_order + 1
    return at_once[old].mean()


def test_a_third_leave_after_the_first_order(shop):
    # .35, six points less for the third that is followed up, more where something went wrong in the two weeks.
    assert share_left_after_first_order(shop) == pytest.approx(0.345, abs=0.03)


def test_a_follow_up_wins_six_points(live_until, young):
    base = young
    contact = replace(base.contact, opt_in_share=1.0, follow_up_share=1.0)
    with_it = live_until(6000, 60, replace(base, contact=contact))
    without = live_until(6000, 60, replace(base, contact=contact, ratios=Ratios(follow_up_first_order_points=0.0)))
    gain = share_left_after_first_order(without) - share_left_after_first_order(with_it)
    assert gain == pytest.approx(0.06, abs=0.015)


def test_who_has_left_never_orders_again(shop):
    state = shop.state
    assert (state.last_order[state.left < NEVER] <= state.left[state.left < NEVER]).all()
    assert ((state.fading <= state.left) | (state.left == NEVER)).all()
    rows = shop.log.rows("purchases")
    assert (rows["order_day"] <= state.left[rows["customer"]]).all()


def test_fading_lasts_six_weeks_and_slows_buying(shop):
    state, at_once = shop.state, shop.state.left == shop.state.first_order + 1
    begun = (state.fading < shop.day - 150) & ~at_once
    length = np.minimum(state.left, shop.day)[begun] - state.fading[begun]
    assert length.mean() == pytest.approx(45, abs=6)


def test_the_leaving_hazard_is_the_one_asked_for(live_until, young):
    flat = Ratios(
        open_complaint=1.0, complaint_growth_per_day=0.0, late_delivery=1.0, company_silent=1.0, mail_fatigue=1.0,
        unanswered_feedback=1.0, far_reward=1.0, language_mismatch=1.0, thanks=1.0, redemption=1.0,
    )  # fmt: skip
    leaving = Leaving(first_order_share=0.0, frailty_variance=1e-6, fade_mean_days=1e9)
    still = replace(young, effects="none", ratios=flat, leaving=leaving)
    shop = live_until(12_000, 120, still)
    bought = shop.state.first_order < shop.day
    lived = (np.minimum(shop.state.fading, shop.day) - shop.state.first_order)[bought].sum()
    assert (shop.state.fading[bought] < NEVER).sum() / lived == pytest.approx(0.0012, rel=0.1)


def test_nobody_in_japan_buys_on_the_first_two_days_of_january(live_until, young):
    shop = live_until(2000, 110, young)  # day 0 is 2024-09-28
    rows = shop.log.rows("purchases")
    days = np.array([shop.world.calendar.date_of(day).strftime("%m-%d") for day in range(110)])
    recorded = (rows["order_day"] >= 0) & ~rows["is_return"]
    closed = np.isin(days[rows["order_day"][recorded]], ["01-01", "01-02"])
    markets = shop.world.lives.market[rows["customer"][recorded][closed]]
    assert len(markets) > 0
    assert (markets != 0).all()


def test_gift_buyers_buy_in_july_and_december_and_sale_buyers_on_sale(shop):
    rows = shop.log.rows("purchases")
    keep = (rows["order_day"] >= 0) & ~rows["is_return"]
    column = rows["order_day"][keep] - shop.world.calendar.first_day
    months = shop.world.calendar.month_day[column] // 100
    buyer = shop.world.lives.buyer[rows["customer"][keep]]
    assert set(months[buyer == 1]) == {7, 12}
    assert shop.world.calendar.sale[column][buyer == 2].all()
    assert (rows["discount"][keep][buyer == 2] > 0).all()


def test_a_resellers_pace_is_twenty_times_the_usual(shop):
    lives = shop.world.lives
    everybody = live_pace = lives.pace[(lives.buyer == 0) & ~lives.reseller].mean() * 365
    assert live_pace == pytest.approx(6.0, rel=0.06)
    assert lives.pace[lives.reseller].mean() * 365 > 5 * everybody


def test_an_open_complaint_holds_orders_back_and_shortens_lives(live_until, young):
    base = young
    service = replace(base.service, complaint_share=0.3, slow_share=1.0)
    kind = live_until(1500, 200, replace(base, service=replace(service, complaint_share=0.0)))
    angry = live_until(1500, 200, replace(base, service=service))
    assert angry.state.orders.sum() < 0.7 * kind.state.orders.sum()
    assert (angry.state.left <= 200).mean() > (kind.state.left <= 200).mean() + 0.05
