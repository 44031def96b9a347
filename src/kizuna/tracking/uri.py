"""Where MLflow keeps things: a SQLite file or a server, and what its failures mean in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from kizuna.errors import ConfigError, KizunaError, Transient

_SQLITE = "sqlite:///"
_MAGIC = b"SQLite format 3\0"
_NO_ACCESS = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")
_OVERLOAD = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")
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


def without_passwords(text: str) -> str:
    """The text with the password of every address in it blotted out: ``https://ana:***@host``."""
    return re.sub(r"(\w://[^/\s:@'\"]*):[^/\s@'\"]+@", r"\1:***@", text)


def database_of(uri: str) -> Path | None:
    """The SQLite file of a tracking URI, or None for a server. ConfigError when it is neither, or not SQLite."""
    if uri.startswith(_SQLITE) and (name := uri.removeprefix(_SQLITE)) and not name.startswith(":"):
        database = Path(name)
        _check_database(database)
        return database
    address = urlsplit(uri)
    if address.scheme in ("http", "https") and address.hostname:
        return None
    raise ConfigError(
        f"tracking.uri asks for '{without_passwords(uri)}', but models are kept in a SQLite file or on an MLflow "
        "server. Write sqlite:///FILE or https://SERVER."
    )


def artifact_root(database: Path, name: str) -> Path:
    """The folder beside a SQLite store in which the artifacts of one shop lie."""
    return database.absolute().parent / "artifacts" / name


def present_location(uri: str, name: str, recorded: str) -> str:
    """Where recorded artifacts are now: a SQLite store that was moved or mounted elsewhere took them along."""
    database, address = database_of(uri), urlsplit(recorded)
    if database is None or address.scheme not in ("", "file"):
        return recorded
    path = Path(url2pathname(address.path))
    _, found, below = path.as_posix().rpartition(f"/artifacts/{name}/")
    moved = artifact_root(database, name) / below
    return str(moved if found and not path.exists() else path)


def unusable(database: Path, done: str, error: OSError) -> ConfigError:
    """The words for a SQLite file that the operating system does not let be read or written."""
    return ConfigError(
        f"tracking.uri asks for {database}, which cannot be {done}: {error.strerror}. "
        "Choose another place, or mend its permissions."
    )


def explained(uri: str, error: Exception) -> KizunaError:
    """What a failure of MLflow, or of the way to it, means: Transient when the same call may succeed later."""
    shown, text = without_passwords(uri), without_passwords(str(error))
    if uri.startswith(_SQLITE):
        return _explained_database(shown, text)
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
    return KizunaError(f"{asked} it refused: {_first_line(text)}")


def _explained_database(shown: str, text: str) -> KizunaError:
    if "database is locked" in text:
        return Transient(
            f"The MLflow store {shown} was asked for, but another process is writing to it. Wait until that ends, and "
            "run again."
        )
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return ConfigError(
            f"The MLflow store {shown} was asked for, but another version of MLflow wrote it. Back the file up, run "
            f"'mlflow db upgrade {shown}' with the newest of both versions, and run again."
        )
    return KizunaError(f"The MLflow store {shown} was asked, but it refused: {_first_line(text)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0][:300]


def _check_database(database: Path) -> None:
    if not database.exists():
        return
    try:
        with database.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise unusable(database, "read", error) from None
    if magic not in (b"", _MAGIC):
        raise ConfigError(f"tracking.uri asks for {database}, which is no SQLite database. Choose another file.")
