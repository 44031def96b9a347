"""kizuna define: what a shop's own purchases or contracts say that churn is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.commands import kizuna
from tests.features.small import project_of, table

import kizuna as package
from kizuna.define import define, write
from kizuna.errors import ConfigError, ContractError, DataMissing

FILES = ["return_curve.png", "return_curve.csv", "definitions.csv", "define.json"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hundred customers over three years, from the first until 2025-12-31; each buys every 25 days or so until gone."""
    folder = tmp_path_factory.mktemp("shop")
    generator = np.random.default_rng(8)
    rows = []
    for number in range(600):
        day, end = int(generator.integers(0, 900)), int(generator.integers(60, 700))
        last = day + end
        while day < min(last, 1096):
            rows.append((f"c{number:03}", day, "jp" if number % 3 else "de"))
            day += 1 + int(generator.exponential(24))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "market"])
    frame["occurred_at"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(frame["day"], unit="D")
    frame["amount"] = 10
    frame[["customer_id", "occurred_at", "amount"]].to_csv(folder / "p.csv", index=False)
    frame[["customer_id", "market"]].drop_duplicates().to_csv(folder / "c.csv", index=False)
    (folder / "shop.yaml").write_text(
        "name: shop\ndata: {tables: {purchases: {path: p.csv}, customers: {path: c.csv}}}\noutput: {dir: out}\n"
    )
    return folder / "shop.yaml"


def test_the_terminal_shows_the_curve_the_candidates_and_the_proposal(shop: Path) -> None:
    code, out, err = kizuna("define", shop)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    summary = json.loads((shop.parent / "out/define/define.json").read_text())
    assert lines[0] == (
        f"shop, as known before 2026-01-01: {summary['silences']:,} silences after an order, "
        f"{summary['returned']:,} ended with the next one."
    )
    assert lines[1].startswith(f"Usual gap between purchases {summary['usual_gap_days']} days; the middle half took ")
    names = ["after any order", "after 1 order", "after 2 orders", "after 3-5 orders", "after 6+ orders", "jp", "de"]
    assert [line.split("  ")[1] for line in lines[7:14]] == names
    proposed = summary["proposed"]
    said = f"horizon_days: {proposed['horizon_days']}, active_within_days: {proposed['active_within_days']}"
    assert f"Proposal: churn: {{{said}}}" in lines
    assert proposed["qualifies"]
    qualified = pd.read_csv(shop.parent / "out/define/definitions.csv").query("fault.isna() or configured")
    shown = [line.split()[:2] for line in lines if "qualifies" in line or "in the config" in line]
    assert [pair for pair in shown if pair[0].isdigit()] == qualified.iloc[:, :2].astype(str).to_numpy().tolist()
    assert sum("proposed" in line and "qualifies" in line for line in lines) == 1
    assert sum("in the config" in line for line in lines) == 1
    assert any(line.startswith("The config says {horizon_days: 90, active_within_days: 180}, which ") for line in lines)
    assert lines[-1] == "Written to " + ", ".join(str(shop.parent / "out/define" / name) for name in FILES)
    assert max(map(len, lines[:-1])) <= 120


def test_json_holds_the_same_and_the_files_are_the_same_twice(shop: Path) -> None:
    folder = shop.parent / "out/define"
    code, out, err = kizuna("define", shop, "--json")
    assert (code, err) == (0, "")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == sorted(FILES)
    found = json.loads(out)
    assert found.pop("files") == [str(folder / name) for name in FILES]
    assert found == json.loads((folder / "define.json").read_text())
    assert kizuna("define", shop, "--json")[1] == out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_tables_hold_what_the_summary_says(shop: Path) -> None:
    found = package.load(shop).define()
    curve, definitions = found.curve, found.definitions
    assert definitions is not None
    assert curve.columns.tolist() == [
        *(
            "kind",
            "segment",
            "silent_days",
            "at_risk",
            "returned",
            "hazard",
            "silent_share",
            "silent_low",
            "silent_high",
        ),
        *(f"return_{days}d_{what}" for days in (30, 90, 180, 365) for what in ("share", "low", "high")),
    ]
    everyone = curve[curve["segment"] == "after any order"].set_index("silent_days")
    segment = found.summary["segments"][0]
    chance = segment["chances"][1]
    assert chance.pop("silent_days") == 30
    assert list(chance.values()) == pytest.approx(
        everyone.loc[30, ["return_90d_share", "return_90d_low", "return_90d_high"]].tolist(), abs=1e-4
    )
    below = {at["level"]: at["silent_days"] for at in segment["below"]}[0.2]
    assert everyone.loc[below, "return_90d_share"] < 0.2 <= everyone.loc[below - 1, "return_90d_share"]
    assert everyone["returned"].sum() == found.summary["returned"]
    assert definitions["configured"].sum() == 1
    assert definitions["proposed"].sum() == 1
    assert definitions.loc[definitions["proposed"], "horizon_days"].item() == found.summary["proposed"]["horizon_days"]


def test_only_what_was_known_before_the_day_counts(shop: Path, tmp_path: Path) -> None:
    """The shop cut off at a day says the same as the whole shop asked about that day."""
    purchases, customers = (pd.read_csv(shop.parent / name) for name in ("p.csv", "c.csv"))
    known = purchases[purchases["occurred_at"] < "2025-03-01"]
    tables = {"purchases": known, "customers": customers}
    cut = package.Project({"name": "shop", "data": {"tables": {"purchases": {}, "customers": {}}}}, tables)
    whole = package.load(shop).define("2025-03-01")
    assert whole.summary["as_of"] == "2025-03-01"
    assert cut.define("2025-03-01").summary == whole.summary
    left, right = write(cut.define("2025-03-01"), tmp_path / "cut"), write(whole, tmp_path / "whole")
    assert [path.read_bytes() for path in left] == [path.read_bytes() for path in right]


def test_another_horizon_is_looked_at_with_set(shop: Path, tmp_path: Path) -> None:
    code, out, _ = kizuna("define", shop, "--set", "churn.horizon_days=40", "--set", f"output.dir={tmp_path}")
    assert code == 0
    assert "Share that buys within 40 days, by days since the last order" in out
    header = (tmp_path / "define/return_curve.csv").read_text().splitlines()[0]
    assert "return_40d_share" in header
    row = next(line for line in out.splitlines() if "in the config" in line)
    assert row.split()[:2] == ["40", "180"]


def test_a_young_shop_is_told_how_long_to_wait(tmp_path: Path) -> None:
    purchases = table("customer_id occurred_at amount", "a 2025-01-01 5", "a 2025-01-05 5", "b 2025-01-09 5")
    found = project_of({"purchases": purchases}).define()
    assert found.summary["proposed"] is None
    assert found.lines[:5] == [
        "shop, as known before 2025-01-10: 3 silences after an order, 1 ended with the next one.",
        "Usual gap between purchases 4 days; the middle half took 4 to 4.",
        "",
        "No chance within 90 days can be measured: it takes 30 silences, some followed for 90 days; the longest was for 4.",
        "Look at a shorter one with --set churn.horizon_days=DAYS, or again when there is more history.",
    ]
    assert found.lines[-3:] == [
        "No proposal.",
        "Too little data: no label has matured yet; the first will in 111 days.",
        "The config says {horizon_days: 90, active_within_days: 180}.",
    ]
    assert len(write(found, tmp_path)) == 4
    alone = project_of({"purchases": purchases.iloc[:1]}).define()
    assert alone.lines[1] == "Nobody has ordered on a second day yet."


def test_where_nobody_is_ever_silent_for_long_nothing_can_be_lost() -> None:
    days = pd.date_range("2023-01-01", "2023-12-31", freq="7D")
    rows = [(f"c{number}", day, 10.0) for number in range(3) for day in days]
    purchases = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])
    found = project_of({"purchases": purchases}).define()
    assert found.lines[3:5] == [
        "Nobody is ever silent for more than 7 days, so nothing can be lost within 90 days.",
        "Shorten the horizon to less than that with --set churn.horizon_days=DAYS (the config says 90).",
    ]
    assert len(found.definitions) > 1
    shown = [line for line in found.lines if line.startswith("       ")]
    assert [line.split()[:2] for line in shown] == [["90", "180"]]
    assert f"  {len(found.definitions) - 1} others do not qualify: definitions.csv" in found.lines


CONTRACTS = table(
    "customer_id started_at ended_at plan period_days",
    *(f"c{number} 2024-01-01 2024-01-31 basic 30" for number in range(40)),
    *(f"d{number} 2024-01-01 - plus 30" for number in range(60)),
    "e 2024-12-31 - plus 365",
)


@pytest.mark.parametrize("definition", ["inactivity", "cancellation"])
def test_contracts_alone_show_how_long_they_last(definition: str, tmp_path: Path) -> None:
    found = project_of({"subscriptions": CONTRACTS}, churn={"definition": definition}).define()
    assert found.definitions is None
    assert found.lines[:13] == [
        "shop, as known before 2025-01-01: 101 contracts, 40 have ended.",
        "",
        "Share of contracts still running, by days since they began:",
        "",
        "                 contracts   30 d   90 d  180 d  365 d  half end by",
        "  all contracts        101   60 %   60 %   60 %   60 %            -",
        "  plus                  61  100 %  100 %  100 %  100 %            -",
        "  basic                 40    0 %      -      -      -       day 30",
        "  30 days              100   60 %   60 %   60 %   60 %            -",
        "  365 days               1      -      -      -      -            -",
        "",
        "Share that ends at each renewal (half a period before to half a period after, 95 % interval):",
        "",
    ]
    assert found.lines[-1] == (
        "Churn is the end of the contract: churn.definition: cancellation. No silence has to be chosen."
    )
    assert [path.name for path in write(found, tmp_path)] == ["contract_curve.png", "contract_curve.csv", "define.json"]


def test_where_the_config_asks_for_cancellation_purchases_play_no_part() -> None:
    purchases = table("customer_id occurred_at amount", "a 2026-01-01 5")
    tables = {"purchases": purchases, "subscriptions": CONTRACTS}
    assert project_of(tables, churn={"definition": "cancellation"}).define().summary["kind"] == "cancellation"
    assert project_of(tables).define().summary["kind"] == "inactivity"


def test_provided_labels_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("name: shop\ndata: {tables: {labels: {path: none.csv}}}\nchurn: {definition: provided}\n")
    code, out, err = kizuna("define", path)
    assert (code, out) == (2, "")
    assert err == (
        "kizuna: kizuna define looks for the silence that means churn, but churn.definition is provided: table labels "
        "already says who churned. Nothing is to be defined.\n"
    )
    path.write_text(path.read_text().replace("{labels:", "{purchases: {path: none.csv}, labels:"))
    assert kizuna("define", path)[2].endswith(
        "Nothing is to be defined; set churn.definition=inactivity to look at purchases.\n"
    )
    project = project_of({"labels": table("customer_id churned", "a 1")}, churn={"definition": "provided"})
    with pytest.raises(ConfigError):
        define(project.opened, project.config, None)


def test_no_table_that_could_say_is_refused() -> None:
    visits = table("customer_id occurred_at", "a 2025-01-01")
    with pytest.raises(ContractError) as refused:
        project_of({"engagement": visits}).define()
    assert str(refused.value) == (
        "churn.definition inactivity needs the table purchases; found engagement. Add it under data.tables, or choose "
        "another definition."
    )


def test_a_day_before_the_data_is_refused(shop: Path) -> None:
    with pytest.raises(DataMissing) as refused:
        package.load(shop).define("2022-06-01")
    first = pd.read_csv(shop.parent / "p.csv")["occurred_at"].min()[:10]
    assert str(refused.value) == (
        f"kizuna define was asked to stand on 2022-06-01, but table purchases has its first row on {first}. "
        "Choose a later --as-of, or load older rows."
    )
    assert kizuna("define", shop, "--as-of", "2022-06-01")[0] == 10
    assert kizuna("define", shop, "--as-of", "yesterday")[0] == 2
