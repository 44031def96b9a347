"""Both models fitted on one training set and measured: the work of a training, before anything is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ConfigError, ContractError
from kizuna.labels.training_set import TrainingSet
from kizuna.registry import ModelPair

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows, ValueAssessment
    from kizuna.evaluation.gate import GateDecision
    from kizuna.evaluation.leakage import LeakFinding, LeakWarning
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.splits import Split
    from kizuna.models.tuning import Tuned

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
# What a profile says of these days never changes.
_OF_FIXED_DATES = ("age_years", "days_since_first_seen")
_WITH_TREES = ("auto", "blend", "lightgbm")


@dataclass(frozen=True)
class Trained:
    """Both fitted models with all that was measured of them; the value parts are None where no value can be learned.

    ``tuned``: None where no search was asked for. ``answer``: what the newest test day's list would have been, and what
    came of it.
    """

    training: TrainingSet
    churn: ChurnClassifier
    assessment: ChurnAssessment
    decision: GateDecision
    cltv: CltvRegressor | None
    value: ValueAssessment | None
    findings: tuple[LeakFinding, ...]
    warnings: tuple[LeakWarning, ...]
    tuned: Tuned | None
    evaluation: str
    answer: dict[str, Any]


def undated_attributes(store: Store, training: TrainingSet) -> tuple[str, ...]:
    """Columns that a customer's row says now and may not have said then: those of a profile without ``valid_from``."""
    if store.has("customers", "valid_from"):
        return ()
    columns = training.frame.plan.columns
    return tuple(column.name for column in columns if column.family == "profile" and column.name not in _OF_FIXED_DATES)


def fit_models(
    config: Config, training: TrainingSet, champion: ModelPair | None, undated: tuple[str, ...], say: Say
) -> Trained:
    """Both models fitted and measured.

    champion: whose recipe is refitted beside them. undated: see ``undated_attributes``.
    """
    from kizuna.evaluation.assessment import ChurnRows, answer_check, baseline_scores
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.evaluation.leakage import RowOrigins, find_leaks

    definition = training.definition
    plan = FoldPlan(definition.window, config.evaluation.folds, config.model.seed, training.dated)
    folds = make_folds(training.frame.as_of, training.customer_ids, training.y, plan)
    origins = RowOrigins(training.frame.as_of, training.customer_ids, undated)
    measured = [(split.train, split.test) for split in folds.splits[: folds.reported]]
    findings, warnings = find_leaks(training.features, training.y, measured, origins)
    if identifiers := _identifiers(training, warnings):
        frame = training.frame.without(identifiers, "every value differs, like an identifier")
        training = replace(training, frame=frame)
    rows = ChurnRows(training.features, training.y, training.customer_ids, folds)
    baselines = baseline_scores(rows, definition.horizon_days)
    tuned = _tune(config, rows)
    if tuned is not None:
        say(tuned.text)
    params = tuned.params if tuned else {}
    churn, assessment, decision = _fit_churn(config, rows, baselines, (len(findings), champion), params)
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
        tuned=tuned,
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


def _tune(config: Config, rows: ChurnRows) -> Tuned | None:
    """What a search over LightGBM's parameters found, where one is asked for."""
    asked = config.model.churn
    if not asked.tune_trials:
        return None
    if asked.estimator not in _WITH_TREES:
        raise ConfigError(
            f"model.churn.tune_trials asks for a search, but estimator {asked.estimator} has nothing that it could tune. "
            f"Choose {', '.join(_WITH_TREES)}, or set tune_trials to 0."
        )
    from kizuna.models.task import Task
    from kizuna.models.tuning import TuneBudget, tune_trees

    y = rows.churned
    rarer = int(min(y.sum(), (1 - y).sum()))
    machine = (config.model.seed, config.engine.threads)
    task = Task(tuple(map(str, rows.features.columns)), len(y), rarer, float(config.churn.horizon_days), *machine)
    owner = np.unique(rows.customer_ids.astype(str), return_inverse=True)[1]
    budget = TuneBudget(asked.tune_trials, asked.tune_minutes)
    return tune_trees(rows.features.to_numpy(dtype=np.float64), y, rows.folds.splits, task, budget, owner)


def _with_tuned(estimator: str, params: dict[str, Any], tuned: dict[str, Any]) -> dict[str, Any]:
    """The config's parameters over the tuned ones."""
    if not tuned:
        return params
    if estimator == "lightgbm":
        return tuned | params
    return params | {"lightgbm": tuned | dict(params.get("lightgbm") or {})}


def _fit_churn(
    config: Config,
    rows: ChurnRows,
    baselines: dict[str, Floats],
    known: tuple[int, ModelPair | None],
    tuned: dict[str, Any],
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    """The model of the config; where ``auto`` fails the gate, the next simpler rung that passes."""
    from kizuna.evaluation.assessment import assess_churn, with_leaks
    from kizuna.evaluation.gate import GateLimits, decide

    leaks, champion = known
    limits = GateLimits(**config.gate.model_dump())
    asked = config.model.churn
    configured = _with_tuned(asked.estimator, asked.params, tuned)

    def attempt(estimator: str, params: dict[str, Any]) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
        model = _classifier(config, estimator, params)
        model.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer_ids)
        recipe = _champion_scores(config, champion, model, rows)
        assessment = assess_churn(rows, model.oof_probability_, config.evaluation.capacity, baselines, recipe)
        evidence = with_leaks(assessment.evidence, leaks, champion is not None)
        return model, assessment, decide(evidence, limits)

    first = attempt(asked.estimator, configured)
    if first[2].passed or asked.estimator != "auto":
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
    # A copy of millions of rows is made only where some of them are left out.
    features = training.features if known.all() else training.features[known].reset_index(drop=True)
    worth, churned = training.worth[known], training.y[known]
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
