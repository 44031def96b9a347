"""The package itself: two names, and nothing heavy before they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kizuna.models


def test_the_two_estimators_are_found_by_name():
    assert kizuna.models.ChurnClassifier.__name__ == "ChurnClassifier"
    assert kizuna.models.CltvRegressor.__name__ == "CltvRegressor"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'kizuna.models' has no attribute 'Oracle'"):
        _ = kizuna.models.Oracle


def test_importing_the_package_and_its_splits_loads_nothing_heavy():
    code = (
        "import sys, kizuna.models, kizuna.models.learners.splits, kizuna.models.folder;"
        "print(sorted({'sklearn', 'lightgbm', 'scipy', 'shap', 'mlflow', 'skops'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
