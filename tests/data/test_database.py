from __future__ import annotations

import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import pytest
from tests.data.two_orders import write_duckdb, write_sqlite

from kizuna.errors import ConfigError, Transient
from servers import postgresql_server


def test_sqlite_cells_of_several_types_in_one_column(tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE orders (customer_id, occurred_at, amount)")
    rows = [(7, "2026-11-16", 1)] * 3000 + [("A1", 20261117, 2.5), ("A2", "2026-11-17", "3")]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    store = open_shop({"purchases": {"path": "shop.db", "table": "orders"}})
    store.require_sound()
    assert rows_of(store, "purchases", "amount")[-2:] == [("A1", "2026-11-17", 2.5), ("A2", "2026-11-17", 3.0)]
    assert store.tables["purchases"].rows == 3002


def test_two_tables_may_live_in_one_duckdb_file(tmp_path: Path, open_shop: Any) -> None:
    source = write_duckdb(tmp_path)
    query = "select distinct customer_id from source"
    store = open_shop({"purchases": source, "customers": source | {"query": query}})
    assert {name: info.rows for name, info in store.tables.items()} == {"customers": 2, "purchases": 2}


def error_of(open_shop: Any, source: dict[str, Any]) -> str:
    """The one error of a shop whose purchases come from ``source``, after its exit code."""
    store = open_shop({"purchases": source})
    [finding] = [item for item in store.findings if item.state == "error"]
    return f"{finding.exit_code} {finding.details}"


def test_a_table_that_a_database_does_not_hold(tmp_path: Path, open_shop: Any) -> None:
    for source in (write_duckdb(tmp_path), write_sqlite(tmp_path)):
        held = source["table"]
        assert error_of(open_shop, {"path": source["path"], "table": held[:-1]}) == (
            f"10 Table purchases asks for '{held[:-1]}', but the file holds {held}. Did you mean '{held}'? "
            "Mend data.tables.purchases.table."
        )
        with pytest.raises(
            ConfigError, match=f"^Table purchases is in a database file; say which .* It holds {held}.$"
        ):
            open_shop({"purchases": {"path": source["path"]}})
    with pytest.raises(
        ConfigError, match="^The query of table purchases fails: no such table: nope. It runs inside shop.sql"
    ):
        open_shop({"purchases": {"path": "shop.sqlite", "query": "select * from nope"}})
    missing = error_of(open_shop, {"uri": "sqlite:///no.db", "table": "x"})
    assert missing.startswith("10 Table purchases is to be read from sqlite:///no.db, but there is no such file")
    assert not (tmp_path / "no.db").exists()


def test_a_server_that_does_not_answer_is_worth_a_retry(open_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    source = {"uri": f"postgresql://user:secret@127.0.0.1:{port}/shop", "query": "select 1"}
    with pytest.raises(Transient) as caught:
        open_shop({"purchases": source})
    assert str(caught.value) == (
        "Table purchases: the postgresql server did not answer (OperationalError). Check its address, or try again later."
    )
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(ConfigError) as refused:
        open_shop({"purchases": source})
    assert str(refused.value) == (
        "Table purchases is read from postgresql, whose driver adbc-driver-postgresql is not installed. "
        "Install it: pip install 'kizuna[postgres]'."
    )
    with pytest.raises(
        ConfigError, match=r"^Table purchases: the uri has no scheme such as postgresql:// or sqlite:///. Mend"
    ):
        open_shop({"purchases": {"uri": "/srv/warehouse", "query": "select 1"}})
    with pytest.raises(ConfigError, match=r"Install it: pip install adbc-driver-nosuch.$"):
        open_shop({"purchases": {"uri": "nosuch://x", "query": "select 1"}})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The uri of a PostgreSQL of its own, with a table crm.orders."""
    with postgresql_server() as uri:
        with adbc_driver_postgresql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA crm")
            cursor.execute(
                "CREATE TABLE crm.orders (id uuid, at timestamptz, local timestamp, total numeric(10, 2), kind char(5), x jsonb)"
            )
            cursor.execute(
                "INSERT INTO crm.orders VALUES ('00000000-0000-0000-0000-000000000007', '2026-11-16 15:00+00', "
                "'2026-11-16 23:59', 1234.50, 'ab', '{}')"
            )
            connection.commit()
        yield uri


@pytest.mark.slow
def test_postgresql(server: str, open_shop: Any, rows_of: Any) -> None:
    columns = {"customer_id": "id", "occurred_at": "at", "amount": "total", "category": "x"}
    query = "select id as customer_id, local as occurred_at, total as amount, kind as category from crm.orders"
    name = "00000000-0000-0000-0000-000000000007"
    by_table = open_shop(
        {"purchases": {"uri": server, "table": "crm.orders", "columns": columns}}, timezone="Asia/Tokyo"
    )
    assert rows_of(by_table, "purchases", "amount", "category") == [(name, "2026-11-17", 1234.5, "{}")]
    by_query = open_shop({"purchases": {"uri": server, "query": query}}, timezone="Asia/Tokyo")
    assert rows_of(by_query, "purchases", "amount", "category") == [(name, "2026-11-16", 1234.5, "ab   ")]
    for query, said in (
        ("selct 1", 'ERROR:  syntax error at or near "selct"'),
        ("select * from orders", 'ERROR:  relation "orders" does not exist'),
    ):
        with pytest.raises(ConfigError) as caught:
            open_shop({"purchases": {"uri": server, "query": query}})
        assert str(caught.value).startswith("The query of table purchases fails: ")
        assert said in str(caught.value)
    for wrong in (server.replace("secret", "wrong"), server.removesuffix("postgres") + "nodb"):
        with pytest.raises(ConfigError) as caught:
            open_shop({"purchases": {"uri": wrong, "query": "select 1"}})
        assert str(caught.value) == (
            "Table purchases: the postgresql server answers and refuses the log-in. "
            "Check the user, the password and the database name of the uri."
        )
    with pytest.raises(Transient, match=r"^Table purchases: the server broke off while answering. Try again later.$"):
        open_shop({"purchases": {"uri": server, "query": "select pg_terminate_backend(pg_backend_pid())"}})
