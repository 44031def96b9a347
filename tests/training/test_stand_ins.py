"""A table that may be missing: on the day that it is, models that were taught without it stand in."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.project import load

ASKED = (
    "model.churn.estimator=logistic",
    "model.churn.params.columns=all",
    "model.cltv.estimator=tweedie",
    "at_risk.size=40",
    "exports=[]",
)
MAY_LACK = (*ASKED, "data.tables.loyalty.on_missing=degrade", "data.tables.surveys.on_missing=degrade")
DAY = "2025-12-15"


def options(overrides: tuple[str, ...]) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]


def without(config: Path, *tables: str) -> Path:
    """The shop's config beside itself, with lists and models of its own, for files that are not there."""
    text = config.read_text().replace("mlflow.db", "other.db").replace("dir: exports", "dir: other")
    lines = [line for line in text.splitlines() if not any(line.strip().startswith(f"{name}:") for name in tables)]
    path = config.with_name("other.yaml")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=300, days=500, seed=11)
    code, out, err = kizuna("train", folder / "config.yaml", "--as-of", "2025-12-01", "--json", *options(MAY_LACK))
    assert code == 0, err
    assert json.loads(out)["promoted"]
    assert [line.split(": ")[0].split("] ")[1] for line in err.splitlines() if "without" in line] == [
        *("without loyalty", "without surveys", "without loyalty and surveys"),
    ]
    return folder / "config.yaml"


def test_the_stand_in_is_the_model_of_a_shop_that_never_had_the_table(shop: Path) -> None:
    other = without(shop, "loyalty")
    assert kizuna("train", other, "--as-of", "2025-12-01", *options(ASKED))[0] == 0
    expected = load(other, ASKED).score(DAY)
    (shop.parent / "loyalty.parquet").rename(shop.parent / "loyalty.away")
    try:
        found = load(shop, MAY_LACK).score(DAY)
    finally:
        (shop.parent / "loyalty.away").rename(shop.parent / "loyalty.parquet")
    pd.testing.assert_frame_equal(found, expected)
    assert not found["churn_probability"].equals(load(shop, MAY_LACK).score(DAY)["churn_probability"])


@pytest.mark.parametrize("missing", [("surveys",), ("loyalty", "surveys")])
def test_a_degraded_list_says_so_in_its_manifest_and_in_every_row(shop: Path, missing: tuple[str, ...]) -> None:
    for name in missing:
        (shop.parent / f"{name}.parquet").rename(shop.parent / f"{name}.away")
    try:
        code, _, err = kizuna("score", shop, "--as-of", f"2025-12-{15 + len(missing)}", *options(MAY_LACK))
    finally:
        for name in missing:
            (shop.parent / f"{name}.away").rename(shop.parent / f"{name}.parquet")
    assert code == 0, err
    assert f"without {' and '.join(missing)}: the models that were taught without it stand in" in err
    folder = shop.parent / "exports" / f"2025-12-{15 + len(missing)}"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["degraded"], manifest["missing_tables"]) == (True, list(missing))
    listed = pd.read_csv(folder / "at_risk.csv", dtype=str)
    expected = ";".join(f"missing_{name}" for name in missing)
    assert listed["data_warning"].str.startswith(expected).all()


def test_with_all_its_tables_a_list_is_not_degraded(shop: Path) -> None:
    assert kizuna("score", shop, "--as-of", "2025-12-14", *options(MAY_LACK))[0] == 0
    manifest = json.loads((shop.parent / "exports" / "2025-12-14" / "manifest.json").read_text())
    assert (manifest["degraded"], manifest["missing_tables"]) == (False, [])


def test_a_table_that_the_model_was_not_taught_to_miss_is_refused(shop: Path) -> None:
    (shop.parent / "complaints.parquet").rename(shop.parent / "complaints.away")
    try:
        refused = kizuna("score", shop, "--as-of", DAY, *options(MAY_LACK))
        asked = (*MAY_LACK, "data.tables.complaints.on_missing=degrade")
        not_taught = kizuna("score", shop, "--as-of", DAY, *options(asked))
    finally:
        (shop.parent / "complaints.away").rename(shop.parent / "complaints.parquet")
    assert refused[0] == 10
    assert not_taught[0] == 12
    assert not_taught[2].endswith(
        "kizuna: Scores without complaints were asked for, but shop-churn v1 was not taught to do without complaints. "
        "Bring the table back, or train once with it there and on_missing: degrade.\n"
    )
    assert not (shop.parent / "exports" / DAY).exists()


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (("data.tables.purchases.on_missing=degrade",), "it says who churned (churn.definition: inactivity)"),
        (
            ("data.tables.customers.on_missing=degrade", "at_risk.consent_missing=allow"),
            "those who opted out would be contacted (at_risk.consent_missing: allow)",
        ),
        (
            ("data.tables.suppressions.path=s.csv", "data.tables.suppressions.on_missing=degrade"),
            "those who must be left alone would be contacted",
        ),
    ],
)
def test_tables_that_no_list_can_do_without_may_not_be_missing(
    shop: Path, overrides: tuple[str, ...], why: str
) -> None:
    code, _, err = kizuna("check", shop, *options(overrides))
    assert code == 2
    assert f"the list cannot do without it: {why}. Use fail" in err
