from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import pandas as pd
import pytest
import yaml

from commands import kizuna
from kizuna.config_file import parse_config
from kizuna.data.simulate import simulate
from kizuna.errors import DestinationFailed
from kizuna.lists.publication import Publication
from kizuna.scoring.deliver import deliver
from servers import postgresql_server

NOWHERE = "postgresql://shop:secret@127.0.0.1:1/postgres"
AS_OF = date(2026, 1, 1)


def publication(folder: Path, **rows: int) -> Publication:
    """A revision with the files of a destination called crm, of so many rows."""
    (folder / "destinations").mkdir(parents=True)
    (folder / "at_risk.csv").write_text("as_of,customer_id\n2026-01-01,007\n")
    for name in rows:
        (folder / f"destinations/crm{'.refused' if name == 'refused' else ''}.csv").write_text("Nr\n007\n")
    files = [{"path": "destinations/crm.csv", "rows": rows["sent"]}] if "sent" in rows else []
    files += [{"path": "destinations/crm.refused.csv", "rows": rows["refused"]}] if "refused" in rows else []
    return Publication(AS_OF, 1, folder, {"files": files})


def config_of(*exports: dict[str, Any]) -> Any:
    return parse_config({"name": "shop", "data": {"tables": {}}, "exports": list(exports)})


CRM = {"to": "destination", "name": "crm", "columns": {"Nr": "customer_id"}}


def test_what_was_written_is_said(tmp_path: Path) -> None:
    lines: list[str] = []
    deliver(config_of({"to": "csv"}, CRM), publication(tmp_path, sent=1_200, refused=3), lines.append)
    assert lines == ["crm: 1,200 rows in destinations/crm.csv, 3 held back"]


def test_one_that_fails_keeps_none_of_the_others_back(tmp_path: Path) -> None:
    lines: list[str] = []
    database = {"to": "database", "uri": NOWHERE, "table": "crm.lists"}
    with pytest.raises(DestinationFailed) as caught:
        deliver(config_of(database, CRM), publication(tmp_path, sent=1), lines.append)
    assert lines == ["crm: 1 rows in destinations/crm.csv"]
    assert caught.value.exit_code == 15
    assert str(caught.value) == (
        "2026-01-01 is published, but 1 of 2 destinations failed. database crm.lists: the server did not let us in "
        "(OperationalError). Check its address, the user and the password.\n"
        "Mend it and run the same command again: the list stays as it is."
    )


def test_a_day_that_was_published_before_the_destination_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        DestinationFailed, match=r"crm: r1 of that day was published without it\. Add a revision with --rep"
    ):
        deliver(config_of(CRM), publication(tmp_path))


def test_contacts_that_could_not_be_read(tmp_path: Path) -> None:
    found = publication(tmp_path)
    (tmp_path / "destinations/crm.failed.txt").write_text("The contacts are not there. Bring them.\n")
    found.manifest["files"].append({"path": "destinations/crm.failed.txt", "rows": 0})
    with pytest.raises(
        DestinationFailed, match=r"crm: The contacts are not there\. Bring them\. Then add a revision with --"
    ):
        deliver(config_of(CRM), found)


def test_a_file_larger_than_they_take(tmp_path: Path) -> None:
    found = publication(tmp_path, sent=1)
    with (tmp_path / "destinations/crm.csv").open("r+b") as file:
        file.truncate(51_000_000)
    asked = CRM | {"to": "klaviyo", "columns": {"External ID": "customer_id"}}
    with pytest.raises(
        DestinationFailed, match=r"crm: its file has 51\.0 MB, and klaviyo takes 50 at most\. Map fewer"
    ):
        deliver(config_of(asked), found)


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
            CRM
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
    day = tmp_path / "exports" / "2026-01-01"
    manifest = (day / "manifest.json").read_bytes()

    monkeypatch.setenv("WAREHOUSE", server)
    code, _, err = kizuna("score", config, "--as-of", "2026-01-01")
    assert code == 0, err
    assert (day / "manifest.json").read_bytes() == manifest
    listed = pd.read_csv(day / "at_risk.csv", dtype=str, keep_default_na=False)
    sent = listed[(listed["arm"] == "target") & (listed["contact_allowed"] != "false")]["customer_id"]
    first = pd.read_csv(day / "destinations/crm.csv", dtype=str, keep_default_na=False)
    assert first["Nr"].tolist() == sent.tolist()
    assert (first["Market"] != "").all()
    assert {path.suffix for path in day.glob("at_risk_*")} == {".xlsx", ".csv"}
    assert len([*day.glob("at_risk_*.xlsx")]) == first["Market"].nunique()

    code, _, err = kizuna("score", config, "--as-of", "2026-01-08")
    assert code == 0, err
    week = tmp_path / "exports" / "2026-01-08"
    second = pd.read_csv(week / "destinations/crm.csv", dtype=str, keep_default_na=False)
    gone = second[second["Risk"] == "none"]["Nr"]
    still = second[second["Risk"] != "none"]["Nr"]
    assert set(gone) == set(first["Nr"]) - set(still)
    assert len(gone) > 0
    braze = pd.read_csv(week / "destinations/braze.csv", dtype=str, keep_default_na=False)
    assert set(gone) == set(braze.loc[braze["kizuna_risk"] == "none", "external_id"])
    assert (braze != "").all(axis=None)
    assert len(braze) <= len(second)
    with adbc_driver_postgresql.dbapi.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT as_of, count(*) FROM at_risk GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [
            (date(2026, 1, 1), len(listed)),
            (date(2026, 1, 8), len(pd.read_csv(week / "at_risk.csv"))),
        ]
