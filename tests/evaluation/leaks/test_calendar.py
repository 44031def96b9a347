import numpy as np

from kizuna.evaluation.leaks.calendar import days_apart, sides_of


def told(matrix, days, customers=None):
    return days_apart(lambda rows: matrix[rows], days, sides_of(customers, len(days)))


def test_noise_tells_no_day_from_another():
    generator = np.random.default_rng(1)
    found = told(generator.normal(size=(2000, 5)), np.repeat([0, 28], 1000))
    assert 0.4 < found.auc < 0.6
    assert np.isnan(found.neighbours_auc)
    assert not found.is_calendar


def test_a_sum_of_two_columns_can_hold_the_day():
    generator = np.random.default_rng(2)
    days = np.repeat([0, 28, 56, 84], 500)
    first = generator.normal(0, 5000, days.size)
    matrix = np.column_stack([generator.normal(size=days.size), first, days - first])
    found = told(matrix, days)
    assert (found.auc, found.neighbours_auc) == (1.0, 1.0)
    assert set(found.columns[:2]) == {1, 2}
    assert found.is_calendar


def test_a_gap_that_only_some_days_have_is_seen_by_the_trees():
    generator = np.random.default_rng(3)
    days = np.repeat([0, 28], 500)
    column = np.where(days == 0, np.nan, generator.normal(size=1000))
    found = told(np.column_stack([generator.normal(size=1000), column]), days)
    assert found.neighbours_auc == 1.0
    assert found.columns[0] == 1


def test_drift_parts_the_ends_and_not_the_neighbours():
    generator = np.random.default_rng(4)
    days = np.repeat(np.arange(0, 560, 28), 200)
    found = told((days + generator.normal(0, 60, days.size))[:, None], days)
    assert found.auc > 0.99
    assert 0.5 < found.neighbours_auc < 0.8
    assert not found.is_calendar


def test_one_day_or_no_column_or_one_side_has_nothing_to_tell():
    assert told(np.ones((4, 1)), np.zeros(4)) is None
    assert np.isnan(told(np.ones((4, 0)), np.array([0, 0, 1, 1])).auc)
    assert np.isnan(told(np.ones((2, 1)), np.array([0, 1]), ["a", "a"]).auc)


def test_a_customer_is_on_one_side():
    assert sides_of(["b", "a", "b", "c"], 4).tolist() == [1, 0, 1, 0]
    assert sides_of(None, 3).tolist() == [0, 1, 0]


def test_twice_the_same():
    generator = np.random.default_rng(5)
    matrix, days = generator.normal(size=(12_000, 3)), np.repeat([0, 28], 6000)
    assert repr(told(matrix, days)) == repr(told(matrix, days))
