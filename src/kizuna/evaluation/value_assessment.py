"""What a fitted value model is worth beside every baseline, on the same out-of-fold rows, and in money on a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.evaluation.baselines.history_rules import Pasts
from kizuna.evaluation.baselines.scores import churn_baselines, money_rankings, value_baselines
from kizuna.evaluation.folds import Folds
from kizuna.evaluation.gate.decision import Check
from kizuna.evaluation.measures.comparison import Comparison, compare_value
from kizuna.evaluation.measures.intervals import decimals, evaluation_rows
from kizuna.evaluation.measures.metrics import mean_over_folds, models_table, places_of, total_ratio, value_metrics
from kizuna.evaluation.money import MoneyAssessment, MoneyRows, assess_money, money_at_stake

LEVEL_LIMIT = 0.15
"""By how much the total may be off before the level warns."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ValueRows:
    """The training rows whose value is known: features, days, customers as numbers in the order of their ids, net worth of
    the value window, churned 0/1; pasts: everybody's histories, for baselines.
    """

    features: pd.DataFrame
    as_of: NDArray[np.int32]
    customer: NDArray[np.int32]
    worth: Floats
    churned: Floats
    folds: Folds
    pasts: Pasts | None = None


@dataclass(frozen=True, eq=False)
class ValueForecast:
    """Out of fold, NaN where never tested: probability of churn, value if kept and value if churned, each (n,)."""

    churn_probability: Floats
    if_kept: Floats
    if_churned: Floats

    @property
    def expected(self) -> Floats:
        """(1 − p) · value if kept + p · value if churned."""
        p = self.churn_probability
        return np.asarray((1 - p) * self.if_kept + p * self.if_churned)

    @property
    def at_risk(self) -> Floats:
        """p · (value if kept − value if churned)."""
        return np.asarray(self.churn_probability * (self.if_kept - self.if_churned))


@dataclass(frozen=True)
class ValueAssessment:
    """The value model beside its baselines on out-of-fold rows, means over folds, the total ratio of all folds together.

    ``comparison``: the same with intervals, and paired differences. ``check``: whether order and level hold, a warning
    at worst. ``money``: what the lists come to; None without purchases.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    comparison: Comparison
    check: Check
    actual: Floats
    predicted: Floats
    evaluation: str
    money: MoneyAssessment | None

    @property
    def best_baseline(self) -> str | None:
        """The baseline with the highest normalised Gini; of equals the first by name."""
        return _best(self.baselines)

    def table(self) -> pd.DataFrame:
        """One row per model and baseline, the model first, one column per metric."""
        return models_table(self.metrics, self.baselines)


def assess_value(rows: ValueRows, forecast: ValueForecast, horizon_days: int, config: Config) -> ValueAssessment:
    """Metrics of the out-of-fold expected value and of the baselines on the same rows, with intervals; and the money."""
    tested, fold = rows.folds.test_rows, rows.folds.fold_of_test_rows
    worth = rows.worth[tested]
    predictions = {"kizuna": forecast.expected[tested]}
    rules = value_baselines(rows.features, rows.folds.splits, rows.as_of, horizon_days, config.cltv.margin, rows.pasts)
    predictions |= {name: values[tested] for name, values in rules.items()}

    def mean_metrics(values: Floats) -> dict[str, float]:
        parts = [value_metrics(worth[fold == k], values[fold == k]) for k in range(rows.folds.reported)]
        return mean_over_folds(parts) | {"total_ratio": total_ratio(worth, values)}

    metrics = {name: mean_metrics(values) for name, values in predictions.items()}
    evaluated = evaluation_rows(rows.churned[tested], rows.customer[tested], fold)
    comparison = compare_value(evaluated, worth, predictions)
    own = metrics.pop("kizuna")
    return ValueAssessment(
        metrics=own,
        baselines=metrics,
        comparison=comparison,
        check=value_check(comparison, metrics, config.gate.max_behind_baseline, rows.folds.evaluation),
        actual=worth,
        predicted=predictions["kizuna"],
        evaluation=rows.folds.evaluation,
        money=_money(rows, forecast, config),
    )


def value_check(
    comparison: Comparison, baselines: Mapping[str, Mapping[str, float]], max_behind_baseline: float, evaluation: str
) -> Check:
    """Whether customers stand in the right order and the total is right. A warning at worst: the list still has its order.

    Order: normalised Gini not behind the best baseline's by more than ``max_behind_baseline``. Level: the total within
    15 %; by customer (``evaluation`` in_time) every test shares its days with its training, and the level stays untested.
    A mean absolute error takes no part: it is smallest for a forecast that promises far too little.
    """
    gini, level = comparison.model["normalised_gini"], comparison.model["total_ratio"]
    words, remarks = f"the normalised Gini is {gini}", []
    best = _best(baselines)
    behind = float("nan")
    if best is not None:
        ahead = comparison.differences[best]["normalised_gini"]
        behind = ahead.estimate
        side = f"{decimals(abs(behind))} {'ahead of' if behind >= 0 else 'behind'}"
        words = f"{words}, {side} the best baseline, {best} [{decimals(ahead.low)}, {decimals(ahead.high)}]"
        if behind < -max_behind_baseline:
            remarks.append(f"rank by {best} where the order of values matters")
    words = f"{words}; predicted over actual total is {level.estimate:.2f} [{level.low:.2f}, {level.high:.2f}]"
    if evaluation == "in_time":
        remarks.append("the level is untested, as no earlier day could teach a model of a later one")
    elif not abs(level.estimate - 1.0) <= LEVEL_LIMIT:
        remarks.append("read values as an order, not as amounts")
    text = f"{words}: {' and '.join(remarks)}" if remarks else words
    return Check("value", "warn" if remarks else "pass", behind, -max_behind_baseline, text)


def _best(baselines: Mapping[str, Mapping[str, float]]) -> str | None:
    known = {name: found["normalised_gini"] for name, found in baselines.items()}
    measured = {name: gini for name, gini in known.items() if not np.isnan(gini)}
    return min(measured, key=lambda name: (-measured[name], name)) if measured else None


def _money(rows: ValueRows, forecast: ValueForecast, config: Config) -> MoneyAssessment | None:
    """The list that would be made, and those of the rules, in money; None where nothing was at stake."""
    at_stake = money_at_stake(rows.features, config.cltv.margin)
    if at_stake is None:
        return None
    days, splits = config.churn.horizon_days, rows.folds.splits
    rules = churn_baselines(rows.features, rows.churned, splits, days, rows.as_of, rows.pasts)
    scores = {"kizuna": forecast.churn_probability}
    if config.at_risk.rank_by == "value_at_risk":
        scores = {"kizuna": forecast.at_risk, "kizuna_probability": forecast.churn_probability}
    scores |= rules | money_rankings(rows.features, rules)
    tested, fold = rows.folds.test_rows, rows.folds.fold_of_test_rows
    newest = rows.as_of[tested] == rows.as_of[tested].max()
    if rows.folds.evaluation == "in_time":
        # Folds by customer hold every day at once, and a list is made of one day's customers.
        tested, fold, newest = tested[newest], np.zeros_like(fold[newest]), newest[newest]
    evaluated = evaluation_rows(rows.churned[tested], rows.customer[tested], fold)
    chosen = {name: score[tested] for name, score in scores.items()}
    money = MoneyRows(evaluated, at_stake[tested], chosen, newest)
    capacity = places_of(config.evaluation.capacity, int(np.bincount(evaluated.fold).min()))
    return assess_money(money, capacity, config.economics)
