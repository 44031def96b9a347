"""An MLflow server over PostgreSQL and an S3-compatible store, all three real, by the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.tracking import registry
from kizuna.tracking.registry import Registry
from kizuna.tracking.runs import talking
from servers import mlflow_server, postgresql_server, s3_server

pytestmark = pytest.mark.slow
KEYS = {
    "AWS_ACCESS_KEY_ID": "kizuna",
    "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-store",
    "AWS_DEFAULT_REGION": "us-east-1",
}
SOURCE = str(Path(registry.__file__).parents[2])
CHANGED = "its files were changed after it was registered"


@dataclass(frozen=True)
class Production:
    """A shop whose models lie on three servers: the MLflow server's address, the bucket's client and process."""

    config: Path
    uri: str
    bucket: Any
    store: subprocess.Popen[bytes]

    def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        return kizuna(command, self.config, *arguments, "--set", "at_risk.size=40", "--set", f"tracking.uri={self.uri}")

    @property
    def shown(self) -> str:
        return os.readlink(self.config.parent / "exports/latest")

    def objects(self, version: str, ending: str) -> list[str]:
        """The keys of a churn version's files."""
        with talking(self.uri) as client:
            location = client.get_model_version_download_uri("shop-churn", version)
        model_id = next(part for part in location.split("/") if part.startswith("m-"))
        keys = [one.key for one in self.bucket.objects.all()]
        return [key for key in keys if model_id in key and key.endswith(ending)]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    import boto3

    folder = tmp_path_factory.mktemp("production")
    shop = folder / "shop"
    simulate(shop, customers=400, days=420, seed=3)
    with (
        pytest.MonkeyPatch.context() as patch,
        s3_server(folder, "models") as (endpoint, store),
        postgresql_server() as database,
    ):
        for key, value in (KEYS | {"AWS_ENDPOINT_URL": endpoint}).items():
            patch.setenv(key, value)
        bucket = boto3.resource("s3").Bucket("models")
        backend = database.replace("postgresql://", "postgresql+psycopg://")
        with mlflow_server(folder, backend, "s3://models/mlflow") as uri:
            yield Production(shop / "config.yaml", uri, bucket, store)


@pytest.fixture(scope="module")
def trained(production: Production) -> Production:
    """Two versions, the second champion, and the list of 2026-01-01."""
    for seed in ("7", "8"):
        code, _, err = production.run("train", "--no-promote", "--set", f"model.seed={seed}")
        assert code == 0, err
    for version in ("1", "2"):
        code, out, err = production.run("promote", version)
        assert (code, out.splitlines()[0]) == (0, f"Champion of shop: version {version}."), err
    code, _, err = production.run("score", "--as-of", "2026-01-01")
    assert code == 0, err
    return production


def test_nothing_of_the_models_lies_on_this_machine_and_no_secret_on_any(trained: Production) -> None:
    shop = trained.config.parent
    assert not (shop / "mlflow.db").exists()
    assert not (shop / "artifacts").exists()
    assert len(trained.objects("2", "/MLmodel")) == 1
    for one in trained.bucket.objects.all():
        assert b"s3cret-of-the-store" not in one.get()["Body"].read()


def test_promote_and_rollback_are_one_call_each(trained: Production) -> None:
    found = Registry(trained.uri, "shop")
    for version in ("1", "2"):
        code, out, _ = trained.run("rollback")
        assert (code, out.splitlines()[0]) == (0, f"Champion of shop: version {version}.")
        champion = found.resolve()
        assert champion.churn.version == version
        assert champion.cltv is not None
        assert "champion" in champion.cltv.aliases


@pytest.mark.parametrize(
    ("ending", "change"),
    [
        ("model.json", lambda body: body.replace(b"0", b"1", 1)),
        ("contract.json", lambda body: body + b" "),
        ("checksums.json", lambda body: body + b"\n"),
        ("/MLmodel", lambda body: body.replace(b"kizuna.models.served", b"os")),
        ("model.json", None),
    ],
)
def test_a_changed_file_ends_with_12_and_the_old_list_stays(trained: Production, ending: str, change: Any) -> None:
    (key, *_) = trained.objects("2", ending)
    before, shown = trained.bucket.Object(key).get()["Body"].read(), trained.shown
    try:
        if change:
            trained.bucket.put_object(Key=key, Body=change(before))
        else:
            trained.bucket.Object(key).delete()
        code, _, err = trained.run("score", "--as-of", "2026-01-08")
        assert (code, trained.shown) == (12, shown), err
        assert CHANGED in err.splitlines()[-1]
    finally:
        trained.bucket.put_object(Key=key, Body=before)


def test_files_that_are_gone_end_with_12(trained: Production) -> None:
    kept = {key: trained.bucket.Object(key).get()["Body"].read() for key in trained.objects("2", "")}
    try:
        for key in kept:
            trained.bucket.Object(key).delete()
        code, _, err = trained.run("score", "--as-of", "2026-01-08")
        assert (code, "its files are gone from" in err) == (12, True), err
    finally:
        for key, body in kept.items():
            trained.bucket.put_object(Key=key, Body=body)


@pytest.mark.parametrize("command", ["score", "promote"])
def test_an_artifact_store_that_does_not_answer_is_worth_a_retry(trained: Production, command: str) -> None:
    shown, began = trained.shown, time.monotonic()
    trained.store.send_signal(signal.SIGSTOP)
    try:
        last = ("--as-of", "2026-01-08") if command == "score" else ("1",)
        code, _, err = trained.run(command, *last)
    finally:
        trained.store.send_signal(signal.SIGCONT)
    assert (code, trained.shown) == (75, shown), err
    assert time.monotonic() - began < 90
    assert Registry(trained.uri, "shop").resolve().churn.version == "2"


def test_models_in_a_bucket_that_is_read_directly(trained: Production) -> None:
    folder = trained.config.parent.with_name("direct")
    shutil.copytree(trained.config.parent, folder, ignore=shutil.ignore_patterns("exports"))
    with talking(trained.uri) as client:
        client.create_experiment("direct", "s3://models/direct")
    here = ("--set", "name=direct", "--set", f"tracking.uri={trained.uri}")
    code, _, err = kizuna("train", folder / "config.yaml", *here)
    assert code == 0, err
    code, _, err = kizuna("score", folder / "config.yaml", "--as-of", "2026-01-01", *here)
    assert code == 0, err
    without = {name: value for name, value in os.environ.items() if name not in KEYS}
    words = (sys.executable, "-m", "kizuna.cli", "score", "config.yaml", "--as-of", "2026-01-08", *here)
    nobody = without | {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder), "PYTHONPATH": SOURCE}
    done = subprocess.run(words, cwd=folder, env=nobody, capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "kizuna: The store of the models' files was asked, but it refuses access (NoCredentialsError). Set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an account that may read there.",
    )
    assert os.readlink(folder / "exports/latest").endswith("2026-01-01/r1")
