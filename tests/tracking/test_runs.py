"""What a training leaves in MLflow, what it never leaves, and that nobody hears or feels MLflow at work."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.types import DataType

import kizuna
from kizuna.errors import ConfigError, Transient
from kizuna.fingerprint import frame_digest
from kizuna.tracking import runs
from kizuna.tracking.registry import Registry
from kizuna.tracking.runs import TrainingRun, create_store, talking

SOURCE = str(Path(kizuna.__file__).parents[1])
CANARIES = ("山田カナリア", "canary@example", "c-4711", "s3cret")


@pytest.fixture
def folder(empty_database: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty store, in memory where there is such a thing: SQLite flushes every small change."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as found:
        shutil.copy(empty_database, found)
        yield Path(found)


@pytest.fixture
def registry(folder: Path) -> Registry:
    return Registry(f"sqlite:///{folder}/mlflow.db", "shop")


def artifact(registry: Registry, run: TrainingRun, path: str) -> bytes:
    with talking(registry.uri) as client, tempfile.TemporaryDirectory() as copied:
        return Path(client.download_artifacts(run.run_id, path, copied)).read_bytes()


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["c-4711", "山田カナリア", "canary@example"],
            "as_of": pd.Series(["2026-11-09"] * 3).astype("datetime64[s]"),
            "orders_30d": [1.0, np.nan, 3.0],
            "churned": [0, 1, 0],
        }
    )


class TestRun:
    def test_settings_are_flat_params(self, registry: Registry) -> None:
        settings = {"seed": 7, "params": {"b": [1, None]}, "definition": "inactivity", "tune": True, "名": "é", "": ""}
        long = {"long": "x" * 7000, "gate/max@1": None} | {f"p{number}": number for number in range(120)}
        with registry.training_run("first", {"train_day": "2026-11-09"}) as run:
            run.log_params({key: value for key, value in settings.items() if key})
            run.log_params(long)
        with talking(registry.uri) as client:
            found = client.get_run(run.run_id)
        assert found.info.run_name == "first"
        assert found.data.tags["train_day"] == "2026-11-09"
        assert found.data.params["seed"] == "7"
        assert found.data.params["params"] == '{"b": [1, null]}'
        assert found.data.params["definition"] == "inactivity"
        assert found.data.params["tune"] == "true"
        assert found.data.params["名"] == "é"
        assert found.data.params["long"] == "x" * 5000
        assert found.data.params["gate/max_1"] == "null"
        assert found.data.params["p119"] == "119"

    def test_numbers_that_were_not_measured_are_left_out(self, registry: Registry) -> None:
        with registry.training_run("first", {}) as run:
            run.log_metrics({"auc": 0.8125, "precision@500": np.float32(0.5), "lift": None, "loss": float("nan")})
        with talking(registry.uri) as client:
            assert client.get_run(run.run_id).data.metrics == {"auc": 0.8125, "precision_500": 0.5}

    def test_a_description_is_what_the_page_of_the_run_begins_with(self, registry: Registry) -> None:
        with registry.training_run("first", {}) as run:
            run.describe("Passed, grade A.\n\n| | AUC |\n| --- | --- |\n| postgresql://me:secret@host/db | .81 |")
        with talking(registry.uri) as client:
            said = client.get_run(run.run_id).data.tags["mlflow.note.content"]
        assert said.startswith("Passed, grade A.\n\n| | AUC |")
        assert "secret" not in said

    def test_pictures_texts_and_tables_lie_beside_the_run(self, registry: Registry) -> None:
        from matplotlib.figure import Figure

        figure = Figure()
        figure.add_subplot().plot([0, 1], [0, 1])
        table = pd.DataFrame({"model": ["最終購入 <b>"], "auc": [0.812345], "note": [None]})
        with registry.training_run("first", {}) as run:
            run.log_figure(figure, "plots/gain.png")
            run.log_text("絆\n", "notes/card.md")
            run.log_json({"b": 1, "a": ["絆", None]}, "gate.json")
            run.log_table(table, "tables/folds")
        assert artifact(registry, run, "plots/gain.png").startswith(b"\x89PNG")
        assert artifact(registry, run, "notes/card.md").decode() == "絆\n"
        assert json.loads(artifact(registry, run, "gate.json")) == {"b": 1, "a": ["絆", None]}
        assert artifact(registry, run, "tables/folds.csv").decode() == "model,auc,note\n最終購入 <b>,0.812345,\n"
        page = artifact(registry, run, "tables/folds.html").decode()
        assert '<meta charset="utf-8">' in page
        assert "<td>最終購入 &lt;b&gt;</td>" in page
        assert "<td>0.8123</td>" in page

    def test_a_try_of_a_search_is_a_child_run(self, registry: Registry) -> None:
        with registry.training_run("first", {}) as run:
            run.log_trial("trial 0", {"num_leaves": 7}, {"log_loss": 0.58, "lost": None}, "pruned")
        with talking(registry.uri) as client:
            (child,) = client.search_runs([run.experiment_id], f"tags.mlflow.parentRunId = '{run.run_id}'")
            assert client.get_run(run.run_id).data.params == {}
        assert (child.info.run_name, child.info.status) == ("trial 0", "FINISHED")
        assert (child.data.params, child.data.metrics) == ({"num_leaves": "7"}, {"log_loss": 0.58})
        assert child.data.tags["state"] == "pruned"

    def test_a_dataset_is_its_columns_and_a_digest_of_every_row(self, registry: Registry) -> None:
        with registry.training_run("first", {}) as run:
            digest = run.log_dataset(customers(), "training", "configs/shop.yaml", targets="churned")
        assert digest == frame_digest(customers())
        with talking(registry.uri) as client:
            (found,) = client.get_run(run.run_id).inputs.dataset_inputs
        assert (found.dataset.name, found.dataset.digest) == ("training", digest)
        assert json.loads(found.dataset.profile) == {"num_rows": 3, "num_elements": 12}
        columns = json.loads(found.dataset.schema)["mlflow_colspec"]
        assert [column["name"] for column in columns] == ["customer_id", "as_of", "orders_30d", "churned"]
        assert json.loads(found.dataset.source) == {"tags": {"source": "configs/shop.yaml"}}

    def test_models_carry_the_runs_settings_and_numbers(self, registry: Registry, tmp_path: Path) -> None:
        (tmp_path / "model.json").write_text("{}")
        with registry.training_run("first", {}) as run:
            run.log_params({"seed": 7})
            run.log_metrics({"auc": 0.8})
            run.log_model("churn", tmp_path, ["orders_30d"], ["churn_probability"], {})
        with talking(registry.uri) as client:
            (model,) = client.search_logged_models([run.experiment_id])
            (output,) = client.get_run(run.run_id).outputs.model_outputs
            version = client.get_model_version("shop-churn", "1")
        assert (model.name, model.model_type, model.params, output.model_id) == (
            "churn",
            "churn",
            {"seed": "7"},
            model.model_id,
        )
        assert [(metric.key, metric.value) for metric in model.metrics] == [("auc", 0.8)]
        assert version.run_id == run.run_id

    def test_neither_customers_nor_passwords_are_kept(self, registry: Registry, folder: Path, tmp_path: Path) -> None:
        secret = "postgresql://ana:s3cret@db/crm"
        (tmp_path / "model.json").write_text("{}")
        with registry.training_run("first", {"source": secret}) as run:
            run.log_params({"data": {"uri": secret}})
            run.log_dataset(customers(), "training", secret)
            run.log_text(f"read from {secret}", "notes.md")
            run.log_json({"uri": secret}, "config.json")
            run.log_table(pd.DataFrame({"source": [secret]}), "sources")
            run.log_model("churn", tmp_path, ["orders_30d"], ["churn_probability"], {"source": secret})
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert {"mlflow.db", "MLmodel", "notes.md", "sources.html"} <= {path.name for path in kept}
        for path in kept:
            for canary in CANARIES:
                assert canary.encode() not in path.read_bytes(), path
                assert json.dumps(canary).strip('"').encode() not in path.read_bytes(), path

    def test_artifacts_lie_beside_the_database(self, registry: Registry, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "model.json").write_text("{}")
        with registry.training_run("first", {}) as run:
            run.log_text("x", "notes.md")
            run.log_model("churn", tmp_path, ["x"], ["p"], {})
        assert (folder / "artifacts/shop" / run.run_id / "artifacts/notes.md").read_text() == "x"
        assert len(list(folder.glob("artifacts/shop/models/m-*/artifacts/data/churn/model.json"))) == 1

    def test_a_deleted_experiment_is_said(self, registry: Registry) -> None:
        with registry.training_run("first", {}) as run:
            pass
        with talking(registry.uri) as client:
            client.delete_experiment(run.experiment_id)
        with pytest.raises(ConfigError) as deleted, registry.training_run("second", {}):
            pass
        assert str(deleted.value) == (
            f"The experiment 'shop' was asked for, but it is deleted in {registry.uri}. Restore it with "
            f"'mlflow experiments restore -x {run.experiment_id}', or choose another name."
        )


class TestServing:
    def test_the_registered_model_is_a_pyfunc_with_a_float_signature(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loader = "import json, pathlib\nclass Model:\n"
        loader += "    def __init__(self, path): self.rate = json.loads((pathlib.Path(path) / 'm.json').read_text())\n"
        loader += "    def predict(self, frame): return frame[['orders_30d']].fillna(0) * self.rate\n"
        loader += "_load_pyfunc = Model\n"
        (tmp_path / "loader_of_this_test.py").write_text(loader)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(runs, "LOADER", "loader_of_this_test")
        (tmp_path / "model").mkdir()
        (tmp_path / "model/m.json").write_text("0.25")
        with registry.training_run("first", {}) as run:
            run.log_model("churn", tmp_path / "model", ["orders_30d", "orders_90d"], ["churn_probability"], {})
        mlflow.set_tracking_uri(registry.uri)
        try:
            model = mlflow.pyfunc.load_model("models:/shop-churn@challenger")
        finally:
            mlflow.set_tracking_uri(None)
        frame = pd.DataFrame({"orders_90d": [1.0, 2.0], "orders_30d": [2.0, np.nan], "more": ["a", "b"]})
        assert model.predict(frame)["orders_30d"].tolist() == [0.5, 0.0]
        assert model.metadata.signature.inputs.input_types() == [DataType.double, DataType.double]
        assert model.metadata.signature.outputs.input_names() == ["churn_probability"]
        with pytest.raises(mlflow.exceptions.MlflowException, match="missing inputs"):
            model.predict(frame[["orders_30d"]])

    @pytest.mark.slow
    @pytest.mark.parametrize("estimator", ["logistic", "lightgbm"])
    def test_the_champion_is_served_with_its_own_probabilities(
        self, registry: Registry, tmp_path: Path, estimator: str
    ) -> None:
        from kizuna.models import ChurnClassifier
        from kizuna.models.folder import write_model

        draw = np.random.default_rng(7)
        names = ["orders_30d", "days_since_order", "complaints_90d"]
        features = pd.DataFrame(draw.normal(size=(600, 3)), columns=names)
        features.iloc[::11, 1] = np.nan
        churned = (features["orders_30d"] + draw.normal(size=600) < 0).astype(int)
        model = ChurnClassifier(estimator=estimator).fit(features, churned)
        write_model(tmp_path / "churn", model, {"train_day": 20_000})
        with registry.training_run("first", {}) as run:
            run.log_model("churn", tmp_path / "churn", names, ["churn_probability"], {})
        registry.promote("challenger", datetime(2026, 11, 9, tzinfo=UTC))
        mlflow.set_tracking_uri(registry.uri)
        try:
            served = mlflow.pyfunc.load_model("models:/shop-churn@champion").predict(features)
        finally:
            mlflow.set_tracking_uri(None)
        assert list(served.columns) == ["churn_probability"]
        expected = model.predict_proba(features)[:, 1]
        np.testing.assert_allclose(served["churn_probability"].to_numpy(), expected, rtol=0, atol=1e-12)


class TestStore:
    def test_it_appears_whole_in_a_private_folder(self, tmp_path: Path) -> None:
        create_store(f"sqlite:///{tmp_path}/models/deeper/mlflow.db")
        found = tmp_path / "models/deeper"
        assert [path.name for path in found.iterdir()] == ["mlflow.db"]
        assert found.stat().st_mode & 0o777 == 0o700
        with sqlite3.connect(found / "mlflow.db") as database:
            assert database.execute("select count(*) from registered_models").fetchone() == (0,)
        database.close()

    def test_an_existing_one_is_left_alone(self, folder: Path) -> None:
        before = (folder / "mlflow.db").stat().st_mtime_ns
        create_store(f"sqlite:///{folder}/mlflow.db")
        create_store("http://127.0.0.1:1")
        assert (folder / "mlflow.db").stat().st_mtime_ns == before

    def test_a_place_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ConfigError) as refused:
            create_store(f"sqlite:///{tmp_path}/file/models/mlflow.db")
        assert str(refused.value) == (
            f"tracking.uri asks for {tmp_path}/file/models/mlflow.db, which cannot be written: Not a directory. "
            "Choose another place, or mend its permissions."
        )

    @pytest.mark.slow
    def test_a_writer_that_does_not_end_is_worth_a_retry(self, registry: Registry, folder: Path) -> None:
        writer = sqlite3.connect(folder / "mlflow.db", isolation_level=None)
        writer.execute("begin exclusive")
        try:
            with pytest.raises(Transient) as locked:
                registry.versions()
        finally:
            writer.close()
        assert str(locked.value) == (
            f"The MLflow store {registry.uri} was asked for, but another process is writing to it. "
            "Wait until that ends, and run again."
        )


class TestQuiet:
    def test_no_setting_of_the_process_is_touched(
        self, registry: Registry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "model.json").write_text("{}")
        loggers = ("mlflow", "alembic", "sqlalchemy", "urllib3")

        def settings() -> list[object]:
            levels = [logging.getLogger(name).level for name in loggers]
            return [dict(os.environ), levels, list(warnings.filters), mlflow.get_tracking_uri(), mlflow.active_run()]

        before = settings()
        with registry.training_run("first", {}) as run:
            assert settings() == before
            run.log_dataset(customers(), "training", "x")
            run.log_model("churn", tmp_path, ["x"], ["p"], {})
        registry.load(registry.resolve("1"), tmp_path / "loaded")
        assert settings() == before
        assert capfd.readouterr() == ("", "")

    def test_an_environment_of_the_user_is_kept(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
        monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
        with talking(registry.uri):
            assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"
            assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert "MLFLOW_DISABLE_TELEMETRY" not in os.environ

    @pytest.mark.slow
    def test_a_fresh_process_prints_nothing_calls_nobody_and_leaves_its_folder_clean(self, tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model/model.json").write_text("{}")
        (tmp_path / "here").mkdir()
        (tmp_path / "here/uv.lock").write_text("version = 1\n")
        (tmp_path / "here/pyproject.toml").write_text("[project]\nname = 'other'\nversion = '1'\n")
        code = (
            "import socket, sys, datetime, pathlib\n"
            "def refuse(*_): print('network', file=sys.stderr); raise OSError('no network')\n"
            "socket.socket.connect = refuse\n"
            "from kizuna.tracking.registry import Registry\n"
            f"registry = Registry('sqlite:///{tmp_path}/models/mlflow.db', 'shop')\n"
            "with registry.training_run('first', {}) as run:\n"
            "    run.log_params({'a': 1})\n"
            f"    run.log_model('churn', pathlib.Path('{tmp_path}/model'), ['x'], ['p'], {{}})\n"
            "registry.promote('1', datetime.datetime.now(datetime.UTC))\n"
            "from mlflow.telemetry import get_telemetry_client\n"
            "assert get_telemetry_client() is None\n"
        )
        hidden = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST")
        environment = {key: value for key, value in os.environ.items() if key not in hidden} | {"PYTHONPATH": SOURCE}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path / "here"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["pyproject.toml", "uv.lock"]
        assert not list((tmp_path / "models").rglob("uv.lock"))

    def test_mlflow_is_imported_in_this_file_only_and_only_where_it_is_used(self) -> None:
        importing = re.compile(r"^ *(import|from) mlflow", re.MULTILINE)
        files = [path for path in Path(SOURCE).rglob("*.py") if importing.search(path.read_text(encoding="utf-8"))]
        assert [path.name for path in files] == ["runs.py"]
        code = "import kizuna.tracking.registry, sys; assert 'mlflow' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": SOURCE})
