"""Who opted out after training is contacted by nobody: consent and suppressions count as known on the day of the list."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from commands import kizuna
from kizuna.data.simulate import simulate

pytestmark = pytest.mark.slow
AS_OF = "2025-12-22"
CONSENTS = ["consent_email", "consent_sms", "consent_phone", "consent_post", "consent_line"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a shop with a champion, and the day's list as it is before anybody opts out."""
    folder = tmp_path_factory.mktemp("optouts")
    simulate(folder, customers=500, days=500, seed=5)
    customers = pd.read_parquet(folder / "customers.parquet")
    customers[CONSENTS] = True
    customers.to_parquet(folder / "customers.parquet", index=False)
    config = folder / "config.yaml"
    tree = yaml.safe_load(config.read_text())
    tree["at_risk"] |= {"min_probability": 0.0, "size": 400, "control_share": 0.0, "contact_pause_days": 0}
    columns = {"who": "customer_id", "risk": "churn_probability"}
    tree["exports"] = [{"to": "workbook"}, {"to": "csv", "rows": "contact"}, {"to": "destination", "columns": columns}]
    config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    for command in (("train", "--as-of", "2025-12-08"), ("score", "--as-of", AS_OF)):
        code, _, err = kizuna(command[0], config, *command[1:])
        assert code == 0, err
    return config


def contacted(folder: Path) -> list[set[str]]:
    """Whom each export of a list names as to contact: the list itself, destination, CSV, workbook."""
    listed = pd.read_csv(folder / "at_risk.csv", dtype=str, keep_default_na=False)
    core = set(listed.loc[(listed["arm"] == "target") & (listed["contact_allowed"] != "false"), "customer_id"])
    with (folder / "destinations/destination.csv").open(newline="") as file:
        sent = {row["who"] for row in csv.DictReader(file)}
    with (folder / "at_risk_excel.csv").open(newline="", encoding="utf-8-sig") as file:
        people = {row["Customer ID"] for row in csv.DictReader(file)}
    sheet = openpyxl.load_workbook(folder / "at_risk.xlsx").worksheets[1]
    head = [cell.value for cell in sheet[1]].index("Customer ID")
    return [core, sent, people, {row[head].value for row in sheet.iter_rows(min_row=2)}]


def test_who_opted_out_after_training_is_contacted_by_nobody(shop: Path) -> None:
    before = contacted(shop.parent / "exports" / AS_OF)
    assert before[0] == before[1] == before[2] == before[3]
    refused, staff, paused, past, later, kept = sorted(before[0])[:6]
    customers = pd.read_parquet(shop.parent / "customers.parquet")
    customers.loc[customers["customer_id"] == refused, CONSENTS] = False
    customers.to_parquet(shop.parent / "customers.parquet", index=False)
    rows = [
        (staff, "2025-12-20", None, "staff"),
        (paused, "2025-12-01", "2026-01-31", "legal"),
        (past, "2025-12-01", "2025-12-21", "legal"),
        (later, "2025-12-23", None, "staff"),
    ]
    pd.DataFrame(rows, columns=["customer_id", "from", "until", "reason"]).to_csv(shop.parent / "s.csv", index=False)
    code, _, err = kizuna(
        "score",
        shop,
        "--as-of",
        AS_OF,
        "--republish",
        "--set",
        f"data.tables.suppressions.path={shop.parent / 's.csv'}",
    )
    assert code == 0, err
    core, sent, people, workbook = contacted(shop.parent / "exports" / AS_OF)
    eligible = set(pd.read_parquet(shop.parent / "exports" / AS_OF / "scores.parquet")["customer_id"])
    assert {refused, staff, paused} <= eligible
    assert core == sent == people == workbook == before[0] - {refused, staff, paused}
    assert {past, later, kept} <= core
