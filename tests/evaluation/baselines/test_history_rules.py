import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.baselines.history_rules import expected_money, probability_of_silence
from kizuna.models.btyd.purchasing import Parameters
from kizuna.models.btyd.simulation import simulate_customers

TRUTH = Parameters(r=0.6, alpha=50.0, a=0.7, b=1.6, first_chance=0)


def histories(drawn, spend=10.0):
    columns = {"orders": drawn.frequency + 1, "tenure_days": drawn.age, "days_since_order": drawn.age - drawn.recency}
    return pd.DataFrame(columns).assign(revenue=spend * (drawn.frequency + 1))


def test_silence_is_as_frequent_as_among_customers_drawn_from_the_model():
    drawn = simulate_customers(TRUTH, 20_000, 300, seed=2)
    frame = histories(drawn)
    told = probability_of_silence(frame, frame, 60, 0.4)
    wait = np.random.default_rng(3).exponential(1 / drawn.rate)
    silent = ~drawn.alive | (wait > 60)
    for some in (drawn.frequency == 0, drawn.frequency == 1, drawn.frequency > 2, told < 0.4, told > 0.8):
        assert some.sum() > 500
        assert told[some].mean() == pytest.approx(silent[some].mean(), abs=0.02)


def test_money_is_as_much_as_customers_drawn_from_the_model_go_on_to_spend():
    truth = Parameters(r=0.6, alpha=50.0, a=0.7, b=1.6, first_chance=1)
    drawn = simulate_customers(truth, 20_000, 300, seed=2)
    frame = histories(drawn)
    # What all of them buy between day 300 and day 480, from another draw followed to either day.
    more = [simulate_customers(truth, 200_000, age, seed=5).frequency.mean() for age in (300, 480)]
    worth = expected_money(frame, frame, 180)
    assert worth.mean() == pytest.approx(10 * (more[1] - more[0]), rel=0.05)


def test_who_never_ordered_is_usual_and_worth_nothing():
    drawn = simulate_customers(TRUTH, 300, 300, seed=2)
    frame = histories(drawn)
    never = pd.DataFrame({"orders": [0.0], "tenure_days": np.nan, "days_since_order": np.nan, "revenue": 0.0})
    assert probability_of_silence(frame, never, 60, 0.4).tolist() == [0.4]
    assert expected_money(frame, never, 60).tolist() == [0.0]


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
