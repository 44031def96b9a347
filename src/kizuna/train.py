"""From what was known before a day to a registered challenger and, if it passes the gate, the champion."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ContractError
from kizuna.labels.training_set import TrainingSet, build_training_set
from kizuna.registry import ModelPair, Registry
from kizuna.timeline import date_of
from kizuna.train_record import Trained, log_evidence, register_models, run_tags

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows, ValueAssessment
    from kizuna.evaluation.gate import GateDecision
    from kizuna.evaluation.leakage import LeakWarning
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.splits import Split

Floats = NDArray[np.float64]
Say = Callable[[str], None]
# Where the model that auto chose is behind a rule, these are tried in turn; the last is the recency rule with a level.
_STEP_DOWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("logistic", {}),
    ("rule", {}),
    ("logistic", {"columns": "recency"}),
)
_PURCHASE_COLUMNS = {"days_since_order", "orders", "tenure_days", "revenue"}
_VALUE_FOLDS_BY_CUSTOMER = 3


@dataclass(frozen=True)
class TrainResult:
    """One training: what was fitted and measured, what was registered, and whether it is champion now."""

    trained: Trained
    run_id: str
    versions: dict[str, str]
    model_uri: str
    promoted: bool
    why: str

    @property
    def metrics(self) -> dict[str, float]:
        """The churn model's metrics: means over the measured folds."""
        return self.trained.assessment.metrics

    @property
    def value_metrics(self) -> dict[str, float]:
        """The value model's metrics; empty where there is none."""
        return self.trained.value.metrics if self.trained.value else {}

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        trained, decision = self.trained, self.trained.decision
        checks = ("name", "status", "value", "limit", "text")
        return {
            "run_id": self.run_id,
            "versions": self.versions,
            "promoted": self.promoted,
            "why": self.why,
            "estimator": trained.churn.estimator_name_,
            "why_estimator": trained.churn.why_,
            "evaluation": trained.evaluation,
            "metrics": self.metrics,
            "value_metrics": self.value_metrics,
            "value_evaluation": trained.value.evaluation if trained.value else None,
            "no_value": trained.training.no_value,
            "baselines": trained.assessment.baselines,
            "gate": {
                "passed": decision.passed,
                "grade": decision.grade,
                "text": decision.text,
                "checks": [{key: getattr(check, key) for key in checks} for check in decision.checks],
            },
            "leak_findings": [{"feature": found.feature, "evidence": found.evidence} for found in trained.findings],
            "warnings": [{"kind": found.kind, "evidence": found.text} for found in trained.warnings],
            "left_out": list(trained.training.frame.plan.left_out),
            "answer": trained.answer,
            "train_day": date_of(trained.training.train_day).isoformat(),
            "rows": len(trained.training.y),
            "features": len(trained.training.frame.plan.columns),
            "snapshots": [date_of(day).isoformat() for day in trained.training.days],
            "model_uri": self.model_uri,
        }


def train(
    store: Store, config: Config, train_day: int, promote: bool = True, say: Say = lambda line: None
) -> TrainResult:
    """Trains both models on what was known before ``train_day``, logs them, and promotes them if the gate passes.

    Errors: those of the training set (exit 10, 11), and of the MLflow store.
    """
    registry = Registry(config.tracking_uri, config.name)
    champion = registry.champion()
    training = build_training_set(store, config, train_day)
    store.rest()
    columns = len(training.frame.plan.columns)
    say(f"training set: {len(training.y):,} rows, {columns} features, {len(training.days)} snapshots")
    trained = _fit(config, training, champion, say)
    with (
        registry.training_run(f"train {date_of(train_day)}", run_tags(config, training)) as run,
        tempfile.TemporaryDirectory(prefix="kizuna-") as folder,
    ):
        log_evidence(run, config, trained)
        versions = register_models(run, Path(folder), config, trained)
    say(f"registered {config.name}-churn version {versions['churn']}")
    promoted, why = _promote(registry, versions["churn"], trained, champion) if promote else (False, "")
    if not promote:
        why = f"{trained.decision.text} Not promoted, as asked: version {versions['churn']} waits as challenger."
    return TrainResult(trained, run.run_id, versions, f"models:/{config.name}-churn/{versions['churn']}", promoted, why)


def _fit(config: Config, training: TrainingSet, champion: ModelPair | None, say: Say) -> Trained:
    """Both models fitted and measured."""
    from kizuna.evaluation.assessment import ChurnRows, answer_check, baseline_scores
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.evaluation.leakage import find_leaks

    definition = training.definition
    plan = FoldPlan(definition.window, config.evaluation.folds, config.model.seed, training.dated)
    folds = make_folds(training.frame.as_of, training.customer_ids, training.y, plan)
    measured = [(split.train, split.test) for split in folds.splits[: folds.reported]]
    findings, warnings = find_leaks(training.features, training.y, measured)
    if identifiers := _identifiers(training, warnings):
        frame = training.frame.without(identifiers, "every value differs, like an identifier")
        training = replace(training, frame=frame)
    rows = ChurnRows(training.features, training.y, training.customer_ids, folds)
    baselines = baseline_scores(rows, definition.horizon_days)
    churn, assessment, decision = _fit_churn(config, rows, baselines, (len(findings), champion))
    say(f"churn model: {churn.why_}")
    cltv, value = _fit_value(config, training, churn)
    if value:
        say(f"value model: normalised Gini {value.metrics['normalised_gini']:.3f}")
    return Trained(
        training=training,
        churn=churn,
        assessment=assessment,
        decision=decision,
        cltv=cltv,
        value=value,
        findings=findings,
        warnings=warnings,
        evaluation=folds.evaluation,
        answer=answer_check(rows, assessment.scores, definition.window, config.at_risk.size),
    )


def _identifiers(training: TrainingSet, warnings: tuple[LeakWarning, ...]) -> list[str]:
    """Columns of other people's making that only number the customers."""
    foreign = {column.name for column in training.frame.plan.columns if column.family in ("supplied", "profile")}
    named = [name for warning in warnings if warning.kind == "identifier" for name in warning.features]
    return [name for name in named if name in foreign]


def _classifier(config: Config, estimator: str, params: dict[str, Any]) -> ChurnClassifier:
    from kizuna.models import ChurnClassifier

    return ChurnClassifier(
        estimator=estimator,
        params=params,
        calibration=config.model.churn.calibration,
        horizon_days=config.churn.horizon_days,
        seed=config.model.seed,
        threads=config.engine.threads,
    )


def _fit_churn(
    config: Config, rows: ChurnRows, baselines: dict[str, Floats], known: tuple[int, ModelPair | None]
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    """The model of the config; where ``auto`` fails the gate, the next simpler rung that passes."""
    from kizuna.evaluation.assessment import assess_churn, with_leaks
    from kizuna.evaluation.gate import GateLimits, decide

    leaks, champion = known
    limits = GateLimits(**config.gate.model_dump())

    def attempt(estimator: str, params: dict[str, Any]) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
        model = _classifier(config, estimator, params)
        model.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer_ids)
        recipe = _champion_scores(config, champion, model, rows)
        assessment = assess_churn(rows, model.oof_probability_, config.evaluation.capacity, baselines, recipe)
        evidence = with_leaks(assessment.evidence, leaks, champion is not None)
        return model, assessment, decide(evidence, limits)

    first = attempt(config.model.churn.estimator, config.model.churn.params)
    if first[2].passed or config.model.churn.estimator != "auto":
        return first
    for rung, params in _STEP_DOWN if set(rows.features) >= _PURCHASE_COLUMNS else _STEP_DOWN[:1]:
        if params or rung != first[0].estimator_name_:
            simpler = attempt(rung, params)
            if simpler[2].passed:
                return simpler
    return first


def _champion_scores(
    config: Config, champion: ModelPair | None, model: ChurnClassifier, rows: ChurnRows
) -> Floats | None:
    """Out-of-fold probabilities of the champion's recipe refitted on the same folds; None without a champion."""
    recipe = json.loads(champion.churn.tags.get("recipe", "null")) if champion else None
    if not recipe:
        return None
    if recipe == {"estimator": model.estimator_name_, "params": model.params or {}}:
        return np.asarray(model.oof_probability_)
    other = _classifier(config, recipe["estimator"], recipe["params"])
    return other.out_of_fold(rows.features, rows.churned, rows.folds.splits, rows.customer_ids)


def _fit_value(
    config: Config, training: TrainingSet, churn: ChurnClassifier
) -> tuple[CltvRegressor | None, ValueAssessment | None]:
    """The value model and its worth; (None, None) where no value can be learned."""
    from kizuna.evaluation.assessment import assess_value
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.models import CltvRegressor

    window, known = training.value_window, ~np.isnan(training.worth)
    if window is None or known.sum() < 2 or np.all(training.worth[known] == 0):
        return None, None
    features, worth, churned = training.features[known], training.worth[known], training.y[known]
    features = features.reset_index(drop=True)
    plan = FoldPlan(
        window, config.evaluation.folds, config.model.seed, training.dated, customer_folds=_VALUE_FOLDS_BY_CUSTOMER
    )
    model = CltvRegressor(
        estimator=config.model.cltv.estimator,
        params=config.model.cltv.params,
        equal_windows=window.end(0) <= training.definition.window.end(0),
        seed=config.model.seed,
        threads=config.engine.threads,
    )
    try:
        folds = make_folds(training.frame.as_of[known], training.customer_ids[known], churned, plan)
    except ContractError:
        return model.fit(features, worth, churned=churned), None
    model.fit(features, worth, churned=churned, splits=folds.splits)
    expected = _expected(
        _classifier(config, churn.estimator_name_, churn.params or {}), model, (features, churned), folds.splits
    )
    return model, assess_value(features, worth, expected, folds, window.horizon_days)


def _expected(
    first_stage: ChurnClassifier, model: CltvRegressor, rows: tuple[pd.DataFrame, Floats], splits: Sequence[Split]
) -> Floats:
    """Out-of-fold expected value: (1 − p) · value if kept + p · value if churned.

    The value folds are other folds than the churn model's, so its recipe is fitted on them once more.
    """
    features, churned = rows
    p = first_stage.out_of_fold(features, churned, splits)
    kept, lost = model.oof_conditional_[:, 0], model.oof_conditional_[:, 1]
    return np.asarray((1 - p) * kept + p * lost)


def _promote(registry: Registry, version: str, trained: Trained, champion: ModelPair | None) -> tuple[bool, str]:
    """Whether the version became champion, and why or why not."""
    decision, train_day = trained.decision, date_of(trained.training.train_day).isoformat()
    if not decision.passed:
        return False, decision.text
    newest = champion.churn.tags.get("train_day", "") if champion else ""
    if champion and newest > train_day:
        return False, (
            f"{decision.text} Not promoted by itself: it knows the shop until {train_day}, the champion (version "
            f"{champion.churn.version}) until {newest}. Use kizuna promote if you mean it."
        )
    registry.promote(version, datetime.now(UTC))
    return True, decision.text
