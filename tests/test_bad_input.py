from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands import kizuna
from tests.faults import FAULTS, HEADER, SOUND


def write_shop(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in ({"p.csv": SOUND} | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    config = folder / "shop.yaml"
    config.write_text("name: shop\ndata: {tables: {purchases: {path: p.csv}}}\noutput: {dir: out}\n")
    return config


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_with_its_code_and_words(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    config = write_shop(tmp_path, fault.files)
    options = [word for override in fault.overrides for word in ("--set", override)]
    said = fault.said.format(folder=tmp_path)
    target = tmp_path / "f.parquet"
    code, out, err = kizuna("features", config, "--as-of", "2026-10-25", "--out", target, *options)
    assert (code, out) == (fault.code, "")
    assert err.startswith(f"kizuna: {said}")
    assert len(err.splitlines()) <= 3
    assert "secret" not in err
    assert "Traceback" not in err
    assert not target.exists()
    code, out, err = kizuna("check", config, *options)
    assert code == fault.code
    if fault.code in (10, 11):
        assert err == ""
        assert said in out
        assert said in set(pd.read_csv(tmp_path / "out/check/report.csv")["details"].str[: len(said)])
    else:
        assert (out, err.startswith(f"kizuna: {said}")) == ("", True)


def test_the_sound_shop_of_these_tests_is_sound(tmp_path: Path) -> None:
    config = write_shop(tmp_path, {})
    code, out, _ = kizuna("features", config, "--as-of", "2026-10-25", "--out", tmp_path / "f.parquet")
    assert (code, out.split(",")[0]) == (0, "2 rows")
    assert pd.read_parquet(tmp_path / "f.parquet")["customer_id"].tolist() == ["a", "b"]


def test_two_faults_are_both_said_and_the_worst_decides(tmp_path: Path) -> None:
    config = write_shop(tmp_path, {"p.csv": SOUND.replace("a,2026-10-01", "a,10/01/2026")})
    missing = ("--set", "data.tables.complaints.path=no.csv")
    code, out, err = kizuna("check", config, *missing)
    assert (code, err) == (11, "")
    assert [line.split()[:3] for line in out.splitlines()[1:3]] == [
        ["ERROR", "bad_rows", "(purchases.occurred_at,"],
        ["ERROR", "missing_table", "(complaints,"],
    ]
    code, out, err = kizuna("features", config, "--as-of", "2026-10-25", "--out", tmp_path / "f.parquet", *missing)
    assert (code, out, len(err.splitlines())) == (11, "", 2)
    assert err.startswith("kizuna: purchases.occurred_at: 1 of 3 rows cannot be read as a day")


def test_quarantine_goes_on_with_the_rest(tmp_path: Path) -> None:
    config = write_shop(tmp_path, {"p.csv": SOUND + "c,soon,1\n"})
    quarantine = ("--set", "data.on_bad_rows=quarantine")
    code, out, _ = kizuna("check", config, *quarantine)
    assert code == 0
    assert "purchases: 3 rows, 2026-10-01 to 2026-10-20" in out
    assert "WARNING         bad_rows (purchases.occurred_at, 1): " in out
    assert pd.read_parquet(tmp_path / "out/check/quarantine/purchases.parquet")["customer_id"].tolist() == ["c"]
    assert kizuna("features", config, "--as-of", "2026-10-25", "--out", tmp_path / "f.parquet", *quarantine)[0] == 0


HOSTILE = [
    "../../x",
    "'; DROP TABLE purchases; --",
    '"',
    "a\nb",
    "=1+1",
    "<b>",
    "%s{0}",
    "🙂" * 50,
    "NULL",
    "\u202e",
    "a\x00b",
]


def test_the_written_report_holds_no_formula(tmp_path: Path) -> None:
    config = write_shop(tmp_path, {"p.csv": SOUND + 'c,2026-10-01,"-1,234"\n'})
    assert kizuna("check", config)[0] == 11
    report = pd.read_csv(tmp_path / "out/check/report.csv", keep_default_na=False)
    assert report.loc[0, "examples"] == "'-1,234"
    assert not report.map(lambda cell: str(cell).startswith(("=", "+", "-", "@"))).any(axis=None)


def test_hostile_ids_are_ids(tmp_path: Path) -> None:
    orders = pd.DataFrame({"customer_id": HOSTILE, "occurred_at": "2026-10-01", "amount": 1.0})
    config = write_shop(tmp_path, {})
    orders.to_parquet(tmp_path / "p.parquet")
    code, _, _ = kizuna(
        *("features", config, "--as-of", "2026-10-25", "--out", tmp_path / "f.parquet"),
        *("--set", "data.tables.purchases.path=p.parquet"),
    )
    assert code == 0
    assert pd.read_parquet(tmp_path / "f.parquet")["customer_id"].tolist() == sorted(HOSTILE, key=str.encode)
    assert {path.name for path in tmp_path.iterdir()} == {"p.csv", "p.parquet", "shop.yaml", "f.parquet"}


@pytest.mark.parametrize(
    "name", ["at", "select", 'a"b', "'; --", "a b", "日付", "customer", "day", "known", "unreadable", "source"]
)
def test_a_column_may_have_any_name(name: str, tmp_path: Path) -> None:
    config = write_shop(tmp_path, {})
    orders = pd.DataFrame({"customer_id": ["a"], name: ["2026-10-01"], "amount": [1.0]})
    orders.to_parquet(tmp_path / "p.parquet")
    source = {"path": "p.parquet", "columns": {"occurred_at": name}}
    tree = {"name": "shop", "data": {"tables": {"purchases": source}}, "output": {"dir": "out"}}
    config.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    assert kizuna("features", config, "--as-of", "2026-10-25", "--out", tmp_path / "f.parquet")[0] == 0
    assert len(pd.read_parquet(tmp_path / "f.parquet")) == 1


CELL = st.text(st.sampled_from('a0,;\t"\n\r\\ é\ufeff\x00-'), max_size=6) | st.sampled_from(
    ["2026-10-01", "1", "nan", "R8/1/1"]
)
WRONG_TYPES: dict[str, Callable[[], Any]] = {
    "lists": lambda: [[1], [2], [3]],
    "dicts": lambda: [{"a": 1}] * 3,
    "bytes": lambda: [b"\xff\xfe"] * 3,
    "times of day": lambda: pd.array(pd.to_datetime(["2026-10-01 10:00"] * 3).time, dtype="object"),
    "spans": lambda: pd.to_timedelta([1, 2, 3], unit="D"),
    "flags": lambda: [True, False, None],
    "infinity": lambda: [np.inf, -np.inf, np.nan],
    "nothing": lambda: [None, None, None],
    "complex": lambda: [1 + 2j] * 3,
}


@settings(max_examples=60)
@given(content=st.lists(st.lists(CELL, max_size=5), max_size=5) | st.binary(max_size=80), header=st.booleans())
def test_no_csv_whatever_it_holds_is_unexpected(content: Any, header: bool) -> None:
    body = content if isinstance(content, bytes) else "\n".join(",".join(row) for row in content).encode()
    with tempfile.TemporaryDirectory() as folder:
        config = write_shop(Path(folder), {"p.csv": (HEADER.encode() if header else b"") + body})
        code, _, err = kizuna("check", config)
        assert (code in (0, 10, 11), err) == (True, "")


@pytest.mark.parametrize("kind", WRONG_TYPES)
@pytest.mark.parametrize("column", ["customer_id", "occurred_at", "amount", "is_return", "order_id", "delivered_at"])
def test_no_type_of_a_column_is_unexpected(kind: str, column: str, tmp_path: Path) -> None:
    config = write_shop(tmp_path, {})
    orders = pd.DataFrame({"customer_id": list("abc"), "occurred_at": "2026-10-01", "amount": 1.0})
    orders[column] = WRONG_TYPES[kind]()
    if kind == "complex":
        orders = orders.astype({column: "str"})
    orders.to_parquet(tmp_path / "p.parquet")
    code, out, err = kizuna("check", config, "--set", "data.tables.purchases.path=p.parquet")
    assert (code in (0, 11), err) == (True, ""), out
    if kind in ("lists", "nothing") and column in ("occurred_at", "amount"):
        assert code == 11


def test_a_database_that_is_in_use_is_worth_a_retry(tmp_path: Path) -> None:
    config = write_shop(tmp_path, {})
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS x").fetchall()
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path / "shop.duckdb"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        options = ("--set", "data.tables.purchases={path: shop.duckdb, table: orders}")
        code, out, err = kizuna("check", config, *options)
        holder.stdin.close()
    assert (code, out) == (75, "")
    assert err == (
        "kizuna: Table purchases: shop.duckdb is in use by another program. Close it there, or try again later.\n"
    )
