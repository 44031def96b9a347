from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mlflow_serves_the_folder_where_pickle_is_forbidden(shop, tmp_path, monkeypatch):
    import mlflow.pyfunc

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = ChurnClassifier("blend", {"lightgbm": {"n_estimators": 10}, "logistic": {"C": 0.03}})
    write_model(tmp_path / "folder", model.fit(shop.X, shop.churned), {})
    mlflow.pyfunc.save_model(
        tmp_path / "mlflow",
        loader_module="kizuna.models.served",
        data_path=tmp_path / "folder",
        signature=mlflow.models.infer_signature(shop.X, pd.DataFrame({"churn_probability": [0.5]})),
        pip_requirements=["kizuna"],
    )
    served = mlflow.pyfunc.load_model(str(tmp_path / "mlflow"))
    answer = served.predict(shop.X[:20])
    assert answer["churn_probability"].tolist() == model.predict_proba(shop.X[:20])[:, 1].tolist()
