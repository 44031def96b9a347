"""Talking to MLflow, and one training run in it: the only file that imports mlflow.

MLflow says nothing of its own while kizuna talks to it, and its process-wide settings (address, active run, loggers,
warnings, environment) are afterwards what they were. Reading never creates a store.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from kizuna.errors import ConfigError, KizunaError
from kizuna.fingerprint import folder_sha256, frame_digest
from kizuna.scratch import scratch_folder
from kizuna.secret import without_secrets
from kizuna.tracking.model_files import copy_folder, stored_sha256
from kizuna.tracking.sqlite_file import holds_nothing, move_experiment, unusable
from kizuna.tracking.uri import artifact_root, database_of, explained

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow import MlflowClient as MlflowClient
    from mlflow.entities import LoggedModel, Metric
    from mlflow.entities.model_registry import RegisteredModel as RegisteredModel

T = TypeVar("T")
Kind = Literal["churn", "cltv"]
KINDS: tuple[Kind, ...] = ("churn", "cltv")
LOADER = "kizuna.models.served"
_REQUIREMENTS = ("kizuna", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "skops")
_PARAM_LENGTH = 5000
_SCHEMA_ROWS = 100
FILES = "data"  # where MLflow puts the plain files of a model of ours, below its location
# Telemetry off, nothing printed, no lock file of the working directory copied into models, and a server that is not
# there is told within a minute.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "12",
    "AWS_MAX_ATTEMPTS": "2",
}
_STORES = ("botocore.", "boto3.", "google.", "azure.")
_LOGGERS = ("mlflow", "alembic", "sqlalchemy", "urllib3")


@contextmanager
def talking(uri: str) -> Iterator[MlflowClient]:
    """A client of the store, whose failures come out in words; ConfigError when the URI is no address of a store."""
    database_of(uri)
    with _quiet():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield MlflowClient(uri, uri)
        except KizunaError:
            raise
        except Exception as error:
            # Artifact stores bring libraries of their own, which may be absent here.
            theirs = type(error).__module__.startswith(_STORES)
            if not theirs and not isinstance(error, (MlflowException, RequestException, SQLAlchemyError)):
                raise
            raise explained(uri, error) from (None if theirs else error)


def found_or_none(look: Callable[[], T]) -> T | None:
    """What a look-up returns, or None where MLflow holds no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return look()
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
            return None
        raise


def download(uri: str, location: str, kind: Kind, folder: Path) -> Path | None:
    """The folder below ``folder`` with a copy of all that is stored of a model, or None where its files are gone.

    Its plain files lie in ``data/<kind>``. OSError where those of a local store cannot be read.
    """
    copied, below = folder / f"{kind}.stored", f"{FILES}/{kind}"
    if "://" not in location and ":/" not in location:
        if not Path(location, below).is_dir():
            return None
        copy_folder(Path(location), copied)
        return copied
    with talking(uri):
        from mlflow.artifacts import download_artifacts, list_artifacts

        if not list_artifacts(artifact_uri=f"{location}/{below}", tracking_uri=uri):
            return None
        copied.mkdir(mode=0o700, parents=True)
        return Path(download_artifacts(artifact_uri=location, dst_path=str(copied), tracking_uri=uri))


def create_store(uri: str) -> None:
    """The SQLite file of the URI, with MLflow's tables, afterwards; a server has its own."""
    database = database_of(uri)
    if database is None or not holds_nothing(database):
        return
    # MLflow builds its tables by dozens of migrations, each flushed to disk: seconds on a slow one, so they are run in
    # memory where there is a memory disk, and nobody may see them half done.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            scratch_folder(memory) as scratch,
            tempfile.TemporaryDirectory(prefix=".mlflow-", dir=database.parent) as beside,
        ):
            with talking(f"sqlite:///{scratch}/mlflow.db") as client:
                client.search_experiments(max_results=1)
            complete = Path(shutil.copy(scratch / "mlflow.db", beside))
            if holds_nothing(database):
                complete.rename(database)
    except OSError as error:
        raise unusable(database, "written", error) from None


def begin_run(uri: str, name: str, run_name: str, tags: dict[str, str]) -> TrainingRun:
    """A new run in the experiment of the shop, which is created, with its artifacts beside a SQLite store."""
    create_store(uri)
    database = database_of(uri)
    with talking(uri) as client:
        experiment = client.get_experiment_by_name(name)
        if experiment and experiment.lifecycle_stage == "deleted":
            raise ConfigError(
                f"The experiment '{name}' was asked for, but it is deleted in {without_secrets(uri)}. "
                f"Restore it with 'mlflow experiments restore -x {experiment.experiment_id}', or choose another name."
            )
        location = artifact_root(database, name).as_uri() if database else None
        experiment_id = experiment.experiment_id if experiment else client.create_experiment(name, location)
        recorded = experiment.artifact_location or "" if experiment else ""
        if database and location and recorded != location and recorded.endswith(f"/artifacts/{name}"):
            move_experiment(database, experiment_id, location)
        run = client.create_run(experiment_id, tags=_without_secrets_in(tags), run_name=run_name)
    return TrainingRun(uri, name, run.info.run_id, experiment_id)


@dataclass(frozen=True)
class TrainingRun:
    """One training in MLflow: settings, results, pictures and both models, never a customer's row or a password."""

    uri: str
    name: str
    run_id: str
    experiment_id: str
    versions: dict[Kind, str] = field(default_factory=dict)

    def describe(self, text: str) -> None:
        """Markdown, put where MLflow's page of the run begins."""
        with talking(self.uri) as client:
            from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

            client.set_tag(self.run_id, MLFLOW_RUN_NOTE, without_secrets(text))

    def log_params(self, params: dict[str, Any]) -> None:
        """Flat settings, put on the run: what is not text as JSON, long values cut at 5,000 characters."""
        with talking(self.uri) as client:
            from mlflow.entities import Param

            found = [Param(_key(key), _param(value)) for key, value in params.items()]
            client.log_batch(self.run_id, params=found, synchronous=True)

    def log_metrics(self, metrics: dict[str, float | None]) -> None:
        """Numbers, put on the run. None and NaN were not measured and are left out."""
        with talking(self.uri) as client:
            known = {key: value for key, value in metrics.items() if value is not None and math.isfinite(value)}
            client.log_batch(self.run_id, metrics=_metrics(known), synchronous=True)

    def log_figure(self, figure: Figure, path: str) -> None:
        """A picture, put beside the run in the format that the path ends with."""
        with talking(self.uri) as client:
            client.log_figure(self.run_id, figure, path)

    def log_text(self, text: str, path: str) -> None:
        """A text, put beside the run, the passwords of addresses blotted out."""
        with talking(self.uri) as client:
            client.log_text(self.run_id, without_secrets(text), path)

    def log_json(self, tree: Any, path: str) -> None:
        """A tree of plain values, put beside the run."""
        self.log_text(json.dumps(tree, ensure_ascii=False, indent=2, default=str) + "\n", path)

    def log_table(self, frame: pd.DataFrame, stem: str) -> None:
        """A table, put beside the run twice: ``<stem>.csv`` for machines and ``<stem>.html`` for people."""
        self.log_text(frame.to_csv(index=False, lineterminator="\n"), f"{stem}.csv")
        table = frame.to_html(index=False, border=0, na_rep="", float_format=lambda number: f"{number:.4g}")
        style = "<style>body{font:14px sans-serif}td,th{padding:.3em .8em;text-align:right}</style>"
        self.log_text(f'<!doctype html><meta charset="utf-8">{style}\n{table}\n', f"{stem}.html")

    def log_trial(self, name: str, params: dict[str, Any], metrics: dict[str, float | None], state: str) -> None:
        """A child run: one try of a search, with its settings, its numbers and its state (complete, pruned)."""
        with talking(self.uri) as client:
            tags = {"mlflow.parentRunId": self.run_id, "state": state}
            child = client.create_run(self.experiment_id, tags=tags, run_name=name)
        run = replace(self, run_id=child.info.run_id, versions={})
        run.log_params(params)
        run.log_metrics(metrics)
        run.end("FINISHED")

    def log_dataset(self, frame: pd.DataFrame, name: str, source: str, targets: str | None = None) -> str:
        """The digest of all rows, put on the run with the columns and the number of rows; the rows stay here."""
        digest = frame_digest(frame)
        with talking(self.uri) as client:
            from mlflow.data.code_dataset_source import CodeDatasetSource
            from mlflow.data.pandas_dataset import from_pandas
            from mlflow.entities import Dataset, DatasetInput, InputTag

            origin = CodeDatasetSource({"source": without_secrets(source)})
            # MLflow looks at every cell to infer a schema; all our columns are of one type, so the first rows tell it.
            head = frame.head(_SCHEMA_ROWS)
            described = from_pandas(head, source=origin, targets=targets, name=name, digest=digest).to_dict()
            described["profile"] = json.dumps({"num_rows": len(frame), "num_elements": int(frame.size)})
            tags = [InputTag("mlflow.data.context", "training")]
            client.log_inputs(self.run_id, [DatasetInput(Dataset(**described), tags)])
        return digest

    def log_model(
        self,
        kind: Kind,
        folder: Path,
        signature_names: list[str],
        output_names: list[str],
        tags: dict[str, str],
        description: str = "",
    ) -> str:
        """The version under which the folder of a model is registered; all columns of its signature are float64.

        The value model comes first, because the churn model's version names it. ``description``: Markdown for people.
        """
        if kind == "cltv" and "churn" in self.versions:
            raise ValueError("Log the value model before the churn model, whose version names its partner.")
        own = {"artifact_sha256": folder_sha256(folder)}
        if kind == "churn" and "cltv" in self.versions:
            own["cltv_version"] = self.versions["cltv"]
        with talking(self.uri) as client, scratch_folder() as staging:
            from mlflow.entities import LoggedModelOutput

            run = client.get_run(self.run_id)
            model = client.create_logged_model(
                self.experiment_id, kind, self.run_id, params=run.data.params, model_type=kind
            )
            shutil.copytree(folder, staging / kind)
            saved = _save(model, staging, kind, (signature_names, output_names))
            own["stored_sha256"] = stored_sha256(saved)
            client.log_model_artifacts(model.model_id, str(saved))
            client.finalize_logged_model(model.model_id, "READY")
            client.log_outputs(self.run_id, [LoggedModelOutput(model.model_id, step=0)])
            client.log_batch(self.run_id, metrics=_metrics(run.data.metrics, model.model_id), synchronous=True)
            name = f"{self.name}-{kind}"
            if found_or_none(lambda: client.get_registered_model(name)) is None:
                client.create_registered_model(name)
            # The plain location, not models:/<id>, which MLflow looks up in whatever SQLite store is set globally.
            source, safe_tags = model.artifact_location, _without_secrets_in(tags | own)
            version = client.create_model_version(
                name,
                source,
                self.run_id,
                safe_tags,
                description=without_secrets(description),
                model_id=model.model_id,
            )
        self.versions[kind] = str(version.version)
        return self.versions[kind]

    def end(self, status: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
        """The run, closed: FINISHED, FAILED or KILLED."""
        with talking(self.uri) as client:
            client.set_terminated(self.run_id, status)


def _save(model: LoggedModel, staging: Path, kind: Kind, names: tuple[list[str], list[str]]) -> Path:
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import ColSpec, DataType, Schema

    inputs, outputs = (Schema([ColSpec(DataType.double, name) for name in part]) for part in names)
    described = Model(model.artifact_location, model.source_run_id, model_uuid=model.model_id, model_id=model.model_id)
    save_model(
        str(staging / "model"),
        loader_module=LOADER,
        data_path=str(staging / kind),
        mlflow_model=described,
        signature=ModelSignature(inputs, outputs),
        pip_requirements=_requirements(),
    )
    return staging / "model"


def _requirements() -> list[str]:
    from importlib.metadata import PackageNotFoundError, version

    pinned = []
    for name in _REQUIREMENTS:
        with suppress(PackageNotFoundError):  # kizuna run from its source tree is no installed package
            pinned.append(f"{name}=={version(name)}")
    return pinned


def _metrics(values: dict[str, float], model_id: str | None = None) -> list[Metric]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(_key(key), float(value), now, 0, model_id=model_id) for key, value in values.items()]


def _without_secrets_in(tags: dict[str, str]) -> dict[str, str]:
    return {key: without_secrets(str(value)) for key, value in tags.items()}


def _key(name: str) -> str:
    # MLflow refuses other characters in names: precision@500 becomes precision_500.
    return re.sub(r"[^\w.\-/ :]", "_", name)


def _param(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return without_secrets(text)[:_PARAM_LENGTH]


@contextmanager
def _quiet() -> Iterator[None]:
    added = [key for key in _ENVIRONMENT if key not in os.environ]
    os.environ.update({key: _ENVIRONMENT[key] for key in added})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow  # noqa: F401  # sets up its loggers when it is imported, so before their levels are taken

            levels = {name: logging.getLogger(name).level for name in _LOGGERS}
            try:
                for name in _LOGGERS:
                    logging.getLogger(name).setLevel(logging.CRITICAL + 1)
                yield
            finally:
                for name, level in levels.items():
                    logging.getLogger(name).setLevel(level)
    finally:
        for key in added:
            os.environ.pop(key, None)
