from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kizuna.errors import ConfigError, KizunaError, ModelError
from kizuna.tracking.model_files import copy_folder, stored_sha256
from kizuna.tracking.sqlite_file import check_database, explained_database, holds_nothing, move_experiment


def make(database: Path, *lines: str) -> Path:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for line in lines:
            connection.execute(line)
    return database


def test_none_an_empty_one_and_mlflows_own_are_taken(tmp_path: Path) -> None:
    check_database(tmp_path / "no folder" / "mlflow.db")
    (tmp_path / "empty.db").touch()
    check_database(tmp_path / "empty.db")
    check_database(make(tmp_path / "mlflow.db", "create table alembic_version (version_num text)"))
    assert [holds_nothing(tmp_path / name) for name in ("none.db", "empty.db", "mlflow.db")] == [True, True, False]


def test_a_name_with_signs_of_an_address_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% #1?mode=rw"
    folder.mkdir()
    check_database(make(folder / "mlflow.db", "create table alembic_version (version_num text)"))
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mlflow.db")
    with pytest.raises(ConfigError) as refused:
        check_database(tmp_path / "mlflow.db")
    assert str(refused.value) == (
        f"tracking.uri asks for {tmp_path}/mlflow.db, which is no file. Choose another place."
    )


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    database = make(tmp_path / "crm.db", "create table customers (id text)")
    with pytest.raises(ConfigError) as refused:
        check_database(database)
    assert str(refused.value) == (
        f"tracking.uri asks for {database}, which is a database, but not one of MLflow's: it has no table "
        "alembic_version. Choose another file, or restore it from a backup."
    )


def test_a_damaged_one_is_no_usable_model(tmp_path: Path) -> None:
    database = make(tmp_path / "mlflow.db", "create table alembic_version (version_num text)")
    database.write_bytes(database.read_bytes()[:16] + bytes(range(256)) * 40)
    with pytest.raises(ModelError) as refused:
        check_database(database)
    assert str(refused.value) == (
        f"The MLflow store sqlite:///{database} was asked for, but it is damaged: file is not a database. "
        "Restore it from a backup, its artifacts with it."
    )


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("no such table: runs", ModelError, "it is damaged: no such table: runs. "),
        (
            "attempt to write a readonly database",
            ConfigError,
            "may not be written. Mend their permissions, and run again.",
        ),
        ("unable to open database file", ConfigError, "may not be written. Mend their permissions, and run again."),
        ("database or disk is full", KizunaError, "it refused: database or disk is full"),
    ],
)
def test_what_sqlite_says_in_words(text: str, kind: type[KizunaError], words: str) -> None:
    found = explained_database("sqlite:////x.db", f"{text}\nmore")
    assert type(found) is kind
    assert words in str(found)


def test_an_experiment_moves_with_its_store(tmp_path: Path) -> None:
    lines = ("create table experiments (experiment_id integer, artifact_location text)",)
    database = make(
        tmp_path / "mlflow.db", *lines, "insert into experiments values (1, 'file:///was'), (2, 'file:///was')"
    )
    move_experiment(database, "2", "file:///is")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select * from experiments").fetchall() == [(1, "file:///was"), (2, "file:///is")]


def test_a_model_is_copied_whole_links_followed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "MLmodel").write_text("x")
    (tmp_path / "elsewhere").write_text("y")
    (source / "data" / "trees.txt").symlink_to(tmp_path / "elsewhere")
    copy_folder(source, tmp_path / "target")
    assert (tmp_path / "target/data/trees.txt").read_text() == "y"
    assert not (tmp_path / "target/data/trees.txt").is_symlink()
    before = stored_sha256(tmp_path / "target")
    (tmp_path / "target/registered_model_meta").write_text("written by MLflow when somebody loads the model")
    assert stored_sha256(tmp_path / "target") == before


def test_what_never_ends_or_is_too_large_is_not_copied(tmp_path: Path) -> None:
    for name in ("pipe", "zeros", "nowhere", "large"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe/x")
    (tmp_path / "zeros/x").symlink_to("/dev/zero")
    (tmp_path / "nowhere/x").symlink_to("not there")
    with (tmp_path / "large/x").open("wb") as file:
        file.truncate(5 << 30)
    for name in ("pipe", "zeros", "nowhere", "large"):
        with pytest.raises(OSError, match="larger than 4 GiB" if name == "large" else "it is no file"):
            copy_folder(tmp_path / name, tmp_path / f"{name}-copy")
