"""The arena: kizuna against every simple rule on many shops, the future held back.

Usage: python benchmarks/models.py [--quick] [--cases PATTERN] [--jobs 2] [--json FILE] [--rungs].
Each case cuts its tables at a day, trains and scores what is left, and compares with what happened. The model is used
whatever the gate says; its decision is shown. Better than zero means ahead of the best rule of that case.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_baselines import Past, churn_rules, eligible, outcome_after, read_log, state_on, value_rules
from models_cases import Case, known_before, selected, tables_of

if TYPE_CHECKING:
    from kizuna import Project

Floats = NDArray[np.float64]
# The rules that a model is held to; the others are shown beside them.
HELD_TO = ("recency", "rfm", "bgnbd")
VALUE_HELD_TO = ("mean_spend", "mean_rate", "bgnbd_gg")
VALUE_DAYS = (365, 180, 90)


def project_of(case: Case, folder: Path) -> tuple[Project, dict[str, pd.DataFrame]]:
    """The shop as it was known before the case's day, and its tables with their future."""
    from kizuna import Project

    tables = tables_of(case)
    value_days = _value_days(case, tables["purchases"])
    tree = {
        "name": "arena",
        "data": {"tables": {}},
        "churn": {"horizon_days": case.horizon_days, "active_within_days": case.active_within_days},
        "cltv": {"horizon_days": value_days},
        "tracking": {"uri": f"sqlite:///{folder / 'mlflow.db'}"},
        "output": {"dir": str(folder / "exports")},
    }
    past = known_before(tables, case.day)
    for name, table in past.items():
        file = folder / f"{name}.parquet"
        table.to_parquet(file)
        tree["data"]["tables"][name] = {"path": str(file)}
    return Project(tree), tables


def _value_days(case: Case, purchases: pd.DataFrame) -> int:
    """The longest of 365, 180, 90 days and the churn horizon that the past can teach and the future can judge."""
    day, first, last = pd.Timestamp(case.day), purchases["occurred_at"].min(), purchases["occurred_at"].max()
    taught, judged = (day - first).days - 90, (last - day).days + 1
    return next((days for days in VALUE_DAYS if days <= min(taught, judged)), case.horizon_days)


def run_case(case: Case, rungs: bool = False) -> dict[str, Any]:
    """The measured numbers of one case, or its error."""
    began = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="kizuna-arena-") as folder:
            found = _measure(case, Path(folder), rungs)
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    return {"case": case.name, "group": case.group, "seconds": time.perf_counter() - began, **found}


def _measure(case: Case, folder: Path, rungs: bool) -> dict[str, Any]:
    from kizuna.features.context import Pauses
    from kizuna.scoring.champion import load_models
    from kizuna.scoring.everyone import score_everyone

    project, tables = project_of(case, folder)
    day = project.day(case.day)
    result = project.train(case.day, promote=False)
    models = load_models(project.config, result.versions["churn"])
    scores, _ = score_everyone(project.store, models, day, Pauses(()))
    scores = scores.set_index(scores["customer_id"].astype(object))
    log = read_log(tables["purchases"])
    past = Past(_before(tables, case.day), day, case.horizon_days, case.active_within_days)
    expected = eligible(state_on(past.log, day), case.active_within_days).index
    if set(expected) != set(scores.index):
        raise AssertionError(f"{len(expected)} customers are eligible by the arena, {len(scores)} by kizuna")
    churned, _ = outcome_after(log, day, case.horizon_days, scores.index)
    found = {"customers": len(scores), "churned": float(churned.mean())}
    said = {"kizuna": scores["churn_probability"].to_numpy()} | churn_rules(past, scores.index)
    found["churn"] = {name: churn_numbers(churned, p, name == "recency") for name, p in said.items()}
    trained = result.trained
    best = max(HELD_TO, key=lambda name: found["churn"][name]["auc"])
    found["auc_error"] = difference_error(churned, said["kizuna"], said[best])
    found["estimator"], found["setting"] = trained.churn.estimator_name_, trained.churn.candidates_
    found["gate"], found["grade"] = trained.decision.passed, trained.decision.grade
    found["calibration"] = {key: trained.churn.calibration_[key] for key in ("method", "slope", "intercept")}
    found["snapshots"], found["rows"] = len(trained.training.days), len(trained.training.y)
    found["evaluation"], found["train_churned"] = trained.evaluation, float(trained.training.y.mean())
    if trained.training.value_window is not None and scores["cltv"].notna().all():
        days = trained.training.value_window.horizon_days
        _, worth = outcome_after(log, day, days, scores.index)
        values = {"kizuna": scores["cltv"].to_numpy()} | value_rules(past, scores.index, days)
        found["value_days"], found["worth"] = days, float(worth.sum())
        found["value"] = {name: value_numbers(worth, v) for name, v in values.items()}
    if rungs:
        found["rungs"] = _rungs(project, trained, scores, churned)
    return found


def _before(tables: dict[str, pd.DataFrame], day: str) -> Any:
    return read_log(known_before({"purchases": tables["purchases"]}, day)["purchases"])


def _rungs(project: Project, trained: Any, scores: pd.DataFrame, churned: Floats) -> dict[str, dict[str, float]]:
    """What each rung, and the logistic on each set of columns, would have got on the future."""
    from kizuna.features.frame import build_frame
    from kizuna.models import ChurnClassifier

    rows, config = trained.training, project.config
    now = build_frame(project.store, rows.frame.plan, [int(rows.train_day)], trained.training.definition.eligible)
    at = pd.Index(now.customer_ids).get_indexer(scores.index)
    out = {}
    for name, params in (
        ("rule", {}),
        ("logistic", {"columns": "rfm"}),
        ("logistic", {"columns": "purchases"}),
        ("logistic", {"columns": "all"}),
        ("lightgbm", {}),
        ("blend", {}),
    ):
        model = ChurnClassifier(name, params, "none", config.churn.horizon_days)
        if params.get("columns") == "all" and rows.frame.values.size > 5_000_000:
            continue
        model.fit(rows.features, rows.y, groups=rows.customer_ids)
        p = model.predict_proba(now.columns())[:, 1][at]
        out[f"{name} {params.get('columns', '')}".strip()] = churn_numbers(churned, p, False)
    return out


def churn_numbers(churned: Floats, p: Floats, only_ranks: bool) -> dict[str, float]:
    from kizuna.evaluation.measures.metrics import auc, log_loss

    found = {"auc": auc(churned, p)}
    return found if only_ranks else found | {"log_loss": log_loss(churned, p), "mean_p": float(p.mean())}


def difference_error(churned: Floats, one: Floats, other: Floats) -> float:
    """Standard error of the difference of two AUCs on the same rows (DeLong, DeLong & Clarke-Pearson 1988)."""
    from scipy.stats import rankdata

    lost, kept = churned == 1, churned == 0

    def places(p: Floats) -> tuple[Floats, Floats]:
        everybody = rankdata(p)
        return (
            (everybody[lost] - rankdata(p[lost])) / kept.sum(),
            1 - (everybody[kept] - rankdata(p[kept])) / lost.sum(),
        )

    (a_lost, a_kept), (b_lost, b_kept) = places(one), places(other)
    return float(np.sqrt(np.var(a_lost - b_lost, ddof=1) / lost.sum() + np.var(a_kept - b_kept, ddof=1) / kept.sum()))


def value_numbers(worth: Floats, predicted: Floats) -> dict[str, float]:
    from kizuna.evaluation.measures.metrics import normalised_gini, spearman, total_ratio

    return {
        "gini": normalised_gini(worth, predicted),
        "spearman": spearman(worth, predicted),
        "total": total_ratio(worth, predicted),
    }


def compared(found: dict[str, Any]) -> dict[str, Any]:
    """One row of the table: kizuna less the best rule, so that above 0 is ahead."""
    row: dict[str, Any] = {"case": found["case"], "group": found["group"], "s": round(found["seconds"])}
    if "error" in found:
        return row | {"note": found["error"]}
    churn, ours = found["churn"], found["churn"]["kizuna"]
    best = max(HELD_TO, key=lambda name: churn[name]["auc"])
    least = min(("rfm", "bgnbd"), key=lambda name: churn[name]["log_loss"])
    row |= {
        "n": found["customers"],
        "churned": found["churned"],
        "chosen": found["estimator"],
        "grade": found["grade"],
        "AUC": ours["auc"],
        "best rule": best,
        "AUC +": ours["auc"] - churn[best]["auc"],
        "±": found["auc_error"],
        "over LightGBM": ours["auc"] - churn["lightgbm"]["auc"],
        "log loss +": churn[least]["log_loss"] - ours["log_loss"],
        "level": ours["mean_p"] / found["churned"] if found["churned"] else np.nan,
        "rule level": churn["rfm"]["mean_p"] / found["churned"] if found["churned"] else np.nan,
    }
    if "value" in found:
        value = found["value"]
        best = max(VALUE_HELD_TO, key=lambda name: value[name]["gini"])
        nearest = min(VALUE_HELD_TO, key=lambda name: abs(np.log(max(value[name]["total"], 1e-9))))
        row |= {
            "days": found["value_days"],
            "Gini": value["kizuna"]["gini"],
            "value rule": best,
            "Gini +": value["kizuna"]["gini"] - value[best]["gini"],
            "total": value["kizuna"]["total"],
            "rule total": value[nearest]["total"],
        }
    return row


def report(results: list[dict[str, Any]]) -> str:
    """The Markdown table, worst cases first, with means over kinds of shop and the counts that matter."""
    table = pd.DataFrame([compared(found) for found in results]).sort_values("AUC +", kind="stable")
    sums = ["AUC +", "over LightGBM", "log loss +", "level", "Gini +", "total", "rule total"]
    means = table.groupby("group")[[c for c in sums if c in table]].mean()
    means.insert(0, "cases", table.groupby("group").size())
    means.loc["all"] = [len(table), *table[[c for c in sums if c in table]].mean()]
    ours = table.dropna(subset=["AUC +"])
    lines = [_markdown(table.drop(columns="group")), "", _markdown(means.reset_index()), ""]
    lines.append(f"AUC behind the best rule by more than .003: {(ours['AUC +'] < -0.003).sum()} of {len(ours)}")
    lines.append(
        f"log loss worse than the best rule: {(ours['log loss +'] < 0).sum()} of {len(ours)}, by more than .003: "
    )
    lines[-1] += f"{(ours['log loss +'] < -0.003).sum()}"
    lines.append(f"level off by more than 10 %: {((ours['level'] - 1).abs() > 0.1).sum()} of {len(ours)}")
    if "Gini +" in ours:
        lines.append(f"Gini behind the best rule: {(ours['Gini +'] < 0).sum()} of {ours['Gini +'].notna().sum()}")
        lines.append(f"total off by more than 15 %: {((ours['total'] - 1).abs() > 0.15).sum()}, ")
        lines[-1] += f"the best rule's: {((ours['rule total'] - 1).abs() > 0.15).sum()}"
    return "\n".join(lines)


def _markdown(table: pd.DataFrame) -> str:
    whole = ("n", "s", "days", "cases")
    rows = [[_cell(value, name in whole) for name, value in row.items()] for row in table.to_dict("records")]
    head = [[str(name) for name in table.columns], ["---"] * len(table.columns)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [*head, *rows])


def _cell(value: Any, whole: bool) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, str) or not np.isscalar(value):
        return str(value)
    return str(int(value)) if whole else f"{value:.4f}"


def _run(task: tuple[Case, bool]) -> dict[str, Any]:
    found = run_case(*task)
    what = found.get("error") or f"AUC {found['churn']['kizuna']['auc']:.4f}"
    print(f"{found['seconds']:6.1f} s  {found['case']}  {what}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few cases of every kind")
    parser.add_argument("--cases", default="", help="only cases whose name holds this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write every measured number there")
    parser.add_argument("--rungs", action="store_true", help="also what every rung would have got")
    asked = parser.parse_args()
    cases = selected(asked.cases, asked.quick)
    tasks = [(case, asked.rungs) for case in cases]
    with ProcessPoolExecutor(asked.jobs) as pool:
        results = []
        for found in pool.map(_run, tasks):
            results.append(found)
            if asked.json:
                asked.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main()
