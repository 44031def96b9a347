"""scikit-learn's own checks of estimators. None is excluded."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kizuna.models import ChurnClassifier, CltvRegressor


@parametrize_with_checks([ChurnClassifier("logistic", {"C": 0.03}), CltvRegressor(params={"n_estimators": 10})])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([ChurnClassifier(), ChurnClassifier("lightgbm"), CltvRegressor(), CltvRegressor("tweedie")])
def test_scikit_learn_checks_of_the_rest(estimator, check):
    check(estimator)
