"""The churn model that is shipped: what the config asks for, or where that is behind a rule, a simpler one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.labels.training_set import TrainingSet
from kizuna.registry import ModelPair

if TYPE_CHECKING:
    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows
    from kizuna.evaluation.gate import GateDecision
    from kizuna.evaluation.level import SeasonLevel
    from kizuna.evaluation.population import Population
    from kizuna.features.frame import Frame
    from kizuna.models import ChurnClassifier
    from kizuna.models.tuning import Tuned

Floats = NDArray[np.float64]
# Where the model that auto chose is behind a rule, these are tried in turn; the last is the recency rule with a level.
_STEP_DOWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("logistic", {}),
    ("rule", {}),
    ("logistic", {"columns": "recency"}),
)
_PURCHASE_COLUMNS = {"days_since_order", "orders", "tenure_days", "revenue"}


@dataclass(frozen=True)
class BesideTraining:
    """What a training is told that its rows do not hold.

    ``champion``: whose recipe is refitted beside the model. ``undated``: columns that say how a customer is now, and may
    not have been then. ``first_day``: the shop's first known day. ``population``: everybody eligible on the train day, or
    a sample of them; None where the training rows are the population.
    """

    champion: ModelPair | None = None
    undated: tuple[str, ...] = ()
    first_day: int | None = None
    population: Frame | None = None


@dataclass(frozen=True)
class Known:
    """What every attempt at a churn model is measured beside: out-of-fold baselines, days, leak findings, season."""

    baselines: dict[str, Floats]
    as_of: NDArray[np.int32]
    leaks: int
    season: SeasonLevel
    beside: BesideTraining


def fit_churn(
    config: Config, rows: ChurnRows, known: Known, tuned: dict[str, Any]
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    """The model of the config; where ``auto`` is behind a rule or fails the gate, the next simpler one that is not.

    Being behind by what may be chance is no reason to refuse a model, but it is one to prefer a simpler one.
    """
    asked = config.model.churn
    tried = [_attempt(config, rows, known, (asked.estimator, _with_tuned(asked.estimator, asked.params, tuned)))]
    if asked.estimator != "auto" or tried[0][2].not_behind:
        return tried[0]
    for rung, params in _STEP_DOWN if set(rows.features) >= _PURCHASE_COLUMNS else _STEP_DOWN[:1]:
        if params or rung != tried[0][0].estimator_name_:
            tried.append(_attempt(config, rows, known, (rung, params)))
            if tried[-1][2].not_behind:
                return tried[-1]
    return next((one for one in tried if one[2].passed), tried[0])


def _attempt(
    config: Config, rows: ChurnRows, known: Known, recipe: tuple[str, dict[str, Any]]
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    from kizuna.evaluation.assessment import assess_churn
    from kizuna.evaluation.gate import GateLimits, decide
    from kizuna.evaluation.segments import SegmentRules

    season, beside, limits = known.season, known.beside, GateLimits(**config.gate.model_dump())
    rules = SegmentRules(limits.max_behind_baseline, limits.max_calibration_error, config.churn.horizon_days)
    model = classifier(config, *recipe)
    model.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer_ids)
    model.raise_level(season.shift)
    p = season.anchored(model.oof_probability_, known.as_of)
    champion = _champion_scores(config, beside.champion, model, rows)
    assessment = assess_churn(rows, p, config.evaluation.capacity, known.baselines, champion, rules)
    evidence = replace(
        assessment.evidence,
        leak_findings=known.leaks,
        has_champion=beside.champion is not None,
        season=season.text,
        population=_population(config, rows, known, model),
    )
    return model, replace(assessment, evidence=evidence), decide(evidence, limits)


def _population(config: Config, rows: ChurnRows, known: Known, model: ChurnClassifier) -> Population | None:
    """What the model says of everybody eligible on the train day."""
    from kizuna.evaluation.population import measure_population, usual_means

    frame, limit, spread = known.beside.population, config.gate.max_calibration_error, known.season.level_spread
    if frame is None:
        return None
    features = frame.columns()[list(rows.features.columns)]
    p = np.asarray(model.predict_proba(features)[:, 1]) if len(features) else np.zeros(0)
    usual = usual_means(rows.churned, known.as_of, limit + 2 * (limit if np.isnan(spread) else spread))
    return measure_population(p, features, rows.features, usual)


def season_of(config: Config, training: TrainingSet, beside: BesideTraining) -> SeasonLevel:
    """What past levels tell of the coming season's."""
    from kizuna.evaluation.level import DatedRows, season_level

    frame, day = training.frame, training.train_day
    rows = DatedRows(training.features, training.y, frame.as_of, frame.customer, training.definition.window, day)
    first = int(frame.as_of.min()) if beside.first_day is None else beside.first_day
    return season_level(rows, first, config.model.seed)


def classifier(config: Config, estimator: str, params: dict[str, Any]) -> ChurnClassifier:
    """The unfitted model of a recipe, with what else the config says of it."""
    from kizuna.models import ChurnClassifier

    return ChurnClassifier(
        estimator=estimator,
        params=params,
        calibration=config.model.churn.calibration,
        horizon_days=config.churn.horizon_days,
        seed=config.model.seed,
        threads=config.engine.threads,
    )


def tune(config: Config, rows: ChurnRows) -> Tuned | None:
    """What a search over LightGBM's parameters found, where one is asked for."""
    asked = config.model.churn
    if not asked.tune_trials:
        return None
    from kizuna.models.churn_tuning import tune_churn
    from kizuna.models.task import Task
    from kizuna.models.tuning import TuneLimits

    y = rows.churned
    rarer = int(min(y.sum(), (1 - y).sum()))
    machine = (config.model.seed, config.engine.threads)
    task = Task(tuple(map(str, rows.features.columns)), len(y), rarer, float(config.churn.horizon_days), *machine)
    owner = np.unique(rows.customer_ids.astype(str), return_inverse=True)[1]
    fixed = asked.params if asked.estimator == "lightgbm" else asked.params.get("lightgbm") or {}
    limits = TuneLimits(asked.tune_trials, asked.tune_minutes, dict(fixed))
    return tune_churn(rows.features.to_numpy(dtype=np.float64), y, rows.folds.splits, task, limits, owner)


def _with_tuned(estimator: str, params: dict[str, Any], tuned: dict[str, Any]) -> dict[str, Any]:
    """The config's parameters over the tuned ones."""
    if not tuned:
        return params
    if estimator == "lightgbm":
        return tuned | params
    return params | {"lightgbm": tuned | dict(params.get("lightgbm") or {})}


def _champion_scores(
    config: Config, champion: ModelPair | None, model: ChurnClassifier, rows: ChurnRows
) -> Floats | None:
    """Out-of-fold probabilities of the champion's recipe refitted on the same folds; None without a champion."""
    recipe = json.loads(champion.churn.tags.get("recipe", "null")) if champion else None
    if not recipe:
        return None
    if recipe == {"estimator": model.estimator_name_, "params": model.params or {}}:
        return np.asarray(model.oof_probability_)
    other = classifier(config, recipe["estimator"], recipe["params"])
    return other.out_of_fold(rows.features, rows.churned, rows.folds.splits, rows.customer_ids)
