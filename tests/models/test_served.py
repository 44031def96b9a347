from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd

from kizuna.models import ChurnClassifier, CltvRegressor
from kizuna.models.folder import write_model
from kizuna.models.served import _load_pyfunc


def test_frames_are_answered_with_frames_on_the_same_index(shop, tmp_path):
    churn = ChurnClassifier("rule").fit(shop.X, shop.churned)
    value = CltvRegressor(params={"n_estimators": 5}).fit(shop.X, shop.value, churned=shop.churned)
    write_model(tmp_path / "churn", churn, {})
    write_model(tmp_path / "cltv", value, {})
    X = shop.X[5:9]
    pd.testing.assert_frame_equal(
        _load_pyfunc(str(tmp_path / "churn")).predict(X),
        pd.DataFrame({"churn_probability": churn.predict_proba(X)[:, 1]}, index=X.index),
    )
    pd.testing.assert_frame_equal(
        _load_pyfunc(str(tmp_path / "cltv")).predict(X),
        pd.DataFrame(value.conditional(X), columns=["value_if_kept", "value_if_churned"], index=X.index),
    )


def test_arrays_are_answered_for_models_of_arrays(shop, tmp_path):
    model = ChurnClassifier("logistic", {"C": 1}).fit(shop.X.to_numpy(), shop.churned)
    write_model(tmp_path, model, {})
    answer = _load_pyfunc(str(tmp_path)).predict(shop.X.to_numpy()[:3])
    np.testing.assert_array_equal(answer["churn_probability"], model.predict_proba(shop.X.to_numpy()[:3])[:, 1])


def test_serving_needs_no_mlflow():
    code = "import sys, kizuna.models.served; print('mlflow' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
