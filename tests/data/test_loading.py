from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.errors import ConfigError, ContractError, DataMissing
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


def test_bad_rows_name_table_column_count_and_three_examples(tmp_path: Path, open_shop: Any) -> None:
    write(
        tmp_path,
        "a,2026-11-16,1",
        ",2026-11-16,1",
        "b,,1",
        'c,2026-11-16,"1,234"',
        "d,2026-11-16,¥500",
        "e,2026-11-16,twelve",
        "f,2026-11-16,１２３",
        "g,2026-11-16," + "9" * 400,
    )
    assert details(open_shop(PURCHASES)) == [
        "11 purchases.customer_id: 1 of 8 rows are empty, such as '(empty)'. Mend them, or set data.on_bad_rows: quarantine.",
        "11 purchases.occurred_at: 1 of 8 rows are empty, such as '(empty)'. Mend them, or set data.on_bad_rows: quarantine.",
        f"11 purchases.amount: 5 of 8 rows cannot be read as a number, such as '1,234', '{'9' * 40}…', 'twelve'. "
        "Mend them, or set data.on_bad_rows: quarantine.",
    ]


HINTS = {
    "R8/11/16": " Japanese era dates are not read; write the western year, as in 2026-11-16.",
    "1763251200": " Seconds since 1970 are not read; convert them in the query, as in to_timestamp(1763251200).",
    "16/11/2026": " Day and month are not told apart; write the year first, as in 2026-11-16.",
    "Nov 5 2026": "",
}


@pytest.mark.parametrize("text", HINTS)
def test_a_date_that_is_refused_says_how_to_write_it(text: str, tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1", f"b,{text},1", header="user,ordered,amount")
    columns = {"customer_id": "user", "occurred_at": "ordered"}
    assert details(open_shop({"purchases": {"path": "p.csv", "columns": columns}})) == [
        "11 purchases.occurred_at (their ordered): 1 of 2 rows cannot be read as a day (ISO 8601 or YYYY/MM/DD), "
        f"such as '{text}'.{HINTS[text]} Mend them, or set data.on_bad_rows: quarantine."
    ]


def test_optional_cells_may_be_empty_but_not_unreadable(tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    header = HEADER + ",quantity,is_return,delivered_at"
    write(tmp_path, "a,2026-11-16,1,,,", "b,2026-11-16,1, , , ", "c,2026-11-16,1,2,yes,2026-11-18", header=header)
    store = open_shop(PURCHASES)
    store.require_sound()
    assert rows_of(store, "purchases", "quantity", "is_return") == [
        ("a", "2026-11-16", None, None),
        ("b", "2026-11-16", None, None),
        ("c", "2026-11-16", 2.0, True),
    ]
    write(tmp_path, "a,2026-11-16,1,two,maybe,soon", "b,2026-11-16,1,,,", header=header)
    assert [text.split(":")[0] for text in details(open_shop(PURCHASES))] == [
        "11 purchases.is_return",
        "11 purchases.quantity",
        "11 purchases.delivered_at",
    ]


def test_a_negative_amount_is_a_return_unless_the_row_denies_it(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,-5", "b,2026-11-16,5")
    open_shop(PURCHASES).require_sound()
    rows = ["a,2026-11-16,-5,true", "b,2026-11-16,5,true", "c,2026-11-16,-5,", "d,2026-11-16,-5,no", "e,2026-11-16,-7,false"]
    write(tmp_path, *rows, header=HEADER + ",is_return")
    assert details(open_shop(PURCHASES)) == [
        "11 purchases.is_return (their amount): 2 of 5 rows have is_return false and a negative amount, such as '-5', '-7'. "
        "Mend them, or set data.on_bad_rows: quarantine."
    ]


def test_quarantine_keeps_the_rows_as_they_were(tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    header = "user,at,total,note"
    write(tmp_path, "a,2026-11-16,1,ok", "b,S63.1.8,¥1,bad twice", ",2026-11-16,1,no id", header=header)
    columns = {"customer_id": "user", "occurred_at": "at", "amount": "total"}
    tables = {"purchases": {"path": "p.csv", "columns": columns}}
    store = open_shop(tables, on_bad_rows="quarantine")
    store.require_sound()
    target = tmp_path / "out/check/quarantine/purchases.parquet"
    assert pq.read_table(target).to_pylist() == [
        {"user": "b", "at": "S63.1.8", "total": "¥1", "note": "bad twice"},
        {"user": None, "at": "2026-11-16", "total": "1", "note": "no id"},
    ]
    assert rows_of(store, "purchases") == [("a", "2026-11-16")]
    assert (store.tables["purchases"].rows, store.tables["purchases"].bad_rows) == (1, 2)
    assert details(store, "warning")[1] == (
        "0 purchases.occurred_at (their at): 1 of 3 rows cannot be read as a day (ISO 8601 or YYYY/MM/DD), such as 'S63.1.8'. "
        "Japanese era dates are not read; write the western year, as in 2026-11-16. They were set aside in quarantine."
    )
    assert oct(target.parent.stat().st_mode)[-3:] == "700"
    write(tmp_path, "a,2026-11-16,1,mended", header=header)
    open_shop(tables, on_bad_rows="quarantine").require_sound()
    assert not target.exists()


def test_a_table_of_bad_rows_alone_is_an_error_in_quarantine_too(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,yesterday,1", "b,,2")
    for mode in ("fail", "quarantine"):
        [said] = details(open_shop(PURCHASES, on_bad_rows=mode))
        assert said.startswith(
            "11 Table purchases: none of its 2 rows can be read. purchases.occurred_at: 2 of 2 rows cannot be read as a day "
            "(ISO 8601 or YYYY/MM/DD), such as '(empty)', 'yesterday'."
        )
    assert pq.read_table(tmp_path / "out/check/quarantine/purchases.parquet").num_rows == 2


CELLS = st.tuples(
    st.sampled_from(["", "a", "007", "NA", " ", "b c", "é", 'q"', "x,y", "l\nm"]),
    st.sampled_from(["", "2026-11-16", "2026-11-16T23:00:00Z", "R8/11/16", "20261116", "2023-02-29", "16/11/2026", "NaT"]),
    st.sampled_from(["", "1", "-1", "1,234", "nan", "1e3", " 2 ", "¥5", "inf"]),
    st.sampled_from(["", "yes", "0", "maybe", "TRUE"]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELLS, min_size=1, max_size=12))
def test_no_row_is_lost(rows: list[tuple[str, ...]], tmp_path: Path, open_shop: Any, rows_of: Any) -> None:
    """What is used and what is set aside are together what was there, and each row is where it belongs."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*HEADER.split(","), "is_return"], *rows])
    (tmp_path / "p.csv").write_text(text.getvalue(), encoding="utf-8")

    def is_good(row: tuple[str, ...]) -> bool:
        numbers = {"1": 1.0, "-1": -1.0, "1e3": 1000.0, " 2 ": 2.0}
        days = ("2026-11-16", "2026-11-16T23:00:00Z", "20261116")
        returned = {"yes": True, "TRUE": True, "0": False, "": None}
        readable = row[0].strip() and row[1] in days and row[2] in numbers and row[3] in returned
        return bool(readable) and not (returned[row[3]] is False and numbers[row[2]] < 0)

    good = Counter(row[0] for row in rows if is_good(row))
    store = open_shop(PURCHASES, on_bad_rows="quarantine")
    target = tmp_path / "out/check/quarantine/purchases.parquet"
    aside = pq.read_table(target).to_pylist() if target.exists() else []
    bad = Counter(tuple(row) for row in rows if not is_good(row))
    assert Counter(tuple(value or "" for value in row.values()) for row in aside) == bad
    if good:
        assert Counter(row[0] for row in rows_of(store, "purchases")) == good
        assert store.tables["purchases"].rows + store.tables["purchases"].bad_rows == len(rows)
    else:
        assert "purchases" not in store.tables


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
    assert details(store, "warning") == [
        "0 Table purchases: 1 of 2 rows are dated after 2026-12-01 and are ignored."
    ]
    assert store.tables["purchases"].last_day == day_of(date(2026, 12, 1))


def test_a_missing_column_names_the_nearest(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1", header="customer_id,ocurred_at,amount")
    assert details(open_shop(PURCHASES)) == [
        "11 Table purchases needs a column occurred_at; found customer_id, ocurred_at, amount. "
        "Did you mean 'ocurred_at'? Map it: data.tables.purchases.columns: {occurred_at: …}."
    ]
    renamed = {"purchases": {"path": "p.csv", "columns": {"occurred_at": "ocured_at"}}}
    assert details(open_shop(renamed))[0].startswith("11 Table purchases needs a column occurred_at (looked for 'ocured_at')")
    optional = {"purchases": {"path": "p.csv", "columns": {"occurred_at": "ocurred_at", "order_id": "no"}}}
    assert details(open_shop(optional))[0].startswith("11 Table purchases needs a column order_id (looked for 'no'); found")
    wide = ",".join(f"c{index}" for index in range(50))
    write(tmp_path, ",".join("1" * 50), header=wide)
    assert "c18, c19 and 30 more." in details(open_shop(PURCHASES))[0]


def test_a_rename_of_a_column_that_kizuna_does_not_have(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1")
    with pytest.raises(ConfigError) as caught:
        open_shop({"suppressions": {"path": "p.csv", "columns": {"reson": "amount"}}})
    assert str(caught.value) == (
        "data.tables.suppressions.columns: there is no column 'reson'. Did you mean 'reason'? "
        "Columns of suppressions are customer_id, from, until, reason, known_at."
    )
    with pytest.raises(ConfigError, match=r"^There is no table 'purchase'. Did you mean 'purchases'\? Tables are customers, pu"):
        open_shop({}, {"purchase": pd.DataFrame()})


def test_attributes_and_supplied_columns_are_numbers_where_a_plain_csv_holds_only_numbers(
    tmp_path: Path, open_shop: Any, rows_of: Any
) -> None:
    write(tmp_path, "a,2026-11-16,1", "b,2026-11-16,1")
    write(tmp_path, "a,12,007,x,", "b,,008,y,", header="customer_id,age,code,tier,none", name="f.csv")
    attributes = ["age", "code", "tier"]
    tables = PURCHASES | {"customers": {"path": "f.csv", "attributes": attributes}, "features": {"path": "f.csv"}}
    store = open_shop(tables)
    store.require_sound()
    for name in ("customers", "features"):
        kinds = {item.name: item.kind for item in store.tables[name].columns}
        assert [kinds[column] for column in attributes] == ["number", "text", "text"]
        assert rows_of(store, name, *attributes)[0][2:] == (12.0, "007", "x")
    typed = {"features": tables["features"] | {"query": "select customer_id, age from source"}}
    assert open_shop(PURCHASES | typed).tables["features"].columns[-1].kind == "text"
    frame = pd.DataFrame({"customer_id": ["a"], "x": [1], "y": [True], "z": ["1"], "w": [None]})
    store = open_shop(PURCHASES, {"features": frame})
    assert [item.kind for item in store.tables["features"].columns[1:]] == ["number", "flag", "text", "text"]


def test_supplied_columns_that_bear_a_name_of_ours(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1")
    write(tmp_path, "a,1", header="customer_id,Day", name="f.csv")
    tables = PURCHASES | {"features": {"path": "f.csv"}}
    assert details(open_shop(tables)) == [
        "11 Table features: the column 'Day' is a name that kizuna keeps for itself. "
        "Rename it, data.tables.features.columns: {my_day: Day}, or leave it out in the query."
    ]
    open_shop(PURCHASES | {"features": {"path": "f.csv", "columns": {"my_day": "Day"}}}).require_sound()


def test_days_and_known_days(tmp_path: Path, open_shop: Any) -> None:
    write(tmp_path, "a,2026-11-16,1,2026-11-18", "b,2026-11-16,1,", "c,2026-11-16,1,2026-11-01", header=HEADER + ",known_at")
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
