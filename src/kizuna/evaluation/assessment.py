"""What a fitted model is worth beside every rule, on the same rows: metrics, evidence for the gate, answer check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.baselines import RANKING_ONLY, churn_baselines, value_baselines
from kizuna.evaluation.folds import Folds
from kizuna.evaluation.gate import GateEvidence, measure
from kizuna.evaluation.intervals import evaluation_rows
from kizuna.evaluation.metrics import churn_metrics, precision_at, value_metrics
from kizuna.timeline import LabelWindow, date_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ChurnRows:
    """The training rows as evaluation needs them: features, outcomes, customers and folds."""

    features: pd.DataFrame
    churned: Floats
    customer_ids: NDArray[np.object_]
    folds: Folds

    @property
    def tested(self) -> NDArray[np.int64]:
        """Positions of the measured rows."""
        return self.folds.test_rows


@dataclass(frozen=True)
class ChurnAssessment:
    """One model beside its baselines on the measured rows.

    ``metrics``: of the model; ``baselines``: the same metrics by name (rules that only rank have no log loss);
    ``scores``: out-of-fold scores of the measured rows by name, the model's as ``kizuna``;
    ``churned``: their outcomes.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    scores: dict[str, Floats]
    churned: Floats
    evidence: GateEvidence

    def table(self) -> pd.DataFrame:
        """One row per model and baseline, the model first, one column per metric."""
        rows = {"kizuna": self.metrics} | self.baselines
        return pd.DataFrame(rows).T.rename_axis("model").reset_index()


def assess_churn(
    rows: ChurnRows, probability: Floats, capacity: int, baselines: Mapping[str, Floats], champion: Floats | None
) -> ChurnAssessment:
    """Metrics of out-of-fold probabilities and of baselines: means over folds, each fold a whole day's customers.

    ``probability``, ``baselines`` and ``champion`` cover all training rows and are NaN where never tested.
    """
    tested, fold = rows.tested, rows.folds.fold_of_test_rows
    churned = rows.churned[tested]
    scores = {"kizuna": probability[tested]} | {name: values[tested] for name, values in baselines.items()}

    def mean_metrics(name: str) -> dict[str, float]:
        parts = [
            churn_metrics(churned[fold == k], scores[name][fold == k], capacity, probabilities=name not in RANKING_ONLY)
            for k in range(rows.folds.reported)
        ]
        return _mean_over_folds(parts)

    evidence = measure(
        evaluation_rows(churned, rows.customer_ids[tested], fold),
        scores["kizuna"],
        {name: scores[name] for name in baselines},
        [name for name in baselines if name in RANKING_ONLY],
        None if champion is None else champion[tested],
    )
    return ChurnAssessment(
        mean_metrics("kizuna"), {name: mean_metrics(name) for name in baselines}, scores, churned, evidence
    )


def _mean_over_folds(parts: list[dict[str, float]]) -> dict[str, float]:
    """Each metric's mean over the folds in which it is defined; NaN where it never is."""
    means = {}
    for name in parts[0]:
        defined = [part[name] for part in parts if not np.isnan(part[name])]
        means[name] = float(np.mean(defined)) if defined else float("nan")
    return means


def baseline_scores(rows: ChurnRows, horizon_days: int) -> dict[str, Floats]:
    """Out-of-fold scores of every baseline on all training rows, NaN where never tested."""
    return churn_baselines(rows.features, rows.churned, list(rows.folds.splits), horizon_days)


def with_leaks(evidence: GateEvidence, leaks: int, has_champion: bool) -> GateEvidence:
    """The evidence with what the model itself cannot know."""
    return replace(evidence, leak_findings=leaks, has_champion=has_champion)


def answer_check(rows: ChurnRows, scores: Mapping[str, Floats], window: LabelWindow, capacity: int) -> dict[str, Any]:
    """What the newest test day's list would have been, knowing nothing later, and what came of it, as plain values.

    ``named_on``, ``until``: ISO days, or None where the folds are by customer. ``churned``: how many of ``capacity``
    named churned, by model and rule, and ``random``: as many as chance gives.
    """
    first = rows.folds.fold_of_test_rows == 0
    churned = rows.churned[rows.tested][first]
    capacity = min(capacity, len(churned))
    named = {name: precision_at(churned, values[first], capacity) * capacity for name, values in scores.items()}
    auc = {
        name: churn_metrics(churned, values[first], capacity, probabilities=False)["auc"]
        for name, values in scores.items()
    }
    day = rows.folds.test_days[0]
    return {
        "named_on": None if day is None else date_of(day).isoformat(),
        "until": None if day is None else date_of(window.end(day) - 1).isoformat(),
        "capacity": capacity,
        "churned": named | {"random": float(churned.mean() * capacity)},
        "auc": auc,
        "said": float(scores["kizuna"][first].mean()),
        "happened": float(churned.mean()),
    }


@dataclass(frozen=True)
class ValueAssessment:
    """The value model beside its baselines on out-of-fold rows, means over folds."""

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    actual: Floats
    predicted: Floats
    evaluation: str


def assess_value(
    features: pd.DataFrame, worth: Floats, predicted: Floats, folds: Folds, horizon_days: int
) -> ValueAssessment:
    """Metrics of out-of-fold expected value, and of the baselines on the same rows."""
    tested, fold = folds.test_rows, folds.fold_of_test_rows
    baselines = {name: values[tested] for name, values in value_baselines(features, horizon_days).items()}

    def mean_metrics(values: Floats) -> dict[str, float]:
        parts = [value_metrics(worth[tested][fold == k], values[fold == k]) for k in range(folds.reported)]
        return _mean_over_folds(parts)

    return ValueAssessment(
        mean_metrics(predicted[tested]),
        {name: mean_metrics(values) for name, values in baselines.items()},
        worth[tested],
        predicted[tested],
        folds.evaluation,
    )
