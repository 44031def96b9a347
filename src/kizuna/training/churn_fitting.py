"""The churn model that is shipped: what the config asks for, or where that is behind a rule, a simpler one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.evaluation.measures.metrics import NORMAL_95
from kizuna.labels.training_set import TrainingSet
from kizuna.tracking.registry import ModelPair

if TYPE_CHECKING:
    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows
    from kizuna.evaluation.baselines.history_rules import Pasts
    from kizuna.evaluation.gate.decision import GateDecision
    from kizuna.evaluation.gate.level import SeasonLevel
    from kizuna.evaluation.gate.population import Population
    from kizuna.features.frame import Frame
    from kizuna.models import ChurnClassifier
    from kizuna.models.learners.tuning import Tuned

Floats = NDArray[np.float64]
# Where the model that auto chose is behind a rule, these are tried in turn; the last is the recency rule with a level.
_STEP_DOWN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("logistic", {}),
    ("btyd", {}),
    ("rfm", {}),
    ("rule", {}),
    ("logistic", {"columns": "recency"}),
)
# Each of several tries may find a signal by chance: theirs must be 2.58 standard errors away from it, one in a hundred.
_SURE_OF_SEVERAL = 2.58


@dataclass(frozen=True)
class BesideTraining:
    """What a training is told that its rows do not hold.

    ``champion``: whose recipe is refitted beside the model. ``undated``: columns that say how a customer is now, and may
    not have been then. ``first_day``: the shop's first known day. ``population``: everybody eligible on the train day, or
    a sample of them; None where nobody looks at them. ``pasts``: everybody's purchase histories on a day, for baselines.
    ``levels``: see ``level_frame``; None where the training set's own days are all there are.
    """

    champion: ModelPair | None = None
    undated: tuple[str, ...] = ()
    first_day: int | None = None
    population: Frame | None = None
    pasts: Pasts | None = None
    levels: Frame | None = None


@dataclass(frozen=True)
class Known:
    """What every attempt at a churn model is measured beside: out-of-fold baselines, days, leak findings, season.

    ``dated``: whether the rows have days; without them there is no season to speak of.
    """

    baselines: dict[str, Floats]
    as_of: NDArray[np.int32]
    leaks: int
    season: SeasonLevel
    beside: BesideTraining
    dated: bool = True


def fit_churn(
    config: Config, rows: ChurnRows, known: Known, tuned: dict[str, Any]
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    """The model of the config; where ``auto`` is behind a rule or fails the gate, the next simpler one that is not.

    Being behind by what may be chance is no reason to refuse a model, but it is one to prefer a simpler one.
    """
    from kizuna.evaluation.baselines.scores import PURCHASE_COLUMNS

    asked = config.model.churn
    model = fitted(config, rows, (asked.estimator, _with_tuned(asked.estimator, asked.params, tuned)))
    champion = _champion_scores(config, known, model, rows)
    tried = [_judged(config, rows, known, model, champion)]
    if asked.estimator != "auto" or tried[0][2].not_behind:
        return tried[0]
    possible = _STEP_DOWN if set(rows.features) >= set(PURCHASE_COLUMNS) else _STEP_DOWN[:1]
    for rung, params in possible:
        if params or rung != model.estimator_name_:
            tried.append(_judged(config, rows, known, fitted(config, rows, (rung, params)), champion))
            if tried[-1][2].not_behind and _has_signal(tried[-1][1]):
                break
    usable = [one for one in tried[1:] if one[2].passed and _has_signal(one[1])] + tried[:1] * tried[0][2].passed
    if not usable:
        return tried[0]
    # The one that is behind no rule; without it the likeliest of those that pass, the first tried of equals.
    chosen = min(usable, key=lambda one: (not one[2].not_behind, one[1].metrics["log_loss"]))
    if chosen is not tried[0]:
        took = f"auto took {chosen[0].estimator_name_} instead of {model.estimator_name_}, "
        took += "which was behind a rule or failed the gate. "
        chosen[0].why_ = took + chosen[0].why_.replace("was asked for", "was tried", 1)
    return chosen


def _has_signal(assessment: ChurnAssessment) -> bool:
    """Whether the AUC is above chance beyond what one of several tries may show."""
    auc = assessment.evidence.auc
    error = (auc.estimate - auc.low) / NORMAL_95
    return bool(auc.estimate - _SURE_OF_SEVERAL * error > 0.5)


def fitted(config: Config, rows: ChurnRows, recipe: tuple[str, dict[str, Any]]) -> ChurnClassifier:
    """The model of a recipe (estimator and parameters), fitted on the rows and measured by their folds."""
    model = classifier(config, *recipe)
    return model.fit(rows.features, rows.churned, splits=rows.folds.splits, groups=rows.customer)


def _judged(
    config: Config, rows: ChurnRows, known: Known, model: ChurnClassifier, champion: Floats | None
) -> tuple[ChurnClassifier, ChurnAssessment, GateDecision]:
    """The model with what was measured of it, and the gate's decision."""
    from kizuna.evaluation.assessment import assess_churn
    from kizuna.evaluation.gate.decision import GateLimits, decide
    from kizuna.evaluation.gate.segments import SegmentRules

    season, limits = known.season, GateLimits(**config.gate.model_dump())
    rules = SegmentRules(limits.max_behind_baseline, limits.max_calibration_error, config.churn.horizon_days)
    p = season.anchored(model.oof_probability_, known.as_of)
    assessment = assess_churn(rows, p, config.evaluation.capacity, known.baselines, champion, rules)
    evidence = replace(
        assessment.evidence,
        estimator=model.estimator_name_,
        leak_findings=known.leaks,
        has_champion=known.beside.champion is not None,
        season=season.text if known.dated else "",
        population=_population(config, rows, known, model),
    )
    return model, replace(assessment, evidence=evidence), decide(evidence, limits)


def _population(config: Config, rows: ChurnRows, known: Known, model: ChurnClassifier) -> Population | None:
    """What the model says of everybody eligible on the train day."""
    from kizuna.evaluation.gate.population import measure_population, usual_means

    frame, limit, spread = known.beside.population, config.gate.max_calibration_error, known.season.level_spread
    if frame is None:
        return None
    features = frame.columns()[list(rows.features.columns)]
    p = np.zeros(0)
    if len(features):
        p = known.season.served.moved(np.asarray(model.predict_proba(features)[:, 1]), int(frame.as_of[0]))
    usual = usual_means(rows.churned, known.as_of, limit + 2 * (limit if np.isnan(spread) else spread))
    return measure_population(p, features, rows.features, usual)


def season_of(config: Config, training: TrainingSet, beside: BesideTraining) -> SeasonLevel:
    """What past levels tell of the coming season's."""
    from kizuna.evaluation.gate.level import DatedRows, season_level

    frame, churned, window = training.frame, training.y, training.definition.window
    if beside.levels is not None:
        frame, churned = beside.levels, beside.levels.also["churned"]
    day, teaching = training.train_day, len(training.days)
    rows = DatedRows(frame.columns(), churned, frame.as_of, frame.customer, window, day, teaching)
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
    from kizuna.models.churn.task import Task
    from kizuna.models.churn.tuning import tune_churn
    from kizuna.models.learners.tuning import TuneLimits

    y = rows.churned
    rarer = int(min(y.sum(), (1 - y).sum()))
    machine = (config.model.seed, config.engine.threads)
    task = Task(tuple(map(str, rows.features.columns)), len(y), rarer, float(config.churn.horizon_days), *machine)
    owner = rows.customer.astype(np.intp)
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


def _champion_scores(config: Config, known: Known, model: ChurnClassifier, rows: ChurnRows) -> Floats | None:
    """Out-of-fold probabilities of the champion's recipe refitted on the same folds; None without a champion."""
    champion = known.beside.champion
    recipe = json.loads(champion.churn.tags.get("recipe", "null")) if champion else None
    if not recipe:
        return None
    p = np.asarray(model.oof_probability_)
    if recipe != {"estimator": model.estimator_name_, "params": model.params or {}}:
        other = classifier(config, recipe["estimator"], recipe["params"])
        p = other.out_of_fold(rows.features, rows.churned, rows.folds.splits, rows.customer)
    return known.season.anchored(p, known.as_of)
