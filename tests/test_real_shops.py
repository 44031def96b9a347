"""The shipped configs on real data: check, train, promote and score without a line of Python, and not behind a rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands import kizuna
from kizuna.evaluation.measures.metrics import auc
from kizuna.project import load

CONFIGS = Path(__file__).parents[1] / "configs"
DATA = Path(__file__).parents[2] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the repository"),
]


def run_config(name: str, folder: Path, *options: str, score_on: str) -> tuple[dict, Path]:
    """Check, train and score one shipped config into ``folder``: (the training's JSON, the published folder)."""
    places = ["--set", f"tracking.uri=sqlite:///{folder}/mlflow.db", "--set", f"output.dir={folder}/exports"]
    assert kizuna("check", CONFIGS / name, *places)[0] == 0
    code, out, err = kizuna("train", CONFIGS / name, "--json", *options, *places)
    assert code == 0, err
    code, _, err = kizuna("score", CONFIGS / name, "--as-of", score_on, *places)
    assert code == 0, err
    return json.loads(out), folder / "exports" / "latest"


def test_a_shop_with_returns_and_missing_customers(tmp_path: Path) -> None:
    trained, published = run_config("online_retail.yaml", tmp_path, score_on="2011-12-10")
    assert trained["promoted"]
    assert trained["train_day"] == "2011-12-10"
    assert trained["leak_findings"] == []
    assert trained["metrics"]["auc"] >= max(metrics["auc"] for metrics in trained["baselines"].values()) - 0.003
    listed = pd.read_csv(published / "at_risk.csv", dtype={"customer_id": str})
    assert (listed["arm"] == "target").sum() == 200
    assert listed["churn_probability"].between(0, 1).all()


def test_the_future_of_that_shop_bears_the_scores_out(tmp_path: Path) -> None:
    """Standing on 2011-09-10 as in the published comparison: AUC .655 recency, .740 RFM logistic, .731 plain LightGBM."""
    places = [f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", f"output.dir={tmp_path}/exports"]
    project = load(CONFIGS / "online_retail.yaml", places)
    project.train("2011-09-10")
    scores = project.score("2011-09-10").set_index("customer_id")
    lines = pd.read_parquet(DATA / "online_retail_1" / "lines.parquet")
    bought = lines[~lines["is_cancellation"] & lines["customer_id"].notna()]
    day = pd.Timestamp("2011-09-10")
    ids = bought["customer_id"].astype(int).astype(str)
    buyers = set(ids[(bought["invoice_ts"] >= day) & (bought["invoice_ts"] < day + pd.Timedelta(days=90))])
    churned = np.array([customer not in buyers for customer in scores.index], dtype=float)
    last = bought[bought["invoice_ts"] < day].groupby(ids)["invoice_ts"].max()
    recency = (day - last.reindex(scores.index)).dt.days.to_numpy()
    assert len(scores) == pytest.approx(2787, abs=10)
    assert auc(churned, scores["churn_probability"]) > auc(churned, recency) + 0.05
    assert auc(churned, scores["churn_probability"]) > 0.73


def test_provided_labels_without_a_date(tmp_path: Path) -> None:
    trained, published = run_config("telco.yaml", tmp_path, score_on="2026-01-01")
    assert trained["promoted"]
    assert trained["evaluation"] == "in_time"
    assert trained["metrics"]["auc"] > 0.845
    assert set(trained["baselines"]) == {"base_rate", "logistic_all"}
    scores = pd.read_parquet(published / "scores.parquet")
    assert len(scores) == 7043
    assert scores["cltv"].isna().all()
    listed = pd.read_csv(published / "at_risk.csv", dtype=str, keep_default_na=False)
    assert listed["reason_2_text"].ne("").mean() > 0.9


def test_a_column_that_tells_the_outcome_is_found_and_refused(tmp_path: Path) -> None:
    table = DATA / "bank_churn_records" / "customers.parquet"
    config = tmp_path / "bank.yaml"
    config.write_text(
        f"""
name: bank
data:
  tables:
    features: {{path: {table}, query: select * exclude (exited) from source}}
    labels: {{path: {table}, query: "select customer_id, exited as churned from source"}}
churn: {{definition: provided}}
tracking: {{uri: "sqlite:///mlflow.db"}}
output: {{dir: exports}}
"""
    )
    code, out, err = kizuna("train", config, "--json")
    assert code == 0, err
    trained = json.loads(out)
    assert not trained["promoted"]
    assert [finding["feature"] for finding in trained["leak_findings"]] == ["complain"]
    assert "features.exclude" in trained["leak_findings"][0]["evidence"]
    code, out, err = kizuna("train", config, "--json", "--set", "features.exclude=[complain]")
    assert code == 0, err
    assert json.loads(out)["promoted"]
    assert 0.83 < json.loads(out)["metrics"]["auc"] < 0.9


def test_a_plain_purchase_log(tmp_path: Path) -> None:
    trained, published = run_config("cdnow.yaml", tmp_path, score_on="1998-07-01")
    assert trained["promoted"]
    assert trained["metrics"]["auc"] >= max(metrics["auc"] for metrics in trained["baselines"].values()) - 0.003
    assert trained["value_metrics"]["total_ratio"] == pytest.approx(1, abs=0.2)
    assert len(pd.read_parquet(published / "scores.parquet")) > 5000


def test_where_only_silence_tells_anything_the_model_is_not_behind_it(tmp_path: Path) -> None:
    """A made-up shop whose past orders mislead: the chosen model is behind the recency rule, and a simpler one steps in."""
    config = tmp_path / "shop.yaml"
    config.write_text(
        f"""
name: shop
data:
  tables:
    purchases:
      path: {DATA / "contoso_customer_insights" / "online_purchases.parquet"}
      columns: {{customer_id: contact_id, occurred_at: purchased_on, amount: total_price, order_id: purchase_id}}
tracking: {{uri: "sqlite:///mlflow.db"}}
output: {{dir: exports}}
"""
    )
    code, out, err = kizuna("train", config, "--json")
    assert code == 0, err
    trained = json.loads(out)
    assert trained["promoted"]
    assert trained["metrics"]["auc"] >= trained["baselines"]["recency_rule"]["auc"] - 0.003
    assert trained["gate"]["grade"] == "C"
