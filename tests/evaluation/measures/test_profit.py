from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.config import Economics
from kizuna.evaluation.measures.profit import (
    Campaign,
    MaximumProfit,
    ProfitCurve,
    campaign_gain,
    contact_gain,
    empc,
    profit_curve,
    realised_table,
    total_of_first,
    value_reached,
)

# Ten customers: churned, value at stake, score.
CHURNED = np.array([1, 0, 1, 0, 0, 1, 0, 0, 0, 0.0])
VALUE = np.array([100, 500, 20, 0, 40, 300, 10, 10, 10, 10.0])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])

shops = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-3, 50), st.sampled_from([0.1, 0.3, 0.5, 0.9])), min_size=1, max_size=30
)


def test_the_gain_of_a_contact_by_hand():
    gain = contact_gain([1, 0, 1], [100, 100, 20], save_rate=0.5, contact_cost=1, offer_cost=10)
    assert gain.tolist() == [39.0, -11.0, -1.0]
    some = contact_gain([1, 0], [100, 100], save_rate=0.5, contact_cost=1, offer_cost=10, accepted=[0.5, 0.0])
    assert some.tolist() == [44.0, -1.0]


def test_a_campaign_has_a_gain_only_where_all_its_costs_are_known():
    known = Economics(contact_cost=1.0, offer_cost=4.0, assumed_save_rate=0.2)
    assert campaign_gain(known, [1, 0], [100, 100]).tolist() == [15.0, -5.0]
    for missing in ({"contact_cost": 1.0, "offer_cost": 4.0}, {"contact_cost": 1.0, "assumed_save_rate": 0.2}, {}):
        assert campaign_gain(Economics(**missing), [1, 0], [100, 100]) is None


def test_the_profit_curve_by_hand():
    gain = contact_gain(CHURNED, VALUE, save_rate=0.5, contact_cost=2, offer_cost=8)
    found = profit_curve(gain, SCORE)
    assert found.profit.tolist() == [0, 40, 30, 30, 20, 10, 150, 140, 130, 120, 110]
    assert (found.best_count, found.best_profit) == (6, 150.0)
    nobody = profit_curve(contact_gain(CHURNED, VALUE, 0.5, 1000, 0), SCORE)
    assert (nobody.best_count, nobody.best_profit) == (0, 0.0)


def test_the_shorter_of_two_equally_good_lists_is_best():
    assert profit_curve([0.3, -0.1, -0.2, 0.3], [4, 3, 2, 1]).best_count == 1
    empty = profit_curve([], [])
    assert isinstance(empty, ProfitCurve)
    assert (empty.profit.tolist(), empty.best_count) == ([0.0], 0)


def test_tied_customers_share_their_mean():
    assert total_of_first([9, 1, 2, 4], [0.5, 0.9, 0.5, 0.5]).tolist() == [1, 6, 11, 16]


@settings(deadline=None, max_examples=30)
@given(shops.filter(lambda rows: len(rows) <= 6))
def test_the_closed_form_is_the_mean_over_all_orders_of_the_tied(rows):
    churned, value, score = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    orders = [order for order in permutations(range(len(rows))) if (np.diff(score[list(order)]) <= 0).all()]
    brute = np.mean([np.cumsum((churned * value)[list(order)]) for order in orders], axis=0)
    np.testing.assert_allclose(value_reached(churned, value, score), brute, atol=1e-9)


def test_value_reached_by_hand():
    assert value_reached(CHURNED, VALUE, SCORE).tolist() == [100, 100, 120, 120, 120, 420, 420, 420, 420, 420]


def test_realised_against_expected_by_decile():
    expected = np.repeat(np.arange(10.0), 2)
    table = realised_table(expected, expected * 2)
    assert table.columns.tolist() == [
        "decile",
        "customers",
        "expected_mean",
        "realised_mean",
        "expected_total",
        "realised_total",
        "realised_share",
    ]
    assert table["decile"].tolist() == list(range(1, 11))
    assert table["expected_mean"].tolist() == pytest.approx(range(10))
    assert table["realised_total"].tolist() == pytest.approx([4 * decile for decile in range(10)])
    assert table["realised_share"].tolist() == pytest.approx([np.nan] + [2.0] * 9, nan_ok=True)


def test_one_expectation_for_all_spreads_what_came_evenly():
    table = realised_table(np.full(7, 3.0), [70, 0, 0, 0, 0, 0, 0])
    assert table["customers"].tolist() == pytest.approx([0.7] * 10)
    assert table["realised_total"].tolist() == pytest.approx([7.0] * 10)
    assert table["expected_mean"].tolist() == pytest.approx([3.0] * 10)
    assert realised_table([], [])["realised_mean"].isna().all()


@given(shops, st.randoms(use_true_random=False))
def test_totals_are_kept_and_row_order_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    tables = []
    for each in (rows, shuffled):
        churned, value, score = (np.array(column, dtype=float) for column in zip(*each, strict=True))
        tables.append(realised_table(score * 40, churned * value))
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["realised_total"].sum() == pytest.approx(sum(churned * value for churned, value, _ in rows))


# Verbraken, Verbeke & Baesens (2013); made with the authors' own campaign: 200, 10, 1, Beta(6, 14).
GOLDEN = [
    (CHURNED, SCORE, (13.508546235, 0.593519937, 13.5, 0.6)),
    (CHURNED, np.repeat([0.9, 0.7, 0.5, 0.3, 0.1], 2), (13.500474735, 0.599496061, 13.5, 0.6)),
    (
        (7919 * np.arange(200) % 1000 < 150) * 1.0,
        0.7 * (104729 * np.arange(200) % 997 / 997) + 0.3 * (7919 * np.arange(200) % 1000 < 150),
        (4.825458309, 0.345601458, 4.325, 0.155),
    ),
]


@pytest.mark.parametrize(("y", "p", "expected"), GOLDEN)
def test_the_golden_cases_of_the_expected_maximum_profit(y, p, expected):
    found = empc(y, p)
    numbers = (found.expected_profit, found.expected_share, found.fixed_profit, found.fixed_share)
    assert [round(number, 9) for number in numbers] == list(expected)


@settings(deadline=None, max_examples=30)
@given(shops.filter(lambda rows: len({churned for churned, _, _ in rows}) == 2), st.sampled_from([1.0, 30.0]))
def test_the_integral_is_what_sums_over_acceptance_rates_give(rows, contact_cost):
    from scipy.stats import beta

    y, _, p = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    campaign = Campaign(contact_cost=contact_cost)
    rates = beta.ppf((np.arange(4000) + 0.5) / 4000, 6, 14)
    found_churned = np.append(0.0, total_of_first(y, p))
    found_stayed = np.append(0.0, total_of_first(1 - y, p))
    brought = (campaign.customer_value - campaign.incentive) * found_churned
    paid = contact_cost * found_churned + (campaign.incentive + contact_cost) * found_stayed
    brute = np.mean([(rate * brought - paid).max() for rate in rates]) / y.size
    assert empc(y, p, campaign).expected_profit == pytest.approx(brute, rel=1e-3, abs=1e-3)


def test_a_perfect_ranking_contacts_the_churners_and_one_class_is_undefined():
    found = empc([1, 1, 0, 0], [4, 3, 2, 1], Campaign(contact_cost=0))
    assert found.expected_share == pytest.approx(0.5)
    assert found.expected_profit == pytest.approx(0.3 * 190 / 2)
    hopeless = empc([1, 0], [0, 1], Campaign(customer_value=10, incentive=9, contact_cost=5))
    assert (hopeless.fixed_profit, hopeless.fixed_share) == (0.0, 0.0)
    assert np.isnan(empc([1, 1], [1, 2]).expected_profit)
    assert isinstance(found, MaximumProfit)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"^save_rate must lie in \[0, 1\]$"):
        contact_gain([1], [1], 1.2, 0, 0)
    with pytest.raises(ValueError, match=r"^accepted must lie in \[0, 1\]$"):
        contact_gain([1], [1], 0.2, 0, 0, -1)
    with pytest.raises(ValueError, match=r"^costs must not be negative, got -1 and 0$"):
        contact_gain([1], [1], 0.2, -1, 0)
    with pytest.raises(ValueError, match=r"^outcomes must be 0 or 1$"):
        value_reached([2], [1], [1])
    with pytest.raises(ValueError, match=r"^1 nulls among 2 rows: nothing can be measured on them$"):
        total_of_first([1, np.nan], [1, 2])
    with pytest.raises(ValueError, match=r"^one column each is needed, got shapes \(2,\) and \(1,\)$"):
        total_of_first([1, 2], [1])
    with pytest.raises(
        ValueError,
        match=r"^0 <= incentive < customer_value and contact_cost >= 0 are needed, "
        r"got incentive 10, customer_value 5, contact_cost 1$",
    ):
        Campaign(customer_value=5)
    with pytest.raises(ValueError, match=r"^alpha and beta must be above 0, got 0 and 14$"):
        Campaign(alpha=0)
