"""Real servers for tests, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import pytest

Process = subprocess.Popen[bytes]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(command: list[str], asked: urllib.request.Request, log: Path, **environment: str) -> Iterator[Process]:
    """A server in a folder, the log's, from its first answer on; ended after this, though it be stopped."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=log.parent, stdout=out, stderr=out, env=os.environ | environment, start_new_session=True
        )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(asked, timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        yield process
    finally:
        for number in (signal.SIGCONT, signal.SIGTERM):
            os.killpg(process.pid, number)
        process.wait(timeout=30)


@contextmanager
def mlflow_server(folder: Path, backend: str = "", artifacts: str = "") -> Iterator[str]:
    """The address of an MLflow server over ``mlflow.db`` and ``artifacts`` of a folder, or over another database and store."""
    port = free_port()
    backend, artifacts = backend or f"sqlite:///{folder}/mlflow.db", artifacts or f"{folder}/artifacts"
    options = f"--backend-store-uri {backend} --artifacts-destination {artifacts} --workers 1"
    command = [sys.executable, "-m", "mlflow", "server", *options.split(), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/health")
    with _serving(command, asked, folder / "log", **quiet):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def s3_server(folder: Path, bucket: str) -> Iterator[tuple[str, Process]]:
    """The address of an S3-compatible server of its own, with this bucket, and its process."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    made = urllib.request.Request(f"{address}/{bucket}", method="PUT")
    with _serving(command, made, folder / "moto.log") as process:
        yield address, process


@contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """The address of such a server with the bucket ``shop``; the environment names it, within this."""
    with s3_server(folder, "shop") as (address, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield address


def select(uri: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query to a PostgreSQL."""
    with adbc_driver_postgresql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def run(uri: str, *statements: str) -> None:
    """Statements in a PostgreSQL, as one transaction."""
    with adbc_driver_postgresql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The uri of a PostgreSQL of its own, user shop with password secret."""
    # Debian keeps the server's programs beside each other by version, not on the path.
    beside = sorted(str(place) for place in Path("/usr/lib/postgresql").glob("*/bin"))
    search = os.pathsep.join([os.environ["PATH"], *reversed(beside)])
    initdb, pg_ctl = shutil.which("initdb", path=search), shutil.which("pg_ctl", path=search)
    assert initdb, "PostgreSQL is not installed; make test-slow installs it"
    assert pg_ctl, f"{initdb} has no pg_ctl beside it"
    folder = Path(tempfile.mkdtemp(prefix="kizuna-pg-"))
    owner = "postgres" if os.geteuid() == 0 else None
    if owner:
        shutil.chown(folder, owner)
    port = free_port()

    def run(*line: object) -> None:
        subprocess.run([str(word) for word in line], check=True, user=owner, stdout=subprocess.DEVNULL, cwd=folder)

    (folder / "password").write_text("secret")
    (folder / "password").chmod(0o644)
    data, options = folder / "data", f"-p {port} -k {folder} -h 127.0.0.1"
    run(initdb, "-D", data, "-A", "scram-sha-256", f"--pwfile={folder}/password", "-U", "shop", "-N")
    run(pg_ctl, "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
    try:
        yield f"postgresql://shop:secret@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
