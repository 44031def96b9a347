from __future__ import annotations

import numpy as np
import pytest

from kizuna.models.btyd.histories import read_histories
from kizuna.models.btyd.purchasing import Parameters
from kizuna.models.btyd.simulation import simulate_customers


def step_by_step(rate, dropout, age, first_chance, draw):
    """One life, purchase by purchase: the same by waiting and tossing."""
    now, x, last = 0.0, 0, 0.0
    if first_chance and draw.random() < dropout:
        return x, last
    while True:
        now += draw.exponential(1 / rate)
        if now > age:
            return x, last
        x, last = x + 1, now
        if draw.random() < dropout:
            return x, last


@pytest.mark.parametrize("first_chance", [0, 1])
def test_lives_are_those_of_waiting_and_tossing(first_chance):
    # A rate and a dropout probability that hardly vary: 0.5 and 0.25.
    parameters = Parameters(5e7, 1e8, 2.5e7, 7.5e7, first_chance)
    fast = simulate_customers(parameters, 40_000, 10.0, seed=1)
    draw = np.random.default_rng(2)
    slow = np.array([step_by_step(0.5, 0.25, 10.0, first_chance, draw) for _ in range(40_000)])
    for x in range(6):
        assert np.mean(fast.frequency == x) == pytest.approx(np.mean(slow[:, 0] == x), abs=0.011)
        if x:
            mine, his = fast.recency[fast.frequency == x], slow[slow[:, 0] == x, 1]
            assert mine.mean() == pytest.approx(his.mean(), abs=5 * his.std() / np.sqrt(min(len(mine), len(his))))


def test_histories_are_possible_and_the_same_for_the_same_seed():
    parameters = Parameters(0.5, 6.0, 0.9, 1.6, 1)
    ages = np.linspace(0, 50, 2_000)
    once, again = simulate_customers(parameters, 2_000, ages, 3), simulate_customers(parameters, 2_000, ages, 3)
    read_histories(once.frequency, once.recency, once.age)
    assert once.recency.tolist() == again.recency.tolist()
    assert once.age.tolist() == ages.tolist()
    assert not once.frequency[ages == 0].any()


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(
        ValueError, match=r"^3 customers and an age of shape \(2,\) were asked for\. Ask for at least one"
    ):
        simulate_customers(Parameters(1.0, 1.0, 1.0, 1.0, 0), 3, [1.0, 2.0], 0)
    with pytest.raises(ValueError, match="0 customers"):
        simulate_customers(Parameters(1.0, 1.0, 1.0, 1.0, 0), 0, 1.0, 0)
