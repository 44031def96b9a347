"""The backtest of the list against what training and scoring would have given on those very days."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.commands import kizuna

from kizuna.data.simulate import simulate
from kizuna.errors import ConfigError
from kizuna.evaluation.list_backtest import BY_CHANCE
from kizuna.evaluation.list_days import days_of_models
from kizuna.labels.definition import definition_of
from kizuna.project import Project, load
from kizuna.timeline import date_of, day_of


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    simulate(folder, customers=600, days=560, seed=3)
    return folder / "config.yaml"


def provided(labels: pd.DataFrame, features: pd.DataFrame) -> Project:
    tables = {"labels": labels, "features": features}
    churn = {"definition": "provided", "horizon_days": 30}
    shop = {"name": "s", "data": {"tables": {"labels": {}, "features": {}}}, "churn": churn}
    return Project(shop | {"evaluation": {"folds": 2, "capacity": 20}, "output": {"dir": "out"}}, tables)


def test_undated_labels_have_no_lists() -> None:
    labels = pd.DataFrame({"customer_id": ["a", "b"], "churned": [0, 1]})
    with pytest.raises(ConfigError) as raised:
        provided(labels, pd.DataFrame({"customer_id": ["a", "b"], "x": [1.0, 2.0]})).backtest()
    assert str(raised.value) == (
        "kizuna backtest makes the lists of past days; labels without as_of belong to no day, so that no model could "
        "have been made before them. Give the table labels an as_of, or use kizuna train, whose folds are by customer."
    )


@pytest.fixture(scope="module")
def dated() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six months of labels of 400 customers, known 40 days later; x tells who leaves, and nobody is labelled after that."""
    generator = np.random.default_rng(5)
    days, lines = pd.date_range("2025-01-01", periods=6, freq="30D"), []
    there = np.arange(400)
    for day in days:
        x = generator.normal(size=len(there))
        lost = generator.random(len(there)) < 1 / (1 + np.exp(2.5 - 1.5 * x))
        lines.append(pd.DataFrame({"customer_id": there.astype(str), "as_of": day, "x": x, "churned": lost}))
        there = there[~lost]
    rows = pd.concat(lines, ignore_index=True)
    labels = rows[["customer_id", "as_of", "churned"]].assign(known_at=rows["as_of"] + pd.Timedelta(days=40))
    return labels, rows[["customer_id", "as_of", "x"]]


def test_dated_labels_are_backtested_on_their_own_days(
    dated: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop = provided(*dated)
    models, fewer = days_of_models(shop.store, shop.config, definition_of(shop.config), day_of(date(2025, 8, 1)), 9)
    assert [len(lists) for lists in models] == [1] * 6
    assert fewer == "The labels known by 2025-08-01 are of 6 days a week or more apart, not 9."
    found, _ = shop.backtest("2025-08-01")
    assert found.folds["train_day"].tolist() == ["2025-05-31", "2025-05-01"]
    assert found.weeks.lists == "2 lists"
    rows = found.weeks.rows.assign(as_of=pd.to_datetime(found.weeks.rows["day"], unit="D"))
    told = rows.merge(dated[0], on=["customer_id", "as_of"], suffixes=("", "_label"))
    # Everybody labelled on those days, with the label of the day.
    assert len(told) == len(rows) == int(dated[0]["as_of"].isin(pd.to_datetime(found.folds["train_day"])).sum())
    assert (told["churned"] == told["churned_label"]).all()
    # A label of 1 May is known on 10 June only, ten days after the newest model was made.
    assert found.folds["newest_snapshot"].tolist() == ["2025-04-01", "2025-03-02"]
    lists = found.lists[found.lists["fold"] < 0].set_index("ranking")
    assert lists.loc["kizuna", "churners_reached"] > 2 * lists.loc[BY_CHANCE, "churners_reached"]


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
