"""The record of the forgotten, and what loading leaves out because of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kizuna.config_file import parse_config
from kizuna.data.forgotten import FILE, FOLDER, Forgotten, read_forgotten, remember_forgotten, require_none_since
from kizuna.data.loading import open_store
from kizuna.errors import ResultError, Transient

TODAY = 20_500
HOSTILE = [
    "7",
    "a'b",
    "../../x",
    "'; DROP TABLE typed_purchases; --",
    "山田",
    "a\x00b",
    "a\nb",
    "=1+1",
    "🙂" * 30,
    "NULL",
]


def opened(folder: Path, purchases: pd.DataFrame, **data: Any) -> Any:
    tree = {"name": "shop", "data": {"tables": {}} | data, "output": {"dir": str(folder)}}
    return open_store(parse_config(tree), TODAY, {"purchases": purchases})


def bought(*ids: Any, amount: Any = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(ids), "occurred_at": "2026-01-05", "amount": amount})


def test_the_record_knows_whom_it_holds_and_does_not_say_who(tmp_path: Path) -> None:
    assert read_forgotten(tmp_path) == Forgotten()
    assert "a" not in read_forgotten(tmp_path)
    assert remember_forgotten(tmp_path, "kanarie-7")
    assert not remember_forgotten(tmp_path, "kanarie-7")
    assert remember_forgotten(tmp_path, "山田")
    record = read_forgotten(tmp_path)
    assert ("kanarie-7" in record, "山田" in record, "kanarie-77" in record) == (True, True, False)
    path = tmp_path / FOLDER / FILE
    assert "kanarie" not in path.read_text()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    other = tmp_path / "other"
    remember_forgotten(other, "kanarie-7")
    assert read_forgotten(other).hashes.isdisjoint(record.hashes)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"salt": "x", "sha256": []}', '{"salt": 3}', "\x00"])
def test_a_record_that_cannot_be_read_stops_every_run(text: str, tmp_path: Path) -> None:
    remember_forgotten(tmp_path, "a")
    path = tmp_path / FOLDER / FILE
    path.write_text(text)
    with pytest.raises(ResultError) as said:
        opened(tmp_path, bought("a"))
    assert str(said.value) == (
        f"{path} says who is forgotten, but it cannot be read, and nothing may be written of them. "
        "Put it back from a backup, or forget those customers again after removing it."
    )


def test_loading_leaves_out_the_forgotten_and_nobody_else(tmp_path: Path) -> None:
    remember_forgotten(tmp_path, "7")
    store = opened(tmp_path, bought("7", "1007", "07", "70", " 7", "7"))
    assert store.ids().tolist() == [" 7", "07", "1007", "70"]
    assert (store.tables["purchases"].rows, store.tables["purchases"].orphan_rows, store.forgotten_rows) == (4, 0, 2)


def test_an_id_that_a_source_holds_as_a_number_is_the_same_customer(tmp_path: Path) -> None:
    remember_forgotten(tmp_path, "7")
    assert opened(tmp_path, bought(7.0, 8.0)).ids().tolist() == ["8"]


@pytest.mark.parametrize("who", HOSTILE)
def test_ids_of_any_letters_are_left_out(who: str, tmp_path: Path) -> None:
    remember_forgotten(tmp_path, who)
    others = sorted((set(HOSTILE) | {"z"}) - {who}, key=str.encode)
    assert opened(tmp_path, bought(*HOSTILE, "z")).ids().tolist() == others


def test_what_is_wrong_with_their_rows_is_neither_told_nor_set_aside(tmp_path: Path) -> None:
    rows = bought("a", "b", "b", amount=["1", "many", "2"])
    assert [finding.name for finding in opened(tmp_path, rows).findings] == ["bad_rows"]
    remember_forgotten(tmp_path, "b")
    assert opened(tmp_path, rows).findings == []
    both = pd.concat([rows, bought("c", amount="few")])
    store = opened(tmp_path, both, on_bad_rows="quarantine")
    assert [finding.count for finding in store.findings] == [1]
    aside = pd.read_parquet(tmp_path / "check/quarantine/purchases.parquet")
    assert aside["customer_id"].tolist() == ["c"]


def test_the_record_of_a_hundred_is_a_hundred_hashes(tmp_path: Path) -> None:
    for number in range(100):
        remember_forgotten(tmp_path, f"c{number}")
    tree = json.loads((tmp_path / FOLDER / FILE).read_text())
    assert (len(tree["sha256"]), len(set(tree["sha256"])), set(tree)) == (100, 100, {"salt", "sha256"})
    assert opened(tmp_path, bought(*(f"c{number}" for number in range(101)))).ids().tolist() == ["c100"]


def test_what_was_loaded_before_somebody_was_forgotten_is_not_written(tmp_path: Path) -> None:
    store = opened(tmp_path, bought("a", "b"))
    require_none_since(tmp_path, store.forgotten)
    remember_forgotten(tmp_path, "b")
    with pytest.raises(Transient) as said:
        require_none_since(tmp_path, store.forgotten)
    assert str(said.value) == (
        "A customer was forgotten while this run had the tables open, so what it made of them is not written. Run again."
    )
    require_none_since(tmp_path, opened(tmp_path, bought("a", "b")).forgotten)
