import numpy as np

from kizuna.data.simulation.events import DAY_SECONDS, NO_TIME
from kizuna.data.simulation.state import NEVER
from kizuna.data.simulation.subscriptions import contracts_of


def test_contracts_begin_with_buyers_and_end_at_the_end_of_a_period(shop):
    rows = contracts_of(shop.world, shop.state)
    holder, start = rows["customer"], rows["occurred"] // DAY_SECONDS
    assert (start > shop.state.first_order[holder]).all()
    assert (start < shop.state.left[holder]).all()
    ended = rows["ended"] != NO_TIME
    asked = ended & rows["voluntary"]
    length = rows["ended"][asked] // DAY_SECONDS - start[asked]
    assert (length % rows["period_days"][asked] == 0).all()
    assert (rows["notice"][asked] < rows["ended"][asked]).all()
    assert (rows["renews"] // DAY_SECONDS == start + rows["period_days"]).all()


def test_who_leaves_gives_notice_and_a_failed_payment_gives_none(shop):
    rows = contracts_of(shop.world, shop.state)
    left = shop.state.left[rows["customer"]] < NEVER
    assert (rows["ended"][left] != NO_TIME).all()
    failed = ~rows["voluntary"]
    assert 0 < failed.sum() < 0.2 * len(failed)
    assert np.isin(rows["notice"][failed], [NO_TIME]).mean() > 0.5


def test_one_customer_never_holds_two_contracts_at_once(shop):
    rows = contracts_of(shop.world, shop.state)
    ends = np.where(rows["ended"] == NO_TIME, np.iinfo(np.int64).max, rows["ended"])
    order = np.lexsort((rows["occurred"], rows["customer"]))
    customer, start, end = rows["customer"][order], rows["occurred"][order], ends[order]
    again = customer[1:] == customer[:-1]
    assert again.any()
    assert (start[1:][again] >= end[:-1][again]).all()
