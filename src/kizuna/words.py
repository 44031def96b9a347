"""Results as lines of text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizuna.backtest import Backtest
    from kizuna.registry import ModelVersion
    from kizuna.train import TrainResult

_NAMES = {
    "kizuna": "kizuna",
    "rfm_logistic": "RFM logistic",
    "recency_rule": "recency",
    "rate_rule": "purchase rate",
    "logistic_all": "logistic",
    "base_rate": "base rate",
    "random": "random",
    "kizuna_probability": "kizuna, by risk",
    "rfm_logistic_value": "RFM logistic x spend",
    "mean_spend": "highest spend",
}

_ARMS = {"to_contact": "to contact", "control": "left alone to measure", "exempt": "service first"}


def decimals(value: float) -> str:
    """A share or AUC as .823."""
    return f"{value:.3f}".removeprefix("0") if value == value else "-"


def training_lines(result: TrainResult) -> list[str]:
    """What a training found, in a few lines."""
    trained = result.trained
    how = trained.evaluation.replace("_", " ")
    heads = f"{'AUC':>5} {'avg prec':>9} {'lift':>6} {'log loss':>9} {'cal err':>8}"
    lines = [f"{'model':<16} {heads}   ({how})"]
    for name, metrics in ({"kizuna": result.metrics} | trained.assessment.baselines).items():
        log_loss = f"{metrics['log_loss']:9.4f}" if "log_loss" in metrics else f"{'-':>9}"
        error = f"{metrics['calibration_error']:8.3f}" if "calibration_error" in metrics else f"{'-':>8}"
        lines.append(
            f"{_NAMES.get(name, name):<16} {decimals(metrics['auc']):>5} {decimals(metrics['average_precision']):>9} "
            f"{metrics['lift_at_capacity']:6.2f} {log_loss} {error}"
        )
    window, value = trained.training.value_window, result.value_metrics
    if trained.value and window:
        tested = trained.value.evaluation.replace("_", " ")
        lines.append(
            f"value over {window.horizon_days} days ({tested}): Gini {decimals(value['normalised_gini'])}, "
            f"Spearman {decimals(value['spearman'])}, predicted / actual {value['total_ratio']:.2f}"
        )
    else:
        lines.append(f"no value model: {trained.training.no_value or 'too few rows'}")
    lines.append(f"estimator {trained.churn.estimator_name_}: {trained.churn.why_}")
    lines += [f"LEAK {finding.feature}: {finding.evidence}" for finding in trained.findings]
    lines.append(result.why)
    verdict = "promoted to champion" if result.promoted else "not promoted"
    lines.append(f"version {result.versions['churn']}: {verdict}")
    return lines


def backtest_lines(found: Backtest, capacity: int) -> list[str]:
    """What past weeks' lists would have come to, in a few lines."""
    overall = found.lists[found.lists["fold"] < 0].to_dict("records")
    first, last = found.folds["lists_from"].min(), found.folds["lists_to"].max()
    lines = [
        f"{overall[0]['lists']} weekly lists of {found.weeks.capacity:,}, {first} to {last}, by {len(found.folds)} models; "
        "nobody is named twice",
        f"{'ranking':<20} {'named':>7} {'left':>7} {'share':>6} {'lift':>5} {'of all who left':>16} {'money':>12} {'silent':>7}",
    ]
    for row in overall:
        money = f"{row['value_reached']:12,.0f}" if row["value_reached"] == row["value_reached"] else f"{'-':>12}"
        silent = f"{row['silence_days']:7.0f}" if row["silence_days"] == row["silence_days"] else f"{'-':>7}"
        lines.append(
            f"{_NAMES.get(row['ranking'], row['ranking']):<20} {row['named']:7,} {row['churners_reached']:7,.0f} "
            f"{row['precision'] * 100:5.1f}% {row['lift']:5.2f} {row['churners_share'] * 100:15.1f}% {money} {silent}"
        )
    if found.weeks.capacity < capacity:
        lines.append(f"Lists of {capacity:,} would have named over half of all customers; these are shorter.")
    lines.append(
        "money: what the customers who left had spent in the year before; silent: median days at first listing"
    )
    return lines + ([found.ended] if found.ended else [])


def answer_lines(answer: Mapping[str, Any]) -> list[str]:
    """The answer check as the demo prints it: AUC and churned of the named, by model and rule."""
    churned, auc = answer["churned"], answer["auc"]
    lines = [
        f"  Named on {answer['named_on']}, knowing nothing later; what happened by {answer['until']}:",
        f"                 AUC    of {answer['capacity']} named, did not come back",
    ]
    for name in ("kizuna", "rfm_logistic", "recency_rule"):
        if name in churned:
            lines.append(f"  {_NAMES[name]:<13} {decimals(auc[name]):>5}    {churned[name]:.0f}")
    said = f"said {100 * answer['said']:.1f} %, happened {100 * answer['happened']:.1f} %"
    lines.append(f"  {'random':<13}          {churned['random']:.0f}     {said}")
    return lines


def model_row(version: ModelVersion) -> dict[str, Any]:
    """One churn version as plain values."""
    kept = ("grade", "estimator", "train_day", "cltv_version", "validation_status")
    told = {"version": version.version, "aliases": list(version.aliases)} | {
        key: version.tags.get(key, "") for key in kept
    }
    return told | {"created": version.created.isoformat(timespec="seconds")}


def model_lines(rows: list[dict[str, Any]], shop: str) -> list[str]:
    """The versions, newest first, a line each."""
    if not rows:
        return [f"No model of {shop} yet. Train one with kizuna train."]
    return [
        f"v{row['version']:<4} {', '.join(row['aliases']) or '-':<22} grade {row['grade']}  {row['estimator']:<10} "
        f"trained to {row['train_day'] or 'undated'}  {row['validation_status']}"
        for row in rows
    ]


def score_line(manifest: Mapping[str, Any]) -> str:
    """What a published day holds."""
    counts = manifest["counts"]
    arms = ", ".join(f"{counts[arm]:,} {word}" for arm, word in _ARMS.items())
    return f"{manifest['as_of']}: {counts['eligible']:,} eligible -> {counts['listed']:,} listed ({arms})"


def dry_run_line(found: Mapping[str, Any]) -> str:
    """What publishing would change."""
    since = f"the list of {found['last_list']}" if found["last_list"] else "no earlier list"
    return (
        f"{found['listed']:,} would be listed; against {since} {len(found['come']):,} come and {len(found['go']):,} go. "
        "Nothing was published."
    )
