"""From what was known before a day to a registered challenger and, if it passes the gate, the champion."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows, ValueAssessment
    from kizuna.evaluation.gate import GateDecision
    from kizuna.evaluation.leakage import LeakFinding, LeakWarning
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.splits import Split
    from kizuna.tracking import TrainingRun

Floats = NDArray[np.float64]
Say = Callable[[str], None]
_STEP_DOWN = ("logistic", "rule")
_EXPLAINED_ROWS = 1000


@dataclass(frozen=True)
class TrainResult:
    """One training: what was fitted, what it is worth, what was registered and whether it is champion now."""

    run_id: str
    versions: dict[str, str]
    promoted: bool
    why: str
    estimator: str
    why_estimator: str
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    value_metrics: dict[str, float]
    decision: GateDecision
    leak_findings: tuple[LeakFinding, ...]
    warnings: tuple[LeakWarning, ...]
    evaluation: str
    answer: dict[str, Any]
    training: TrainingSet
    model_uri: str

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "run_id": self.run_id,
            "versions": self.versions,
            "promoted": self.promoted,
            "why": self.why,
            "estimator": self.estimator,
            "why_estimator": self.why_estimator,
            "evaluation": self.evaluation,
            "metrics": self.metrics,
            "value_metrics": self.value_metrics,
            "baselines": self.baselines,
            "gate": {
                "passed": self.decision.passed,
                "grade": self.decision.grade,
                "text": self.decision.text,
                "checks": [
                    {"name": c.name, "status": c.status, "value": c.value, "limit": c.limit, "text": c.text}
                    for c in self.decision.checks
                ],
            },
            "leak_findings": [{"feature": f.feature, "evidence": f.evidence} for f in self.leak_findings],
            "warnings": [{"feature": w.name, "evidence": w.text} for w in self.warnings],
            "answer": self.answer,
            "train_day": date_of(self.training.train_day).isoformat(),
            "rows": len(self.training.churned),
            "snapshots": len(self.training.days),
        }


@dataclass(frozen=True)
class _Churn:
    """The churn model that will be registered, with its evidence."""

    model: ChurnClassifier
    assessment: ChurnAssessment
    decision: GateDecision


def train(
    store: Store, config: Config, train_day: int, promote: bool = True, say: Say = lambda line: None
) -> TrainResult:
    """Trains both models on what was known before ``train_day``, logs them, and promotes them if the gate passes.

    Errors: those of the training set (exit 10, 11), and of the MLflow store.
    """
    from kizuna.evaluation.assessment import ChurnRows, answer_check, baseline_scores
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.evaluation.leakage import find_leaks

    registry = Registry(config.tracking_uri, config.name)
    champion = registry.champion()
    training = build_training_set(store, config, train_day)
    definition = training.definition
    say(
        f"training set: {len(training.churned):,} rows, {len(training.frame.plan.columns)} features, "
        f"{len(training.days)} snapshots"
    )
    features = training.features
    plan = FoldPlan(definition.window, config.evaluation.folds, config.model.seed, training.dated)
    folds = make_folds(training.frame.as_of, training.customer_ids, training.churned, plan)
    rows = ChurnRows(features, training.churned, training.customer_ids, folds)
    findings, warnings = find_leaks(
        features, training.churned, [(s.train, s.test) for s in folds.splits[: folds.reported]]
    )
    baselines = baseline_scores(rows, definition.horizon_days)
    churn = _fit_churn(config, rows, training, baselines, (len(findings), champion))
    say(f"churn model: {churn.model.why_}")
    value, assessed = _fit_value(config, training, churn)
    answer = answer_check(rows, churn.assessment.scores, definition.window, config.at_risk.size)
    with (
        registry.training_run(f"train {date_of(train_day)}", _tags(config, training)) as run,
        tempfile.TemporaryDirectory(prefix="kizuna-") as folder,
    ):
        contract = _contract(config, training, churn, (folds.evaluation, answer))
        _log_evidence(run, config, training, churn, (assessed, findings, warnings))
        versions = _register(run, Path(folder), churn, value, contract)
    say(f"registered {config.name}-churn version {versions['churn']}")
    promoted, why = _promote(registry, versions["churn"], churn.decision, promote, (train_day, champion))
    return TrainResult(
        run_id=run.run_id,
        versions=versions,
        promoted=promoted,
        why=why,
        estimator=churn.model.estimator_name_,
        why_estimator=churn.model.why_,
        metrics=churn.assessment.metrics,
        baselines=churn.assessment.baselines,
        value_metrics=assessed.metrics if assessed else {},
        decision=churn.decision,
        leak_findings=findings,
        warnings=warnings,
        evaluation=folds.evaluation,
        answer=answer,
        training=training,
        model_uri=f"models:/{config.name}-churn/{versions['churn']}",
    )


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
    config: Config,
    rows: ChurnRows,
    training: TrainingSet,
    baselines: dict[str, Floats],
    known: tuple[int, ModelPair | None],
) -> _Churn:
    """The model of the config; where ``auto`` fails the gate by its AUC, the next simpler rung that passes."""
    from kizuna.evaluation.assessment import assess_churn, with_leaks
    from kizuna.evaluation.gate import GateLimits, decide

    leaks, champion = known
    limits = GateLimits(**config.gate.model_dump())

    def attempt(estimator: str, params: dict[str, Any]) -> _Churn:
        model = _classifier(config, estimator, params)
        model.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer_ids)
        recipe = _champion_scores(config, champion, model, rows)
        assessment = assess_churn(rows, model.oof_probability_, config.evaluation.capacity, baselines, recipe)
        return _Churn(model, assessment, decide(with_leaks(assessment.evidence, leaks, champion is not None), limits))

    first = attempt(config.model.churn.estimator, config.model.churn.params)
    if first.decision.passed or config.model.churn.estimator != "auto":
        return first
    for rung in _STEP_DOWN:
        if rung != first.model.estimator_name_ and (rung != "rule" or {"orders", "tenure_days"} <= set(rows.features)):
            other = attempt(rung, {})
            if other.decision.passed:
                return other
    return first


def _champion_scores(
    config: Config, champion: ModelPair | None, model: ChurnClassifier, rows: ChurnRows
) -> Floats | None:
    """Out-of-fold probabilities of the champion's recipe refitted on the same folds; None without a champion."""
    if champion is None:
        return None
    import json

    recipe = json.loads(champion.churn.tags.get("recipe", "{}"))
    if not recipe:
        return None
    if recipe == {"estimator": model.estimator_name_, "params": config.model.churn.params}:
        return np.asarray(model.oof_probability_)
    other = _classifier(config, recipe["estimator"], recipe["params"])
    other.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer_ids)
    return np.asarray(other.oof_probability_)


def _fit_value(
    config: Config, training: TrainingSet, churn: _Churn
) -> tuple[CltvRegressor | None, ValueAssessment | None]:
    """The value model and its worth; (None, None) where no value can be learned."""
    from kizuna.evaluation.assessment import assess_value
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.models import CltvRegressor

    known = ~np.isnan(training.worth)
    window = training.value_window
    if window is None or known.sum() < 2 or np.all(training.worth[known] == 0):
        return None, None
    features, worth, churned = training.features[known], training.worth[known], training.churned[known]
    plan = FoldPlan(window, config.evaluation.folds, config.model.seed, training.dated, customer_folds=3)
    try:
        folds = make_folds(training.frame.as_of[known], training.customer_ids[known], churned, plan)
    except ContractError:
        folds = None
    churn_window = training.definition.window
    model = CltvRegressor(
        estimator=config.model.cltv.estimator,
        params=config.model.cltv.params,
        equal_windows=window.end(0) <= churn_window.end(0),
        seed=config.model.seed,
        threads=config.engine.threads,
    )
    model.fit(features, worth, churned=churned, splits=folds.splits if folds else None)
    if folds is None:
        return model, None
    expected = _expected(config, churn, model, (features, churned), folds.splits)
    return model, assess_value(features, worth, expected, folds, window.horizon_days)


def _expected(
    config: Config, churn: _Churn, model: CltvRegressor, rows: tuple[pd.DataFrame, Floats], splits: Sequence[Split]
) -> Floats:
    """Out-of-fold expected value: (1 − p) · value if kept + p · value if churned.

    The value folds are other folds, so the churn model's recipe is fitted on them once more.
    """
    features, churned = rows
    first_stage = _classifier(config, churn.model.estimator_name_, churn.model.params or {})
    p = first_stage.fit(features, churned, splits=splits).oof_probability_
    kept, lost = model.oof_conditional_[:, 0], model.oof_conditional_[:, 1]
    return np.asarray((1 - p) * kept + p * lost)


def _tags(config: Config, training: TrainingSet) -> dict[str, str]:
    from kizuna import __version__

    return {
        "kizuna_version": __version__,
        "python": platform.python_version(),
        "train_day": date_of(training.train_day).isoformat(),
        "definition": training.definition.kind,
        "horizon_days": str(training.definition.horizon_days),
        "shop": config.name,
    }


def _contract(
    config: Config, training: TrainingSet, churn: _Churn, measured: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    """Everything that scoring reads from the model and not from the config, as plain values."""
    evaluation, answer = measured
    window = training.value_window
    return {
        "shop": config.name,
        "plan": training.frame.plan.to_json(),
        "definition": training.definition.to_json(),
        "train_day": training.train_day if training.dated else None,
        "cltv_horizon_days": window.horizon_days if window else None,
        "no_value": training.no_value,
        "margin": config.cltv.margin,
        "timezone": config.data.timezone,
        "estimator": churn.model.estimator_name_,
        "evaluation": {
            "evaluation": evaluation,
            "model": churn.assessment.metrics,
            "baselines": churn.assessment.baselines,
            "grade": churn.decision.grade,
            "gate_text": churn.decision.text,
        },
        "answer": answer if answer["named_on"] else None,
    }


def _register(
    run: TrainingRun, folder: Path, churn: _Churn, value: CltvRegressor | None, contract: dict[str, Any]
) -> dict[str, str]:
    """Writes both model folders and registers them; version numbers by kind."""
    import hashlib
    import json

    from kizuna.models.folder import write_model

    names = [column[0] for column in contract["plan"]["columns"]]
    day = contract["train_day"]
    tags = {
        "horizon_days": str(contract["definition"]["horizon_days"]),
        "definition": contract["definition"]["kind"],
        "train_day": "" if day is None else date_of(day).isoformat(),
        "feature_set_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "estimator": contract["estimator"],
        "grade": churn.decision.grade,
        "validation_status": "passed" if churn.decision.passed else "refused",
        "recipe": json.dumps({"estimator": churn.model.estimator_name_, "params": churn.model.params or {}}),
    }
    versions: dict[str, str] = {}
    if value is not None:
        write_model(folder / "cltv", value, contract)
        versions["cltv"] = run.log_model(
            "cltv",
            folder / "cltv",
            names,
            ["value_if_kept", "value_if_churned"],
            tags | {"cltv_horizon_days": str(contract["cltv_horizon_days"])},
        )
    write_model(folder / "churn", churn.model, contract)
    versions["churn"] = run.log_model("churn", folder / "churn", names, ["churn_probability"], tags)
    return versions


def _log_evidence(
    run: TrainingRun,
    config: Config,
    training: TrainingSet,
    churn: _Churn,
    found: tuple[ValueAssessment | None, tuple[LeakFinding, ...], tuple[LeakWarning, ...]],
) -> None:
    """Parameters, metrics, tables, pictures, the config and the datasets' digests, on the run."""
    import yaml

    from kizuna.evaluation import plots
    from kizuna.explain.feature_table import feature_table

    value, findings, warnings = found
    assessment = churn.assessment
    run.log_params(_flat(config.document) | {"resolved.estimator": churn.model.estimator_name_})
    run.log_metrics({f"churn_{name}": number for name, number in assessment.metrics.items()})
    evidence = assessment.evidence
    run.log_metrics(
        {
            "churn_auc_low": evidence.auc.low,
            "churn_auc_high": evidence.auc.high,
            "churn_calibration_error_low": evidence.calibration.low,
            "churn_calibration_error_unbiased": evidence.calibration.estimate,
            "gate_passed": float(churn.decision.passed),
            "leak_findings": float(len(findings)),
            "training_rows": float(len(training.churned)),
            "training_snapshots": float(len(training.days)),
        }
    )
    for name, metrics in assessment.baselines.items():
        run.log_metrics({f"baseline_{name}_{key}": number for key, number in metrics.items()})
    run.log_table(assessment.table(), "evaluation/models_and_baselines")
    run.log_table(feature_table(training.frame.plan.columns), "features/features")
    run.log_text(yaml.safe_dump(config.document, allow_unicode=True, sort_keys=False), "config.yaml")
    run.log_text(churn.decision.text + "\n", "evaluation/gate.txt")
    run.log_json(
        {
            "leak_findings": [{"feature": f.feature, "evidence": f.evidence} for f in findings],
            "warnings": [{"name": w.name, "evidence": w.text} for w in warnings],
            "left_out": list(training.frame.plan.left_out),
        },
        "evaluation/leaks.json",
    )
    rows = training.features.assign(churned=training.churned)
    run.log_dataset(rows, f"{config.name}-training", "kizuna training set", "churned")
    scores = assessment.scores
    churned = assessment.churned
    run.log_figure(plots.calibration_figure(churned, scores["kizuna"], evidence.calibration), "plots/calibration.png")
    run.log_figure(plots.lift_figure(churned, scores, config.evaluation.capacity), "plots/lift.png")
    if value is not None:
        run.log_metrics({f"cltv_{name}": number for name, number in value.metrics.items()})
        for name, metrics in value.baselines.items():
            run.log_metrics({f"cltv_baseline_{name}_{key}": number for key, number in metrics.items()})
        run.log_figure(
            plots.decile_figure(value.actual, value.predicted, config.data.currency or ""), "plots/value_deciles.png"
        )
    newest = np.flatnonzero(training.frame.as_of == training.days[0])
    shown = newest[np.linspace(0, len(newest) - 1, min(_EXPLAINED_ROWS, len(newest))).astype(np.int64)]
    contributions = churn.model.contributions(training.features.iloc[shown])
    run.log_figure(
        plots.contribution_figure(contributions[:, :-1], training.features.iloc[shown]), "plots/shap_bar.png"
    )
    run.log_figure(
        plots.beeswarm_figure(contributions[:, :-1], training.features.iloc[shown]), "plots/shap_beeswarm.png"
    )


def _flat(tree: Any, path: str = "") -> dict[str, Any]:
    if isinstance(tree, dict) and tree:
        return {
            key: value
            for name, node in tree.items()
            for key, value in _flat(node, f"{path}.{name}" if path else str(name)).items()
        }
    return {path: tree}


def _promote(
    registry: Registry, version: str, decision: GateDecision, wanted: bool, known: tuple[int, ModelPair | None]
) -> tuple[bool, str]:
    """Whether the version became champion, and why or why not."""
    train_day, champion = known
    if not decision.passed:
        return False, decision.text
    if not wanted:
        return False, f"{decision.text} Not promoted, as asked: version {version} waits as challenger."
    newest = champion.churn.tags.get("train_day", "") if champion else ""
    if newest > date_of(train_day).isoformat():
        return False, (
            f"{decision.text} Not promoted by itself: it knows the shop until {date_of(train_day)}, the champion "
            f"(version {champion.churn.version if champion else ''}) until {newest}. Use kizuna promote if you mean it."
        )
    registry.promote(version, datetime.now(UTC))
    return True, decision.text
