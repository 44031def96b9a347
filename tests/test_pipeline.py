"""From files to a published list, through the real commands, a real MLflow store and real files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from commands import kizuna
from kizuna.config_file import load_config
from kizuna.data.simulate import simulate
from kizuna.models import ChurnClassifier
from kizuna.project import Project, load
from kizuna.scoring.rows import AT_RISK_COLUMNS
from kizuna.tracking.registry import Registry
from kizuna.tracking.runs import talking
from servers import mlflow_server

TABLES = (
    "customers",
    "purchases",
    "complaints",
    "engagement",
    "outreach",
    "surveys",
    "loyalty",
    "referrals",
    "subscriptions",
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop of 1,000 customers over 640 days."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=1000, days=640, seed=11)
    return folder


@pytest.fixture(scope="session")
def trained(shop: Path) -> dict:
    """The shop after one ``kizuna train --json``."""
    code, out, err = kizuna("train", shop / "config.yaml", "--json", "--set", "at_risk.size=60")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="session")
def published(shop: Path, trained: dict) -> Path:
    """The shop's list of 2026-01-01."""
    code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2026-01-01", "--set", "at_risk.size=60")
    assert code == 0, err
    return shop / "exports" / "2026-01-01"


def test_training_json_holds_what_the_contract_promises(trained: dict) -> None:
    assert {"versions", "promoted", "gate", "metrics", "estimator", "leak_findings", "season_unseen"} <= set(trained)
    assert trained["promoted"] is True
    assert trained["versions"] == {"churn": "1", "cltv": "1"}
    assert trained["leak_findings"] == []
    assert trained["evaluation"] == "out_of_time"
    assert 0.5 < trained["headline"]["auc_silent_below_horizon"] < 1
    assert trained["headline"]["median_silence_days_at_first_listing"] >= 1
    assert trained["estimator"] in ("rule", "logistic", "lightgbm", "blend")


def test_every_check_of_the_gate_is_told_and_tagged(shop: Path, trained: dict) -> None:
    names = ["signal", "baseline", "log_loss", "calibration", "level", "leak", "champion", "segments", "population"]
    assert [check["name"] for check in trained["gate"]["checks"]] == names
    config = load_config(shop / "config.yaml")
    tags = Registry(config.tracking_uri, config.name).resolve("1").churn.tags
    for check in trained["gate"]["checks"]:
        assert tags[f"gate.{check['name']}"].startswith(check["status"])
    population = trained["gate"]["checks"][-1]
    assert population["text"].endswith(
        f"score cleanly, mean probability {population['value']:.3f}".replace(" 0.", " .")
    )
    assert trained["season_unseen"]["unseen"] is True
    assert 0 <= trained["season_unseen"]["level_spread"] < 0.5
    assert set(trained["season_unseen"]) == {"unseen", "level_spread", "level_most"}
    assert tags["season_unseen"] == "true"
    assert "Season unseen: the level may be off by" in trained["gate"]["text"]


def test_the_value_version_has_tags_of_its_own(shop: Path, trained: dict) -> None:
    config = load_config(shop / "config.yaml")
    pair = Registry(config.tracking_uri, config.name).resolve("1")
    assert pair.cltv is not None
    assert pair.cltv.tags["estimator"] == "mean"
    assert pair.cltv.tags["value_check"].startswith(trained["value_check"]["status"])
    assert pair.cltv.tags["horizon_days"] == pair.churn.tags["horizon_days"]
    assert not {"grade", "recipe", "validation_status", "season_unseen", "gate.signal"} & set(pair.cltv.tags)
    with talking(config.tracking_uri) as client:
        params = client.get_run(trained["run_id"]).data.params
    assert params["resolved.estimator"] == pair.churn.tags["estimator"]
    assert params["resolved.cltv_estimator"] == "mean"
    assert params["resolved.cltv_horizon_days"] == pair.cltv.tags["cltv_horizon_days"]


def test_the_page_of_the_run_begins_with_the_decision_and_the_rules(shop: Path, trained: dict) -> None:
    config = load_config(shop / "config.yaml")
    with talking(config.tracking_uri) as client:
        said = client.get_run(trained["run_id"]).data.tags["mlflow.note.content"]
    assert said.startswith(trained["gate"]["text"])
    heads, _, model, *rules = [line for line in said.splitlines() if line.startswith("|")]
    assert heads == "| | AUC [95 %] | log loss |"
    assert model.startswith(
        f"| **kizuna** ({trained['estimator']}) | {trained['metrics']['auc']:.3f} [".replace("0.", ".")
    )
    assert len(rules) == len(trained["baselines"])
    assert rules[0].startswith("| BG/NBD | ")


def test_the_model_is_not_behind_any_rule(trained: dict) -> None:
    best = max(baseline["auc"] for baseline in trained["baselines"].values())
    assert {"recency_rule", "rate_rule", "rfm_logistic", "bgnbd"} <= set(trained["baselines"])
    assert trained["metrics"]["auc"] >= best - 0.003


def test_every_headline_number_has_an_interval_and_the_lists_a_value(shop: Path, trained: dict) -> None:
    for numbers, ends in (("metrics", "intervals"), ("value_metrics", "value_intervals")):
        assert set(trained[ends]) == set(trained[numbers])
        assert all(found["low"] <= found["high"] for found in trained[ends].values())
    assert trained["intervals"]["auc"]["low"] <= trained["metrics"]["auc"] <= trained["intervals"]["auc"]["high"]
    assert trained["value_best_baseline"] in {"mean_spend", "formula", "btyd_rule"}
    assert trained["value_check"]["status"] in ("pass", "warn")
    assert trained["money"]["rankings"]["kizuna"]["value_lift_at_capacity"] > 1
    assert "profit" not in json.dumps(trained["money"])
    left = {path.name for path in shop.rglob("*") if path.parent.name in ("evaluation", "plots")}
    assert {"intervals.csv", "differences.csv", "value_deciles.csv", "money.csv", "value_reached.png"} <= left
    assert "profit.png" not in left


def test_the_page_on_models_names_every_artifact_of_a_run(shop: Path, trained: dict) -> None:
    page = Path(__file__).parents[1] / "docs" / "models.md"
    named = set(re.findall(r"`((?:evaluation|features|plots)/\w+\.\w+|config\.yaml)`", page.read_text()))
    (artifacts,) = shop.rglob(f"{trained['run_id']}/artifacts")
    logged = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()}
    assert named - logged <= {"plots/profit.png", "evaluation/tuning.txt", "evaluation/value_tuning.txt"}
    assert logged - named == set()


def test_every_file_of_a_publication_is_there_with_its_columns(published: Path) -> None:
    names = {path.name for path in published.iterdir()}
    assert names == {
        "scores.parquet",
        "explanations.parquet",
        "at_risk.csv",
        "at_risk.xlsx",
        "report.html",
        "removed.csv",
        "manifest.json",
        "_SUCCESS",
    }
    scores = pd.read_parquet(published / "scores.parquet")
    wanted = ["customer_id", "as_of", "churn_probability", "cltv", "cltv_low", "cltv_high"]
    wanted += ["value_if_kept", "value_if_churned", "value_at_risk"]
    assert [*scores.columns][:9] == wanted
    assert {"risk_band", "risk_percentile", "arm"} <= set(scores.columns)
    assert not any("score" in column for column in scores.columns)
    listed = pd.read_csv(published / "at_risk.csv", dtype=str, keep_default_na=False)
    assert [*listed.columns] == AT_RISK_COLUMNS
    explained = pd.read_parquet(published / "explanations.parquet")
    assert [*explained.columns] == ["customer_id", "driver", "feature", "value", "contribution", "rank"]
    assert set(explained["customer_id"]) == set(listed["customer_id"])


def test_expected_value_is_the_mixture_on_every_row(published: Path) -> None:
    scores = pd.read_parquet(published / "scores.parquet")
    p, kept, lost = scores["churn_probability"], scores["value_if_kept"], scores["value_if_churned"]
    np.testing.assert_allclose(scores["cltv"], (1 - p) * kept + p * lost, rtol=1e-12)
    np.testing.assert_allclose(scores["value_at_risk"], p * (kept - lost), rtol=1e-12)
    assert ((scores["cltv_low"] >= 0) & (scores["cltv_low"] <= scores["cltv_high"])).all()
    assert (scores["customer_id"].tolist()) == sorted(scores["customer_id"])
    assert not scores.isna().any().any()


def test_next_purchases_have_days_and_set_the_latest_day_to_act(published: Path) -> None:
    days = ["expected_next_purchase_low", "expected_next_purchase", "expected_next_purchase_high"]
    scores = pd.read_parquet(published / "scores.parquet").set_index("customer_id")
    offsets = np.column_stack([(scores[name] - scores["as_of"]).dt.days for name in days])
    assert (offsets >= 0).all()
    assert (np.diff(offsets, axis=1) >= 0).all()
    listed = pd.read_csv(published / "at_risk.csv", dtype={"customer_id": str}, parse_dates=["act_by", days[1]])
    assert listed[days[1]].tolist() == scores.loc[listed["customer_id"], days[1]].tolist()
    assert listed["act_by"].between(pd.Timestamp("2026-01-01"), listed[days[1]]).all()
    slow = listed["usual_gap_days"] > 90
    assert (listed["data_warning"].fillna("").str.contains("slow_rhythm") == slow).all()


def test_the_links_are_relative_and_the_manifest_names_every_file(shop: Path, published: Path) -> None:
    assert (shop / "exports" / "latest").readlink() == Path(".revisions/2026-01-01/r1")
    assert published.readlink() == Path(".revisions/2026-01-01/r1")
    manifest = json.loads((published / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} == {
        path.name for path in published.iterdir() if path.name not in ("manifest.json", "_SUCCESS")
    }
    counts = manifest["counts"]
    left_out = counts["suppressed"] + counts["below_min_probability"] + counts["beyond_capacity"]
    assert counts["eligible"] == counts["listed"] + left_out
    assert manifest["models"] == {"churn": "shop-churn v1", "cltv": "shop-cltv v1"}


def test_contributions_of_a_listed_customer_add_up_to_the_probability(shop: Path, published: Path) -> None:
    explained = pd.read_parquet(published / "explanations.parquet")
    scores = pd.read_parquet(published / "scores.parquet").set_index("customer_id")["churn_probability"]
    customer = explained["customer_id"].iloc[0]
    total = explained.loc[explained["customer_id"] == customer, "contribution"].sum()
    others = explained.groupby("customer_id")["contribution"].sum()
    logit = np.log(scores / (1 - scores)).reindex(others.index)
    # What is left is the bias, the same for everyone.
    np.testing.assert_allclose((logit - others).to_numpy(), logit[customer] - total, atol=1e-9)


def test_a_second_run_changes_nothing(shop: Path, published: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in published.iterdir()}
    code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2026-01-01", "--set", "at_risk.size=60")
    assert code == 0, err
    assert {path.name: path.stat().st_mtime_ns for path in published.iterdir()} == before


def test_other_inputs_for_a_published_day_are_refused_with_the_difference(shop: Path, published: Path) -> None:
    code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2026-01-01", "--set", "at_risk.size=40")
    assert code == 2
    assert "config changed" in err
    assert "--republish" in err


def test_the_same_inputs_give_the_same_bytes_elsewhere(shop: Path, published: Path, tmp_path: Path) -> None:
    code, _, err = kizuna(
        "score",
        shop / "config.yaml",
        "--as-of",
        "2026-01-01",
        "--set",
        "at_risk.size=60",
        "--set",
        f"output.dir={tmp_path}",
    )
    assert code == 0, err
    for path in published.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "2026-01-01" / path.name).read_bytes(), path.name


def test_a_day_before_the_champion_learned_is_refused(shop: Path, trained: dict) -> None:
    code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2025-06-01")
    assert code == 12
    assert "it would know the future" in err
    assert "--hindsight" in err


def test_dry_run_publishes_nothing(shop: Path, published: Path) -> None:
    code, out, err = kizuna("score", shop / "config.yaml", "--as-of", "2026-01-08", "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["last_list"] == "2026-01-01"
    assert not (shop / "exports" / "2026-01-08").exists()


def test_japanese_reasons_hold_the_same_numbers(shop: Path, published: Path, tmp_path: Path) -> None:
    code, _, err = kizuna(
        *("score", shop / "config.yaml", "--as-of", "2026-01-01", "--set", "at_risk.size=60"),
        *("--set", f"output.dir={tmp_path}", "--set", "at_risk.language=ja"),
    )
    assert code == 0, err
    english = pd.read_csv(published / "at_risk.csv", dtype=str, keep_default_na=False)
    japanese = pd.read_csv(tmp_path / "2026-01-01" / "at_risk.csv", dtype=str, keep_default_na=False)
    assert english["reason_1"].tolist() == japanese["reason_1"].tolist()
    assert japanese["reason_1_text"].str.contains(r"[ぁ-んァ-ン一-龥]").mean() > 0.9
    recency = english["reason_1"] == "RECENCY"
    for mine, theirs in zip(english.loc[recency, "reason_1_text"], japanese.loc[recency, "reason_1_text"], strict=True):
        assert sorted(filter(str.isdigit, mine)) == sorted(filter(str.isdigit, theirs))


def test_files_cut_at_the_training_day_give_the_same_scores(shop: Path, tmp_path: Path) -> None:
    """What comes after T changes nothing: neither rows, nor values that fill in, nor customers who come later."""
    day = pd.Timestamp("2025-10-01")
    config = yaml.safe_load((shop / "config.yaml").read_text())
    scores = {}
    for name in ("whole", "cut"):
        folder = tmp_path / name
        folder.mkdir()
        for table in TABLES:
            frame = pd.read_parquet(shop / f"{table}.parquet")
            if name == "cut":
                dated = {"customers": "first_seen_at", "subscriptions": "started_at"}.get(table, "occurred_at")
                frame = frame[frame[dated] < day]
                if "known_at" in frame:
                    frame = frame[frame["known_at"].fillna(frame[dated]) < day]
                for column in (
                    "resolved_at",
                    "first_response_at",
                    "followed_up_at",
                    "delivered_at",
                    "ended_at",
                    "notice_at",
                ):
                    if column in frame:
                        frame[column] = frame[column].where(frame[column] < day)
            frame.to_parquet(folder / f"{table}.parquet")
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        code, _, err = kizuna("train", folder / "config.yaml", "--as-of", "2025-10-01")
        assert code == 0, err
        scores[name] = load(folder / "config.yaml").score("2025-10-01").set_index("customer_id")
    whole, cut = scores["whole"], scores["cut"]
    assert whole.index.tolist() == cut.index.tolist()
    for column in ("churn_probability", "cltv", "value_if_kept", "value_if_churned"):
        np.testing.assert_allclose(whole[column], cut[column], rtol=0, atol=1e-9 * max(1, whole[column].abs().max()))


def test_promotion_and_rollback(shop: Path, trained: dict, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(shop, folder, ignore=shutil.ignore_patterns("exports"), symlinks=True)
    config = folder / "config.yaml"
    code, out, err = kizuna("train", config, "--no-promote", "--json")
    assert code == 0, err
    assert json.loads(out)["promoted"] is False
    assert kizuna("promote", config, "2")[1] == "Champion of shop: version 2.\n"
    assert kizuna("rollback", config)[1] == "Champion of shop: version 1.\n"
    rows = json.loads(kizuna("models", config, "--json")[1])["models"]
    assert [(row["version"], sorted(row["aliases"])) for row in rows] == [("2", ["previous"]), ("1", ["champion"])]


def test_no_pickle_is_written_anywhere(shop: Path, trained: dict) -> None:
    kinds = {path.suffix for path in shop.rglob("*") if path.is_file()}
    assert not kinds & {".pkl", ".pickle", ".joblib", ".cloudpickle"}


def test_the_registered_model_serves_probabilities(shop: Path, trained: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    import mlflow

    project = load(shop / "config.yaml")
    mlflow.set_tracking_uri(project.config.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/shop-churn@champion")
    features = project.features(["2025-12-01"]).drop(columns=["customer_id", "as_of"])
    served = model.predict(features)
    assert served["churn_probability"].between(0, 1).all()
    assert served["churn_probability"].nunique() > 100


def test_a_model_of_other_features_is_refused(shop: Path, trained: dict, tmp_path: Path) -> None:
    config = yaml.safe_load((shop / "config.yaml").read_text())
    del config["data"]["tables"]["complaints"]
    config["tracking"] = {"uri": load_config(shop / "config.yaml").tracking_uri}
    for table in config["data"]["tables"].values():
        table["path"] = str(shop / table["path"])
    config["output"] = {"dir": str(tmp_path)}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    code, _, err = kizuna("score", path, "--as-of", "2026-01-01")
    assert code == 12
    assert "today's tables do not give" in err


def test_scoring_without_a_champion_says_what_to_do(shop: Path, tmp_path: Path) -> None:
    code, _, err = kizuna(
        "score", shop / "config.yaml", "--as-of", "2026-01-01", "--set", f"tracking.uri=sqlite:///{tmp_path}/none.db"
    )
    assert code == 12
    assert "Train one with 'kizuna train'" in err


def test_any_scikit_learn_classifier_by_import_path(shop: Path, tmp_path: Path) -> None:
    code, out, err = kizuna(
        *("train", shop / "config.yaml", "--json", "--set", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db"),
        *("--set", "model.churn.estimator=sklearn.ensemble.HistGradientBoostingClassifier"),
        *("--set", "features.families=[purchases]", "--set", "model.churn.params={max_iter: 30}"),
        *("--set", f"output.dir={tmp_path}"),
    )
    assert code == 0, err
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db", "shop")
    assert registry.versions()[0].tags["estimator"].endswith("HistGradientBoostingClassifier")
    assert json.loads(out)["metrics"]["auc"] > 0.6


def test_both_searches_say_what_they_found_and_every_trial_is_a_run_of_its_own(shop: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    code, out, err = kizuna(
        *("train", shop / "config.yaml", "--json", "--set", f"tracking.uri={uri}", "--set", f"output.dir={tmp_path}"),
        *("--set", "features.families=[purchases]", "--set", "model.churn.tune_trials=2"),
        *("--set", "model.cltv.tune_trials=3", "--set", "model.cltv.params={num_leaves: 5}"),
    )
    assert code == 0, err
    result = json.loads(out)
    assert result["tuning"].startswith("Tuning tried 2 settings of LightGBM in ")
    assert result["value_tuning"].startswith("Tuning of value tried 3 settings of LightGBM in ")
    assert result["value_tuning"].endswith(("it is used.", "that is no help, and the defaults stay."))
    assert result["value_tuning"] in err
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    parent = f"tags.mlflow.parentRunId = '{result['run_id']}'"
    runs = client.search_runs([client.get_experiment_by_name("shop").experiment_id], parent)
    losses = {run.info.run_name: set(run.data.metrics) for run in runs}
    assert losses == {
        **{f"trial {number}": {"log_loss"} for number in range(2)},
        **{f"value trial {number}": {"value_loss"} for number in range(3)},
    }
    files = {path.name: path.read_text() for path in tmp_path.rglob("*tuning.txt")}
    assert files == {"tuning.txt": result["tuning"] + "\n", "value_tuning.txt": result["value_tuning"] + "\n"}


def test_frames_from_python_need_no_files(shop: Path) -> None:
    frames = {name: pd.read_parquet(shop / f"{name}.parquet") for name in ("purchases", "complaints")}
    project = Project({"name": "frames", "data": {"tables": {}}}, tables=frames)
    training = project.training_set()
    assert {"orders_90d", "open_complaints"} <= set(training.features.columns)
    classifier = ChurnClassifier(estimator="logistic").fit(
        training.features, training.churned, groups=training.customer_id
    )
    probability = pd.Series(classifier.predict_proba(training.features)[:, 1])
    churned = training.churned == 1
    assert probability[churned].mean() > probability[~churned].mean() + 0.05


@pytest.mark.slow
def test_a_tracking_server_serves_as_well_as_a_file(shop: Path, published: Path, tmp_path: Path) -> None:
    with mlflow_server(tmp_path) as address:
        options = (
            "--set",
            f"tracking.uri={address}",
            "--set",
            "at_risk.size=60",
            "--set",
            f"output.dir={tmp_path}/out",
        )
        code, out, err = kizuna("train", shop / "config.yaml", "--json", *options)
        assert code == 0, err
        assert json.loads(out)["promoted"]
        code, _, err = kizuna("score", shop / "config.yaml", "--as-of", "2026-01-01", *options)
        assert code == 0, err
    mine, theirs = (folder / "scores.parquet" for folder in (published, tmp_path / "out" / "2026-01-01"))
    assert mine.read_bytes() == theirs.read_bytes()


def test_one_customer_is_explained_as_he_stands_on_the_list(shop: Path, published: Path) -> None:
    row = pd.read_csv(published / "at_risk.csv", dtype=str).iloc[0]
    code, out, err = kizuna("explain", shop / "config.yaml", row["customer_id"], "--as-of", "2026-01-01", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["state"], found["churn_model"], found["change"]) == ("listed", row["churn_model"], None)
    assert found["numbers"]["churn_probability"] == pytest.approx(float(row["churn_probability"]), abs=6e-5)
    assert [reason["text"] for reason in found["reasons"]] == [row[f"reason_{k}_text"] for k in (1, 2, 3)]
    assert (found["plan"]["list_rank"], found["plan"]["action"]) == (1, row["action"])
    code, out, _ = kizuna("explain", shop / "config.yaml", row["customer_id"], "--as-of", "2026-01-01")
    assert code == 0
    assert row["reason_1_text"] in out
    assert "Reasons are what the model used, not proof of cause." in out


def test_the_day_of_training_has_not_drifted_and_the_newest_list_has_a_promise(shop: Path, published: Path) -> None:
    code, out, err = kizuna("monitor", shop / "config.yaml", "--as-of", "2026-01-02", "--json")
    assert code == 0, err
    found = json.loads(out)
    scores = pd.read_parquet(published / "scores.parquet")
    assert found["drift_measured"]["model"] == "shop-churn v1"
    assert found["drift_measured"]["customers"] == pytest.approx(len(scores), rel=0.05)
    assert found["drift_measured"]["why_not"] is None
    first, *features = found["drift"]
    assert (first["feature"], first["moved"]) == ("churn_probability", False)
    assert first["psi"] < 0.05
    assert sum(row["moved"] for row in features) <= 0.02 * len(features)
    newest = found["lists"][-1]
    assert (newest["as_of"], newest["state"]) == ("2026-01-01", "maturing")
    assert newest["predicted_low"] < newest["predicted"] < newest["predicted_high"]
    assert newest["predicted_auc"] > 0.6
    assert newest["predicted_base_rate"] == pytest.approx(scores["churn_probability"].mean(), abs=0.05)


def test_a_published_list_shows_in_the_metrics(shop: Path, published: Path) -> None:
    exposed = (shop / "exports" / "watch" / "kizuna.prom").read_text(encoding="utf-8")
    counts = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["summary"]
    for name in ("eligible", "listed", "to_contact"):
        assert f'kizuna_{name}{{shop="shop",command="score"}} {counts[name]}\n' in exposed
    assert 'kizuna_last_success_timestamp_seconds{shop="shop",command="score"}' in exposed
