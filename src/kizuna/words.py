"""Results as lines of text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizuna.backtest import Backtest
    from kizuna.evaluation.intervals import Interval
    from kizuna.evaluation.money import MoneyAssessment
    from kizuna.registry import ModelVersion
    from kizuna.train import TrainResult

_NAMES = {
    "kizuna": "kizuna",
    "rfm_logistic": "RFM logistic",
    "recency_rule": "recency",
    "rate_rule": "purchase rate",
    "logistic_all": "logistic",
    "base_rate": "base rate",
    "bgnbd": "BG/NBD",
    "formula": "formula",
    "btyd_rule": "MBG/NBD x Gamma-Gamma",
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
    lines.append(_interval_line(trained.comparison.model))
    lines += _headline_lines(trained.headline, trained.training.definition.horizon_days)
    window, value = trained.training.value_window, result.value_metrics
    if trained.value and window:
        tested = trained.value.evaluation.replace("_", " ")
        lines.append(
            f"value over {window.horizon_days} days ({tested}): Gini {decimals(value['normalised_gini'])}, "
            f"Spearman {decimals(value['spearman'])}, predicted / actual {value['total_ratio']:.2f}"
        )
        lines.append(f"value: {trained.value.check.text}")
        lines += _money_lines(trained.value.money)
    else:
        lines.append(f"no value model: {trained.training.no_value or 'too few rows'}")
    lines.append(f"estimator {trained.churn.estimator_name_}: {trained.churn.why_}")
    lines += [f"LEAK {finding.feature}: {finding.evidence}" for finding in trained.findings]
    lines.append(result.why)
    verdict = "promoted to champion" if result.promoted else "not promoted"
    lines.append(f"version {result.versions['churn']}: {verdict}")
    return lines


def _interval_line(found: Mapping[str, Interval]) -> str:
    """The 95 % intervals of the model's numbers above, in the same order."""
    told = {"AUC": "auc", "avg prec": "average_precision", "lift": "lift_at_capacity", "log loss": "log_loss"}
    parts = [
        f"{words} {found[name].low:.3f} to {found[name].high:.3f}" for words, name in told.items() if name in found
    ]
    return f"95 % intervals of kizuna: {', '.join(parts)}"


def _money_lines(found: MoneyAssessment | None) -> list[str]:
    """What the first of the list were worth, beside the best rule; nothing where nothing was at stake."""
    if found is None:
        return []
    table, best = found.table.set_index("ranking"), found.best_rule
    lines = []
    for name in ("kizuna", best) if best else ("kizuna",):
        row = table.loc[name]
        earned = f", profit {row['profit_at_capacity']:,.0f}" if "profit_at_capacity" in row else ""
        lines.append(
            f"{_NAMES.get(name, name)}: of {found.capacity:,} named, those who left had spent "
            f"{row['value_caught_at_capacity']:,.0f} in the year before "
            f"({100 * row['value_share_at_capacity']:.0f} % of all, lift {row['value_lift_at_capacity']:.2f}){earned}"
        )
    if best:
        ahead = found.comparison.differences[best]["value_caught_at_capacity"]
        more = f"{abs(ahead.estimate):,.0f} {'more' if ahead.estimate >= 0 else 'less'} by kizuna"
        lines.append(f"  {more}, 95 % interval {ahead.low:,.0f} to {ahead.high:,.0f}")
    return lines


def _headline_lines(found: Mapping[str, float], horizon_days: int) -> list[str]:
    """How well those are found who are not yet lost, and how early; nothing where it was not measured."""
    if not found:
        return []
    auc, captured = found["auc_silent_below_horizon"], found["captured_at_capacity_silent_below_horizon"]
    lift, days = found["lift_at_capacity_silent_below_horizon"], found["days_of_warning"]
    warned = f"; days of warning: {days:.0f} (median silence at first listing)" if days == days else ""
    if auc != auc:
        return []
    return [
        f"silent for less than {horizon_days} days: AUC {decimals(auc)}, lift {lift:.2f}, "
        f"{100 * captured:.0f} % of those who left among the named{warned}"
    ]


def backtest_lines(found: Backtest, capacity: int) -> list[str]:
    """What past weeks' lists would have come to, in a few lines."""
    overall = found.lists[found.lists["fold"] < 0].to_dict("records")
    first, last = found.folds["lists_from"].min(), found.folds["lists_to"].max()
    lines = [
        f"{overall[0]['lists']} weekly lists of {found.weeks.capacity:,}, {first} to {last}, by {len(found.folds)} models; "
        "nobody is named twice",
        f"{'ranking':<20} {'named':>7} {'left':>7} {'share':>6} {'lift':>5} {'of all who left':>16} {'money':>12} {'silent':>7}"
        + (f" {'profit':>12}" if "profit" in found.lists else ""),
    ]
    for row in overall:
        money = f"{row['value_reached']:12,.0f}" if row["value_reached"] == row["value_reached"] else f"{'-':>12}"
        silent = f"{row['silence_days']:7.0f}" if row["silence_days"] == row["silence_days"] else f"{'-':>7}"
        lines.append(
            f"{_NAMES.get(row['ranking'], row['ranking']):<20} {row['named']:7,} {row['churners_reached']:7,.0f} "
            f"{row['precision'] * 100:5.1f}% {row['lift']:5.2f} {row['churners_share'] * 100:15.1f}% {money} {silent}"
            + (f" {row['profit']:12,.0f}" if "profit" in row else "")
        )
    if found.weeks.capacity < capacity:
        lines.append(f"Lists of {capacity:,} would have named over half of all customers; these are shorter.")
    lines.append(
        "money: what the customers who left had spent in the year before; silent: median days at first listing"
    )
    if "profit" in found.lists:
        lines.append("profit: of contacting everybody named, under the assumed save rate and costs of economics")
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
