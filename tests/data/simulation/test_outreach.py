import numpy as np

from kizuna.data.simulation.events import DAY_SECONDS, KINDS


def sent(shop, kind):
    rows = shop.log.rows("outreach")
    keep = (rows["kind"] == KINDS["outreach"].index(kind)) & (rows["occurred"] >= 0)
    return rows["customer"][keep], rows["occurred"][keep] // DAY_SECONDS, {n: v[keep] for n, v in rows.items()}


def last_order_before(shop, customers, days):
    """Oracle: the last order of each customer on or before each day."""
    rows = shop.log.rows("purchases")
    orders = {}
    for customer, day in zip(rows["customer"].tolist(), rows["order_day"].tolist(), strict=True):
        orders.setdefault(customer, []).append(day)
    return np.array(
        [
            max((d for d in orders.get(customer, []) if d <= day), default=-9999)
            for customer, day in zip(customers, days, strict=True)
        ]
    )


def test_newsletters_go_to_the_opted_in_who_bought_in_half_a_year(shop):
    customers, days, _ = sent(shop, "newsletter")
    assert shop.world.lives.opts_in[customers].all()
    some = np.flatnonzero(days >= 200)[::97]
    assert (days[some] - last_order_before(shop, customers[some], days[some]) <= 180).all()


def test_offers_go_to_recent_buyers_and_never_to_the_hold_out(shop):
    customers, days, _ = sent(shop, "offer")
    assert len(customers) > 300
    assert not shop.world.lives.hold_out[customers].any()
    assert shop.world.lives.hold_out.mean() > 0.12
    some = np.flatnonzero(days >= 60)[::7]
    ago = days[some] - last_order_before(shop, customers[some], days[some])
    assert ((ago >= 0) & (ago <= 45)).all()


def test_a_follow_up_comes_within_two_weeks_of_the_first_order(shop):
    customers, days, _ = sent(shop, "follow_up")
    wait = days - shop.state.first_order[customers]
    assert ((wait >= 1) & (wait <= 14)).all()
    assert len(np.unique(customers)) == len(customers)


def test_some_are_written_to_in_a_language_not_their_own(shop):
    customers, _, rows = sent(shop, "newsletter")
    wrong = rows["language"] != shop.world.lives.language[customers]
    assert 0.01 < wrong.mean() < 0.08


def test_some_weeks_bring_more_than_three_mails(shop):
    customers, days, _ = sent(shop, "newsletter")
    weeks = np.unique(np.column_stack([customers, days // 7]), axis=0, return_counts=True)[1]
    assert 0.01 < (weeks > 3).mean() < 0.2
