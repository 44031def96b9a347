"""What a promotion records, and that two at once come to one result."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import kizuna
from kizuna.errors import ModelError, Transient
from kizuna.fingerprint import folder_sha256
from kizuna.tracking import promotion
from kizuna.tracking.promotion import Promotion, alone
from kizuna.tracking.registry import Registry
from kizuna.tracking.runs import talking

NINE = datetime(2026, 11, 9, tzinfo=UTC)
SOURCE = str(Path(kizuna.__file__).parents[1])


@pytest.fixture
def registry(empty_database: Path, tmp_path: Path) -> Registry:
    """A store with two versions of both models, neither of them promoted."""
    (tmp_path / "mlflow.db").write_bytes(empty_database.read_bytes())
    found = Registry(f"sqlite:///{tmp_path}/mlflow.db", "shop")
    for text in ("one", "two"):
        with found.training_run(text, {}) as run:
            for kind in ("cltv", "churn"):
                folder = tmp_path / text / kind
                folder.mkdir(parents=True)
                (folder / "model.json").write_text(f'"{kind} {text}"')
                run.log_model(kind, folder, ["x"], ["p"], {"grade": "B"}, f"The {kind} model {text}.")
    return found


def test_the_hash_and_who_and_when_are_tags_and_words_of_both_versions(registry: Registry, tmp_path: Path) -> None:
    pair = registry.promote("1", NINE)
    assert pair.cltv is not None
    for kind, version in (("churn", pair.churn), ("cltv", pair.cltv)):
        sha256 = folder_sha256(tmp_path / "one" / kind)
        assert version.tags["promoted_sha256"] == version.tags["artifact_sha256"] == sha256
        assert version.tags["promoted_at"] == "2026-11-09T00:00:00Z"
        assert re.fullmatch(r"\S+@\S+", version.tags["promoted_by"])
        with talking(registry.uri) as client:
            said = client.get_model_version(version.name, "1").description
        assert said == (
            f"The {kind} model one.\n\nPromoted to champion on 2026-11-09 00:00:00 UTC by {version.tags['promoted_by']}; "
            f"sha256 of its files {sha256}."
        )


def test_files_that_were_changed_with_their_first_record_are_found_by_the_second(
    registry: Registry, tmp_path: Path
) -> None:
    pair = registry.promote("1", NINE)
    (stored,) = (
        path for path in tmp_path.glob("artifacts/**/data/churn/model.json") if "churn one" in path.read_text()
    )
    stored.write_text('"another"')
    with talking(registry.uri) as client:
        client.set_model_version_tag("shop-churn", "1", "artifact_sha256", folder_sha256(stored.parent))
        client.delete_model_version_tag("shop-churn", "1", "stored_sha256")
    with pytest.raises(ModelError, match="Version 1 of 'shop-churn' .* changed after it was promoted: sha256 "):
        registry.load(registry.resolve(), tmp_path / "loaded")
    with pytest.raises(ModelError, match="changed after it was promoted"):
        registry.promote(pair.churn.version, NINE)


def test_what_a_killed_promotion_left_is_mended_by_the_next(registry: Registry) -> None:
    registry.promote("1", NINE)
    with talking(registry.uri) as client:
        client.set_registered_model_alias("shop-cltv", "champion", "2")
        client.set_registered_model_tag("shop-churn", "champion_since.2026-11-10T00:00:00Z", "2")
    pair = registry.promote("1", NINE + timedelta(days=2))
    assert pair.cltv is not None
    assert (pair.cltv.version, "champion" in pair.cltv.aliases) == ("1", True)
    assert registry.promotions()[-1] == Promotion("1", NINE + timedelta(days=2))
    assert [one.version for one in registry.promotions()] == ["1", "2", "1"]


def test_a_second_promotion_waits_for_the_first(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "_PATIENCE_SECONDS", 0.3)
    with alone(registry.uri), pytest.raises(Transient) as waited:
        registry.promote("1", NINE)
    database = registry.uri.removeprefix("sqlite:///")
    assert str(waited.value) == (
        f"A promotion was asked for, but another one is at work in {database}. Wait until it ends, and run again."
    )
    assert registry.champion() is None
    assert registry.promote("1", NINE).churn.version == "1"


@pytest.mark.slow
def test_two_processes_at_once_come_to_one_result(registry: Registry) -> None:
    code = (
        "import sys, time\nfrom datetime import UTC, datetime\nfrom kizuna.tracking.registry import Registry\n"
        f"registry = Registry({registry.uri!r}, 'shop')\nregistry.versions()\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        "for _ in range(4):\n    registry.promote(sys.argv[1], datetime.now(UTC))\n"
    )
    environment = os.environ | {"PYTHONPATH": SOURCE}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, version], stdin=-1, stdout=-1, stderr=-1, text=True, env=environment
        )
        for version in ("1", "2")
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    champion, previous = registry.resolve(), registry.resolve("previous")
    assert champion.cltv is not None
    assert champion.cltv.version == champion.churn.version != previous.churn.version
    assert "champion" in champion.cltv.aliases
    assert registry.promotions()[-1].version == champion.churn.version
