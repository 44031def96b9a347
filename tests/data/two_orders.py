"""The same two orders in several sources: ids and times that are easily spoilt on the way."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

TEXT = "customer_id,occurred_at,amount\n007,2026-11-16,5\nNA,2026-11-17 23:59,7.5\n"


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["007", "NA"],
            "occurred_at": [datetime(2026, 11, 16), datetime(2026, 11, 17, 23, 59)],
            "amount": [5.0, 7.5],
        }
    )


def write_csv(path: Path) -> dict[str, Any]:
    (path / "p.csv").write_text(TEXT)
    return {"path": "p.csv"}


def write_duckdb(path: Path) -> dict[str, Any]:
    orders = frame()
    with duckdb.connect(path / "shop.db") as connection:
        connection.execute('CREATE TABLE "my orders" AS SELECT * FROM orders').fetchall()
    assert len(orders) == 2
    return {"path": "shop.db", "table": "my orders"}


def write_sqlite(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(path / "shop.sqlite")
    connection.execute("CREATE TABLE orders (customer_id TEXT, occurred_at TEXT, amount NUMERIC)")
    rows = [("007", "2026-11-16", 5), ("NA", "2026-11-17T23:59:00", 7.5)]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return {"path": "shop.sqlite", "table": "orders"}
