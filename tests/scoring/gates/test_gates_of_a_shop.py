"""Gates at the command line: a real shop, each gate violated in turn, accepted with a record, and healthy weeks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import kizuna
from kizuna.data.simulate import simulate

pytestmark = pytest.mark.slow

WEEKS = ("2025-12-01", "2025-12-08", "2025-12-15", "2025-12-22")
NEXT = "2025-12-29"
SETTINGS = (
    *("model.churn.estimator=logistic", "evaluation.folds=1", "snapshots.max_count=6"),
    *("features.families=[purchases,profile,engagement]", "exports=[]", "at_risk.size=40"),
)
Change = Callable[[Path], None]


def score(folder: Path, day: str, *more: str) -> tuple[int, str, str]:
    sets = [word for setting in SETTINGS for word in ("--set", setting)]
    return kizuna("score", folder / "config.yaml", "--as-of", day, *sets, *more)


def manifest(folder: Path, day: str) -> dict[str, Any]:
    return dict(json.loads((folder / "exports" / day / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of 500 customers with four weekly lists behind it."""
    folder = tmp_path_factory.mktemp("gates") / "shop"
    simulate(folder, customers=500, days=500, seed=5)
    sets = [word for setting in SETTINGS for word in ("--set", setting)]
    code, _, err = kizuna("train", folder / "config.yaml", "--as-of", WEEKS[0], *sets)
    assert code == 0, err
    for day in WEEKS:
        code, _, err = score(folder, day)
        assert code == 0, err
    return folder


@pytest.fixture
def shop(healthy: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(healthy, tmp_path / "shop", symlinks=True))


def changed(table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    def go(folder: Path) -> None:
        path = folder / f"{table}.parquet"
        change(pd.read_parquet(path)).to_parquet(path, index=False)

    return go


def before(day: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table[pd.to_datetime(table["occurred_at"]) < day]


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every published file, with its bytes and its time: what is watched tells of runs that publish nothing, too."""
    found = (path for path in (folder / "exports" / ".revisions").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_four_healthy_weeks_pass_every_gate(healthy: Path):
    for day in WEEKS:
        found = manifest(healthy, day)
        assert [gate["name"] for gate in found["gates"] if gate["status"] == "fail"] == []
        assert {"features", "feature_drift", "probabilities", "score_drift", "list_size"} <= {
            g["name"] for g in found["gates"]
        }
        assert all(
            set(gate) == {"name", "status", "value", "limit", "accepted_by", "reason"} for gate in found["gates"]
        )
        assert found["rows_known"]["purchases"] > 0
        assert found["list_size"] == 40


VIOLATED: dict[str, tuple[Change, list[str], int]] = {
    "rows.purchases": (changed("purchases", lambda table: table.iloc[::2]), [], 10),
    "rows.customers": (
        changed("customers", lambda table: pd.concat([table, table.assign(customer_id=table["customer_id"] + "x")])),
        [],
        10,
    ),
    "recent.engagement": (changed("engagement", before("2025-11-20")), ["gates.min_rows_share=0.1"], 10),
    "freshness.purchases": (
        changed("purchases", before("2025-12-20")),
        ["data.tables.purchases.error_after_days=5"],
        10,
    ),
    "features": (changed("customers", lambda table: table.drop(columns="birth_date")), [], 12),
    "levels.customers.market": (changed("customers", lambda table: table.assign(market=table["market"] + "2")), [], 12),
    "feature_drift": (
        changed("purchases", lambda table: table.assign(amount=table["amount"] * 100)),
        ["gates.max_feature_psi=1"],
        13,
    ),
    "mean_value": (changed("purchases", lambda table: table.assign(amount=table["amount"] * 100)), [], 13),
    "list_size": (lambda folder: None, ["at_risk.min_probability=0.9999"], 13),
}


@pytest.mark.parametrize("name", list(VIOLATED))
def test_a_violated_gate_publishes_nothing_and_says_which(shop: Path, name: str):
    change, sets, exit_code = VIOLATED[name]
    change(shop)
    kept = files(shop)
    code, out, err = score(shop, NEXT, *[word for one in sets for word in ("--set", one)])
    assert code == exit_code, err
    assert out == ""
    line = err.strip().splitlines()[-1]
    assert line.startswith(f"kizuna: Gate {name}: ")
    assert ("--accept-gate" in line) == (name not in ("freshness.purchases", "features"))
    assert files(shop) == kept
    assert (shop / "exports" / "latest").resolve().parent.name == WEEKS[-1]


@pytest.mark.parametrize("name", ["rows.purchases", "levels.customers.market", "mean_value", "list_size"])
def test_an_accepted_gate_is_published_with_its_reason(shop: Path, name: str):
    change, sets, _ = VIOLATED[name]
    change(shop)
    more = [word for one in sets for word in ("--set", one)]
    code, out, err = score(shop, NEXT, *more, "--accept-gate", name, "--why", "old rows were archived", "--json")
    assert code == 0, err
    (record,) = [gate for gate in json.loads(out)["gates"] if gate["status"] == "fail"]
    assert (record["name"], record["reason"]) == (name, "old rows were archived")
    assert record["accepted_by"]
    assert record in manifest(shop, NEXT)["gates"]
    assert f"gate {name} fails and is accepted by {record['accepted_by']} (old rows were archived)" in err
    kept = files(shop)
    code, _, err = score(shop, NEXT, *more)
    assert code == 0, err
    assert files(shop) == kept


def test_a_dry_run_shows_the_gates_and_ends_as_the_run_would(shop: Path):
    VIOLATED["mean_value"][0](shop)
    kept = files(shop)
    code, out, _ = score(shop, NEXT, "--dry-run")
    assert code == 13
    assert "1 fail" in out
    assert "fail mean_value" in out
    assert "It would end with exit code 13. Gate mean_value: " in out
    code, out, _ = score(shop, NEXT, "--dry-run", "--json", "--accept-gate", "mean_value", "--why", "yen to sen")
    assert code == 0
    assert [gate["name"] for gate in json.loads(out)["gates"] if gate["status"] == "fail"] == ["mean_value"]
    assert files(shop) == kept


def test_accepting_a_gate_that_holds_is_said_and_harmless(shop: Path):
    code, _, err = score(shop, NEXT, "--accept-gate", "list_drift", "--why", "to be sure")
    assert code == 0, err
    assert "gate list_drift was accepted but does not fail: nothing is recorded of it" in err
    assert all(gate["accepted_by"] is None for gate in manifest(shop, NEXT)["gates"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--accept-gate", "rows.purchase", "--why", "x"], "Did you mean 'rows.purchases'?"),
        (["--accept-gate", "features", "--why", "x"], "this gate cannot be accepted"),
        (["--accept-gate", "rows.purchases", "--why", ""], "an empty one found"),
        (["--accept-gate", "rows.purchases"], "0 found"),
    ],
)
def test_a_gate_that_cannot_be_meant_ends_with_2(healthy: Path, options: list[str], said: str):
    code, _, err = score(healthy, NEXT, *options)
    assert code == 2
    assert said in err


def test_a_published_day_stays_whatever_its_gates_would_say(shop: Path):
    kept = files(shop)
    code, _, err = score(shop, WEEKS[-1], "--set", "gates.max_list_psi=0.0000001", "--set", "gates.max_high_change=0")
    assert code == 0, err
    assert files(shop) == kept


def test_what_a_later_training_knew_does_not_stop_an_earlier_day(shop: Path, tmp_path: Path):
    code, _, err = score(shop, "2025-06-01", "--hindsight", "--set", f"output.dir={tmp_path / 'past'}")
    assert code == 0, err


def test_no_customer_is_named_by_a_gate(shop: Path):
    customers = pd.read_parquet(shop / "customers.parquet")
    rng = np.random.default_rng(1)
    canaries = np.where(rng.random(len(customers)) < 0.7, "CANARY Ltd", customers["market"])
    customers.assign(market=canaries).to_parquet(shop / "customers.parquet", index=False)
    code, out, err = score(shop, NEXT, "--json")
    assert code == 12
    assert [gate["name"] for gate in json.loads(out)["gates"] if gate["status"] == "fail"] == [
        "levels.customers.market"
    ]
    assert "CANARY" not in out + err
