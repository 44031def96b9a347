"""The loop of a week: list, explanation, feedback, another model, and what became of the lists, through the real commands."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from commands import kizuna
from kizuna.data.simulate import simulate
from kizuna.project import load
from kizuna.scoring.champion import load_models
from kizuna.scoring.day import score_day
from kizuna.tracking.runs import talking

pytestmark = pytest.mark.slow
FIRST, SECOND = "2025-09-01", "2025-12-29"
SIZE = ("--set", "at_risk.size=60", "--set", "at_risk.control_share=0.4")


def told(*arguments: object) -> dict[str, Any]:
    code, out, err = kizuna(*arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a list by one model and a later one by another."""
    folder = tmp_path_factory.mktemp("loop")
    simulate(folder, customers=800, days=900, seed=11)
    config = folder / "config.yaml"
    told("train", config, "--as-of", FIRST, "--no-promote")
    assert kizuna("promote", config, "1")[0] == 0
    told("score", config, "--as-of", FIRST, *SIZE)
    told("train", config, "--as-of", SECOND, "--no-promote", "--set", "training.treated=control_only")
    assert kizuna("promote", config, "2")[0] == 0
    told("score", config, "--as-of", SECOND, *SIZE)
    return config


def test_who_left_because_of_the_model_is_whom_the_old_one_would_list(shop: Path) -> None:
    removed = pd.read_csv(shop.parent / "exports" / SECOND / "removed.csv", dtype=str)
    project = load(shop, [SIZE[1], SIZE[3]])
    old = score_day(project.store, project.config, load_models(project.config, "1"), project.day(SECOND))
    still = removed["customer_id"].isin(old.at_risk["customer_id"])
    assert ((removed["why"] == "model_changed") == still).all()
    assert removed["why"].nunique() >= 3


def test_what_changed_adds_up(shop: Path) -> None:
    listed = pd.read_csv(shop.parent / "exports" / SECOND / "at_risk.csv", dtype=str)
    split = 0
    for customer in listed["customer_id"].head(6):
        found = told("explain", shop, customer, "--as-of", SECOND, *SIZE)
        row = listed[listed["customer_id"] == customer].iloc[0]
        assert found["state"] == "listed"
        assert found["numbers"]["churn_probability"] == pytest.approx(float(row["churn_probability"]), abs=6e-5)
        said = row[[f"reason_{k}_text" for k in (1, 2, 3)]].dropna().tolist()
        assert [reason["text"] for reason in found["reasons"]] == said
        assert (found["plan"]["action"], found["plan"]["arm"]) == (row["action"], row["arm"])
        assert all(event["day"] is None or event["day"] < SECOND for event in found["timeline"])
        change = found["change"]
        assert (change["since"], change["model"]) == (FIRST, "shop-churn v1")
        if change["before"] is not None:
            split += 1
            total = change["before"] + change["of_data"] + change["of_model"]
            assert total == pytest.approx(found["numbers"]["churn_probability"])
    assert split


def test_explaining_says_so_in_either_language(shop: Path) -> None:
    customer = pd.read_csv(shop.parent / "exports" / SECOND / "at_risk.csv", dtype=str)["customer_id"][0]
    for language, words in (("en", "not proof of cause"), ("ja", "原因の証明ではありません")):
        code, out, err = kizuna("explain", shop, customer, "--as-of", SECOND, "--set", f"at_risk.language={language}")
        assert (code, err) == (0, "")
        assert words in out
        assert "{" not in out
    code, _, err = kizuna("explain", shop, "nobody", "--as-of", SECOND)
    assert (code, err) == (
        2,
        "kizuna: A customer was asked for whose id no table has, or who is forgotten. Ids are kept to the letter: "
        "007 is not 7. Look at the id in the list.\n",
    )


def test_the_filled_workbook_is_read_back_and_counts_as_carried_out(shop: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(shop.parent / "exports" / FIRST / "at_risk.xlsx")
    sheet = book.worksheets[1]
    places = {cell.value: cell.column for cell in sheet[1]}
    filled = sheet.max_row - 1
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, places["Status"], "Done")
        sheet.cell(row, places["Done on"], datetime(2025, 9, 3))
    book.save(tmp_path / "filled.xlsx")
    found = told("feedback", shop, tmp_path / "filled.xlsx")
    assert (found["as_of"], found["done"], found["changed"]) == (FIRST, filled, True)
    assert not told("feedback", shop, tmp_path / "filled.xlsx")["changed"]
    pack = told("monitor", shop, "--as-of", "2026-01-01")
    first, second = pack["lists"]
    assert (first["state"], second["state"]) == ("measured", "maturing")
    assert first["executed_target"] == pytest.approx(filled / first["target"])
    assert first["executed_control"] == 0
    assert [row["period"] for row in pack["effects"]] == ["2025-Q3", "2025-Q4"]
    assert [row["state"] for row in pack["effects"]][1] == "maturing"
    assert 0.3 < first["precision"] < 1
    assert all(Path(path).is_file() for path in pack["files"])


def test_without_the_old_model_the_change_is_not_split(shop: Path) -> None:
    config = load(shop).config
    customer = pd.read_csv(shop.parent / "exports" / SECOND / "at_risk.csv", dtype=str)["customer_id"][0]
    with talking(config.tracking_uri) as client:
        client.delete_model_version("shop-churn", "1")
    change = told("explain", shop, customer, "--as-of", SECOND, *SIZE)["change"]
    assert (change["model_is_gone"], change["of_data"], change["of_model"]) == (True, None, None)
    code, out, _ = kizuna("explain", shop, customer, "--as-of", SECOND, *SIZE)
    assert code == 0
    assert "cannot be told: shop-churn v1 is not in the registry any more" in out
