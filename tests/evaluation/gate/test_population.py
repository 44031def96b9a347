import numpy as np
import pandas as pd
import pytest

from kizuna.evaluation.gate.population import measure_population, usual_means


def frame(rows, **columns):
    return pd.DataFrame({name: np.full(rows, value, dtype=float) for name, value in columns.items()})


def test_a_population_in_numbers():
    features, training = frame(100, orders=2, nps=np.nan), frame(300, orders=1, nps=np.nan)
    p = np.array([0.2, 0.4] * 49 + [np.nan, np.inf])
    found = measure_population(p, features, training, (0.1, 0.5))
    assert (found.customers, found.impossible, found.distinct) == (100, 2, 2)
    assert found.mean == pytest.approx(0.3)
    assert found.missing == ()
    assert found.usual == (0.1, 0.5)


def test_a_column_that_nobody_has_any_more_is_named():
    training = frame(300, orders=1, nps=5.0)
    assert measure_population(np.full(100, 0.3), frame(100, orders=2, nps=np.nan), training, (0, 1)).missing == ("nps",)
    # Ten customers may well have answered no survey.
    assert measure_population(np.full(10, 0.3), frame(10, orders=2, nps=np.nan), training, (0, 1)).missing == ()


def test_nobody():
    found = measure_population(np.zeros(0), frame(0, orders=1), frame(3, orders=1), (0, 1))
    assert (found.customers, found.impossible, found.distinct) == (0, 0, 0)
    assert np.isnan(found.mean)


def test_usual_means_lie_about_the_snapshots_shares():
    y = np.array([1, 0, 0, 0, 1, 1, 0, 0.0])
    as_of = np.array([7, 7, 7, 7, 35, 35, 35, 35], dtype=np.int32)
    assert usual_means(y, as_of, 0.1) == pytest.approx((0.15, 0.6))
    assert usual_means(y, as_of, 0.6) == (0.0, 1.0)
