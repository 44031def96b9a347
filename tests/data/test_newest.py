"""The newest day of each table: what was known before today, whatever else the source holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.config_file import parse_config
from kizuna.data.newest import Newest, newest_days
from kizuna.timeline import day_of

TODAY = day_of(date(2026, 3, 2))
ROWS = "customer_id,occurred_at,amount\na,2026-02-27,1\nb,2026-03-01 23:59,2\nc,2026-03-02,3\nd,2026-05-01,4\n"


def newest(folder: Path, tables: dict[str, Any], zone: str = "UTC") -> list[Newest]:
    tree = {"name": "shop", "data": {"timezone": zone, "tables": tables}}
    for source in tables.values():
        source["path"] = str(folder / source["path"])
    return newest_days(parse_config(tree), TODAY)


def of(day: str) -> int:
    return day_of(date.fromisoformat(day))


def test_rows_of_today_and_later_are_not_known_yet(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(ROWS)
    assert newest(tmp_path, {"purchases": {"path": "p.csv"}}) == [Newest("purchases", 4, of("2026-03-01"))]


def test_rows_that_arrive_later_are_not_known_yet(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(ROWS)
    (late,) = newest(tmp_path, {"purchases": {"path": "p.csv", "arrives_after_days": 1}})
    assert late.last_day == of("2026-02-27")
    known = ROWS.replace("amount", "amount,known_at").replace(",2\n", ",2,2026-03-02\n").replace(",1\n", ",1,\n")
    (tmp_path / "p.csv").write_text(known.replace(",3\n", ",3,\n").replace(",4\n", ",4,\n"))
    assert newest(tmp_path, {"purchases": {"path": "p.csv"}})[0].last_day == of("2026-02-27")


def test_days_are_the_shop_s(tmp_path: Path) -> None:
    rows = pd.DataFrame({"ours": ["a"], "at": pd.to_datetime(["2026-02-27T20:00Z"]), "amount": [1.0]})
    rows.to_parquet(tmp_path / "p.parquet")
    source = {"path": "p.parquet", "columns": {"customer_id": "ours", "occurred_at": "at"}}
    assert newest(tmp_path, {"purchases": dict(source)}, "Asia/Tokyo")[0].last_day == of("2026-02-28")
    assert newest(tmp_path, {"purchases": dict(source)}, "UTC")[0].last_day == of("2026-02-27")


def test_what_cannot_be_read_is_said_of_its_table_alone(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(ROWS)
    (tmp_path / "c.csv").write_text("customer_id,born\na,1\n")
    (tmp_path / "e.csv").write_text("who,when\na,1\n")
    (tmp_path / "s.parquet").write_text("garbage")
    (tmp_path / "empty.csv").write_text("customer_id,occurred_at\n")
    files = {"purchases": "p", "customers": "c", "engagement": "e", "complaints": "empty", "outreach": "gone"}
    tables = {name: {"path": f"{file}.csv"} for name, file in files.items()} | {"surveys": {"path": "s.parquet"}}
    found = {one.table: one for one in newest(tmp_path, tables)}
    assert (found["purchases"].last_day, found["purchases"].problem) == (of("2026-03-01"), "")
    assert (found["customers"].rows, found["customers"].last_day, found["customers"].problem) == (1, None, "")
    said = {name: one.problem for name, one in found.items() if one.problem}
    assert said.keys() == {"engagement", "complaints", "outreach", "surveys"}
    assert said["engagement"].startswith("Table engagement needs a column customer_id; found who, when.")
    assert said["complaints"] == "Table complaints is empty: 0 rows."
    assert said["outreach"].startswith(
        f"Table outreach is to be read from {tmp_path}/gone.csv, but there is no such file"
    )
    assert said["surveys"].startswith("Table surveys cannot be read: ")
