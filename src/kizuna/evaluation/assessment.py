"""What a fitted model is worth beside every rule, on the same rows: metrics, evidence for the gate, answer check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.folds import Folds
from kizuna.evaluation.gate.evidence import GateEvidence, best_baseline, measure
from kizuna.evaluation.gate.segments import SegmentRules, measure_segments, segment_masks, segment_table
from kizuna.evaluation.measures.intervals import evaluation_rows
from kizuna.evaluation.measures.metrics import churn_metrics, mean_over_folds, models_table, places_of, precision_at
from kizuna.timeline import LabelWindow, date_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ChurnRows:
    """The training rows as evaluation needs them: features, outcomes, folds, and customers as numbers in the order of
    their ids. ``ranking_only``: the baselines that are no probabilities of these outcomes.
    """

    features: pd.DataFrame
    churned: Floats
    customer: NDArray[np.int32]
    folds: Folds
    ranking_only: tuple[str, ...] = ("recency_rule",)

    @property
    def tested(self) -> NDArray[np.int64]:
        """Positions of the measured rows."""
        return self.folds.test_rows


@dataclass(frozen=True, eq=False)
class ListRanking:
    """How the tests' lists are ranked. ``name``: value_at_risk or churn_probability. ``scores``: (tested,), the higher the
    earlier.
    """

    name: str
    scores: Floats


@dataclass(frozen=True)
class ChurnAssessment:
    """One model beside its baselines on the measured rows.

    ``metrics``: of the model; ``baselines``: the same metrics by name (rules that only rank have no log loss);
    ``scores``: out-of-fold scores of the measured rows by name, the model's as ``kizuna``;
    ``churned``: their outcomes. ``segments``: see ``segments.segment_table``; empty where none is large enough.
    ``sizes``: rows of each test.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    scores: dict[str, Floats]
    churned: Floats
    evidence: GateEvidence
    segments: pd.DataFrame
    sizes: tuple[int, ...]

    def table(self) -> pd.DataFrame:
        """One row per model and baseline, the model first, one column per metric."""
        return models_table(self.metrics, self.baselines)


def assess_churn(
    rows: ChurnRows,
    probability: Floats,
    capacity: int,
    baselines: Mapping[str, Floats],
    champion: Floats | None,
    rules: SegmentRules,
) -> ChurnAssessment:
    """Metrics of out-of-fold probabilities and of baselines: means over folds, each fold a whole day's customers.

    ``probability``, ``baselines`` and ``champion`` cover all training rows and are NaN where never tested. ``rules``: how
    far a segment may fall short.
    """
    tested, fold = rows.tested, rows.folds.fold_of_test_rows
    churned = rows.churned[tested]
    scores = {"kizuna": probability[tested]} | {name: values[tested] for name, values in baselines.items()}

    def mean_metrics(name: str) -> dict[str, float]:
        parts = [
            churn_metrics(
                churned[fold == k], scores[name][fold == k], capacity, probabilities=name not in rows.ranking_only
            )
            for k in range(rows.folds.reported)
        ]
        return mean_over_folds(parts)

    measured = evaluation_rows(churned, rows.customer[tested], fold)
    evidence = measure(
        measured,
        scores["kizuna"],
        {name: scores[name] for name in baselines},
        [name for name in baselines if name in rows.ranking_only],
        None if champion is None else champion[tested],
    )
    best = best_baseline(evidence)
    if best is not None:
        masks = segment_masks(rows.features, tested, rules.horizon_days)
        if len({day for day in rows.folds.test_days[: rows.folds.reported] if day is not None}) > 1:
            masks["newest test day"] = fold == 0
        evidence = replace(evidence, segments=measure_segments(measured, masks, scores["kizuna"], scores[best], rules))
    return ChurnAssessment(
        metrics=mean_metrics("kizuna"),
        baselines={name: mean_metrics(name) for name in baselines},
        scores=scores,
        churned=churned,
        evidence=evidence,
        segments=segment_table(evidence.segments, best or ""),
        sizes=tuple(int(size) for size in np.bincount(fold)),
    )


def answer_check(
    rows: ChurnRows, scores: Mapping[str, Floats], ranking: ListRanking, window: LabelWindow, capacity: int
) -> dict[str, Any]:
    """What the newest test day's list would have been, knowing nothing later, and what came of it, as plain values.

    ``named_on``, ``until``: ISO days, or None where the folds are by customer. ``ranked_by``: what orders kizuna's list; its
    ``auc`` is that of the probabilities all the same. ``capacity``: how many were named, at most half of all. ``churned``:
    how many of them did, by model and rule, ``kizuna_probability`` where kizuna's list is ranked otherwise, and ``random``:
    as many as chance gives.
    """
    first = rows.folds.fold_of_test_rows == 0
    churned = rows.churned[rows.tested][first]
    capacity = places_of(capacity, len(churned))
    lists = {**scores, "kizuna": ranking.scores}
    if ranking.name != "churn_probability":
        lists["kizuna_probability"] = scores["kizuna"]
    named = {name: precision_at(churned, values[first], capacity) * capacity for name, values in lists.items()}
    auc = {
        name: churn_metrics(churned, values[first], capacity, probabilities=False)["auc"]
        for name, values in scores.items()
    }
    day = rows.folds.test_days[0]
    return {
        "named_on": None if day is None else date_of(day).isoformat(),
        "until": None if day is None else date_of(window.end(day) - 1).isoformat(),
        "ranked_by": ranking.name,
        "capacity": capacity,
        "churned": named | {"random": float(churned.mean() * capacity)},
        "auc": auc,
        "said": float(scores["kizuna"][first].mean()),
        "happened": float(churned.mean()),
    }
