from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.commands import kizuna

from kizuna.config import config_schema
from kizuna.config_file import load_config

COMMANDS = [
    "init",
    "simulate",
    "check",
    "define",
    "schema",
    "features",
    "train",
    "backtest",
    "models",
    "promote",
    "rollback",
    "score",
    "backfill",
    "status",
    "explain",
    "feedback",
    "monitor",
    "kpi",
    "forget",
    "demo",
]


def program(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    line = [sys.executable, "-m", "kizuna.cli", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | environment)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The config of a shop of 30 customers who buy every few days until 2026-10-31."""
    days = pd.date_range("2026-01-01", "2026-10-31", freq="2D")
    names = [f"c{index % 30:02}" for index in range(len(days))]
    orders = pd.DataFrame({"customer_id": names, "occurred_at": days, "amount": range(len(days))})
    orders.to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "shop.yaml").write_text(
        "name: shop\ndata: {tables: {purchases: {path: p.csv}}}\noutput: {dir: out}\ntracking: {uri: 'sqlite:///mlflow.db'}\n"
    )
    return tmp_path / "shop.yaml"


def test_help_answers_quickly_and_imports_nothing_heavy() -> None:
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        ended = program("--help")
        seconds.append(time.monotonic() - began)
        assert ended.returncode == 0
        assert all(f"  {command} " in ended.stdout for command in COMMANDS)
    assert min(seconds) < 0.5
    script = (
        "import sys; sys.argv = ['kizuna', '--help']\nfrom kizuna.cli import run\nrun(False)\n"
        "print(sorted({'pandas', 'numpy', 'duckdb', 'mlflow', 'lightgbm', 'shap', 'sklearn', 'scipy', 'matplotlib', "
        "'pydantic', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"


def test_every_command_has_help_and_a_misspelt_one_is_refused() -> None:
    for command in COMMANDS:
        code, out, _ = kizuna(command, "--help")
        assert code == 0, command
        assert out.startswith("Usage: ") or "\nUsage: " in out
    code, out, err = kizuna("chek")
    assert (code, out) == (2, "")
    assert "No such command 'chek'" in err
    code, out, err = kizuna("check")
    assert (code, out) == (2, "")
    assert "Missing argument 'CONFIG'" in err
    code, out, _ = kizuna("--version")
    assert (code, out) == (0, "0.1.0\n")


def test_init_writes_a_shop_that_reads_and_says_what_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "my shop"
    code, out, err = kizuna("init", folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(folder / name) for name in ("config.yaml", "playbook.yaml", "README.md")]
    config = load_config(folder / "config.yaml")
    assert config.name == "my-shop"
    assert config.playbook_path == folder / "playbook.yaml"
    code, out, err = kizuna("check", folder / "config.yaml")
    assert (code, err) == (10, "")
    assert f"there is no such file (looked at {folder}/data/orders.csv)." in out


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    code, out, err = kizuna("init", tmp_path)
    assert (code, out) == (2, "")
    assert err == (
        f"kizuna: kizuna init was asked to write {tmp_path}, but config.yaml is there already. Choose another folder.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert (tmp_path / "config.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["店", "a b/..", "x" * 200, "1shop", "-shop-"])
def test_init_finds_a_name_for_any_folder(name: str, tmp_path: Path) -> None:
    assert kizuna("init", tmp_path / name)[0] == 0
    assert load_config(tmp_path / name / "config.yaml").name


def test_the_defaults_that_init_shows_are_the_defaults(tmp_path: Path) -> None:
    kizuna("init", tmp_path / "shop")
    written = yaml.safe_load((tmp_path / "shop/config.yaml").read_text())
    smallest = tmp_path / "smallest.yaml"
    smallest.write_text("name: shop\ndata: {tables: {purchases: {path: x.csv}}}\n")
    defaults = load_config(smallest).model_dump()
    for section in ("snapshots", "churn", "cltv", "evaluation"):
        assert {key: defaults[section][key] for key in written[section]} == written[section]
    for key in ("size", "control_share", "language"):
        assert defaults["at_risk"][key] == written["at_risk"][key]


def test_schema_prints_the_schema_and_nothing_else() -> None:
    code, out, err = kizuna("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == config_schema()


def test_check_prints_writes_and_ends_by_its_worst_finding(shop: Path) -> None:
    code, out, err = kizuna("check", shop)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "purchases: 152 rows, 2026-01-01 to 2026-10-30"
    assert out.splitlines()[-1].endswith(f"recommendations. Written to {shop.parent}/out/check/report.csv")
    report = pd.read_csv(shop.parent / "out/check/report.csv")
    assert list(report.columns) == ["name", "state", "step", "table", "column", "count", "details", "examples"]
    assert "few_customers" in set(report["name"])
    code, out, _ = kizuna("check", shop, "--set", "data.tables.surveys.path=no.csv")
    assert code == 10
    assert "1 error, " in out
    code, out, _ = kizuna(
        "check", shop, "--set", "data.tables.surveys.path=no.csv", "--set", "data.tables.loyalty.path=p.csv"
    )
    assert code == 11
    assert "ERROR           missing_table (surveys, 0): Table surveys is to be read from no.csv" in out
    assert "ERROR           broken_contract (loyalty, 0): Table loyalty needs a column kind; found customer_id" in out
    assert "2 errors, " in out


def test_json_is_one_object_and_nothing_else(shop: Path) -> None:
    code, out, err = kizuna("check", shop, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert set(told) == {"exit_code", "effect", "findings", "file"}
    assert set(told["findings"][0]) == {"name", "state", "step", "table", "column", "count", "details", "examples"}
    code, out, _ = kizuna("check", shop, "--json", "--set", "data.tables.purchases.path=no.csv")
    assert (code, json.loads(out)["exit_code"]) == (10, 10)
    code, out, err = kizuna("check", shop, "--json", "--set", "chrun.x=1")
    assert code == 2
    assert json.loads(out) == {"error": err.removeprefix("kizuna: ").removesuffix("\n"), "exit_code": 2}


@pytest.mark.parametrize("beside", ["--dry-run", "--republish"])
def test_restore_goes_with_no_other_way_to_publish(beside: str, shop: Path) -> None:
    code, out, err = kizuna("score", shop, "--as-of", "2026-10-31", "--restore", 1, beside)
    assert (code, out) == (2, "")
    assert "--restore links a revision that is there; leave out --dry-run and --republish." in err
    assert not (shop.parent / "out").exists()


def test_features_writes_one_day(shop: Path) -> None:
    target = shop.parent / "f.parquet"
    code, out, _ = kizuna("features", shop, "--as-of", "2026-10-01", "--out", target)
    frame = pd.read_parquet(target)
    assert code == 0
    assert out == f"{len(frame):,} rows, {frame.shape[1] - 2} features: {target}\n"
    assert list(frame.columns[:2]) == ["customer_id", "as_of"]
    assert frame["customer_id"].tolist() == sorted(frame["customer_id"])
    assert set(frame["as_of"]) == {pd.Timestamp("2026-10-01")}
    assert {str(kind) for kind in frame.dtypes[2:]} == {"float64"}


DAYS = {
    "2026-13-01": (
        2,
        "as_of asks for a day like 2026-01-31; found '2026-13-01'. Write it as YYYY-MM-DD, with a day that exists.",
    ),
    "2023-02-29": (
        2,
        "as_of asks for a day like 2026-01-31; found '2023-02-29'. Write it as YYYY-MM-DD, with a day that exists.",
    ),
    "yesterday": (
        2,
        "as_of asks for a day like 2026-01-31; found 'yesterday'. Write it as YYYY-MM-DD, with a day that exists.",
    ),
    "": (2, "as_of asks for a day like 2026-01-31; found ''. Write it as YYYY-MM-DD, with a day that exists."),
    "2025-12-31": (10, "Features were asked for 2025-12-31, but the data begin on 2026-01-01. Choose a later day."),
    "2026-01-01": (10, "Features were asked for 2026-01-01, but the data begin on 2026-01-01. Choose a later day."),
}


@pytest.mark.parametrize("day", DAYS)
def test_days_that_are_none_or_too_early(day: str, shop: Path) -> None:
    code, said = DAYS[day]
    assert kizuna("features", shop, "--as-of", day, "--out", shop.parent / "f.parquet") == (
        code,
        "",
        f"kizuna: {said}\n",
    )
    assert not (shop.parent / "f.parquet").exists()


def test_features_into_a_folder_that_is_not_there(shop: Path) -> None:
    target = shop.parent / "no/f.parquet"
    code, out, err = kizuna("features", shop, "--as-of", "2026-10-01", "--out", target)
    assert (code, out) == (2, "")
    assert err == f"kizuna: --out asks for {target}, but there is no folder {target.parent}. Make it first.\n"


SIMULATIONS: list[tuple[list[str], int]] = [
    (["--customers", "0"], 2),
    (["--customers", "-5"], 2),
    (["--customers", "many"], 2),
    (["--days", "0"], 2),
    (["--days", "1.5"], 2),
    (["--seed", "x"], 2),
    (["--colour", "red"], 2),
    (["--continue"], 2),
    (["--continue", "--seed", "3"], 2),
    (["--actions", "at_risk.csv"], 2),
]


@pytest.mark.parametrize(("arguments", "expected"), SIMULATIONS)
def test_simulate_refuses_what_makes_no_shop(arguments: list[str], expected: int, tmp_path: Path) -> None:
    code, out, err = kizuna("simulate", tmp_path / "shop", *arguments)
    assert (code, out) == (expected, "")
    assert err
    assert not (tmp_path / "shop").exists()


def test_the_program_ends_with_the_code_and_without_a_traceback(shop: Path) -> None:
    ended = program("check", shop, "--set", "data.tables.purchases.path=no.csv")
    assert (ended.returncode, ended.stderr) == (10, "")
    assert program("check", shop.parent / "no.yaml").returncode == 2
    (shop.parent / "p.csv").write_bytes("customer_id,occurred_at,amount\n山,2026-01-01,1\n".encode("cp932"))
    ended = program("features", shop, "--as-of", "2026-10-01", "--out", shop.parent / "f.parquet", TZ="Asia/Tokyo")
    assert ended.returncode == 11
    assert ended.stdout == ""
    assert ended.stderr == (
        "kizuna: Table purchases cannot be read: Line 2 of p.csv is not UTF-8; it reads as Shift_JIS (cp932). "
        "Export it again as UTF-8 (in Excel: CSV UTF-8).\n"
    )
    ended = program("features", shop, "--as-of", "2026-10-01", "--out", shop.parent / "f.parquet", "--debug")
    assert "Traceback" in ended.stderr


def test_an_error_nobody_foresaw_is_20_and_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("the roof leaks")

    monkeypatch.setattr("kizuna.check.check_shop", broken)
    code, out, err = kizuna("check", shop)
    assert (code, out) == (20, "")
    assert re.fullmatch(
        r"kizuna: Unexpected RuntimeError in shop\.py, line \d+\. Run again with --debug and report it\.\n", err
    )


def test_log_json_may_stand_anywhere_and_every_line_of_standard_error_is_json(tmp_path: Path) -> None:
    for arguments, environment in (
        (("--log-json", "check", tmp_path / "no.yaml"), {}),
        (("check", tmp_path / "no.yaml", "--log-json"), {}),
        (("check", tmp_path / "no.yaml"), {"KIZUNA_LOG": "json"}),
    ):
        ended = program(*arguments, **environment)
        lines = [json.loads(line) for line in ended.stderr.splitlines()]
        assert [(line["command"], line["event"], line["exit_code"]) for line in lines] == [
            *(("check", "failed", 2), ("check", "finished", 2)),
        ]
        assert ended.returncode == 2
