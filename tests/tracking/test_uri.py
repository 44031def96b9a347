"""Addresses of stores, and what their failures mean, in words."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from kizuna.errors import ConfigError, KizunaError, Transient
from kizuna.secret import without_secrets
from kizuna.tracking.registry import Registry
from kizuna.tracking.uri import artifact_root, database_of, explained, present_location


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ana:s3cret@host:5000/x", "https://ana:***@host:5000/x"),
        ("http://:s3cret@host", "http://:***@host"),
        ("postgresql+psycopg://u:p%40ss@db/x and s3://k:s@b", "postgresql+psycopg://u:***@db/x and s3://k:***@b"),
        ('{"uri": "mysql://u:p@h/d", "b": "c@d"}', '{"uri": "mysql://u:***@h/d", "b": "c@d"}'),
        ("https://host:5000/x", "https://host:5000/x"),
        ("sqlite:////tmp/a@b/mlflow.db", "sqlite:////tmp/a@b/mlflow.db"),
    ],
)
def test_passwords_of_addresses_are_blotted_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_a_sqlite_address_names_a_file_and_a_server_none(tmp_path: Path) -> None:
    assert database_of(f"sqlite:///{tmp_path}/mlflow.db") == tmp_path / "mlflow.db"
    assert database_of("http://127.0.0.1:5000") is None
    assert database_of("https://ana:s3cret@mlflow.example/team") is None
    assert artifact_root(tmp_path / "mlflow.db", "shop") == tmp_path / "artifacts/shop"


@pytest.mark.parametrize(
    "uri",
    ["", "mlruns", "file:///tmp/mlruns", "sqlite:///", "sqlite:///:memory:", "htp://server", "http://", "databricks"],
)
def test_other_addresses_are_refused(uri: str) -> None:
    with pytest.raises(ConfigError) as refused:
        database_of(uri)
    assert str(refused.value) == (
        f"tracking.uri asks for '{uri}', but models are kept in a SQLite file or on an MLflow server. "
        "Write sqlite:///FILE or https://SERVER."
    )


def test_the_password_of_a_refused_address_is_not_shown() -> None:
    with pytest.raises(ConfigError, match=r"asks for 'postgresql://ana:\*\*\*@db/mlflow', but"):
        database_of("postgresql://ana:s3cret@db/mlflow")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("customer_id,amount\n")
    with pytest.raises(ConfigError) as refused:
        Registry(f"sqlite:///{tmp_path}/mlflow.db", "shop").versions()
    assert str(refused.value) == (
        f"tracking.uri asks for {tmp_path}/mlflow.db, which is no SQLite database. Choose another file."
    )


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        Registry(f"sqlite:///{tmp_path}", "shop").versions()
    assert str(refused.value) == (
        f"tracking.uri asks for {tmp_path}, which cannot be read: Is a directory. "
        "Choose another place, or mend its permissions."
    )


def test_artifacts_are_found_where_the_store_is_now(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/now here/mlflow.db"
    moved = tmp_path / "now here/artifacts/shop/models/m-1/artifacts"
    assert present_location(uri, "shop", "file:///was/artifacts/shop/models/m-1/artifacts") == str(moved)
    assert present_location(uri, "shop", "/was/artifacts/shop/models/m-1/artifacts") == str(moved)
    assert present_location(uri, "shop", "file:///was/elsewhere") == "/was/elsewhere"
    assert present_location(uri, "shop", "s3://bucket/artifacts/shop/x") == "s3://bucket/artifacts/shop/x"
    still = tmp_path / "still/artifacts/shop/m-1"
    still.mkdir(parents=True)
    assert present_location(uri, "shop", still.as_uri()) == str(tmp_path / "now here/artifacts/shop/m-1")
    assert present_location("http://host", "shop", "mlflow-artifacts:/1/models") == "mlflow-artifacts:/1/models"


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The address of a web server that is no MLflow server and answers everything with one status."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>a page with a s3cret</html>")

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


RETRY = "Check that it runs and that tracking.uri is right, and run again."
NO_ACCESS = (
    "it refuses access. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to an "
    "account that may use it."
)
NO_MLFLOW = "what answers there is no MLflow tracking server. Check tracking.uri."


@pytest.mark.usefixtures("impatient")
class TestServers:
    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            (200, ConfigError, NO_MLFLOW),
            (404, ConfigError, NO_MLFLOW),
            (401, ConfigError, NO_ACCESS),
            (403, ConfigError, NO_ACCESS),
            (429, Transient, f"it reports an error of its own, again and again. {RETRY}"),
            (500, Transient, f"it reports an error of its own, again and again. {RETRY}"),
            (503, Transient, f"it reports an error of its own, again and again. {RETRY}"),
        ],
    )
    def test_what_a_server_answers(self, status: int, kind: type[KizunaError], words: str) -> None:
        with answering(status) as uri:
            with pytest.raises(kind) as failed:
                Registry(uri, "shop").versions()
            assert str(failed.value) == f"The MLflow server {uri} was asked, but {words}"

    def test_nothing_listens(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(Transient) as failed:
            Registry(f"http://ana:s3cret@127.0.0.1:{port}", "shop").champion()
        assert str(failed.value) == (
            f"The MLflow server http://ana:***@127.0.0.1:{port} was asked, but nothing answers there. {RETRY}"
        )
        assert failed.value.exit_code == 75

    def test_nothing_is_said_in_time(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(Transient) as failed:
                Registry(uri, "shop").champion()
        assert str(failed.value) == f"The MLflow server {uri} was asked, but it did not answer in time. {RETRY}"

    def test_nobody_has_that_name(self) -> None:
        with pytest.raises(Transient) as failed:
            Registry("http://no-such-host.invalid:5000", "shop").champion()
        assert str(failed.value) == (
            "The MLflow server http://no-such-host.invalid:5000 was asked, but nothing is known under its name. "
            f"{RETRY}"
        )


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (
            "(sqlite3.OperationalError) database is locked\n[SQL: UPDATE runs ...]",
            Transient,
            "The MLflow store sqlite:////x/mlflow.db was asked for, but another process is writing to it. "
            "Wait until that ends, and run again.",
        ),
        (
            "Detected out-of-date database schema (found version a, but expected b). Take a backup ...",
            ConfigError,
            "The MLflow store sqlite:////x/mlflow.db was asked for, but another version of MLflow wrote it. Back the "
            "file up, run 'mlflow db upgrade sqlite:////x/mlflow.db' with the newest of both versions, and run again.",
        ),
        (
            "(sqlite3.OperationalError) disk I/O error\n[SQL: ...]",
            KizunaError,
            "The MLflow store sqlite:////x/mlflow.db was asked, but it refused: (sqlite3.OperationalError) disk I/O "
            "error",
        ),
    ],
)
def test_what_a_database_answers(text: str, kind: type[KizunaError], words: str) -> None:
    found = explained("sqlite:////x/mlflow.db", RuntimeError(text))
    assert type(found) is kind
    assert str(found) == words


def test_an_overloaded_artifact_store_is_worth_a_retry() -> None:
    answer = requests.Response()
    answer.status_code = 503
    found = explained("http://host", requests.HTTPError("503 Server Error", response=answer))
    assert (type(found), str(found)) == (
        Transient,
        "The MLflow server http://host was asked, but it reports an error of its own. Look into its log, and run "
        "again.",
    )


def test_any_other_refusal_keeps_its_first_line_and_no_password() -> None:
    found = explained("http://host", RuntimeError("no to http://a:b@c\nmore"))
    assert (type(found), str(found)) == (
        KizunaError,
        "The MLflow server http://host was asked, but it refused: no to http://a:***@c",
    )
