from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
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

HEADER = "customer_id,occurred_at,amount\n"
SOUND = HEADER + "a,2026-10-01,1\na,2026-10-20,2\nb,2026-10-05,3\n"
MEND = "Mend them, or set data.on_bad_rows: quarantine."


@dataclass(frozen=True)
class Fault:
    """A shop with a fault: files by name, ``--set`` overrides, the exit code, and how the message begins."""

    code: int
    said: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


FAULTS = {
    "no file": Fault(
        10,
        "Table purchases is to be read from q.csv, but there is no such file (looked at {folder}/q.csv). "
        "Mend data.tables.purchases.path; relative paths start at the config's folder.",
        {},
        ("data.tables.purchases.path=q.csv",),
    ),
    "no column": Fault(
        11,
        "Table purchases needs a column amount; found customer_id, occurred_at, amuont. Did you mean 'amuont'? "
        "Map it: data.tables.purchases.columns: {{amount: …}}.",
        {"p.csv": SOUND.replace("amount", "amuont")},
    ),
    "misspelt key": Fault(
        2, "{folder}/shop.yaml: unknown key 'data.time_zone'. Did you mean 'timezone'?", {}, ("data.time_zone=UTC",)
    ),
    "unknown zone": Fault(
        2,
        "{folder}/shop.yaml: data.timezone is no time zone. Did you mean 'Asia/Tokyo'? (found 'Asia/Tokjo').",
        {},
        ("data.timezone=Asia/Tokjo",),
    ),
    "unknown table": Fault(
        2, "{folder}/shop.yaml: data.tables has no table 'orders'. ", {}, ("data.tables.orders.path=p.csv",)
    ),
    "empty table": Fault(
        10,
        "Table purchases is empty: 0 rows. Load it, or take data.tables.purchases out of the config.",
        {"p.csv": HEADER},
    ),
    "empty file": Fault(
        10, "Table purchases cannot be read: p.csv is empty: it has not even a header. Export it again.", {"p.csv": ""}
    ),
    "only future rows": Fault(
        10,
        "Table purchases holds only future rows: all 1 are dated after ",
        {"p.csv": HEADER + "a,2999-01-01,1\n"},
    ),
    "duplicate customers": Fault(
        11,
        "Table customers must hold one row per customer; found 1 with more, such as a. "
        "Keep one row each, or name the column that dates them: valid_from.",
        {"c.csv": "customer_id\na\na\n"},
        ("data.tables.customers.path=c.csv",),
    ),
    "duplicate customer and day": Fault(
        11,
        "Table customers must hold one row per customer and valid_from; found 1 with more, such as a. Keep one row each.",
        {"c.csv": "customer_id,valid_from\na,2026-01-01\na,2026-01-01T10:00:00\na,2026-01-02\n"},
        ("data.tables.customers.path=c.csv",),
    ),
    "duplicate labels": Fault(
        11,
        "Table labels must hold one row per customer; found 1 with more, such as a. "
        "Keep one row each, or name the column that dates them: as_of.",
        {"l.csv": "customer_id,churned\na,yes\na,no\n"},
        ("data.tables.labels.path=l.csv",),
    ),
    "two currencies": Fault(
        11,
        "Money must be in one currency; table purchases holds JPY, USD. "
        "Convert the amounts, or select one currency in the query.",
        {"p.csv": HEADER.replace("\n", ",currency\n") + "a,2026-10-01,1,JPY\nb,2026-10-01,1,USD\n"},
    ),
    "another currency": Fault(
        11,
        "Money must be in one currency; table purchases holds JPY and data.currency says EUR. ",
        {"p.csv": HEADER.replace("\n", ",currency\n") + "a,2026-10-01,1,JPY\n"},
        ("data.currency=EUR",),
    ),
    "era dates": Fault(
        11,
        "purchases.occurred_at: 2 of 3 rows cannot be read as a day (ISO 8601 or YYYY/MM/DD), "
        "such as 'R8/10/1', '令和8年10月20日'. "
        f"Japanese era dates are not read; write the western year, as in 2026-11-16. {MEND}",
        {"p.csv": SOUND.replace("2026-10-01", "R8/10/1").replace("2026-10-20", "令和8年10月20日")},
    ),
    "thousands": Fault(
        11,
        f"purchases.amount: 1 of 3 rows cannot be read as a number, such as '1,234'. {MEND}",
        {"p.csv": SOUND.replace("01,1", '01,"1,234"')},
    ),
    "no id": Fault(
        11,
        f"purchases.customer_id: 2 of 3 rows are empty, such as '(empty)'. {MEND}",
        {"p.csv": SOUND.replace("a,", ",")},
    ),
    "a return denied": Fault(
        11,
        f"purchases.is_return (their amount): 1 of 2 rows have is_return false and a negative amount, such as '-1'. {MEND}",
        {"p.csv": HEADER.replace("\n", ",is_return\n") + "a,2026-10-01,-1,false\nb,2026-10-01,1,\n"},
    ),
    "cp932": Fault(
        11,
        "Table purchases cannot be read: Line 3 of p.csv is not UTF-8; it reads as Shift_JIS (cp932). "
        "Export it again as UTF-8 (in Excel: CSV UTF-8).",
        {"p.csv": (HEADER + "a,2026-10-01,1\n山,2026-10-01,1\n").encode("cp932")},
    ),
    "ragged": Fault(
        11,
        "Table purchases cannot be read: line 4 of p.csv has 2 cells and the header 3. Mend that line, or quote its cells.",
        {"p.csv": SOUND.replace("b,2026-10-05,3", "b,2026-10-05")},
    ),
    "a folder of something else": Fault(
        10,
        "Table purchases is to be read from the folder data, but it holds no .parquet file (1 other files). ",
        {"data/x.txt": "x"},
        ("data.tables.purchases.path=data",),
    ),
    "corrupt Parquet": Fault(
        11,
        "Table purchases cannot be read: ",
        {"p.parquet": b"PAR1 and nothing more PAR1"},
        ("data.tables.purchases.path=p.parquet",),
    ),
    "query that is no SQL": Fault(
        2,
        'The query of table purchases fails: syntax error at or near "selct". Its input is called source.',
        {},
        ("data.tables.purchases.query=selct * from source",),
    ),
    "query that loses a column": Fault(
        11,
        "Table purchases needs a column occurred_at; found customer_id, amount. "
        "Map it: data.tables.purchases.columns: {{occurred_at: …}}.",
        {},
        ("data.tables.purchases.query=select customer_id, amount from source",),
    ),
    "no variable": Fault(
        2,
        "data.tables.purchases.path reads the environment variable KIZUNA_NO_SUCH, which is not set. Set it and run again.",
        {},
        ("data.tables.purchases.path=${KIZUNA_NO_SUCH}",),
    ),
    "a server that is not there": Fault(
        75,
        "Table purchases: the postgresql server did not answer (OperationalError). Check its address, or try again later.",
        {},
        ("data.tables.purchases={uri: 'postgresql://user:secret@127.0.0.1:1/shop', query: select 1}",),
    ),
    "a definition without its table": Fault(
        11,
        "churn.definition cancellation needs the table subscriptions; found purchases. "
        "Add it under data.tables, or choose another definition.",
        {},
        ("churn.definition=cancellation",),
    ),
}


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
    config = write_shop(tmp_path, {"p.csv": SOUND + "c,2026-10-01,=1+1\n"})
    assert kizuna("check", config)[0] == 11
    report = pd.read_csv(tmp_path / "out/check/report.csv", keep_default_na=False)
    assert report.loc[0, "examples"] == "'=1+1"
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
