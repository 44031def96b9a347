"""Which model is in use, on a SQLite store and, marked slow, on a real MLflow server: the same assertions."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from kizuna.errors import ModelError
from kizuna.fingerprint import folder_sha256
from kizuna.tracking.registry import ModelPair, ModelVersion, Promotion, Registry
from kizuna.tracking.runs import Kind, talking
from kizuna.words import champion_lines
from servers import mlflow_server

NINE = datetime(2026, 11, 9, 0, 0, tzinfo=UTC)
CHOOSE = "Choose a version with 'kizuna promote', or train a new one with 'kizuna train'."
TAGS = {"horizon_days": "90", "definition": "inactivity", "train_day": "2026-11-09", "feature_set_sha256": "f" * 64}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Store:
    """Where a store listens, and where its artifacts really lie."""

    uri: str
    artifacts: Path


@pytest.fixture(scope="session")
def server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_database, folder / "mlflow.db")
    with mlflow_server(folder) as address:
        yield Store(address, folder / "artifacts")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a thing: SQLite flushes every small change."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", pytest.param("server", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, memory: Path) -> Store:
    if request.param == "server":
        found: Store = request.getfixturevalue("server")
        return found
    shutil.copy(request.getfixturevalue("empty_database"), memory / "mlflow.db")
    return Store(f"sqlite:///{memory}/mlflow.db", memory / "artifacts")


@pytest.fixture
def registry(store: Store) -> Registry:
    return Registry(store.uri, f"shop{next(_numbers)}")


def model_folder(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(f'{{"rung": "{text}"}}')
    (folder / "trees").mkdir()
    (folder / "trees" / "booster.txt").write_text(f"tree {text}\n")
    return folder


def train(registry: Registry, folder: Path, text: str, with_value: bool = True) -> str:
    """The churn version of one training whose models hold the text."""
    with registry.training_run(f"training {text}", {"train_day": "2026-11-09"}) as run:
        run.log_params({"seed": 7})
        run.log_metrics({"auc": 0.81})
        if with_value:
            cltv = model_folder(folder / text / "v", f"value {text}")
            run.log_model("cltv", cltv, ["orders_30d"], ["value_if_kept", "value_if_churned"], TAGS)
        churn = model_folder(folder / text / "c", f"churn {text}")
        return run.log_model("churn", churn, ["orders_30d"], ["churn_probability"], TAGS)


def aliases(registry: Registry, kind: str) -> dict[str, str]:
    with talking(registry.uri) as client:
        found = client.get_registered_model(f"{registry.name}-{kind}").aliases
    return {alias: str(version) for alias, version in found.items()}


def partner_of(pair: ModelPair) -> str | None:
    return pair.cltv.version if pair.cltv else None


def test_a_training_registers_both_models_as_challenger(registry: Registry, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert train(registry, tmp_path, "one") == "1"
    (found,) = registry.versions()
    assert (found.name, found.version, found.aliases) == (f"{registry.name}-churn", "1", ("challenger",))
    stored = found.tags["stored_sha256"]
    own = {"cltv_version": "1", "artifact_sha256": folder_sha256(tmp_path / "one/c"), "stored_sha256": stored}
    assert found.tags == TAGS | own
    assert re.fullmatch("[0-9a-f]{64}", stored)
    assert before < found.created < datetime.now(UTC) + timedelta(seconds=1)
    assert found.uri == f"models:/{registry.name}-churn/1"
    pair = registry.resolve("challenger")
    assert pair.churn == found
    assert pair.cltv is not None
    assert pair.cltv.tags["artifact_sha256"] == folder_sha256(tmp_path / "one/v")
    assert pair.cltv.run_id == pair.churn.run_id
    assert registry.champion() is None


def test_versions_come_newest_first(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path, "one", with_value=False)
    with talking(registry.uri) as client:
        first = client.get_model_version(f"{registry.name}-churn", "1")
        model_id = next(part for part in first.source.split("/") if part.startswith("m-"))
        for _ in range(10):
            client.create_model_version(first.name, first.source, first.run_id, model_id=model_id)
    assert [found.version for found in registry.versions()] == [str(number) for number in range(11, 0, -1)]
    with pytest.raises(ModelError, match=re.escape(": 11, 10, 9, 8, 7, 6, 5, 4, 3, 2 and 1 older.")):
        registry.resolve()


def test_one_alias_moves_both_models(registry: Registry, tmp_path: Path) -> None:
    with registry.training_run("a value model alone", {}) as run:
        run.log_model("cltv", model_folder(tmp_path / "alone", "alone"), ["x"], ["a", "b"], {})
    train(registry, tmp_path, "one")
    train(registry, tmp_path, "two")
    first = registry.promote("1", NINE)
    assert (first.churn.version, partner_of(first), first.churn.aliases) == ("1", "2", ("champion",))
    second = registry.promote("challenger", NINE + timedelta(days=28))
    assert (second.churn.version, partner_of(second), second.churn.aliases) == ("2", "3", ("champion",))
    assert registry.champion() == second
    assert registry.resolve() == second
    assert registry.resolve("previous").churn.version == "1"
    assert aliases(registry, "churn") == {"champion": "2", "previous": "1"}
    assert aliases(registry, "cltv") == {"champion": "3", "previous": "2"}


def test_promoting_the_champion_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path, "one")
    train(registry, tmp_path, "two")
    registry.promote("1", NINE)
    registry.promote("2", NINE + timedelta(days=1))
    registry.promote("2", NINE + timedelta(days=2))
    assert aliases(registry, "churn") == {"champion": "2", "previous": "1"}
    assert registry.promotions() == [Promotion("1", NINE), Promotion("2", NINE + timedelta(days=1))]


def test_a_refused_version_says_the_first_check_that_failed() -> None:
    tags = {
        "validation_status": "refused",
        "gate.baseline": "fail -.020 (limit -.003)",
        "gate.signal": "pass .610 (limit .500)",
        "gate.leak": "fail 2 (limit 0)",
    }
    version = ModelVersion("shop-churn", "2", "run", NINE, (), tags)
    assert version.refused == "baseline -.020 (limit -.003)"
    assert replace(version, tags=tags | {"gate.signal": "fail"}).refused == "signal"
    assert replace(version, tags={"validation_status": "refused"}).refused == "no check is on record"
    assert replace(version, tags=tags | {"validation_status": "passed"}).refused == ""
    assert champion_lines(ModelPair(version, None), "shop") == [
        "Champion of shop: version 2.",
        "The gate refused version 2: baseline -.020 (limit -.003). It is in use all the same; its lists say so.",
    ]
    assert champion_lines(ModelPair(replace(version, tags={}), None), "shop") == ["Champion of shop: version 2."]


def test_rollback_and_rollback_again_change_places(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path, "one")
    train(registry, tmp_path, "two")
    registry.promote("1", NINE)
    tokyo = timezone(timedelta(hours=9))
    registry.promote("2", datetime(2026, 12, 7, 6, 0, tzinfo=tokyo))
    assert registry.rollback(NINE + timedelta(days=30)).churn.version == "1"
    assert aliases(registry, "churn") == aliases(registry, "cltv") == {"champion": "1", "previous": "2"}
    assert registry.rollback(NINE + timedelta(days=31)).churn.version == "2"
    assert registry.promotions() == [
        Promotion("1", NINE),
        Promotion("2", datetime(2026, 12, 6, 21, 0, tzinfo=UTC)),
        Promotion("1", NINE + timedelta(days=30)),
        Promotion("2", NINE + timedelta(days=31)),
    ]


def test_a_shop_without_value_has_a_churn_model_alone(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path, "one")
    registry.promote("1", NINE)
    train(registry, tmp_path, "two", with_value=False)
    pair = registry.promote("2", NINE)
    assert pair.cltv is None
    assert aliases(registry, "cltv") == {"previous": "1"}
    churn, cltv = registry.load(pair, tmp_path / "loaded")
    assert (churn / "trees/booster.txt").read_text() == "tree churn two\n"
    assert cltv is None
    assert registry.rollback(NINE).cltv is not None
    assert aliases(registry, "cltv") == {"champion": "1"}


def test_a_failed_training_leaves_no_challenger(registry: Registry, tmp_path: Path) -> None:
    def fail_with(error: BaseException, text: str) -> str:
        def training() -> None:
            with registry.training_run("failing", {}) as run:
                run.log_model("churn", model_folder(tmp_path / text, text), ["x"], ["p"], {})
                raise error

        with pytest.raises(type(error)):
            training()
        with talking(registry.uri) as client:
            return str(client.get_run(registry.versions()[0].run_id).info.status)

    assert fail_with(RuntimeError("out of luck"), "one") == "FAILED"
    assert fail_with(KeyboardInterrupt(), "two") == "KILLED"
    assert [found.aliases for found in registry.versions()] == [(), ()]


def test_the_value_model_comes_first(registry: Registry, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model", "one")
    with registry.training_run("in the wrong order", {}) as run:
        run.log_model("churn", folder, ["x"], ["p"], {})
        with pytest.raises(ValueError, match="Log the value model before the churn model"):
            run.log_model("cltv", folder, ["x"], ["a", "b"], {})


class TestWords:
    def test_nothing_was_trained(self, registry: Registry) -> None:
        assert registry.versions() == []
        assert registry.champion() is None
        assert registry.promotions() == []
        with pytest.raises(ModelError) as missing:
            registry.resolve()
        assert str(missing.value) == (
            f"The champion version of '{registry.name}' was asked for, but {registry.uri} holds no model of that "
            "name. Train one with 'kizuna train'."
        )
        assert missing.value.exit_code == 12

    def test_none_is_promoted(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        train(registry, tmp_path, "two")
        with pytest.raises(ModelError) as missing:
            registry.resolve()
        assert str(missing.value) == (
            f"The champion version of '{registry.name}' was asked for, but no version has that alias. "
            f"Registered in {registry.uri}: 2 (challenger), 1. {CHOOSE}"
        )

    def test_no_such_version(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        registry.promote("1", NINE)
        for ask in (registry.resolve, lambda wanted: registry.promote(wanted, NINE)):
            with pytest.raises(ModelError) as missing:
                ask("7")
            assert str(missing.value) == (
                f"Version 7 of '{registry.name}' was asked for, but there is no such version. "
                f"Registered in {registry.uri}: 1 (champion). {CHOOSE}"
            )

    def test_the_champion_was_deleted_and_its_alias_with_it(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        train(registry, tmp_path, "two")
        registry.promote("1", NINE)
        registry.promote("2", NINE)
        with talking(registry.uri) as client:
            client.delete_model_version(f"{registry.name}-churn", "2")
        assert registry.champion() is None
        with pytest.raises(ModelError) as missing:
            registry.resolve()
        assert str(missing.value) == (
            f"The champion version of '{registry.name}' was asked for, but no version has that alias. "
            f"Registered in {registry.uri}: 1 (previous). {CHOOSE}"
        )
        assert registry.rollback(NINE).churn.version == "1"

    def test_the_partner_was_deleted(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        train(registry, tmp_path, "two")
        registry.promote("2", NINE)
        with talking(registry.uri) as client:
            client.delete_model_version(f"{registry.name}-cltv", "2")
        assert registry.champion() is None
        with pytest.raises(ModelError) as missing:
            registry.resolve()
        assert str(missing.value) == (
            f"Version 2 of '{registry.name}-churn' was asked for, but its partner, version 2 of "
            f"'{registry.name}-cltv', is not in {registry.uri}. {CHOOSE}"
        )
        assert registry.promote("1", NINE).churn.version == "1"
        assert aliases(registry, "churn") == {"champion": "1"}

    def test_nothing_to_roll_back_to(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        registry.promote("1", NINE)
        with pytest.raises(ModelError) as missing:
            registry.rollback(NINE)
        assert str(missing.value) == (
            f"The previous version of '{registry.name}' was asked for, but no version has that alias. "
            f"Registered in {registry.uri}: 1 (champion). {CHOOSE}"
        )


class TestFiles:
    def test_both_folders_come_back_to_the_byte(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        pair = registry.promote("1", NINE)
        churn, cltv = registry.load(pair, tmp_path / "loaded")
        assert cltv is not None
        assert folder_sha256(churn) == folder_sha256(tmp_path / "one/c")
        assert folder_sha256(cltv) == folder_sha256(tmp_path / "one/v")
        assert (cltv / "trees/booster.txt").read_text() == "tree value one\n"

    def test_no_model_code_needs_to_be_allowed(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        train(registry, tmp_path, "one")
        monkeypatch.setenv("MLFLOW_ALLOW_MODEL_CODE_EXECUTION", "false")
        monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        registry.load(registry.resolve("1"), tmp_path / "loaded")

    def test_a_pair_stays_what_it_was_when_the_alias_moves(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        train(registry, tmp_path, "two")
        registry.promote("1", NINE)
        pair = registry.resolve()
        registry.promote("2", NINE)
        churn, _ = registry.load(pair, tmp_path / "loaded")
        assert (churn / "trees/booster.txt").read_text() == "tree churn one\n"

    @pytest.mark.parametrize("kind", ["churn", "cltv"])
    def test_one_flipped_byte_is_found(self, registry: Registry, store: Store, tmp_path: Path, kind: Kind) -> None:
        train(registry, tmp_path, "one")
        pair = registry.promote("1", NINE)
        booster = stored_booster(registry, store, kind)
        content = bytearray(booster.read_bytes())
        content[3] ^= 1
        booster.write_bytes(content)
        with pytest.raises(ModelError) as changed:
            registry.load(pair, tmp_path / "loaded")
        recorded = folder_sha256(tmp_path / "one" / ("c" if kind == "churn" else "v"))[:12]
        found = folder_sha256(tmp_path / "loaded" / kind)[:12]
        assert str(changed.value).startswith(
            f"Version 1 of '{registry.name}-{kind}' was asked for, but its files were changed after it was "
            f"registered: sha256 {recorded}… is recorded, {found}… was found in "
        )
        assert str(changed.value).endswith(f". Restore them. {CHOOSE}")
        with pytest.raises(ModelError, match="its files were changed after it was registered"):
            registry.promote("1", NINE)

    def test_an_added_file_is_found(self, registry: Registry, store: Store, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        booster = stored_booster(registry, store, "churn")
        booster.with_name("extra.txt").write_text("")
        with pytest.raises(ModelError, match="its files were changed after it was registered"):
            registry.load(registry.resolve("1"), tmp_path / "loaded")

    def test_lost_files_are_said(self, registry: Registry, store: Store, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        booster = stored_booster(registry, store, "churn")
        shutil.rmtree(booster.parent.parent)
        with pytest.raises(ModelError) as lost:
            registry.load(registry.resolve("1"), tmp_path / "loaded")
        asked = f"Version 1 of '{registry.name}-churn' was asked for, but its files are gone from "
        assert str(lost.value).startswith(asked)
        assert str(lost.value).endswith(f". Restore them. {CHOOSE}")

    def test_a_version_of_somebody_else_is_refused(self, registry: Registry, tmp_path: Path) -> None:
        train(registry, tmp_path, "one")
        with talking(registry.uri) as client:
            client.delete_model_version_tag(f"{registry.name}-churn", "1", "artifact_sha256")
        with pytest.raises(ModelError) as foreign:
            registry.promote("1", NINE)
        assert str(foreign.value) == (
            f"Version 1 of '{registry.name}-churn' was asked for, but kizuna did not register it: it has no tag "
            f"artifact_sha256. {CHOOSE}"
        )


def stored_booster(registry: Registry, store: Store, kind: Kind) -> Path:
    """The file of version 1 as it lies in the store; a server keeps several shops in one folder."""
    with talking(registry.uri) as client:
        location = client.get_model_version_download_uri(f"{registry.name}-{kind}", "1")
    model_id = next(part for part in location.split("/") if part.startswith("m-"))
    (found,) = (path for path in store.artifacts.rglob("booster.txt") if model_id in path.parts)
    return found


def test_reading_creates_nothing(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/models/mlflow.db", "shop")
    assert registry.versions() == []
    assert registry.champion() is None
    assert registry.promotions() == []
    with pytest.raises(ModelError, match="holds no model of that name"):
        registry.resolve()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_moved_takes_its_files_along(empty_database: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    shutil.copy(empty_database, here)
    train(Registry(f"sqlite:///{here}/mlflow.db", "shop"), tmp_path, "one")
    here.rename(there)
    moved = Registry(f"sqlite:///{there}/mlflow.db", "shop")
    churn, _ = moved.load(moved.promote("1", NINE), tmp_path / "loaded")
    assert (churn / "trees/booster.txt").read_text() == "tree churn one\n"
