import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.evaluation.measures import metrics, profit
from kizuna.evaluation.measures.intervals import Resampling, bootstrap, evaluation_rows
from kizuna.evaluation.measures.weighted import (
    average_precision_statistic,
    caught_statistic,
    churn_statistics,
    decile_error_interval,
    gini_statistic,
    lift_statistic,
    precision_statistic,
    value_statistics,
)

CAPACITY = 4

# Churned, predicted (with ties), value, how often the row's customer is drawn.
drawn_rows = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.2, 0.4, 0.7, 1.0]), st.integers(0, 30), st.integers(0, 3)),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(row[3] for row in rows))


def columns(rows):
    return [np.array(column, dtype=float) for column in zip(*rows, strict=True)]


def a_shop(customers, seed, folds=1):
    """Churned, probability, value and customers of rows that come back in every fold."""
    generator = np.random.default_rng(seed)
    p = np.tile(generator.beta(2, 3, customers), folds)
    y = (generator.random(p.size) < p).astype(float)
    worth = np.tile(generator.gamma(0.5, 100, customers), folds)
    return evaluation_rows(y, np.tile(np.arange(customers), folds), np.repeat(range(folds), customers)), p, worth


@settings(deadline=None)
@given(drawn_rows)
def test_a_row_drawn_twice_is_two_rows(rows):
    y, p, worth, weights = columns(rows)
    repeated = [np.repeat(column, weights.astype(int)) for column in (y, p, worth)]
    evaluated = evaluation_rows(y)
    expected = metrics.churn_metrics(repeated[0], repeated[1], CAPACITY)
    expected |= metrics.value_metrics(repeated[2], repeated[1] * 20)
    statistics = churn_statistics(evaluated, p, CAPACITY) | value_statistics(evaluated, worth, p * 20)
    assert list(statistics) == list(expected)
    np.testing.assert_allclose(
        [statistic(weights) for statistic in statistics.values()], list(expected.values()), rtol=1e-9, atol=1e-9
    )


@settings(deadline=None)
@given(drawn_rows)
def test_value_caught_and_its_lift_are_those_of_the_repeated_rows(rows):
    y, p, worth, weights = columns(rows)
    repeated = [np.repeat(column, weights.astype(int)) for column in (y, worth, p)]
    evaluated = evaluation_rows(y)
    reached = profit.value_reached(*repeated)
    places, total = min(CAPACITY, reached.size), float(repeated[0] @ repeated[1])
    caught = caught_statistic(evaluated, p, y * worth, CAPACITY)(weights)
    assert caught == pytest.approx(reached[places - 1])
    lift = lift_statistic(evaluated, p, y * worth, CAPACITY)(weights)
    by_chance = total * places / reached.size
    chosen = total and reached.size > CAPACITY
    assert lift == pytest.approx(reached[places - 1] / by_chance if chosen else np.nan, nan_ok=True)
    gain = profit.contact_gain(y, worth, 0.5, 1, 2)
    earned = profit.profit_curve(np.repeat(gain, weights.astype(int)), repeated[2]).profit
    assert caught_statistic(evaluated, p, gain, CAPACITY)(weights) == pytest.approx(
        earned[min(CAPACITY, earned.size - 1)]
    )


def test_every_number_is_the_mean_over_folds_and_totals_are_of_all_together():
    rows, p, worth = a_shop(80, seed=1, folds=3)
    members, whole, amounts = [rows.fold == fold for fold in range(3)], np.ones(240), rows.churned * worth
    of_folds = [
        metrics.churn_metrics(rows.churned[fold], p[fold], 20) | metrics.value_metrics(amounts[fold], (p * 100)[fold])
        for fold in members
    ]
    for name, of in (churn_statistics(rows, p, 20) | value_statistics(rows, amounts, p * 100)).items():
        together = metrics.total_ratio(amounts, p * 100)
        assert of(whole) == pytest.approx(
            together if name == "total_ratio" else np.mean([each[name] for each in of_folds])
        )


def test_a_fold_where_it_is_undefined_is_left_out():
    rows = evaluation_rows([1, 0, 0, 0], folds=[1, 1, 2, 2])
    assert average_precision_statistic(rows, [2.0, 1.0, 2.0, 1.0])(np.ones(4)) == 1.0
    assert np.isnan(average_precision_statistic(rows, [2.0, 1.0, 2.0, 1.0])(np.array([0, 1.0, 1, 1])))
    assert precision_statistic(rows, [2.0, 1.0, 2.0, 1.0], 1)(np.array([1.0, 1, 0, 0])) == 1.0
    assert gini_statistic(rows, np.array([2.0, 1, 3, 3]), np.array([2.0, 1, 2, 1]))(np.ones(4)) == 1.0


def test_a_perfect_forecast_has_no_decile_error_that_is_sure():
    generator = np.random.default_rng(7)
    expected = generator.gamma(2, 50, 600)
    actual = expected * generator.gamma(1, 1, 600)
    rows = evaluation_rows(np.zeros(600))
    fair, high = (decile_error_interval(rows, actual, expected * factor) for factor in (1.0, 1.4))
    assert fair.estimate == pytest.approx(metrics.decile_error(actual, expected))
    assert fair.low == 0.0
    assert 0.1 < high.low < 0.4 < high.high
    nothing = decile_error_interval(rows, np.zeros(600), expected)
    assert np.isnan([nothing.estimate, nothing.low, nothing.high]).all()


def test_misuse_is_refused():
    rows = evaluation_rows([1, 0])
    with pytest.raises(ValueError, match=r"^capacity must be at least 1, got 0$"):
        precision_statistic(rows, [1, 2], 0)
    with pytest.raises(ValueError, match=r"^2 outcomes and 1 scores$"):
        average_precision_statistic(rows, [1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["average_precision", "lift_at_capacity", "log_loss", "normalised_gini"])
def test_the_intervals_cover(name):
    generator = np.random.default_rng(8)
    p = generator.beta(2, 3, 100_000)
    y = (generator.random(p.size) < p).astype(float)
    value = y * generator.gamma(2, 50, p.size)
    truth = metrics.churn_metrics(y, p, p.size // 5) | metrics.value_metrics(value, p)
    covered = 0
    for _ in range(150):
        drawn = generator.integers(0, p.size, 500)
        rows = evaluation_rows(y[drawn])
        statistics = churn_statistics(rows, p[drawn], 100) | value_statistics(rows, value[drawn], p[drawn])
        found = bootstrap(rows, statistics[name])
        covered += found.low <= truth[name] <= found.high
    assert 133 <= covered <= 149


@pytest.mark.slow
def test_ten_thousand_customers_over_two_years_take_seconds():
    rows, p, worth = a_shop(10_000, seed=9, folds=24)
    for statistic in (
        average_precision_statistic(rows, p),
        lift_statistic(rows, p, rows.churned * worth, 500),
        gini_statistic(rows, worth, p),
    ):
        start = time.process_time()
        bootstrap(rows, statistic, Resampling(200))
        assert time.process_time() - start < 5
