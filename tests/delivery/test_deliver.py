from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.delivery.week import (
    CHANGES,
    CRM,
    FIRST,
    SECOND,
    THIRD,
    config_of,
    delivered,
    handed,
    list_of,
    published_day,
    restored,
)

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.delivery.deliver import owed
from kizuna.delivery.sources import list_rows
from kizuna.delivery.states import delivery_states
from kizuna.errors import DestinationFailed
from kizuna.journal import journal_of
from servers import postgresql_server, run, select

NOWHERE = "postgresql://shop:secret@127.0.0.1:1/postgres"
DATABASE = f"{{to: database, uri: '{NOWHERE}', table: crm.lists}}"
ADDRESS = "the server did not let us in (OperationalError). Check its address, the user and the password."


TYPED = {"as_of": "date", "customer_id": "text"}
CRM_TREE: dict[str, Any] = {"to": "destination", "name": "crm"}


def test_one_that_fails_keeps_none_of_the_others_back(tmp_path: Path) -> None:
    config = config_of(tmp_path, DATABASE, CRM)
    publication, lines = published_day(config, FIRST, {"a": "high"}), list[str]()
    with journal_of("score", True) as journal, pytest.raises(DestinationFailed) as caught:
        delivered(config, publication, lines)
    assert lines == ["crm: 1 rows of 2026-01-05 r1"]
    assert journal.notes["deliveries"] == {"database-crm.lists": True, "crm": False}
    assert caught.value.exit_code == 15
    assert str(caught.value) == (
        f"2026-01-05 is published, but 1 of 2 destinations failed. database crm.lists: {ADDRESS}\n"
        "Mend it and run the same command again: it delivers what failed, and the list stays as it is."
    )
    assert [(item["name"], item["state"], item["error"]) for item in caught.value.destinations] == [
        ("database-crm.lists", "failed", ADDRESS),
        ("crm", "delivered", None),
    ]
    assert "secret" not in (config.output_dir / ".outbox/database-crm.lists.json").read_text()


def test_only_what_failed_is_tried_again(tmp_path: Path) -> None:
    config = config_of(tmp_path, DATABASE, CRM)
    publication = published_day(config, FIRST, {"a": "high"})
    for attempt in (1, 2, 3):
        with pytest.raises(DestinationFailed):
            delivered(config, publication)
        states = {item.name: (item.state, item.attempts) for item in delivery_states(config)}
        assert states == {"database-crm.lists": ("failed", attempt), "crm": ("delivered", 1)}
    assert len(handed(config, "crm")) == 1


def test_a_day_that_a_database_lacks_is_owed_until_it_has_it(tmp_path: Path) -> None:
    config = config_of(tmp_path, DATABASE)
    for day in (FIRST, SECOND):
        with pytest.raises(DestinationFailed) as caught:
            delivered(config, published_day(config, day, {"a": "high"}))
    # A server that is away is asked once.
    assert str(caught.value).count(ADDRESS) == 1
    assert [(item.as_of, item.attempts) for item in delivery_states(config)] == [(FIRST, 1), (SECOND, 1)]


def test_a_file_for_people_that_could_not_be_written(tmp_path: Path) -> None:
    config = config_of(tmp_path, "{to: csv, encoding: cp932, split_by: market}", CRM)
    publication = published_day(config, FIRST, {"a": "high"})
    publication.manifest["files"].append({"path": "at_risk_cp932_jp.failed.txt", "rows": 0})
    (publication.folder / "at_risk_cp932_jp.failed.txt").write_text("It lacks a letter. Set unencodable.\n")
    with pytest.raises(
        DestinationFailed, match=r"1 of 2 .* at_risk_cp932_jp: It lacks a letter\. Set unencodable\. Then add a rev"
    ):
        delivered(config, publication)
    # Who does without that file is no longer told of it.
    delivered(config_of(tmp_path, CRM), publication)


def test_what_is_owed(tmp_path: Path) -> None:
    config = config_of(tmp_path, CRM)
    first = published_day(config, FIRST, {"a": "high"})
    assert owed(config.output_dir, first, config)
    delivered(config, first)
    assert not owed(config.output_dir, first, config)
    assert owed(config.output_dir, first, config_of(tmp_path, CRM, CHANGES))
    second = published_day(config, SECOND, {"b": "high"}, backfill=True)
    assert not owed(config.output_dir, second, config)
    third = published_day(config, THIRD, {"b": "high"})
    assert owed(config.output_dir, third, config)
    # What is older than the newest list is owed to databases alone.
    assert not owed(config.output_dir, first, config_of(tmp_path, CHANGES))
    assert owed(config.output_dir, first, config_of(tmp_path, DATABASE))


@pytest.mark.slow
def test_a_database_is_told_who_may_not_be_contacted_any_more(server: str, tmp_path: Path) -> None:
    config = config_of(tmp_path, f"{{to: database, uri: '{server}', table: consents, create: true}}")
    (told,) = delivered(config, published_day(config, FIRST, {"a": "high", "b": "high"}), b=0)
    assert (told.rows, told.opted_out) == (2, 1)
    assert select(server, "SELECT customer_id, contact_allowed FROM consents ORDER BY 1") == [("a", True), ("b", False)]


@pytest.mark.slow
def test_a_row_that_is_refused_and_then_taken(server: str, tmp_path: Path) -> None:
    """Of two databases and a file one database refuses the fifth row; only that one is tried again, and has every row once."""
    run(server, "CREATE TABLE audit (what text)")
    for table in ("strict", "loose"):
        kinds = ", ".join(f"{name} text" for name in list_of(FIRST, {}).columns if name not in TYPED)
        typed = ", ".join(f"{name} {kind}" for name, kind in TYPED.items())
        run(
            server,
            f"CREATE TABLE {table} ({typed}, {kinds}, PRIMARY KEY (as_of, customer_id))",
            f"CREATE FUNCTION {table}_said() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN INSERT INTO audit VALUES ('{table}'); RETURN NULL; END $$",
            f"CREATE TRIGGER said AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_said()",
        )
    run(server, "ALTER TABLE strict ADD CONSTRAINT no_e CHECK (customer_id <> 'e')")
    exports = (f"{{to: database, uri: '{server}', table: {table}}}" for table in ("strict", "loose"))
    config = config_of(tmp_path, *exports, CRM)
    publication = published_day(config, FIRST, dict.fromkeys("abcdef", "high"))
    audit = "SELECT what, count(*) FROM audit GROUP BY 1 ORDER BY 1"
    for _ in range(2):
        with pytest.raises(DestinationFailed) as caught:
            delivered(config, publication)
        assert 'database strict: the database refused the list: new row for relation "strict" violates check' in str(
            caught.value
        )
        assert select(server, audit) == [("loose", 6)]
    run(server, "ALTER TABLE strict DROP CONSTRAINT no_e")
    assert [item.state for item in delivered(config, publication)] == ["delivered"] * 3
    assert select(server, audit) == [("loose", 6), ("strict", 6)]
    delivered(config, publication)
    # An outbox that was lost makes databases look again, and change nothing.
    for path in (config.output_dir / ".outbox").glob("database*"):
        path.unlink()
    delivered(config, publication)
    assert select(server, audit) == [("loose", 6), ("strict", 6)]
    assert len(handed(config, "crm")) == 1


@pytest.mark.slow
def test_older_days_restored_and_owed_reach_the_database(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, there = (f"{{to: database, name: db, uri: '{uri}', table: days, create: true}}" for uri in (NOWHERE, server))
    days = "SELECT as_of, string_agg(customer_id, '') FROM days GROUP BY 1 ORDER BY 1"
    config = config_of(tmp_path, there)
    delivered(config, published_day(config, FIRST, {"a": "high"}))
    delivered(config, published_day(config, SECOND, {"b": "high"}))
    delivered(config, published_day(config, FIRST, {"c": "high"}, republish=True))
    assert select(server, days) == [(FIRST, "c"), (SECOND, "b")]
    delivered(config, restored(config, FIRST, 1))
    assert select(server, days) == [(FIRST, "a"), (SECOND, "b")]
    # What another server of that name did not get is owed to the one that is there instead.
    with pytest.raises(DestinationFailed):
        delivered(config_of(tmp_path, away), published_day(config, SECOND, {"d": "high"}, republish=True))
    delivered(config, published_day(config, THIRD, {"e": "high"}))
    assert select(server, days) == [(FIRST, "a"), (SECOND, "d"), (THIRD, "e")]


def test_the_published_list_is_typed(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    rows = list_rows(published_day(config, FIRST, {"a": "high"})).to_pylist()
    assert rows[0] | {"as_of": FIRST, "customer_id": "a", "contact_allowed": True, "list_rank": 1} == rows[0]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as uri:
        yield uri


@pytest.mark.slow
def test_a_week_and_the_next_with_every_export(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(tmp_path, customers=1000, days=640, seed=11)
    config = tmp_path / "config.yaml"
    tree = yaml.safe_load(config.read_text()) | {
        "exports": [
            {"to": "workbook", "split_by": "market"},
            {"to": "csv"},
            {"to": "csv", "encoding": "cp932", "unencodable": "translit", "split_by": "language"},
            CRM_TREE
            | {"columns": {"Nr": "customer_id", "Risk": "risk_band", "Market": "market"}, "clear": {"Risk": "none"}},
            {
                "to": "braze",
                "columns": {"external_id": "customer_id", "kizuna_risk": "risk_band", "kizuna_why": "reason_1_text"},
                "clear": {"kizuna_risk": "none", "kizuna_why": "none"},
                "changed_only": True,
            },
            {"to": "database", "uri": "${WAREHOUSE}", "table": "at_risk", "create": True},
        ],
        "at_risk": {"size": 60, "language": "ja", "consent_missing": "allow"},
    }
    config.write_text(yaml.safe_dump(tree, allow_unicode=True))
    monkeypatch.setenv("WAREHOUSE", server)
    code, _, err = kizuna("train", config)
    assert code == 0, err

    monkeypatch.setenv("WAREHOUSE", NOWHERE)
    code, out, err = kizuna("score", config, "--as-of", "2026-01-01", "--json")
    assert code == 15
    assert json.loads(out)["error"].startswith(
        "2026-01-01 is published, but 1 of 3 destinations failed. database at_risk: "
    )
    assert "secret" not in out + err
    told = {item["name"]: (item["state"], item["revision"]) for item in json.loads(out)["destinations"]}
    assert told == {"crm": ("delivered", 1), "braze": ("delivered", 1), "database-at_risk": ("failed", 1)}
    day = tmp_path / "exports" / "2026-01-01"
    manifest = (day / "manifest.json").read_bytes()

    # Somebody opts out; the table of customers is not the one that the list was made of any more.
    listed = pd.read_csv(day / "at_risk.csv", dtype=str, keep_default_na=False)
    leaver = listed.loc[(listed["arm"] == "target") & (listed["contact_allowed"] == "true"), "customer_id"].iloc[0]
    customers = pd.read_parquet(tmp_path / "customers.parquet")
    asked = [name for name in customers if name.startswith("consent")]
    customers.loc[customers["customer_id"] == leaver, asked] = False
    customers.to_parquet(tmp_path / "customers.parquet")
    monkeypatch.setenv("WAREHOUSE", server)
    code, out, err = kizuna("score", config, "--as-of", "2026-01-01", "--json")
    assert code == 0, err
    told = {item["name"]: (item["state"], item["attempts"]) for item in json.loads(out)["destinations"]}
    assert told == {"crm": ("delivered", 1), "braze": ("delivered", 1), "database-at_risk": ("delivered", 2)}
    assert (day / "manifest.json").read_bytes() == manifest
    code, _, err = kizuna("score", config, "--as-of", "2026-01-01")
    assert code == 2
    assert "from other inputs: table customers changed" in err
    allowed = select(server, f"SELECT contact_allowed FROM at_risk WHERE customer_id = '{leaver}'")
    assert allowed == [(False,)]
    sent = listed[(listed["arm"] == "target") & (listed["contact_allowed"] != "false")]["customer_id"]
    first = pd.read_csv(day / "destinations/crm.csv", dtype=str, keep_default_na=False)
    assert first["Nr"].tolist() == sent.tolist()
    assert (first["Market"] != "").all()
    assert {path.suffix for path in day.glob("at_risk_*")} == {".xlsx", ".csv"}
    assert len([*day.glob("at_risk_*.xlsx")]) == first["Market"].nunique()

    code, _, err = kizuna("score", config, "--as-of", "2026-01-08")
    assert code == 0, err
    week = tmp_path / "exports" / "2026-01-08"
    handed = tmp_path / "exports" / "destinations"
    (path,) = (handed / "crm").glob("crm-000002-2026-01-08-r1.csv")
    second = pd.read_csv(path, dtype=str, keep_default_na=False)
    gone = second[second["Risk"] == "none"]["Nr"]
    still = second[second["Risk"] != "none"]["Nr"]
    assert set(gone) == set(first["Nr"]) - set(still)
    published = pd.read_csv(week / "destinations/crm.csv", dtype=str, keep_default_na=False)
    assert published["Nr"].tolist() == still.tolist()
    assert len(gone) > 0
    braze = pd.read_csv(handed / "braze/braze-000002-2026-01-08-r1.csv", dtype=str, keep_default_na=False)
    assert set(gone) == set(braze.loc[braze["kizuna_risk"] == "none", "external_id"])
    assert (braze != "").all(axis=None)
    assert len(braze) <= len(second)
    assert select(server, "SELECT as_of, count(*) FROM at_risk GROUP BY 1 ORDER BY 1") == [
        (date(2026, 1, 1), len(listed)),
        (date(2026, 1, 8), len(pd.read_csv(week / "at_risk.csv"))),
    ]
