from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kizuna.errors import ContractError, DataMissing
from kizuna.timeline import day_of

HEADER = "customer_id,occurred_at,amount"


PURCHASES = {"purchases": {"path": "p.csv"}}


def details(store: Any, state: str = "error") -> list[str]:
    return [f"{item.exit_code} {item.details}" for item in store.findings if item.state == state]


def write(path: Path, *lines: str, header: str = HEADER, name: str = "p.csv") -> None:
    (path / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def test_ids_that_differ_only_in_case_stay_two_customers_in_byte_order(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, *(f'"{name}",2026-11-16,1' for name in ("b", "a", "B", "é", "a ", "007", "🙂", "ｚ")))
    assert list(open_shop(PURCHASES).ids()) == ["007", "B", "a", "a ", "b", "é", "ｚ", "🙂"]


def test_empty_tables_and_future_rows(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path)
    assert details(open_shop(PURCHASES)) == [
        "10 Table purchases is empty: 0 rows. Load it, or take data.tables.purchases out of the config."
    ]
    write(tmp_path, "a,2026-12-02,1", "b,2027-01-01,1")
    assert details(open_shop(PURCHASES)) == [
        "10 Table purchases holds only future rows: all 2 are dated after 2026-12-01. "
        "Check the clock, the zone and the mapping of its date column."
    ]
    write(tmp_path, "a,2026-12-01,1", "b,2026-12-02,1")
    store = open_shop(PURCHASES)
    assert details(store, "warning") == ["0 Table purchases: 1 of 2 rows are dated after 2026-12-01 and are ignored."]
    assert store.tables["purchases"].last_day == day_of(date(2026, 12, 1))


def test_days_and_known_days(tmp_path: Path, open_shop: Any) -> None:
    write(
        tmp_path,
        "a,2026-11-16,1,2026-11-18",
        "b,2026-11-16,1,",
        "c,2026-11-16,1,2026-11-01",
        header=HEADER + ",known_at",
    )
    write(tmp_path, "a,2026-11-16,1", name="f.csv", header="customer_id,as_of,x")
    write(tmp_path, "a,2026-11-16", "a,", name="c.csv", header="customer_id,valid_from")
    tables = PURCHASES | {"features": {"path": "f.csv"}, "customers": {"path": "c.csv"}}
    store = open_shop(tables)
    day = day_of(date(2026, 11, 16))

    def lags(name: str) -> list[tuple[int, int]]:
        query = f"SELECT day - {day}, known - {day} FROM clean_{name} ORDER BY customer, day DESC"
        return store.connection.execute(query).fetchall()

    assert lags("purchases") == [(0, 2), (0, 0), (0, 0)]
    assert lags("features") == [(-1, -1)]  # a supplied row may be used on its own day
    assert lags("customers")[0] == (0, 0)
    assert lags("customers")[1][0] < -1_000_000


def test_rows_of_customers_whom_no_table_knows_are_counted(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1")
    write(tmp_path, "a,2026-11-16", "b,2026-11-16", "b,2026-11-17", header="customer_id,occurred_at", name="e.csv")
    store = open_shop(PURCHASES | {"engagement": {"path": "e.csv"}})
    assert details(store, "warning") == [
        "0 Table engagement: 2 of 3 rows belong to customers that no other table knows; not used."
    ]
    assert (store.tables["engagement"].rows, store.tables["engagement"].orphan_rows, store.customers) == (1, 2, 1)
    write(tmp_path, "a,1", header="customer_id,churned", name="l.csv")
    without = open_shop({"labels": {"path": "l.csv"}, "engagement": {"path": "e.csv"}})
    assert list(without.ids()) == ["a", "b"]


def test_two_errors_at_once_are_both_said_and_the_worst_decides(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,soon,1", "b,2026-11-16,1")
    store = open_shop(PURCHASES | {"complaints": {"path": "no.csv"}})
    with pytest.raises(ContractError) as caught:
        store.require_sound()
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "purchases.occurred_at",
        f"Table complaints is to be read from no.csv, but there is no such file (looked at {tmp_path}/no.csv). "
        "Mend data.tables.complaints.path; relative paths start at the config's folder.".split(":")[0],
    ]
    with pytest.raises(DataMissing):
        open_shop({"complaints": {"path": "no.csv"}}).require_sound()


def test_a_block_reads_the_same_from_any_order_of_rows(tmp_path: Path, open_shop: Any) -> None:
    days = [date(2026, 11, 1) + timedelta(days=index % 5) for index in range(40)]
    lines = [f"c{index % 7},{day},{index % 3}" for index, day in enumerate(days)]
    write(tmp_path, *lines)
    first = open_shop(PURCHASES).events("purchases", 0, 7)
    write(tmp_path, *reversed(lines))
    second = open_shop(PURCHASES).events("purchases", 0, 7)
    assert first.day.tolist() == second.day.tolist()
    assert first.numbers["amount"].tolist() == second.numbers["amount"].tolist()
    assert first.starts.tolist() == second.starts.tolist()
