from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADER = "customer_id,occurred_at,amount"


PURCHASES = {"purchases": {"path": "p.csv"}}


def details(store: Any, state: str = "error") -> list[str]:
    return [f"{item.exit_code} {item.details}" for item in store.findings if item.state == state]


def write(path: Path, *lines: str, header: str = HEADER, name: str = "p.csv") -> None:
    (path / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


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
        f"11 purchases.amount: 5 of 8 rows cannot be read as a number, such as '1,234', '{'9' * 40}…', '(text of 6 letters)'. "
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
    rows = [
        "a,2026-11-16,-5,true",
        "b,2026-11-16,5,true",
        "c,2026-11-16,-5,",
        "d,2026-11-16,-5,no",
        "e,2026-11-16,-7,false",
    ]
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
            "(ISO 8601 or YYYY/MM/DD), such as '(empty)', '(text of 9 letters)'."
        )
    assert pq.read_table(tmp_path / "out/check/quarantine/purchases.parquet").num_rows == 2


CELLS = st.tuples(
    st.sampled_from(["", "a", "007", "NA", " ", "b c", "é", 'q"', "x,y", "l\nm"]),
    st.sampled_from(
        ["", "2026-11-16", "2026-11-16T23:00:00Z", "R8/11/16", "20261116", "2023-02-29", "16/11/2026", "NaT"]
    ),
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
