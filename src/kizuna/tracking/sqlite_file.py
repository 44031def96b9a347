"""A SQLite store before MLflow opens it: whether it is there, a file, sound, free, and MLflow's.

MLflow itself would wait for a pipe for ever and for a lock for minutes, and make its tables in anybody's database.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from kizuna.errors import ConfigError, KizunaError, ModelError, Transient

_MAGIC = b"SQLite format 3\0"
_PATIENCE_SECONDS = 10
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "file is encrypted")


def check_database(database: Path) -> None:
    """Nothing for a sound store of MLflow, an empty file, or none at all.

    Errors: ConfigError for what is no such store or may not be read, ModelError for a damaged one, Transient for one that
    another process holds.
    """
    try:
        mode = database.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ConfigError(f"tracking.uri asks for {database}, which is no file. Choose another place.")
        with database.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unusable(database, "read", error) from None
    if magic not in (b"", _MAGIC):
        raise ConfigError(f"tracking.uri asks for {database}, which is no SQLite database. Choose another file.")
    if magic:
        _check_tables(database)


def holds_nothing(database: Path) -> bool:
    """Whether no store was ever made there: no file, or one without a single byte."""
    return not database.exists() or database.stat().st_size == 0


def move_experiment(database: Path, experiment_id: str, location: str) -> None:
    """The experiment, writing to ``location`` from now on: a store that was copied or moved keeps its files beside it.

    MLflow has no call for that. Runs and models that are there already keep what is recorded of them.
    """
    try:
        with closing(sqlite3.connect(database, timeout=_PATIENCE_SECONDS)) as connection, connection:
            change = "update experiments set artifact_location = ? where experiment_id = ?"
            connection.execute(change, (location, int(experiment_id)))
    except sqlite3.DatabaseError as error:
        raise explained_database(f"sqlite:///{database}", str(error)) from None


def unusable(database: Path, done: str, error: OSError) -> ConfigError:
    """The words for a SQLite file that the operating system does not let be read or written."""
    return ConfigError(
        f"tracking.uri asks for {database}, which cannot be {done}: {error.strerror}. "
        "Choose another place, or mend its permissions."
    )


def explained_database(shown: str, text: str) -> KizunaError:
    """What a failure of a SQLite store means; ``shown`` is its address, ``text`` what SQLite or MLflow said."""
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
    if "readonly database" in text or "unable to open database file" in text:
        return ConfigError(
            f"The MLflow store {shown} was asked for, but it, or the folder that it lies in, may not be written. Mend "
            "their permissions, and run again."
        )
    if any(sign in text for sign in _DAMAGE):
        return ModelError(
            f"The MLflow store {shown} was asked for, but it is damaged: {first_line(text)}. Restore it from a backup, "
            "its artifacts with it."
        )
    return KizunaError(f"The MLflow store {shown} was asked, but it refused: {first_line(text)}")


def first_line(text: str) -> str:
    """The first line of a message, cut at 300 characters."""
    return (text.strip().splitlines() or ["no reason given"])[0][:300]


def _check_tables(database: Path) -> None:
    address = f"file:{quote(str(database))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.OperationalError as error:
        # A training that was killed left its journal, which only MLflow, who may write, can play back.
        if "locked" not in str(error):
            return
        raise explained_database(f"sqlite:///{database}", "database is locked") from None
    except sqlite3.DatabaseError as error:
        raise explained_database(f"sqlite:///{database}", str(error)) from None
    if tables and "alembic_version" not in tables:
        raise ConfigError(
            f"tracking.uri asks for {database}, which is a database, but not one of MLflow's: it has no table "
            "alembic_version. Choose another file, or restore it from a backup."
        )
