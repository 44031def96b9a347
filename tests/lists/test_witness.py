from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kizuna.errors import ModelError
from kizuna.lists.publication import lists_before
from kizuna.lists.witness import accept, contradiction, lost_line, made_with, model_files, refuse_replaced
from kizuna.tracking.registry import ModelPair, ModelVersion
from kizuna.words import accepted_line
from published import publish_list

ROW = [("a", 0.9, "target", "true")]


def version(name: str, number: str, sha256: str) -> ModelVersion:
    tags = {"artifact_sha256": sha256} if sha256 else {}
    return ModelVersion(name, number, "run", datetime(2026, 1, 1, tzinfo=UTC), ("champion",), tags)


def pair(number: str, churn: str, cltv: str = "") -> ModelPair:
    value = version("shop-cltv", number, cltv * 64) if cltv else None
    return ModelPair(version("shop-churn", number, churn * 64), value)


def publish_with(folder: Path, as_of: str, models: ModelPair) -> None:
    named = {"churn": f"shop-churn v{models.churn.version}"}
    publish_list(folder, as_of, ROW, models=named, model_files=model_files(models))


def test_the_manifest_names_version_run_and_hash() -> None:
    assert model_files(pair("3", "a", "b")) == {
        "churn": {"name": "shop-churn", "version": "3", "run_id": "run", "artifact_sha256": "a" * 64},
        "cltv": {"name": "shop-cltv", "version": "3", "run_id": "run", "artifact_sha256": "b" * 64},
    }
    assert set(model_files(pair("3", "a"))) == {"churn"}


def test_what_lists_were_made_with_and_what_no_list_names_is_taken(tmp_path: Path) -> None:
    refuse_replaced(tmp_path, pair("1", "a"))
    publish_with(tmp_path, "2026-01-05", pair("1", "a", "b"))
    for known in (pair("1", "a", "b"), pair("1", "a"), pair("2", "c", "d"), pair("1", "")):
        refuse_replaced(tmp_path, known)


def test_lists_of_before_this_was_recorded_witness_nothing(tmp_path: Path) -> None:
    publish_list(tmp_path, "2026-01-05", ROW)
    refuse_replaced(tmp_path, pair("1", "x"))
    (old,) = lists_before(tmp_path, date.max)
    assert made_with(old, pair("1", "x"))
    assert not made_with(old, pair("2", "x"))


def test_other_files_under_the_same_number_are_refused_in_words(tmp_path: Path) -> None:
    publish_with(tmp_path, "2026-01-05", pair("1", "a", "b"))
    with pytest.raises(ModelError) as refused:
        refuse_replaced(tmp_path, pair("1", "c", "b"))
    assert str(refused.value) == (
        "Version 1 of 'shop-churn' was asked for, but the list of 2026-01-05 was made with other files under that number "
        "(sha256 aaaaaaaaaaaa… then, cccccccccccc… now): the MLflow store was replaced or the version overwritten.\n"
        "Restore the store from a backup, or, where the new model is meant, say so with 'kizuna promote CONFIG 1', and run "
        "again."
    )
    with pytest.raises(ModelError, match="Version 1 of 'shop-cltv' was asked for"):
        refuse_replaced(tmp_path, pair("1", "a", "c"))


def test_the_newest_list_that_names_a_version_counts_and_later_days_too(tmp_path: Path) -> None:
    publish_with(tmp_path, "2026-01-05", pair("1", "a"))
    publish_with(tmp_path, "2026-01-12", pair("1", "b"))
    publish_with(tmp_path, "2026-01-19", pair("2", "c"))
    assert contradiction(tmp_path, pair("1", "b")) is None
    found = contradiction(tmp_path, pair("1", "a"))
    assert found is not None
    assert (found.list_of, found.then_sha256) == (date(2026, 1, 12), "b" * 64)


def test_who_means_it_says_so_once(tmp_path: Path) -> None:
    publish_with(tmp_path, "2026-01-05", pair("1", "a", "b"))
    assert accept(tmp_path, pair("1", "a", "b")) is None
    assert not (tmp_path / ".promoted.json").exists()
    found = accept(tmp_path, pair("1", "c", "d"))
    assert found is not None
    assert accepted_line(found) == (
        "The list of 2026-01-05 was made with other files under version 1 of shop-churn; those of now are accepted from "
        "here on."
    )
    kept = tmp_path / ".promoted.json"
    assert json.loads(kept.read_text()) == {"shop-churn v1": ["c" * 64], "shop-cltv v1": ["d" * 64]}
    assert kept.stat().st_mode & 0o777 == 0o600
    refuse_replaced(tmp_path, pair("1", "c", "d"))
    assert contradiction(tmp_path, pair("1", "e")) is not None


@pytest.mark.parametrize("kept", ["", "[]", "null", '{"shop-churn v1": 7}', "\0"])
def test_a_broken_record_of_promotions_accepts_nothing(tmp_path: Path, kept: str) -> None:
    publish_with(tmp_path, "2026-01-05", pair("1", "a"))
    (tmp_path / ".promoted.json").write_text(kept)
    assert contradiction(tmp_path, pair("1", "c")) is not None
    accept(tmp_path, pair("1", "c"))
    assert contradiction(tmp_path, pair("1", "c")) is None


@pytest.mark.parametrize("files", [None, [], {"churn": "x"}, {"churn": {}}])
def test_a_manifest_that_holds_something_else_witnesses_nothing(tmp_path: Path, files: object) -> None:
    publish_list(tmp_path, "2026-01-05", ROW, model_files=files)
    assert contradiction(tmp_path, pair("1", "c")) is None


def test_a_list_knows_the_pair_that_made_it(tmp_path: Path) -> None:
    publish_with(tmp_path, "2026-01-05", pair("1", "a", "b"))
    (made,) = lists_before(tmp_path, date.max)
    assert made_with(made, pair("1", "a", "b"))
    assert not made_with(made, pair("1", "c", "b"))
    assert not made_with(made, pair("1", "a"))


def test_a_model_that_the_store_lost_is_named(tmp_path: Path) -> None:
    assert lost_line(tmp_path, []) == ""
    publish_with(tmp_path, "2026-01-05", pair("4", "a"))
    assert lost_line(tmp_path, [pair("4", "a").churn]) == ""
    assert lost_line(tmp_path, []) == (
        "\nThe list of 2026-01-05 was made with shop-churn v4. Where that should be there, restore the store from a backup."
    )
