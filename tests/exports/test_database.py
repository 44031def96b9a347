from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kizuna.config_exports import DatabaseExport
from kizuna.errors import DestinationFailed
from kizuna.exports.csv import write_at_risk_csv
from kizuna.exports.database import KINDS, read_list, sql_type, upsert_list
from kizuna.scoring.rows import AT_RISK_COLUMNS
from servers import postgresql_server, run, select

AS_OF = date(2026, 1, 1)


def listed(folder: Path, pack: Any, **columns: Any) -> Any:
    """The pack's list as it is read back from its at_risk.csv."""
    frame = pack.at_risk.reindex(columns=AT_RISK_COLUMNS).assign(**columns)
    write_at_risk_csv(frame, folder / "at_risk.csv")
    return read_list(folder / "at_risk.csv")


def test_every_column_has_the_type_of_the_list(tmp_path: Path, build_pack) -> None:
    frame = build_pack("ja").at_risk
    kinds = {"M": "date", "i": "bigint", "f": "double precision", "b": "boolean", "O": "text", "U": "text"}
    whole = {"days_since_purchase", "orders_365d", "usual_gap_days"}
    for name in frame.columns:
        assert sql_type(name) == kinds[frame[name].dtype.kind] or name in whole, name
    assert {name for names in KINDS.values() for name in names} <= set(AT_RISK_COLUMNS)


def test_a_published_list_is_read_to_the_letter(tmp_path: Path, build_pack, hostile_ids) -> None:
    pack = build_pack("ja")
    rows = listed(tmp_path, pack, facts=["", None] * 150).to_pylist()
    assert [row["customer_id"] for row in rows] == pack.at_risk["customer_id"].tolist()
    assert set(hostile_ids) <= {row["customer_id"] for row in rows}
    assert [row["facts"] for row in rows[:2]] == ["", None]
    assert rows[0]["as_of"] == AS_OF
    assert {row["contact_allowed"] for row in rows} == {True, False, None}
    odd = replace(pack, at_risk=pack.at_risk.head(2).assign(customer_id=["a\r\nb", "\tx"]))
    assert [row["customer_id"] for row in listed(tmp_path, odd).to_pylist()] == ["a\r\nb", "\tx"]


def test_a_server_that_is_not_there_or_a_driver(
    tmp_path: Path, build_pack, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    rows = listed(tmp_path, build_pack("ja", listed=2))
    asked = DatabaseExport(to="database", uri=f"postgresql://shop:secret@127.0.0.1:{closed_port}/postgres")
    with pytest.raises(DestinationFailed) as caught:
        upsert_list(rows, AS_OF, asked)
    assert str(caught.value) == (
        "the server did not let us in (OperationalError). Check its address, the user and the password"
    )
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(DestinationFailed) as missing:
        upsert_list(rows, AS_OF, asked)
    assert str(missing.value) == (
        "its driver adbc-driver-postgresql is not installed. Install it: pip install 'kizuna[postgres]'"
    )


@pytest.fixture
def closed_port() -> int:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as uri:
        yield uri


@pytest.mark.slow
def test_a_table_of_its_own_holds_every_day_once(server: str, tmp_path: Path, build_pack, hostile_ids) -> None:
    asked = DatabaseExport(to="database", uri=server, table="lists", create=True)
    pack = build_pack("ja")
    rows = listed(tmp_path, pack)
    for _ in range(2):
        upsert_list(rows, AS_OF, asked)
    kinds = select(
        server,
        "SELECT attname::text, format_type(atttypid, -1) FROM pg_attribute "
        "WHERE attrelid = 'lists'::regclass AND attnum > 0 ORDER BY attnum",
    )
    assert kinds == [(name, sql_type(name)) for name in AT_RISK_COLUMNS]
    found = select(
        server,
        "SELECT customer_id, list_rank, facts, contact_allowed, act_by, value_at_risk FROM lists ORDER BY list_rank",
    )
    names = ("customer_id", "list_rank", "facts", "contact_allowed", "act_by", "value_at_risk")
    assert found == [tuple(row[name] for name in names) for row in rows.to_pylist()]
    assert set(hostile_ids) <= {row[0] for row in found}
    # Another revision of the day: values change, who is no longer listed goes, other days stay.
    upsert_list(listed(tmp_path, pack, as_of=pd.Timestamp(2025, 12, 25)), date(2025, 12, 25), asked)
    fewer = replace(pack, at_risk=pack.at_risk.head(10).assign(risk_band="low"))
    upsert_list(listed(tmp_path, fewer), AS_OF, asked)
    assert select(
        server, "SELECT as_of, count(*), count(*) FILTER (WHERE risk_band = 'low') FROM lists GROUP BY 1 ORDER BY 1"
    )[1] == (AS_OF, 10, 10)
    assert select(server, "SELECT count(*) FROM lists WHERE as_of = '2025-12-25'") == [(300,)]
    empty = replace(pack, at_risk=pack.at_risk.head(0))
    upsert_list(listed(tmp_path, empty), AS_OF, asked)
    assert select(server, "SELECT DISTINCT as_of FROM lists") == [(date(2025, 12, 25),)]


@pytest.mark.slow
def test_a_table_of_the_shop_s_own(server: str, tmp_path: Path, build_pack) -> None:
    rows = listed(tmp_path, build_pack("ja", listed=3))
    asked = DatabaseExport(to="database", uri=server, table="crm.at_risk")

    def refusal(**changes: Any) -> str:
        with pytest.raises(DestinationFailed) as caught:
            upsert_list(rows, AS_OF, asked.model_copy(update=changes))
        return str(caught.value)

    run(server, "CREATE SCHEMA crm")
    assert refusal() == "there is no table crm.at_risk. Make it, or set create: true in this export"
    run(server, "CREATE TABLE crm.at_risk (as_of date, customer_id text, note text, revenue_365d numeric(12, 2))")
    assert refusal().startswith("columns list_rank, churn_probability, horizon_days, ")
    assert refusal().endswith(" are missing in crm.at_risk. Make it, or set create: true in this export")
    assert refusal(create=True) == (
        "the database refused the list: there is no unique or exclusion constraint matching the ON CONFLICT specification"
    )
    assert select(server, "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'crm'") == [(4,)]
    run(server, "ALTER TABLE crm.at_risk ADD PRIMARY KEY (as_of, customer_id)")
    upsert_list(rows, AS_OF, asked.model_copy(update={"create": True}))
    run(server, "UPDATE crm.at_risk SET note = 'called'")
    upsert_list(rows, AS_OF, asked)
    found = select(server, "SELECT note, revenue_365d::float8 FROM crm.at_risk ORDER BY list_rank")
    assert found == [("called", row["revenue_365d"]) for row in rows.to_pylist()]
    wrong = server.replace("secret", "wrong")
    assert refusal(uri=wrong).startswith("the server did not let us in")
    assert "wrong" not in refusal(uri=wrong)


@pytest.mark.slow
def test_a_list_that_is_refused_half_way_leaves_the_day_as_it_was(server: str, tmp_path: Path, build_pack) -> None:
    asked = DatabaseExport(to="database", uri=server, table="strict", create=True)
    pack = build_pack("ja", listed=5)
    upsert_list(listed(tmp_path, pack), AS_OF, asked)
    run(server, "ALTER TABLE strict ADD CHECK (risk_band <> 'low' OR list_rank < 3)")
    lower = replace(pack, at_risk=pack.at_risk.assign(risk_band="low"))
    with pytest.raises(DestinationFailed) as caught:
        upsert_list(listed(tmp_path, lower), AS_OF, asked)
    assert str(caught.value) == (
        'the database refused the list: new row for relation "strict" violates check constraint "strict_check"'
    )
    assert select(server, "SELECT count(*) FROM strict WHERE risk_band = 'low'") == [(0,)]
