"""What the command line does when the MLflow store is replaced, emptied, locked, damaged or tampered with.

Every attack is made from outside, on a copy of a trained shop with one list. It ends with its exit code and one to three
lines within a minute, and the old list stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.fingerprint import folder_sha256
from kizuna.lists.publication import published
from kizuna.timeline import date_of, parse_day

pytestmark = pytest.mark.slow
MOST_SECONDS = 60
SIZE = ("--set", "at_risk.size=40")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a champion and the list of 2026-01-01."""
    return trained_shop(tmp_path_factory.mktemp("sound") / "shop", seed=3)


@pytest.fixture(scope="module")
def another(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another store of the same shop, trained with another seed, whose champion has the same number."""
    folder = tmp_path_factory.mktemp("another") / "shop"
    shutil.copytree(sound, folder, ignore=shutil.ignore_patterns("mlflow.db", "artifacts", "exports"))
    code, _, err = kizuna("train", folder / "config.yaml", "--set", "model.seed=99", *SIZE)
    assert code == 0, err
    return folder


@pytest.fixture
def shop(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "shop", symlinks=True, ignore=shutil.ignore_patterns("truth")))


def trained_shop(folder: Path, seed: int) -> Path:
    simulate(folder, customers=400, days=420, seed=seed)
    for command in (("train",), ("score", "--as-of", "2026-01-01")):
        code, _, err = kizuna(command[0], folder / "config.yaml", *command[1:], *SIZE)
        assert code == 0, err
    return folder


def ends(shop: Path, *arguments: str, command: str = "score") -> tuple[int, list[str]]:
    """The exit code and the error's lines of the next week's scoring; the list shown must not change."""
    before, began = os.readlink(shop / "exports/latest"), time.monotonic()
    words = arguments or ("--as-of", "2026-01-08")
    code, _, err = kizuna(command, shop / "config.yaml", *words, *SIZE)
    assert time.monotonic() - began < MOST_SECONDS
    assert os.readlink(shop / "exports/latest") == before
    lines = [line for line in err.splitlines() if not line.startswith("  [")]
    assert 1 <= len(lines) <= 3, err
    return code, lines


def run_sql(shop: Path, *lines: str) -> None:
    with closing(sqlite3.connect(shop / "mlflow.db", isolation_level=None)) as database:
        database.execute("pragma foreign_keys = off")
        for line in lines:
            database.execute(line)


def files(shop: Path, kind: str = "churn") -> Path:
    (found,) = shop.glob(f"artifacts/shop/models/*/artifacts/data/{kind}")
    return found


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite_checksums(shop: Path) -> None:
    """A changed model whose own list of checksums agrees."""
    folder = files(shop)
    tree = json.loads((folder / "model.json").read_text()) | {"why": "another"}
    (folder / "model.json").write_text(json.dumps(tree))
    sums = json.loads((folder / "checksums.json").read_text())
    sums["model.json"] = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(sums))


def rewrite_every_record(shop: Path) -> None:
    """The same, and every hash in the store with it."""
    before, whole = folder_sha256(files(shop)), folder_sha256(files(shop).parents[1])
    rewrite_checksums(shop)
    after, now = folder_sha256(files(shop)), folder_sha256(files(shop).parents[1])
    for table in ("model_version_tags", "registered_model_tags", "tags"):
        run_sql(shop, f"update {table} set value = replace(replace(value, '{before}', '{after}'), '{whole}', '{now}')")


def add_flavours(shop: Path) -> None:
    path = files(shop).parents[1] / "MLmodel"
    tree = yaml.safe_load(path.read_text())
    tree["flavors"]["sklearn"] = {"pickled_model": "model.skops", "skops_trusted_types": ["builtins.eval"]}
    path.write_text(yaml.safe_dump(tree))


def replace_file(path: Path, content: bytes | None) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def empty_tables(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "mlflow.db")) as database:
        found = database.execute("select name from sqlite_master where type = 'table' and name <> 'alembic_version'")
        names = [name for (name,) in found]
    run_sql(shop, *(f'delete from "{name}"' for name in names))


def become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def store(shop: Path) -> Path:
    return shop / "mlflow.db"


def content(shop: Path) -> bytes:
    return store(shop).read_bytes()


def point_files_at(where: str) -> Callable[[Path], Any]:
    return lambda shop: run_sql(shop, f"update model_versions set source = '{where}', storage_location = '{where}'")


CHANGED = "its files were changed after it was registered"
NO_MODEL = "holds no model of that name. Train one with 'kizuna train'."
REPLACED = "the MLflow store was replaced or the version overwritten."
DAMAGED = "but it is damaged: "
ATTACKS: dict[str, tuple[int, str, Callable[[Path], Any]]] = {
    "the version deleted": (
        12,
        NO_MODEL,
        lambda shop: run_sql(shop, "delete from model_versions where name = 'shop-churn'", "delete from registered_models"),
    ),
    "the aliases deleted": (
        12,
        "but no version has that alias.",
        lambda shop: run_sql(shop, "delete from registered_model_aliases"),
    ),
    "the alias on a version that is not there": (
        12,
        "but no version has that alias.",
        lambda shop: run_sql(shop, "update registered_model_aliases set version = 99"),
    ),
    "the partner deleted": (
        12,
        "but its partner, version 1 of 'shop-cltv', is not in",
        lambda shop: run_sql(shop, "delete from model_versions where name = 'shop-cltv'"),
    ),
    "a byte of the trees": (12, CHANGED, lambda shop: flip(next(files(shop).glob("*.txt")))),
    "a byte of the value model": (12, CHANGED, lambda shop: flip(files(shop, "cltv") / "model.json")),
    "a byte of the contract": (12, CHANGED, lambda shop: flip(files(shop) / "contract.json")),
    "a byte of the checksums": (12, CHANGED, lambda shop: flip(files(shop) / "checksums.json")),
    "a byte of MLmodel": (12, CHANGED, lambda shop: flip(files(shop).parents[1] / "MLmodel")),
    "a byte of the requirements": (12, CHANGED, lambda shop: flip(files(shop).parents[1] / "requirements.txt")),
    "a file added": (12, CHANGED, lambda shop: (files(shop) / "model.pkl").write_bytes(b"x")),
    "a file added beside": (12, CHANGED, lambda shop: (files(shop).parents[1] / "model.pkl").write_bytes(b"x")),
    "flavours and trusted types added": (12, CHANGED, add_flavours),
    "the checksums rewritten": (12, CHANGED, rewrite_checksums),
    "every record in the store rewritten": (12, REPLACED, rewrite_every_record),
    "the hash's tag deleted": (
        12,
        "kizuna did not register it: it has no tag artifact_sha256.",
        lambda shop: run_sql(shop, "delete from model_version_tags where key = 'artifact_sha256'"),
    ),
    "the artifacts gone": (12, "its files are gone from", lambda shop: shutil.rmtree(shop / "artifacts")),
    "a model file gone": (12, CHANGED, lambda shop: replace_file(files(shop) / "model.json", None)),
    "a model file empty": (12, CHANGED, lambda shop: replace_file(files(shop) / "model.json", b"")),
    "a model file a pipe": (12, "its files cannot be read from", lambda shop: become_pipe(files(shop) / "model.json")),
    "a model file endless": (12, "its files cannot be read from", lambda shop: become_endless(files(shop) / "model.json")),
    "a model file a folder": (12, CHANGED, lambda shop: become_folder(files(shop) / "model.json")),
    "files in another folder": (12, "its files are gone from /etc.", point_files_at("/etc")),
    "files on a web server": (12, "kizuna reads no files from http://", point_files_at("http://127.0.0.1:9/x")),
    "files nowhere": (12, "kizuna reads no files from foo://x/y.", point_files_at("foo://x/y")),
    "the store of 0 bytes": (12, NO_MODEL, lambda shop: store(shop).write_bytes(b"")),
    "the store gone": (12, NO_MODEL, lambda shop: store(shop).unlink()),
    "the store without rows": (12, NO_MODEL, empty_tables),
    "the store cut short": (12, DAMAGED, lambda shop: store(shop).write_bytes(content(shop)[:300_000])),
    "the store full of zeros": (
        12,
        DAMAGED,
        lambda shop: store(shop).write_bytes(content(shop)[:8192] + bytes(600_000) + content(shop)[608_192:]),
    ),
    "garbage that begins well": (12, DAMAGED, lambda shop: store(shop).write_bytes(content(shop)[:16] + bytes(range(256)) * 90)),
    "garbage": (2, "which is no SQLite database.", lambda shop: store(shop).write_bytes(bytes(range(256)) * 20)),
    "a table gone": (12, DAMAGED, lambda shop: run_sql(shop, "drop table model_version_tags")),
    "a store of another version": (
        2,
        "but another version of MLflow wrote it.",
        lambda shop: run_sql(shop, "update alembic_version set version_num = '000000000000'"),
    ),
    "a database of something else": (
        2,
        "but not one of MLflow's: it has no table alembic_version.",
        lambda shop: (store(shop).unlink(), run_sql(shop, "create table customers (id text)")),
    ),
    "a folder at its place": (2, "which cannot be read: Is a directory.", lambda shop: become_folder(store(shop))),
    "a pipe at its place": (2, "which is no file.", lambda shop: become_pipe(store(shop))),
    "an endless file at its place": (2, "which is no file.", lambda shop: become_endless(store(shop))),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_it_ends_in_words_and_the_old_list_stays(shop: Path, name: str) -> None:
    code, said, attack = ATTACKS[name]
    attack(shop)
    ended, lines = ends(shop)
    assert (ended, said in "\n".join(lines)) == (code, True), lines


def test_a_database_of_something_else_is_left_as_it_is(shop: Path) -> None:
    store(shop).unlink()
    run_sql(shop, "create table customers (id text)")
    before = content(shop)
    for command, words in (("score", ()), ("models", ("--json",)), ("promote", ("1",)), ("train", ("--no-promote",))):
        assert ends(shop, *words, command=command)[0] == 2
    assert content(shop) == before


def test_a_store_that_is_empty_names_the_model_that_the_lists_know(shop: Path) -> None:
    store(shop).write_bytes(b"")
    assert ends(shop)[1][-1] == (
        "The list of 2026-01-01 was made with shop-churn v1. Where that should be there, restore the store from a backup."
    )


def test_a_locked_store_is_worth_a_retry(shop: Path) -> None:
    with closing(sqlite3.connect(store(shop), isolation_level=None)) as holder:
        holder.execute("begin exclusive")
        for command, words in (("score", ()), ("promote", ("1",)), ("models", ("--json",))):
            code, lines = ends(shop, *words, command=command)
            assert (code, "another process is writing to it" in lines[0]) == (75, True), lines


def test_a_store_locked_for_writing_can_be_read_and_not_promoted_in(shop: Path) -> None:
    run_sql(shop, "delete from registered_model_aliases where name = 'shop-cltv'")
    with closing(sqlite3.connect(store(shop), isolation_level=None)) as holder:
        holder.execute("begin immediate")
        code, lines = ends(shop, "1", command="promote")
        assert (code, "another process is writing to it" in lines[0]) == (75, True), lines
        assert kizuna("score", shop / "config.yaml", "--as-of", "2026-01-08", *SIZE)[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may lose and take back the right to read everything")
@pytest.mark.parametrize("where", ["mlflow.db", "artifacts"])
def test_a_store_that_may_not_be_read_is_said(sound: Path, where: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(shutil.copytree(sound, Path(folder) / "shop", symlinks=True))
        for path in [Path(folder), shop, *shop.rglob("*")]:
            os.chown(path, 65534, 65534, follow_symlinks=False)
        (shop / where).chmod(0)
        os.seteuid(65534)
        try:
            code, lines = ends(shop)
        finally:
            os.seteuid(0)
    assert (code, "Permission denied" in lines[0]) == (2 if where == "mlflow.db" else 12, True), lines


def test_a_copy_of_a_shop_reads_and_writes_its_own_files(sound: Path, shop: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sound.rglob("*")}
    code, _, err = kizuna("train", shop / "config.yaml", "--set", "model.seed=8", *SIZE)
    assert code == 0, err
    assert {path: path.stat().st_mtime_ns for path in sound.rglob("*")} == before
    assert len(list(shop.glob("artifacts/shop/models/*/artifacts/data/churn"))) == 2
    shutil.rmtree(shop / "artifacts")
    assert ends(shop)[0] == 12


class TestReplaced:
    """Another store, or a new training, under the same names and numbers; all its own records agree."""

    def test_it_is_refused_and_taken_once_it_is_meant(self, shop: Path, another: Path) -> None:
        shutil.copy(store(another), store(shop))
        shutil.rmtree(shop / "artifacts")
        shutil.copytree(another / "artifacts", shop / "artifacts")
        code, lines = ends(shop)
        assert (code, REPLACED in lines[0], len(lines)) == (12, True, 2)
        assert ends(shop, "--as-of", "2026-01-01")[0] == 12
        assert ends(shop, "--as-of", "2026-01-08", "--dry-run")[0] == 12
        code, out, err = kizuna("promote", shop / "config.yaml", "1")
        assert (code, out.splitlines()[-1]) == (
            0,
            "The list of 2026-01-01 was made with other files under version 1 of shop-churn; those of now are accepted "
            "from here on.",
        ), err
        assert kizuna("score", shop / "config.yaml", "--as-of", "2026-01-08", *SIZE)[0] == 0

    def test_a_new_training_under_a_number_that_lists_know_is_not_promoted_by_itself(self, shop: Path) -> None:
        store(shop).unlink()
        shutil.rmtree(shop / "artifacts")
        code, out, err = kizuna("train", shop / "config.yaml", "--set", "model.seed=99", *SIZE)
        assert code == 0, err
        assert out.splitlines()[-1].startswith(
            "version 1 not promoted: the list of 2026-01-01 was made with other files under that number: the MLflow store "
            "is not the one of then | run "
        )
        assert ends(shop)[0] == 12
        assert kizuna("promote", shop / "config.yaml", "1")[0] == 0
        assert kizuna("score", shop / "config.yaml", "--as-of", "2026-01-08", *SIZE)[0] == 0

    def test_a_backup_of_the_same_store_is_taken_without_a_word(self, shop: Path, sound: Path) -> None:
        store(shop).unlink()
        shutil.rmtree(shop / "artifacts")
        assert ends(shop)[0] == 12
        shutil.copy(store(sound), store(shop))
        shutil.copytree(sound / "artifacts", shop / "artifacts")
        assert kizuna("score", shop / "config.yaml", "--as-of", "2026-01-08", *SIZE)[0] == 0


class TestServers:
    @pytest.fixture
    def silent(self) -> Iterator[str]:
        """A server that takes connections and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"

    @pytest.fixture
    def slamming(self) -> Iterator[str]:
        """A server that closes every connection at once."""
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def slam() -> None:
                while True:
                    try:
                        listening.accept()[0].close()
                    except OSError:
                        return

            thread = threading.Thread(target=slam, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    @pytest.mark.parametrize("server", ["silent", "slamming"])
    def test_one_that_does_not_answer_is_worth_a_retry(
        self, shop: Path, server: str, request: pytest.FixtureRequest
    ) -> None:
        uri = request.getfixturevalue(server)
        assert ends(shop, "--as-of", "2026-01-08", "--set", f"tracking.uri={uri}")[0] == 75

    @pytest.mark.parametrize(
        "uri",
        ["http://h:99999999", "http://h:abc", "http://[::1", "foo://x", "postgresql://a@c/d", '"sqlite:///a\\0b"'],
    )
    def test_an_address_that_is_none_is_said(self, shop: Path, uri: str) -> None:
        code, lines = ends(shop, "--as-of", "2026-01-08", "--set", f"tracking.uri={uri}")
        assert (code, "Write sqlite:///FILE or https://SERVER." in lines[0]) == (2, True), lines


def test_an_alias_that_moves_during_a_run_changes_nothing(shop: Path) -> None:
    """The second version is promoted while the first one scores: the list is the first one's, and says so."""
    from kizuna.project import load
    from kizuna.scoring.job import score

    assert kizuna("train", shop / "config.yaml", "--no-promote", "--set", "model.seed=8", *SIZE)[0] == 0
    project, moved = load(shop / "config.yaml", SIZE[1:]), []

    def say(line: str) -> None:
        if not moved:
            moved.append(kizuna("promote", shop / "config.yaml", "2")[0])

    day = parse_day("2026-01-08", "as_of")
    publication = score(project.store, project.config, day, say=say)
    assert moved == [0]
    assert publication.manifest["models"]["churn"] == "shop-churn v1"
    assert publication.manifest["model_files"]["churn"]["version"] == "1"
    listed = (publication.folder / "at_risk.csv").read_text()
    assert "shop-churn v1" in listed
    assert "shop-churn v2" not in listed
    shown = published(project.config.output_dir, date_of(day))
    assert shown is not None
    assert shown.revision == 1
