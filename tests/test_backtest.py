"""The backtest of the list against what training and scoring would have given on those very days."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.commands import kizuna

from kizuna.backtest import list_days
from kizuna.data.simulate import simulate
from kizuna.evaluation.list_backtest import BY_CHANCE
from kizuna.project import Project, load
from kizuna.timeline import LabelWindow, date_of, day_of


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    simulate(folder, customers=600, days=560, seed=3)
    return folder / "config.yaml"


def test_the_newest_list_is_a_week_whose_outcome_is_known() -> None:
    assert list_days(LabelWindow(90, 7, 2), 1_000, 3) == [901, 894, 887]


def test_undated_labels_have_no_weeks(tmp_path: Path) -> None:
    tables = {
        "labels": pd.DataFrame({"customer_id": ["a", "b"], "churned": [0, 1]}),
        "features": pd.DataFrame({"customer_id": ["a", "b"], "x": [1.0, 2.0]}),
    }
    config = {"name": "s", "data": {"tables": {"labels": {}, "features": {}}}, "churn": {"definition": "provided"}}
    with pytest.raises(Exception, match="provided labels say nothing about the weeks between their days"):
        Project(config, tables).backtest()


@pytest.mark.slow
def test_a_past_list_is_what_training_and_scoring_would_have_given(shop: Path) -> None:
    settings = ["at_risk.rank_by=churn_probability", "evaluation.capacity=20"]
    found, folder = load(shop, settings).backtest(weeks=5)
    assert {path.name for path in folder.iterdir()} >= {
        "lists.parquet",
        "models.parquet",
        "named.parquet",
        "backtest.png",
    }
    assert found.folds["lists_from"].tolist() == sorted(found.folds["lists_from"], reverse=True)
    rows = found.weeks.rows
    first_list = rows[rows["fold"] == 0]["day"].min()
    project = load(shop, settings)
    project.train(date_of(int(first_list)).isoformat())
    newest = int(rows["day"].max())
    scores = project.score(date_of(newest).isoformat()).set_index("customer_id")["churn_probability"]
    told = rows[rows["day"] == newest].set_index("customer_id")["kizuna"]
    assert set(told.index) == set(scores.index)
    np.testing.assert_allclose(told.loc[scores.index], scores, atol=1e-12)
    bought = pd.read_parquet(shop.parent / "purchases.parquet", columns=["customer_id", "occurred_at", "amount"])
    bought = bought[bought["amount"] >= 0]
    day = bought["occurred_at"].dt.date.map(day_of)
    stayed = set(bought["customer_id"][(day >= newest) & (day < newest + 90)])
    churned = rows[rows["day"] == newest].set_index("customer_id")["churned"]
    assert churned.to_dict() == {customer: float(customer not in stayed) for customer in churned.index}


@pytest.mark.slow
def test_the_command_prints_one_table_and_logs_it(shop: Path) -> None:
    code, out, err = kizuna("backtest", shop, "--weeks", "2", "--ablate", "--set", "evaluation.capacity=500")
    assert code == 0, err
    assert "2 weekly lists of" in out
    assert "over half of all customers" in out
    assert "purchases" in out
    code, out, err = kizuna("backtest", shop, "--weeks", "1", "--json", "--set", "evaluation.capacity=15")
    assert code == 0, err
    found = json.loads(out)
    assert found["rankings"]["kizuna"]["named"] == 15
    assert "profit" not in found["rankings"]["kizuna"]
    assert {"recency_rule", "rfm_logistic", "bgnbd", "mean_spend", BY_CHANCE} <= set(found["rankings"])
    assert found["ahead_value_reached"]["low"] <= found["ahead_value_reached"]["by"]


@pytest.mark.slow
def test_with_economics_the_command_tells_the_profit(shop: Path) -> None:
    costs = ["contact_cost=100", "offer_cost=400", "assumed_save_rate=0.2"]
    settings = [part for cost in costs for part in ("--set", f"economics.{cost}")]
    code, out, err = kizuna("backtest", shop, "--weeks", "1", "--json", "--set", "evaluation.capacity=15", *settings)
    assert code == 0, err
    found = json.loads(out)
    reached = found["rankings"]["kizuna"]
    assert reached["profit"] == pytest.approx(0.2 * reached["value_reached"] - 15 * 500)
    assert found["ahead_profit"]["low"] <= found["ahead_profit"]["by"]
