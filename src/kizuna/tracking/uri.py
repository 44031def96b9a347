"""Where MLflow keeps things: a SQLite file or a server, and what its failures mean in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from kizuna.errors import ConfigError, KizunaError, ModelError, Transient
from kizuna.secret import without_secrets
from kizuna.tracking.sqlite_file import check_database, explained_database, first_line

_SQLITE = "sqlite:///"
_NO_ACCESS = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")
_OVERLOAD = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
_PLACES = ("", "file", "mlflow-artifacts", "s3", "gs", "wasbs", "abfss")
# By the name of the exception somewhere among the causes, the most telling first.
_SILENCE = {
    "NameResolutionError": "nothing is known under its name",
    "ReadTimeoutError": "it did not answer in time",
    "ReadTimeout": "it did not answer in time",
    "ConnectTimeout": "it did not answer in time",
    "NewConnectionError": "nothing answers there",
    "RetryError": "it reports an error of its own, again and again",
    "ConnectionError": "the connection broke",
    "ChunkedEncodingError": "the connection broke",
}


def database_of(uri: str) -> Path | None:
    """The SQLite file of a tracking URI, or None for a server. ConfigError when it is neither, or not SQLite."""
    if uri.startswith(_SQLITE) and (name := uri.removeprefix(_SQLITE)) and name[0] != ":" and "\0" not in name:
        database = Path(name)
        check_database(database)
        return database
    with suppress(ValueError):
        address = urlsplit(uri)
        if address.scheme in ("http", "https") and address.hostname and address.port != 0:
            return None
    raise ConfigError(
        f"tracking.uri asks for '{without_secrets(uri)}', but models are kept in a SQLite file or on an MLflow "
        "server. Write sqlite:///FILE or https://SERVER."
    )


def artifact_root(database: Path, name: str) -> Path:
    """The folder beside a SQLite store in which the artifacts of one shop lie."""
    return database.resolve().parent / "artifacts" / name


def present_location(uri: str, name: str, recorded: str) -> str:
    """Where recorded artifacts are now: a SQLite store that was copied, moved or mounted elsewhere took them along.

    What lies beside the store counts, even where the recorded place still exists: a copy is not its original.
    """
    database, address = database_of(uri), urlsplit(recorded)
    if database is None or address.scheme not in ("", "file"):
        return recorded
    path = Path(url2pathname(address.path))
    _, found, below = path.as_posix().rpartition(f"/artifacts/{name}/")
    return str(artifact_root(database, name) / below if found else path)


def is_readable(location: str) -> bool:
    """Whether models are read from there: a folder, the MLflow server itself, or the bucket of a large cloud."""
    return urlsplit(location).scheme in _PLACES


def explained(uri: str, error: Exception) -> KizunaError:
    """What a failure of MLflow, or of the way to it, means: Transient when the same call may succeed later."""
    shown, text = without_secrets(uri), without_secrets(str(error))
    if type(error).__module__.startswith("boto"):
        return _explained_artifacts(error, text)
    if uri.startswith(_SQLITE):
        return explained_database(shown, text)
    causes = list(_causes(error))
    kinds = {type(cause).__name__ for cause in causes}
    code = next((str(code) for cause in causes if (code := getattr(cause, "error_code", None))), "")
    status = next(
        (answer.status_code for cause in causes if (answer := getattr(cause, "response", None)) is not None), 0
    )
    asked = f"The MLflow server {shown} was asked, but"
    if code in _NO_ACCESS or status in (401, 403):
        return ConfigError(
            f"{asked} it refuses access. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN, to an account that may use it."
        )
    if code == "ENDPOINT_NOT_FOUND" or "not in a valid JSON format" in text:
        return ConfigError(f"{asked} what answers there is no MLflow tracking server. Check tracking.uri.")
    for kind, what in _SILENCE.items():
        if kind in kinds:
            return Transient(f"{asked} {what}. Check that it runs and that tracking.uri is right, and run again.")
    if code in _OVERLOAD or status in (429, 500, 502, 503, 504):
        return Transient(f"{asked} it reports an error of its own. Look into its log, and run again.")
    return KizunaError(f"{asked} it refused: {first_line(text)}")


def _explained_artifacts(error: Exception, text: str) -> KizunaError:
    """What a failure of an S3-compatible store means, to which the models' files are fetched from and sent."""
    asked, kind = "The store of the models' files was asked, but", type(error).__name__
    answer = getattr(error, "response", None) or {}
    code, status = answer.get("Error", {}).get("Code", ""), answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if "Credential" in kind or "Token" in kind or status in (401, 403):
        return ConfigError(
            f"{asked} it refuses access ({code or kind}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an account "
            "that may read there."
        )
    if status == 404:
        return ModelError(f"{asked} it holds no such thing ({code}). Restore the files from a backup.")
    if not status or status == 429 or status >= 500:
        return Transient(
            f"{asked} it did not answer ({code or kind}). Check AWS_ENDPOINT_URL and that it runs; run again."
        )
    return KizunaError(f"{asked} it refused: {first_line(text)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
