from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from kizuna.errors import ModelError
from kizuna.models import ChurnClassifier, CltvRegressor
from kizuna.models.folder import read_model, write_model

CONTRACT = {"plan": {"windows_days": [7, 30]}, "train_day": 20454, "shop": "絆"}
CHURN = {
    "rule": None,
    "logistic": {"C": 0.03},
    "lightgbm": {"n_estimators": 20},
    "blend": {"lightgbm": {"n_estimators": 20}, "logistic": {"C": 0.03}},
    "sklearn.ensemble.RandomForestClassifier": {"n_estimators": 5},
}
VALUE = {
    "auto": {"n_estimators": 10},
    "btyd": None,
    "hurdle": {"n_estimators": 10},
    "tweedie": {"n_estimators": 10},
    "sklearn.ensemble.RandomForestRegressor": {"n_estimators": 5},
}


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def written(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    estimator = ChurnClassifier("lightgbm", {"n_estimators": 20}).fit(shop.X, shop.churned)
    write_model(folder, estimator, CONTRACT)
    return folder


@pytest.fixture
def copied(written, tmp_path):
    for name, content in contents(written).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
@pytest.mark.parametrize("estimator", CHURN)
def test_a_churn_model_comes_back_to_the_bit(estimator, calibration, shop, tmp_path):
    model = ChurnClassifier(estimator, CHURN[estimator], calibration).fit(shop.X, shop.churned)
    write_model(tmp_path / "new" / "folder", model, CONTRACT)
    stored = read_model(tmp_path / "new" / "folder")
    again = stored.estimator
    assert stored.contract == CONTRACT
    X = shop.X[:50]
    assert again.predict_proba(X).tolist() == model.predict_proba(X).tolist()
    assert again.contributions(X).tolist() == model.contributions(X).tolist()
    assert again.predict(X).tolist() == model.predict(X).tolist()
    for name in ("estimator_name_", "why_", "candidates_", "calibration_", "n_features_in_"):
        assert getattr(again, name) == getattr(model, name)
    assert again.get_params() == model.get_params()
    assert again.classes_.dtype == model.classes_.dtype


@pytest.mark.parametrize("estimator", VALUE)
def test_a_value_model_comes_back_to_the_bit(estimator, shop, tmp_path):
    frame = shop.X.assign(order_value=shop.X["revenue"] / shop.X["orders"])
    as_of = np.repeat([20_000, 20_028], 400)
    model = CltvRegressor(estimator, VALUE[estimator]).fit(frame, shop.value, churned=shop.churned, as_of=as_of)
    write_model(tmp_path, model, CONTRACT)
    again = read_model(tmp_path).estimator
    X = frame[:50]
    assert again.conditional(X).tolist() == model.conditional(X).tolist()
    assert again.conditional(X, 20_364).tolist() == model.conditional(X, 20_364).tolist()
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert again.interval(X).tolist() == model.interval(X).tolist()
    assert (again.get_params(), again.why_) == (model.get_params(), model.why_)


def test_models_of_arrays_of_names_and_of_one_class_come_back(shop, tmp_path):
    texts = ChurnClassifier("logistic", {"C": 1}).fit(shop.X.to_numpy(), np.where(shop.churned == 1, "yes", "no"))
    nobody = CltvRegressor(horizon_days=90).fit(shop.X[:30], np.zeros(30))
    for name, model in (("texts", texts), ("nobody", nobody)):
        write_model(tmp_path / name, model, {})
        again = read_model(tmp_path / name).estimator
        assert not hasattr(again, "oof_probability_")
        data = shop.X.to_numpy() if name == "texts" else shop.X
        assert again.predict(data).tolist() == model.predict(data).tolist()


def test_files_are_json_and_text_and_no_pickle(written):
    files = contents(written)
    assert list(files) == ["checksums.json", "contract.json", "model.json", "model.lightgbm.txt"]
    for name, content in files.items():
        text = content.decode()
        if name.endswith(".json"):
            tree = json.loads(text)
            assert json.dumps(tree, sort_keys=True, indent=1, ensure_ascii=False) + "\n" == text
    assert files["model.lightgbm.txt"].startswith(b"tree\n")


def test_a_blend_keeps_its_trees_beside_the_others(shop, tmp_path):
    write_model(tmp_path, ChurnClassifier("blend", CHURN["blend"]).fit(shop.X, shop.churned), {})
    assert list(contents(tmp_path)) == ["checksums.json", "contract.json", "model-5.lightgbm.txt", "model.json"]


def test_a_foreign_model_is_one_skops_file_beside_json(shop, tmp_path):
    model = ChurnClassifier("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 3})
    write_model(tmp_path, model.fit(shop.X, shop.churned), {})
    files = contents(tmp_path)
    assert list(files) == ["checksums.json", "contract.json", "model.json", "model.skops"]
    assert files["model.skops"].startswith(b"PK")
    assert not any(content.startswith(b"\x80") for content in files.values())


def test_the_same_model_gives_the_same_bytes(written, shop, tmp_path):
    again = ChurnClassifier("lightgbm", {"n_estimators": 20}).fit(shop.X, shop.churned)
    write_model(tmp_path / "again", again, CONTRACT)
    write_model(tmp_path / "reread", read_model(written).estimator, CONTRACT)
    assert contents(tmp_path / "again") == contents(written)
    assert contents(tmp_path / "reread") == contents(written)


def test_it_loads_where_pickle_is_forbidden(written):
    code = (
        "import pickle, _pickle, sys\n"
        "def refuse(*a, **k): raise AssertionError('pickle')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = _pickle.load = _pickle.loads = refuse\n"
        "from pathlib import Path\nfrom kizuna.models.folder import read_model\n"
        "print(read_model(Path(sys.argv[1])).estimator.estimator_name_)"
    )
    environment = os.environ | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    out = subprocess.run(
        [sys.executable, "-c", code, str(written)], env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout == "lightgbm\n"


@pytest.mark.parametrize("name", ["checksums.json", "contract.json", "model.json", "model.lightgbm.txt"])
def test_a_missing_file_is_named(name, copied):
    (copied / name).unlink()
    with pytest.raises(ModelError) as error:
        read_model(copied)
    assert str(error.value) == (
        f"The model in {copied.name} is incomplete: {name} is missing. Fetch it again, or train again."
    )


@pytest.mark.parametrize("name", ["contract.json", "model.json", "model.lightgbm.txt"])
def test_a_changed_file_is_named(name, copied):
    (copied / name).write_bytes((copied / name).read_bytes() + b" ")
    with pytest.raises(ModelError) as error:
        read_model(copied)
    assert str(error.value) == (
        f"The model in {copied.name} was changed after it was written: {name} does not have its checksum. "
        "Fetch it again, or train again."
    )


def test_broken_checksums_and_paths_outside_are_refused(copied):
    sums = json.loads((copied / "checksums.json").read_text())
    (copied / "checksums.json").write_text(json.dumps(sums | {"../other": "0"}))
    with pytest.raises(ModelError, match=r"names a file outside it, '../other'. It is refused.$"):
        read_model(copied)
    (copied / "checksums.json").write_text("{")
    with pytest.raises(ModelError, match=r"has an unreadable checksums.json. Fetch it again.$"):
        read_model(copied)


def rewritten(folder, change):
    """The folder with model.json changed and its checksum mended, as a careful forger would."""
    import hashlib

    tree = json.loads((folder / "model.json").read_text())
    change(tree)
    (folder / "model.json").write_text(json.dumps(tree))
    sums = json.loads((folder / "checksums.json").read_text())
    sums["model.json"] = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(sums))
    return folder


def test_another_format_is_refused(copied):
    with pytest.raises(ModelError) as error:
        read_model(rewritten(copied, lambda tree: tree.update(format=1)))
    assert str(error.value) == (
        f"The model in {copied.name} has format 1; this version of kizuna reads format 3. "
        "Train again, or install the version that wrote it."
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("calibration"),
        lambda tree: tree["model"].update({"is": "oracle"}),
        lambda tree: tree["model"]["inner"].update({"file": "elsewhere.txt"}),
        lambda tree: tree["params"].update({"wand": 1}),
    ],
)
def test_what_does_not_fit_is_refused_in_words(change, copied):
    with pytest.raises(ModelError, match=r"does not hold what it should \(.*\)\. Train again\.$"):
        read_model(rewritten(copied, change))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"^The model in nowhere is incomplete: checksums.json is missing."):
        read_model(tmp_path / "nowhere")


def test_what_has_no_plain_form_is_refused_before_anything_is_written(shop, tmp_path):
    model = ChurnClassifier("rule").fit(shop.X, shop.churned)
    for contract in ({"auc": float("nan")}, {"model": object()}):
        with pytest.raises(
            ModelError, match=r"^The contract must be plain JSON to be stored, and is not: .* Use text,"
        ):
            write_model(tmp_path / "never", model, contract)
    assert not (tmp_path / "never").exists()
