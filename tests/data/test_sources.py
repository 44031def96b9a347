from __future__ import annotations

import gc
import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.data.two_orders import TEXT, frame, write_csv, write_duckdb, write_sqlite

from kizuna import Project
from kizuna.config_file import load_config
from kizuna.data.sources import connect
from kizuna.errors import ConfigError, ContractError, DataMissing

EXPECTED = [("007", "2026-11-16", 5.0), ("NA", "2026-11-17", 7.5)]


def write_csv_gz(path: Path) -> dict[str, Any]:
    (path / "p.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    return {"path": "p.csv.gz"}


def write_csv_zst(path: Path) -> dict[str, Any]:
    with pa.output_stream(path / "p.csv.zst", compression="zstd") as stream:
        stream.write(TEXT.encode())
    return {"path": "p.csv.zst"}


def write_tsv(path: Path) -> dict[str, Any]:
    (path / "p.tsv").write_text(TEXT.replace(",", "\t"))
    return {"path": "p.tsv"}


def write_csv_with_bom(path: Path) -> dict[str, Any]:
    (path / "p.csv").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    return {"path": "p.csv"}


def write_windows_csv(path: Path) -> dict[str, Any]:
    (path / "p.CSV").write_bytes(b"\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n").encode() + b"\r\n")
    return {"path": "p.CSV"}


def write_csv_glob(path: Path) -> dict[str, Any]:
    (path / "day1.csv").write_text("customer_id,occurred_at,amount\n007,2026-11-16,5\n")
    (path / "day2.csv").write_text("amount,new,occurred_at,customer_id\n7.5,x,2026-11-17,NA\n")
    return {"path": "day*.csv"}


def write_parquet(path: Path) -> dict[str, Any]:
    frame().to_parquet(path / "p.parquet")
    return {"path": "p.parquet"}


def write_parquet_folder(path: Path) -> dict[str, Any]:
    for month, rows in (("10", frame()[:1]), ("11", frame()[1:])):
        (path / f"orders/month={month}").mkdir(parents=True)
        rows.to_parquet(path / f"orders/month={month}/part-0.parquet")
    (path / "orders/_SUCCESS").touch()
    (path / "orders/_temporary").mkdir()
    frame().to_parquet(path / "orders/_temporary/part-1.parquet")
    return {"path": "orders"}


def write_parquet_glob(path: Path) -> dict[str, Any]:
    frame()[:1].to_parquet(path / "a[1].parquet")
    frame()[1:].assign(channel="web").to_parquet(path / "a[2].parquet")
    return {"path": "a*.parquet"}


def write_sqlite_query(path: Path) -> dict[str, Any]:
    return {"path": write_sqlite(path)["path"], "query": "select * from orders; "}


def write_sqlite_source(path: Path) -> dict[str, Any]:
    return write_sqlite(path) | {"query": "select * from source where amount > 0"}


def write_sqlite_uri(path: Path) -> dict[str, Any]:
    write_sqlite(path)
    return {"uri": "sqlite:///shop.sqlite", "table": "orders"}


def write_absolute(path: Path) -> dict[str, Any]:
    return {"path": str(path / write_csv(path)["path"])}


def write_query(path: Path) -> dict[str, Any]:
    (path / "raw.csv").write_text("user;at;total;state\n007;2026-11-16;¥5;paid\nNA;2026-11-17;¥7.5;paid\nx;?;?;open\n")
    query = """
        select user as customer_id, "at" as occurred_at, cast(replace(total, '¥', '') as double) as amount -- yen
        from source where state = 'paid';
    """
    return {"path": "raw.csv", "query": query}


def write_renamed(path: Path) -> dict[str, Any]:
    (path / "p.csv").write_text(
        TEXT.replace("customer_id", "at").replace("occurred_at", "select").replace("amount", '"a""b"')
    )
    return {"path": "p.csv", "columns": {"customer_id": "at", "occurred_at": "select", "amount": 'a"b'}}


WRITERS = [
    *(write_csv, write_csv_gz, write_csv_zst, write_tsv, write_csv_with_bom, write_windows_csv, write_csv_glob),
    *(write_parquet, write_parquet_folder, write_parquet_glob, write_duckdb, write_sqlite, write_sqlite_query),
    *(write_sqlite_source, write_sqlite_uri, write_absolute, write_query, write_renamed),
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_source_gives_the_same_two_rows(write: Any, tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    store = open_shop({"purchases": write(tmp_path)})
    store.require_sound()
    assert rows_of(store, "purchases", "amount") == EXPECTED


def test_zoned_times_are_converted_whatever_their_precision(tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    late = [datetime(2026, 11, 16, 14, 59), datetime(2026, 11, 16, 15)]
    for unit in ("s", "ms", "us", "ns"):
        times = pa.array(late, pa.timestamp(unit, "UTC"))
        pq.write_table(
            pa.table({"customer_id": ["a", "b"], "occurred_at": times, "amount": [1, 2]}), tmp_path / "p.parquet"
        )
        store = open_shop({"purchases": {"path": "p.parquet"}}, timezone="Asia/Tokyo")
        assert rows_of(store, "purchases") == [("a", "2026-11-16"), ("b", "2026-11-17")]


def test_the_environment_is_read_and_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/shop.yaml").write_text('name: shop\ndata: {tables: {purchases: {path: "../${SHOP_FILE}.csv"}}}\n')
    monkeypatch.setenv("SHOP_FILE", "p")
    monkeypatch.chdir("/")
    config = load_config(tmp_path / "conf/shop.yaml")
    assert Project(config).store.tables["purchases"].rows == 2
    assert config.document["data"]["tables"]["purchases"]["path"] == "../${SHOP_FILE}.csv"


def error_of(open_shop: Any, source: dict[str, Any]) -> str:
    """The one error of a shop whose purchases come from ``source``, after its exit code."""
    store = open_shop({"purchases": source})
    [finding] = [item for item in store.findings if item.state == "error"]
    return f"{finding.exit_code} {finding.details}"


def test_missing_and_unreadable_files(tmp_path: Path, open_shop: Any) -> None:
    mend = "Mend data.tables.purchases.path; relative paths start at the config's folder."
    assert error_of(open_shop, {"path": "no.csv"}) == (
        f"10 Table purchases is to be read from no.csv, but there is no such file (looked at {tmp_path}/no.csv). {mend}"
    )
    assert error_of(open_shop, {"path": "no*.parquet"}).startswith(
        "10 Table purchases is to be read from no*.parquet, but"
    )
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/notes.csv").touch()
    assert error_of(open_shop, {"path": "folder"}) == (
        "10 Table purchases is to be read from the folder folder, but it holds no .parquet file (1 other files). "
        "Mend data.tables.purchases.path; several CSV files need a pattern: folder/*.csv."
    )
    (tmp_path / "bad.parquet").write_text("no Parquet at all")
    assert error_of(open_shop, {"path": "bad.parquet"}).endswith("Mend bad.parquet, or export it again.")
    assert error_of(open_shop, {"path": "bad.parquet"}).startswith("11 Table purchases cannot be read: ")
    (tmp_path / "bad.sqlite").write_text("no database at all")
    assert error_of(open_shop, {"path": "bad.sqlite", "table": "x"}) == (
        "11 Table purchases: bad.sqlite is no SQLite database. Check the path."
    )
    (tmp_path / "bad.duckdb").write_text("no database at all")
    assert error_of(open_shop, {"path": "bad.duckdb", "table": "x"}).startswith("11 Table purchases cannot be read: ")


QUERY_FAULTS = {
    "selec * from source": (ConfigError, 'syntax error at or near "selec". Its input is called source.'),
    "select nope from source": (ConfigError, "not found in FROM clause"),
    "select * from orders": (ConfigError, "Table with name orders does not exist"),
    "select 1; select 2": (ConfigError, "must be one SELECT over source. Mend data.tables.purchases.query."),
    "drop table source": (ConfigError, "must be one SELECT over source. Mend data.tables.purchases.query."),
}


@pytest.mark.parametrize("query", QUERY_FAULTS)
def test_a_query_that_is_wrong_is_the_configs_fault(query: str, tmp_path: Path, open_shop: Any) -> None:
    kind, said = QUERY_FAULTS[query]
    with pytest.raises(kind) as caught:
        open_shop({"purchases": write_csv(tmp_path) | {"query": query}})
    assert str(caught.value).startswith("The query of table purchases ")
    assert said in str(caught.value)
    assert "LINE 1" not in str(caught.value)


def test_a_query_that_its_rows_break_is_the_datas_fault(tmp_path: Path, open_shop: Any) -> None:
    source = write_csv(tmp_path)
    assert error_of(open_shop, source | {"query": "select amount from source"}) == (
        "11 Table purchases needs a column customer_id; found amount. Map it: data.tables.purchases.columns: {customer_id: …}."
    )
    query = "select * replace (cast(customer_id as integer) as customer_id) from source"
    said = error_of(open_shop, source | {"query": query})
    assert said.startswith("11 The query of table purchases meets rows that it cannot convert: ")
    assert said.endswith("Could not convert string '…' to 'INTEGER'. Mend them, or use try_cast in the query.")


def test_files_and_frames_that_are_none(tmp_path: Path, open_shop: Any) -> None:
    (tmp_path / "p.xlsx").touch()
    with pytest.raises(
        ConfigError, match=r"^Table purchases: p.xlsx is none of .parquet, .csv, .tsv \(also .gz\), .duckdb, "
    ):
        open_shop({"purchases": {"path": "p.xlsx"}})
    with pytest.raises(
        ConfigError, match=r"^For table purchases a list was handed in. Hand in a pandas, Arrow or Polars fr"
    ):
        open_shop({}, {"purchases": [1, 2]})
    twice = pd.DataFrame(np.ones((1, 2)), columns=["a", "a"])
    assert [item.details for item in open_shop({}, {"purchases": twice}).findings] == [
        "The frame for table purchases has several columns 'a'. Keep one of them."
    ]
    (tmp_path / "delta/_delta_log").mkdir(parents=True)
    with pytest.raises(
        ConfigError, match=r"^Table purchases: delta is a Delta table, whose folder also holds rows deleted"
    ):
        open_shop({"purchases": {"path": "delta"}})


def test_a_missing_table_may_degrade(tmp_path: Path, open_shop: Any) -> None:
    source = write_csv(tmp_path)
    store = open_shop({"purchases": source, "complaints": {"path": "no.csv", "on_missing": "degrade"}})
    store.require_sound()
    assert [(item.name, item.state, item.table) for item in store.findings] == [
        ("missing_table", "warning", "complaints")
    ]
    broken = open_shop({"purchases": source, "complaints": {"path": "no.csv"}, "surveys": source})
    with pytest.raises(ContractError):
        broken.require_sound()
    only_missing = open_shop({"purchases": source, "complaints": {"path": "no.csv"}})
    with pytest.raises(DataMissing):
        only_missing.require_sound()


def test_what_does_not_fit_into_memory_goes_to_a_private_folder_that_does_not_stay() -> None:
    connections = [connect(1, 1.0), connect(1, 1.0)]
    query = "SELECT current_setting('temp_directory')"
    folders = [Path(connection.execute(query).fetchall()[0][0]) for connection in connections]
    assert folders[0] != folders[1]
    assert {oct(folder.stat().st_mode)[-3:] for folder in folders} == {"700"}
    for connection in connections:
        connection.execute("SET memory_limit = '50MB'")
        connection.execute(
            "CREATE TABLE big AS SELECT range AS i, md5(CAST(range AS VARCHAR)) AS x FROM range(1_000_000)"
        )
        connection.execute("CREATE TABLE ordered AS SELECT * FROM big ORDER BY x")
    sums = [connection.execute("SELECT sum(i) FROM ordered").fetchall() for connection in connections]
    assert sums == [[(1_000_000 * 999_999 // 2,)]] * 2
    del connections, connection
    gc.collect()
    assert not any(folder.exists() for folder in folders)
