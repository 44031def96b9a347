"""One customer's marks searched in everything on disk after a week, through the real commands; then the customer is forgotten."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from commands import kizuna
from privacy.canary_shop import DAY, ID, NEXT, TEXTS, make_shop
from privacy.everywhere import occurrences

pytestmark = pytest.mark.slow
CORE = ("at_risk", "explanations.parquet", "report.html", "scores.parquet", "removed.csv", "destinations/")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shop's config after a week of every command, with the umask that lets others read, and temporary files apart."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "tmp").mkdir()
    config, umask = make_shop(folder / "shop"), os.umask(0o022)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        commands = [
            ("check", config),
            ("check", config, "--json"),
            ("define", config),
            ("train", config, "--as-of", "2025-12-15"),
            ("backtest", config, "--as-of", "2025-12-15"),
            ("score", config, "--as-of", DAY),
            ("score", config, "--as-of", NEXT),
            ("monitor", config, "--as-of", "2025-12-30"),
            ("kpi", config, "--from", "2025-01-01", "--to", "2025-12-31"),
            ("models", config),
        ]
        said = []
        for command in commands:
            code, out, err = kizuna(*command)
            assert code == 0, err
            said += [out, err]
        code, out, err = kizuna("feedback", config, filled(config.parent / "exports" / DAY / "at_risk.xlsx", folder))
        assert code == 0, err
        (folder / "log.txt").write_text("\n".join([*said, out, err]), encoding="utf-8")
        yield config
    os.umask(umask)


def filled(path: Path, folder: Path) -> Path:
    """The workbook with every row done, outside of what is searched."""
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        heads = [cell.value for cell in sheet[1]]
        if "Status" in heads and "Customer ID" in heads:
            for row in range(2, sheet.max_row + 1):
                if sheet.cell(row, heads.index("Customer ID") + 1).value:
                    sheet.cell(row, heads.index("Status") + 1).value = "Done"
    target = folder.parent / f"{folder.name}-filled.xlsx"
    book.save(target)
    return target


def written(config: Path, *texts: str) -> list[str]:
    """Where texts stand outside of the shop's own tables."""
    found = occurrences(config.parents[1], *texts)
    inputs = {f"shop/{path.name}" for path in config.parent.glob("*.*")} - {"shop/mlflow.db"}
    return [place for place in found if place.split("!")[0] not in inputs and not place.startswith("shop/truth")]


def test_who_is_searched_is_there(week: Path) -> None:
    listed = pd.read_csv(week.parent / "exports" / DAY / "at_risk.csv", dtype=str)
    assert (listed.set_index("customer_id").loc[ID, ["arm", "contact_allowed"]] == ["target", "true"]).all()
    assert occurrences(week.parent, *TEXTS)


def test_name_mail_and_phone_are_where_they_were_asked_for_and_nowhere_else(week: Path) -> None:
    assert {place.split("!")[0].rsplit("/r1/")[-1] for place in written(week, *TEXTS)} == {
        "destinations/crm.csv",
        "destinations/crm.customers.csv",
        f"shop/exports/destinations/crm/crm-000001-{DAY}-r1.csv",
        # Rows that cannot be read are set aside whole, so that they can be mended.
        "shop/exports/check/quarantine/purchases.parquet",
    }


def test_the_id_stands_in_files_of_customers_alone(week: Path) -> None:
    places = {place.split("!")[0] for place in written(week, ID)}
    core = {place for place in places if place.startswith("shop/exports/.revisions/") and any(n in place for n in CORE)}
    handed = {place for place in places if place.startswith("shop/exports/destinations/")}
    assert places - core - handed == {
        "shop/exports/backtest/named.parquet",
        "shop/exports/check/quarantine/purchases.parquet",
        f"shop/exports/feedback/{DAY}.parquet",
    }


def test_everything_written_is_private_whatever_the_umask(week: Path) -> None:
    folder = week.parent
    places = [folder / "mlflow.db", folder / "artifacts", folder / "exports"]
    for path in [*places, *(inside for place in places for inside in place.rglob("*"))]:
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert list((folder.parent / "tmp").glob("kizuna-*")) == []


def test_z_forgotten_the_customer_is_nowhere_and_stays_away(week: Path) -> None:
    code, out, err = kizuna("forget", week, ID)
    assert code == 0, err
    assert ID not in out + err
    assert written(week, ID, *TEXTS) == []
    for command in (
        ("check", week),
        ("score", week, "--as-of", "2026-01-05"),
        ("train", week, "--as-of", "2025-12-22"),
        ("monitor", week, "--as-of", "2026-01-06"),
        ("kpi", week, "--from", "2025-01-01", "--to", "2025-12-31"),
    ):
        code, out, err = kizuna(*command)
        assert code == 0, err
        assert ID not in out + err
    assert written(week, ID, *TEXTS) == []
