import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.history_rules import expected_money, probability_of_silence
from kizuna.models import BGNBD, MBGNBD, GammaGamma


@pytest.fixture(scope="module")
def shop():
    """Two hundred customers with some repeats, and ten to judge, one of whom never ordered."""
    generator = np.random.default_rng(3)
    orders = 1 + generator.poisson(generator.gamma(0.8, 2, 210))
    tenure = generator.integers(30, 400, 210)
    since = np.where(orders > 1, (tenure * generator.random(210)).astype(int), tenure).clip(1)
    frame = pd.DataFrame({"orders": orders, "tenure_days": tenure, "days_since_order": since}).astype(float)
    frame["revenue"] = orders * generator.gamma(5, 20, 210)
    frame.loc[209, :] = [0, np.nan, np.nan, 0]
    return frame.iloc[:200], frame.iloc[200:]


def history(frame):
    recency = frame["tenure_days"] - frame["days_since_order"]
    repeats = np.where(recency > 0, (frame["orders"] - 1).clip(lower=1), 0)
    return repeats, recency, frame["tenure_days"]


def test_silence_is_what_bgnbd_says(shop):
    train, test = shop
    told = probability_of_silence(train, test, 60, 0.4)
    model = BGNBD().fit(*history(train))
    np.testing.assert_allclose(told[:9], model.probability_of_no_purchase(*history(test.iloc[:9]), 60))
    assert told[9] == 0.4


def test_money_is_expected_orders_times_expected_money_an_order(shop):
    train, test = shop
    worth = expected_money(train, test, 180)
    orders = MBGNBD().fit(*history(train)).expected_purchases(*history(test.iloc[:9]), 180)
    each = GammaGamma().fit(train["orders"], train["revenue"] / train["orders"])
    known = test.iloc[:9]
    np.testing.assert_allclose(
        worth[:9], orders * each.expected_value(known["orders"], known["revenue"] / known["orders"])
    )
    assert worth[9] == 0.0


def test_several_orders_of_one_day_are_one_visit():
    train = pd.DataFrame({"orders": [3.0, 2, 1], "tenure_days": [90.0, 60, 30], "days_since_order": [90.0, 20, 30]})
    one, two = (probability_of_silence(train.assign(orders=[first, 2.0, 1.0]), train, 30, 0.5) for first in (3.0, 1.0))
    np.testing.assert_array_equal(one, two)


def test_where_nobody_came_back_there_is_no_model():
    frame = pd.DataFrame({"orders": [1.0, 1], "tenure_days": [100.0, 10], "days_since_order": [100.0, 10]})
    assert probability_of_silence(frame, frame, 90, 0.3).tolist() == [0.3, 0.3]
    # The customer's own money a day, of at least thirty days.
    assert expected_money(frame.assign(revenue=[50.0, 60]), frame.assign(revenue=[50.0, 60]), 90).tolist() == [45, 180]
    assert probability_of_silence(frame.iloc[:0], frame, 90, 0.3).tolist() == [0.3, 0.3]


def test_who_brought_everything_back_is_worth_nothing_special():
    frame = pd.DataFrame({"orders": [2.0, 3, 4], "tenure_days": [90.0] * 3, "days_since_order": [30.0, 20, 10]})
    worth = expected_money(frame.assign(revenue=[100.0, 200, -5]), frame.assign(revenue=[100.0, 200, -5]), 90)
    assert np.isfinite(worth).all()
    assert (worth > 0).all()
