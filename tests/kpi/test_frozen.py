"""What was published stays, and what later data say otherwise is told as restated."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.commands import kizuna

from kizuna.config_file import load_config
from kizuna.errors import LockHeld, ResultError
from kizuna.kpi.files import publish_kpis
from kizuna.kpi.frozen import COLUMNS, read_published
from kizuna.kpi.pack import KpiPack
from kizuna.lists.publication import locked
from kizuna.project import load

DAYS = [f"2024-{month:02}-{day:02}" for month in range(1, 7) for day in (5, 15, 25)]


def shop(folder: Path, *late: tuple[str, str, str]) -> Path:
    """A shop whose customer buys thrice a month; ``late``: (customer, day, known day)."""
    rows = [("a", "2023-01-01", None), *(("a", day, None) for day in DAYS), *late]
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "known_at"]).assign(amount=10.0)
    frame.to_csv(folder / "p.csv", index=False)
    path = folder / "shop.yaml"
    path.write_text("name: shop\ndata: {tables: {purchases: {path: p.csv}}}\noutput: {dir: out}\n", encoding="utf-8")
    return path


def published(path: Path, first: str, last: str, *overrides: str) -> KpiPack:
    """The pack of a run that writes its files."""
    project = load(path, overrides)
    return publish_kpis(lambda: project.kpi(first, last), project.config.output_dir / "kpi")[0]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out/kpi").iterdir()) if path.suffix}


def test_the_same_run_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = shop(tmp_path)
    assert kizuna("kpi", path, "--from", "2024-01-01", "--to", "2024-05-31")[0] == 0
    before = bytes_of(tmp_path)
    assert sorted(before) == ["definitions.csv", "kpi.csv", "migration.csv", "published.parquet", "restated.csv"]
    assert kizuna("kpi", path, "--from", "2024-01-01", "--to", "2024-05-31")[0] == 0
    assert bytes_of(tmp_path) == before


def test_a_month_that_changes_is_restated_with_both_figures(tmp_path: Path) -> None:
    path = shop(tmp_path, ("b", "2024-04-20", "2024-05-10"))
    published(path, "2024-04-01", "2024-04-30")
    pack = published(path, "2024-04-01", "2024-05-31")
    row = pack.restated.query("kpi == 'orders' and dimension == 'all' and kind == 'month'").iloc[0]
    assert (row["published_value"], row["value"]) == (3, 4)
    assert row["published_known_before"] == pd.Timestamp("2024-05-01")
    told = pack.numbers.query("kpi == 'orders' and period == '2024-04' and dimension == 'all'").iloc[0]
    assert (told["value"], told["published_value"], told["restated"]) == (4, 3, True)
    kept = read_published(tmp_path / "out/kpi")
    april = kept.query("kpi == 'orders' and kind == 'month' and dimension == 'all'")
    # April stays as it was published; May was published by the second run.
    assert april[["start", "value"]].to_numpy().tolist() == [
        [pd.Timestamp("2024-04-01"), 3],
        [pd.Timestamp("2024-05-01"), 3],
    ]
    code, out, _ = kizuna("kpi", path, "--from", "2024-04-01", "--to", "2024-05-31")
    assert code == 0
    assert f"Restated since it was published: {len(pack.restated)}, such as " in out
    csv = pd.read_csv(tmp_path / "out/kpi/restated.csv")
    assert csv["kpi"].isin(["orders", "revenue", "customers_new"]).sum() >= 3


def test_a_run_that_stands_earlier_says_nothing_against_what_is_published(tmp_path: Path) -> None:
    path = shop(tmp_path, ("b", "2024-04-20", "2024-05-10"))
    published(path, "2024-04-01", "2024-05-31")
    pack = published(path, "2024-04-01", "2024-04-30")
    assert not len(pack.restated)
    assert not pack.numbers["restated"].any()
    assert pack.numbers["published_value"].isna().all()


def test_only_finished_and_known_figures_are_published(tmp_path: Path) -> None:
    published(shop(tmp_path), "2024-04-01", "2024-05-20")
    kept = read_published(tmp_path / "out/kpi")
    assert set(kept["start"]) == {pd.Timestamp("2024-04-01")}
    assert "f2_rate_90d" not in set(kept["kpi"])
    assert kept.columns.tolist() == COLUMNS
    assert kept["value"].notna().all()


def test_another_basis_is_said_beside_the_figures(tmp_path: Path) -> None:
    path = shop(tmp_path)
    published(path, "2024-04-01", "2024-04-30")
    pack = published(path, "2024-04-01", "2024-04-30", "kpi.regular_orders=99")
    assert set(pack.restated["published_basis"]) == {
        "active: bought within 180 days; regular: 4 orders a year; margin 1; referral: referral"
    }
    assert set(pack.restated["basis"]) == {
        "active: bought within 180 days; regular: 99 orders a year; margin 1; referral: referral"
    }


def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path: Path) -> None:
    path = shop(tmp_path)
    published(path, "2024-04-01", "2024-04-30")
    file = tmp_path / "out/kpi/published.parquet"
    whole = pq.read_table(file)
    file.write_bytes(b"PAR1")
    code, _, err = kizuna("kpi", path, "--from", "2024-04-01", "--to", "2024-04-30")
    assert code == 13
    assert err == (
        f"kizuna: {file} holds the KPIs published so far, but it cannot be read: ArrowInvalid. "
        "Put it back from a backup; to begin anew, move it away.\n"
    )
    assert file.read_bytes() == b"PAR1"
    pq.write_table(whole.replace_schema_metadata({b"kizuna.kpi.schema": b"2"}), file)
    with pytest.raises(ResultError) as told:
        published(path, "2024-04-01", "2024-04-30")
    assert str(told.value) == (
        f"{file} was written in format 2; this version of kizuna reads up to 1. Use the newer version."
    )
    pq.write_table(pa.table({"kpi": ["nps"]}), file)
    with pytest.raises(ResultError, match="cannot be read: KeyError"):
        published(path, "2024-04-01", "2024-04-30")


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = shop(tmp_path)
    with locked(load_config(path).output_dir / "kpi"), pytest.raises(LockHeld):
        published(path, "2024-04-01", "2024-04-30")


def test_json_holds_the_same_numbers(tmp_path: Path) -> None:
    path = shop(tmp_path)
    code, out, err = kizuna("kpi", path, "--from", "2024-04-01", "--to", "2024-04-30", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    pack = load(path).kpi(date(2024, 4, 1), date(2024, 4, 30))
    assert len(told["numbers"]) == len(pack.numbers) == len(pd.read_csv(told["files"][0]))
    first = told["numbers"][0]
    assert (first["kpi"], first["start"], first["end"]) == ("customers_start", "2024-04-01", "2024-04-30")
    assert told["numbers"][0]["published_known_before"] == "2024-05-01"
    assert {"name_ja", "definition_en"} <= set(told["definitions"][0])
    assert "NaN" not in out
