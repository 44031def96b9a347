"""What is expected of customers, against many simulated ones whose future is known, and in its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.models.btyd import purchasing
from kizuna.models.btyd.histories import read_histories
from kizuna.models.btyd.purchasing import Parameters
from kizuna.models.btyd.simulation import simulate_customers

HORIZON = 12.0
letter = st.floats(-2.5, 2.5).map(np.exp)


def futures(seen, horizon, seed):
    """Purchases in the next ``horizon`` of simulated customers, by their true rate, dropout and state."""
    draw = np.random.default_rng(seed)
    offered = draw.poisson(seen.rate * horizon)
    return np.where(seen.alive, np.minimum(offered, draw.geometric(np.maximum(seen.dropout, 1e-15))), 0)


@pytest.mark.parametrize("first_chance", [0, 1])
def test_predictions_are_true_on_average_in_every_group(first_chance):
    parameters = Parameters(0.6, 5.0, 0.9, 2.0, first_chance)
    seen = simulate_customers(parameters, 200_000, 20.0, seed=11)
    histories = read_histories(seen.frequency, seen.recency, seen.age)
    bought = futures(seen, HORIZON, seed=12)
    horizon = np.full(len(bought), HORIZON)
    truths = {
        "p_alive": (purchasing.p_alive(parameters, histories), seen.alive),
        "none": (purchasing.probability_of_no_purchase(parameters, histories, horizon), bought == 0),
        "mean": (purchasing.expected_purchases(parameters, histories, horizon), bought),
    }
    group = np.minimum(seen.frequency, 5) * 4 + np.floor(seen.recency / 5.01)
    for name, (predicted, truth) in truths.items():
        for number in np.unique(group):
            rows = group == number
            error = (truth[rows] - predicted[rows]).std() / np.sqrt(rows.sum())
            assert truth[rows].mean() == pytest.approx(predicted[rows].mean(), abs=4.5 * error + 1e-9), (name, number)


def test_golden_formula_of_no_purchase():
    parameters = Parameters(0.2426, 4.4135, 0.7929, 2.4258, 0)
    histories = read_histories([0, 2], [0, 30.43], [38.86, 38.86])
    alive = purchasing.p_alive(parameters, histories)
    none = purchasing.probability_of_no_purchase(parameters, histories, np.full(2, 13.0))
    x = np.array([0.0, 2.0])
    by_hand = 1 - alive + alive * ((4.4135 + 38.86) / (4.4135 + 38.86 + 13)) ** (0.2426 + x)
    np.testing.assert_allclose(none, by_hand, rtol=1e-13)
    # Fader, Hardie & Lee's spreadsheet: customer 1 is alive with .7266 and expected to buy 1.226 times in 39 weeks.
    assert alive == pytest.approx([1.0, 0.7266], abs=5e-5)
    assert purchasing.expected_purchases(parameters, histories, np.full(2, 39.0))[1] == pytest.approx(1.226, abs=5e-4)


@settings(max_examples=80)
@given(
    st.tuples(letter, letter, letter, letter),
    st.sampled_from([0, 1]),
    st.integers(0, 20),
    st.floats(0, 1),
    st.floats(0.1, 50),
    st.floats(0.1, 50),
)
def test_order_of_things(letters, first_chance, x, share, age, horizon):
    parameters = Parameters(*letters, first_chance)
    last = share * age if x else 0.0
    now = read_histories([x, x], [last, last], [age, age + 5])
    at, longer = np.array([horizon, horizon]), np.array([2 * horizon, 2 * horizon])
    alive = purchasing.p_alive(parameters, now)
    none = purchasing.probability_of_no_purchase(parameters, now, at)
    mean = purchasing.expected_purchases(parameters, now, at)
    # Longer silence after the same purchases: less alive, fewer purchases, more likely none.
    assert alive[1] <= alive[0] <= 1
    assert mean[1] <= mean[0] * (1 + 1e-12)
    assert none[1] >= none[0] - 1e-12
    # A longer horizon: more purchases, less likely none, which never falls below the probability of being gone.
    assert np.all(purchasing.expected_purchases(parameters, now, longer) >= mean)
    later = purchasing.probability_of_no_purchase(parameters, now, longer)
    assert np.all((1 - alive - 1e-12 <= later) & (later <= none + 1e-15))
    # Markov: one purchase or more is never likelier than the expected number of purchases.
    assert np.all(1 - none <= mean + 1e-12)
    # A more recent last purchase, all else equal: more alive.
    if x:
        earlier = read_histories([x], [last / 2], [age])
        assert purchasing.p_alive(parameters, earlier)[0] <= alive[0] + 1e-15


@settings(max_examples=60)
@given(st.tuples(letter, letter, letter, letter), st.sampled_from([0, 1]), st.integers(0, 9), st.floats(0.01, 0.99))
def test_the_quantile_is_the_inverse_of_the_survival_curve(letters, first_chance, x, share):
    parameters = Parameters(*letters, first_chance)
    now = read_histories([x], [3.0 if x else 0.0], [8.0])
    time = purchasing.next_purchase_quantile(parameters, now, np.array([share]))
    if np.isinf(time[0]):
        # Never: not even the probability of being alive reaches the share, or only after longer than floats can say.
        assert purchasing.p_alive(parameters, now)[0] <= share * (1 + 1e-9)
    else:
        reached = 1 - purchasing.probability_of_no_purchase(parameters, now, time)
        assert reached[0] == pytest.approx(share, rel=1e-9)


def test_the_next_purchase_of_a_customer_who_is_gone_never_comes():
    parameters = Parameters(1.0, 1e-3, 1.0, 1.0, 0)
    gone = read_histories([400, 400], [1.0, 1.0], [1e6, 1e6])
    assert purchasing.p_alive(parameters, gone).tolist() == [0.0, 0.0]
    assert purchasing.next_purchase_quantile(parameters, gone, np.array([0.5, 0.0])).tolist() == [np.inf, 0.0]
    assert purchasing.probability_of_no_purchase(parameters, gone, np.full(2, 9.0)).tolist() == [1.0, 1.0]


def test_horizons_and_shares_are_checked():
    assert purchasing.read_horizon(3, 2).tolist() == [3.0, 3.0]
    assert purchasing.read_horizon([3, 4], 2).tolist() == [3.0, 4.0]
    with pytest.raises(
        ValueError, match=r"^2 customers and a horizon of shape \(3,\)\. Give one for all, or one each\.$"
    ):
        purchasing.read_horizon([1, 2, 3], 2)
    with pytest.raises(
        ValueError, match=r"^1 of 2 customers have a horizon that is negative or not finite \(row 1: horizon -1\)"
    ):
        purchasing.read_horizon([1, -1], 2)
    with pytest.raises(
        ValueError, match=r"^2 customers and a share of shape \(1, 2\)\. Give one for all, or one each\.$"
    ):
        purchasing.read_share([[0.5, 0.5]], 2)
    with pytest.raises(
        ValueError, match=r"^2 of 2 customers have a share outside 0 to 1 \(row 0: share 50\)\. A median has"
    ):
        purchasing.read_share(50, 2)
