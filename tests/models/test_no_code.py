"""No stored model runs code: what is planted in any of its files is refused, and never run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import kizuna
from kizuna.errors import ModelError
from kizuna.fingerprint import folder_sha256
from kizuna.models import ChurnClassifier, CltvRegressor
from kizuna.models.folder import read_model, write_model
from kizuna.models.learners.foreign import load_estimator
from kizuna.models.served import _load_pyfunc

FOREST = ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 3, "max_depth": 2})
LOADS = {"read": read_model, "served": lambda folder: _load_pyfunc(str(folder))}


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


def planted(folder: Path, name: str, content: bytes) -> None:
    """The file with that content, and a list of checksums that agrees."""
    sums = json.loads((folder / "checksums.json").read_text())
    sums[name] = hashlib.sha256(content).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(sums))
    (folder / name).write_bytes(content)


def as_zip(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


@pytest.fixture(scope="module")
def stored(shop, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    write_model(folder / "lightgbm", ChurnClassifier("lightgbm", {"n_estimators": 5}).fit(shop.X, shop.churned), {})
    write_model(folder / "foreign", ChurnClassifier(*FOREST).fit(shop.X, shop.churned), {})
    value = CltvRegressor(params={"n_estimators": 5}).fit(shop.X, shop.value, churned=shop.churned)
    write_model(folder / "cltv", value, {})
    return folder


def test_the_payload_is_one(tmp_path):
    pickle.loads(pickle.dumps(Payload(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("loads", LOADS)
@pytest.mark.parametrize("model", ["lightgbm", "foreign", "cltv"])
def test_a_pickle_planted_as_any_file_never_runs(stored, tmp_path, model, loads):
    names = sorted(path.name for path in (stored / model).iterdir())
    assert len(names) >= 4
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        for path in (stored / model).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        planted(folder, name, pickle.dumps(Payload(tmp_path / "ran"), protocol=0))
        with pytest.raises(ModelError):
            LOADS[loads](folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name", ["model.pkl", "python_model.pkl", "sitecustomize.py", "kizuna.py", "__init__.py", "model.joblib"]
)
def test_a_file_that_the_model_does_not_name_is_never_opened(stored, tmp_path, monkeypatch, name):
    for path in (stored / "lightgbm").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    planted(tmp_path, name, pickle.dumps(Payload(tmp_path / "ran")))
    monkeypatch.chdir(tmp_path)
    read_model(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("posix", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("functools", "partial"),
        ("kizuna.cli", "main"),
    ],
)
def test_types_of_a_skops_file_are_kizunas_to_allow(tmp_path, module, name):
    """The file's own words for what is to be trusted do not count; neither does anything that MLmodel says."""
    args = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": 2, "content": []}
    kinds = ("ObjectNode", "FunctionNode", "TypeNode", "ReduceNode", "OperatorFuncNode", "PartialNode")
    for kind in kinds:
        tree = {"__class__": name, "__module__": module, "__loader__": kind, "__id__": 1, "content": args}
        tree |= {"protocol": 2, "_skops_version": "0.16.0", "attrs": args, "reduce": args, "constructor": tree.copy()}
        raw = as_zip(schema__json=json.dumps(tree).encode(), trusted__json=json.dumps([f"{module}.{name}"]).encode())
        with pytest.raises(ModelError):
            load_estimator(raw, "model.skops")


@pytest.mark.slow
def test_a_planted_mlflow_flavour_never_runs(tmp_path):
    """A pickle flavour, trusted types and code paths in MLmodel, its hash's tags agreeing: the command line reads none."""
    from commands import kizuna as command
    from kizuna.config_file import load_config
    from kizuna.data.simulate import simulate
    from kizuna.tracking.registry import Registry
    from kizuna.tracking.runs import talking

    shop, ran = tmp_path / "shop", tmp_path / "ran"
    simulate(shop, customers=300, days=420, seed=1)
    assert command("train", shop / "config.yaml", "--set", "at_risk.size=40")[0] == 0
    (home,) = (path.parents[1] for path in shop.glob("artifacts/shop/models/*/artifacts/data/churn"))
    (home / "code").mkdir()
    (home / "code" / "kizuna.py").write_text(f"open({str(ran)!r}, 'w')\n")
    (home / "code" / "sitecustomize.py").write_text(f"open({str(ran)!r}, 'w')\n")
    (home / "python_model.pkl").write_bytes(pickle.dumps(Payload(ran)))
    (home / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n"
        "    code: code\n    cloudpickle_version: '3'\n  sklearn: {pickled_model: python_model.pkl, "
        "serialization_format: pickle, skops_trusted_types: [builtins.eval]}\n"
    )
    config = load_config(shop / "config.yaml")
    registry = Registry(config.tracking_uri, config.name)
    with talking(registry.uri) as client:
        client.set_model_version_tag("shop-churn", "1", "stored_sha256", folder_sha256(home))
    environment = os.environ | {
        "PYTHONPATH": str(Path(kizuna.__file__).parents[1]),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_ALLOW_MODEL_CODE_EXECUTION": "false",
    }
    words = [sys.executable, "-m", "kizuna.cli", "score", "config.yaml", "--as-of", "2026-01-01"]
    done = subprocess.run(words, cwd=shop, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not ran.exists()
