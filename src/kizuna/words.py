"""Backtests, models and answers as lines of text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kizuna.evaluation.baselines.names import rule_name
from kizuna.evaluation.measures.intervals import decimals

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.lists.witness import Contradiction
    from kizuna.tracking.registry import ModelPair, ModelVersion
    from kizuna.training.backtest import Backtest

_BY = {"value_at_risk": "by value at risk", "churn_probability": "by risk"}


def backtest_lines(found: Backtest, capacity: int) -> list[str]:
    """What past weeks' lists would have come to, in a few lines."""
    table = found.lists[found.lists["fold"] < 0]
    overall = table.to_dict("records")
    first, last = found.folds["lists_from"].min(), found.folds["lists_to"].max()
    models = f"{len(found.folds)} model{'' if len(found.folds) == 1 else 's'}"
    bought, spent = bool(table["silence_days"].notna().any()), bool(table["value_reached"].notna().any())
    beside = [
        *([("money", "value_reached", 12)] if spent else []),
        *([("silent", "silence_days", 7)] if bought else []),
        *([("profit", "profit", 12)] if "profit" in table else []),
    ]
    lines = [
        f"{found.weeks.lists} of {found.weeks.capacity:,}, {first} to {last}, by {models}; nobody is named twice",
        f"{'ranking':<20} {'named':>7} {'left':>7} {'share':>6} {'lift':>5} {'of all who left':>16}"
        + "".join(f" {name:>{width}}" for name, _, width in beside),
    ]
    for row in overall:
        lines.append(
            f"{rule_name(row['ranking']):<20} {row['named']:7,} {row['churners_reached']:7,.0f} "
            f"{row['precision'] * 100:5.1f}% {row['lift']:5.2f} {row['churners_share'] * 100:15.1f}%"
            + "".join(f" {_whole(row[key]):>{width}}" for _, key, width in beside)
        )
    if found.weeks.capacity < capacity:
        lines.append(f"Lists of {capacity:,} would have named over half of all customers; these are shorter.")
    legend = [
        *(["money: what the customers who left had spent in the year before"] if spent else []),
        *(["silent: median days at first listing"] if bought else []),
    ]
    lines += ["; ".join(legend)] if legend else []
    if "profit" in found.lists:
        lines.append("profit: of contacting everybody named, under the assumed save rate and costs of economics")
    return lines + ([found.ended] if found.ended else []) + ablation_lines(found.ablation)


def ablation_lines(ablation: pd.DataFrame) -> list[str]:
    """What leaving each table out costs, the dearest first, as means over the models; [] where it was not asked for."""
    if ablation.empty:
        return []
    by_fold = {str(name): rows.set_index("fold") for name, rows in ablation.groupby("left_out", sort=True)}
    whole = by_fold.pop("nothing")
    if not by_fold:
        return ["There is only one table, so none can be left out."]
    models = f"{len(whole)} model{'' if len(whole) == 1 else 's'}"
    width = max(len(name) for name in by_fold) + len("without ")
    lines = [
        f"what each table adds: mean of {models}, and the difference to everything"
        + (" ± its standard deviation" if len(whole) > 1 else ""),
        f"{'':<{width}} {'columns':>8} {'AUC':>6} {'difference':>16} {'lift':>6} {'difference':>16}",
        f"{'everything':<{width}} {'':>8} {_three(whole['auc'].mean()):>6} {'':>16} {whole['lift_at_capacity'].mean():6.2f}",
    ]
    order = sorted(by_fold, key=lambda name: (float((by_fold[name]["auc"] - whole["auc"]).mean()), name))
    for name in order:
        rows = by_fold[name]
        ranked, lift = rows["auc"] - whole["auc"], rows["lift_at_capacity"] - whole["lift_at_capacity"]
        fewer = f"-{rows['columns'].max():.0f}"
        lines.append(
            f"{f'without {name}':<{width}} {fewer:>8} {_three(rows['auc'].mean()):>6} "
            f"{_spread(ranked, 3):>16} {rows['lift_at_capacity'].mean():6.2f} {_spread(lift, 2):>16}"
        )
    return lines


def _whole(number: float) -> str:
    return f"{number:,.0f}" if number == number else "-"


def _three(share: float) -> str:
    return decimals(share) if share == share else "-"


def _spread(differences: pd.Series, places: int) -> str:
    """The mean with its sign, and the standard deviation where there are two or more."""
    mean, deviation = differences.mean(), differences.std()
    if mean != mean:
        return "-"
    shown = f"{round(mean, places) + 0.0:+.{places}f}"
    return shown if deviation != deviation else f"{shown} ± {deviation:.{places}f}"


def champion_lines(pair: ModelPair, shop: str) -> list[str]:
    """Which version is champion now, and, where the gate refused it, why."""
    version, refused = pair.churn.version, pair.churn.refused
    lines = [f"Champion of {shop}: version {version}."]
    if refused:
        lines.append(f"The gate refused version {version}: {refused}. It is in use all the same; its lists say so.")
    return lines


def accepted_line(found: Contradiction) -> str:
    """That lists knew other files under the number, and that these are accepted now."""
    return (
        f"The list of {found.list_of} was made with other files under version {found.version.version} of "
        f"{found.version.name}; those of now are accepted from here on."
    )


def answer_lines(answer: Mapping[str, Any]) -> list[str]:
    """The answer check as the demo prints it: AUC and churned of the named, by model and rule."""
    churned, auc = answer["churned"], answer["auc"]
    lines = [
        f"  Named {_BY[answer['ranked_by']]} on {answer['named_on']}, knowing nothing later; what happened by "
        f"{answer['until']}:",
        f"                  AUC    of {answer['capacity']} named, did not come back",
    ]
    for name in ("kizuna", "rfm_logistic", "recency_rule"):
        if name in churned:
            ranked = decimals(auc[name]) if auc[name] == auc[name] else "-"
            lines.append(f"  {rule_name(name):<14} {ranked:>5}    {churned[name]:.0f}")
    said = f"said {100 * answer['said']:.1f} %, happened {100 * answer['happened']:.1f} %"
    lines.append(f"  {'random':<14}          {churned['random']:.0f}     {said}")
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
