"""Both models fitted on one training set and measured: the work of a training, before anything is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ContractError
from kizuna.features.families import FAMILIES
from kizuna.labels.training_set import TrainingSet
from kizuna.training.churn_fitting import BesideTraining, Known, classifier, fit_churn, season_of, tune

if TYPE_CHECKING:
    from kizuna.evaluation.assessment import ChurnAssessment, ChurnRows
    from kizuna.evaluation.drift.reference import Reference
    from kizuna.evaluation.folds import Folds
    from kizuna.evaluation.gate.decision import GateDecision
    from kizuna.evaluation.gate.level import SeasonLevel
    from kizuna.evaluation.leaks.findings import LeakFinding, LeakWarning
    from kizuna.evaluation.measures.comparison import Comparison
    from kizuna.evaluation.value_assessment import ValueAssessment, ValueRows
    from kizuna.models import ChurnClassifier, CltvRegressor
    from kizuna.models.btyd.next_purchase import NextPurchase
    from kizuna.models.learners.tuning import Tuned
    from kizuna.training.stand_ins import StandIn

Floats = NDArray[np.float64]
Say = Callable[[str], None]
_VALUE_FOLDS_BY_CUSTOMER = 3
# What a profile says of these days never changes.
_OF_FIXED_DATES = ("age_years", "days_since_first_seen")
# Families whose columns are of other people's making.
_OF_OTHERS = frozenset({"profile", "supplied"})
# The warnings that leave such a column out of the model, and the reason noted.
_LEFT_OUT = {
    "identifier": "every value differs, like an identifier",
    "overwritten": "today's value, written after the churn",
}


@dataclass(frozen=True)
class Trained:
    """Both fitted models with all that was measured of them; the value parts are None where no value can be learned.

    ``comparison``: the churn model's metrics with intervals, and its paired differences to the baselines.
    ``tuned``, ``value_tuned``: None where no search was asked for. ``answer``: what the newest test day's list would have
    been, and what came of it. ``tests``: how many folds were measured. ``headline``: see ``headline_metrics``.
    ``next_purchase``: None for contracts, and where nobody came back. ``rows``, ``known``: what it was measured on, and beside.
    ``stand_ins``: models for days on which tables are missing. ``reference``: what later days are compared with.
    """

    training: TrainingSet
    churn: ChurnClassifier
    assessment: ChurnAssessment
    comparison: Comparison
    decision: GateDecision
    cltv: CltvRegressor | None
    value: ValueAssessment | None
    findings: tuple[LeakFinding, ...]
    warnings: tuple[LeakWarning, ...]
    tuned: Tuned | None
    value_tuned: Tuned | None
    evaluation: str
    tests: int
    season: SeasonLevel
    answer: dict[str, Any]
    headline: dict[str, float]
    rows: ChurnRows
    known: Known
    next_purchase: NextPurchase | None = None
    stand_ins: tuple[StandIn, ...] = ()
    reference: Reference | None = None


def no_lift(trained: Trained, capacity: int) -> str:
    """Why no test has a lift, which is 1 wherever everybody is named; empty where one has."""
    largest = max(trained.assessment.sizes)
    if capacity < largest:
        return ""
    who = "rows" if trained.training.dated and trained.evaluation == "in_time" else "customers"
    return f"evaluation.capacity {capacity:,} would name all {largest:,} {who} of a test"


def undated_attributes(store: Store, training: TrainingSet) -> tuple[str, ...]:
    """Columns that a customer's row says now and may not have said then: those of a profile without ``valid_from``."""
    if store.has("customers", "valid_from"):
        return ()
    columns = training.frame.plan.columns
    return tuple(column.name for column in columns if column.family == "profile" and column.name not in _OF_FIXED_DATES)


def fit_models(config: Config, training: TrainingSet, beside: BesideTraining, say: Say) -> Trained:
    """Both models fitted and measured."""
    from kizuna.evaluation.assessment import ChurnRows, answer_check
    from kizuna.evaluation.baselines.scores import churn_baselines, ranking_only
    from kizuna.evaluation.folds import FoldPlan, make_folds
    from kizuna.evaluation.headline import headline_metrics
    from kizuna.evaluation.leaks.findings import RowOrigins, find_leaks
    from kizuna.evaluation.list_ranking import list_ranking

    definition = training.definition
    plan = FoldPlan(definition.window, config.evaluation.folds, config.model.seed, training.dated)
    folds = make_folds(training.frame.as_of, training.frame.customer, training.y, plan)
    origins = RowOrigins(training.frame.as_of, training.customer_ids, beside.undated, _built(training))
    measured = [(split.train, split.test) for split in folds.splits[: folds.reported]]
    findings, warnings = find_leaks(training.features, training.y, measured, origins)
    for kind, why in _LEFT_OUT.items():
        if named := _foreign(training, warnings, kind):
            training = replace(training, frame=training.frame.without(named, why))
    only = ranking_only(definition.kind)
    rows = ChurnRows(training.features, training.y, training.frame.customer, folds, only)
    days = training.frame.as_of
    baselines = churn_baselines(
        training.features, training.y, folds.splits, definition.horizon_days, days, beside.pasts
    )
    tuned = tune(config, rows)
    if tuned is not None:
        say(tuned.text)
    params = tuned.params if tuned else {}
    season = season_of(config, training, beside)
    known = Known(baselines, days, len(findings), season, beside, training.dated)
    churn, assessment, decision = fit_churn(config, rows, known, params)
    say(f"churn model: {churn.estimator_name_}")
    cltv, value, value_tuned = fit_value(config, training, churn, known)
    if value_tuned:
        say(value_tuned.text)
    if cltv:
        say(f"value model: {cltv.estimator}")
    p, horizon, capacity = assessment.scores["kizuna"], definition.horizon_days, config.evaluation.capacity
    values = _values_out_of_fold(training, cltv, value, folds.evaluation)
    least = config.at_risk.min_probability
    by_value = values if config.at_risk.rank_by == "value_at_risk" else None
    ranking = list_ranking(rows, p, by_value, None if isinstance(least, str) else least)
    return Trained(
        training=training,
        churn=churn,
        assessment=assessment,
        comparison=_comparison(rows, assessment, config.evaluation.capacity),
        decision=decision,
        cltv=cltv,
        value=value,
        findings=findings,
        warnings=warnings,
        tuned=tuned,
        value_tuned=value_tuned,
        evaluation=folds.evaluation,
        tests=folds.reported,
        season=season,
        answer=answer_check(rows, assessment.scores, ranking, definition.window, config.at_risk.size),
        headline=headline_metrics(rows, p, ranking, horizon, capacity) if definition.kind == "inactivity" else {},
        rows=rows,
        known=known,
    )


def fit_dates(store: Store, trained: Trained, say: Say) -> Trained:
    """The same with the model of next purchases, where churn is the absence of them."""
    from kizuna.labels.purchase_pasts import read_pasts
    from kizuna.models.btyd.next_purchase import SHARES, WITHIN_DAYS, fit_next_purchase

    training = trained.training
    definition = training.definition
    if definition.kind != "inactivity":
        return trained
    within_days = max(WITHIN_DAYS, definition.gap_days + definition.horizon_days)
    everybody, earlier = read_pasts(store, definition, training.train_day, within_days)
    dates = fit_next_purchase(everybody, earlier, within_days)
    if dates is not None and dates.coverage is not None:
        mended = "" if dates.levels == SHARES else ", its levels learned"
        say(f"next purchase: {100 * dates.coverage:.0f} % of {dates.tested:,} within the 80 % interval{mended}")
    return replace(trained, next_purchase=dates)


def _comparison(rows: ChurnRows, assessment: ChurnAssessment, capacity: int) -> Comparison:
    """Every churn metric with its interval; what the gate has measured is the gate's own."""
    from kizuna.evaluation.measures.comparison import compare_churn
    from kizuna.evaluation.measures.intervals import Interval, evaluation_rows

    evidence = assessment.evidence
    tested = evaluation_rows(assessment.churned, rows.customer[rows.tested], rows.folds.fold_of_test_rows)
    found = compare_churn(tested, assessment.scores, rows.ranking_only, capacity)
    error = evidence.calibration
    # As counted, like every model's, with the range of true errors that could have shown it.
    own = {"auc": evidence.auc, "calibration_error": Interval(error.plain, error.low, error.high)}
    return found.knowing(own, {name: {"auc": ahead} for name, ahead in evidence.differences.items()})


def _built(training: TrainingSet) -> tuple[str, ...]:
    """Columns of our own making."""
    built = {family.name for family in FAMILIES} - _OF_OTHERS
    columns = training.frame.plan.columns
    return tuple(column.name for column in columns if column.family in built or column.name in _OF_FIXED_DATES)


def _foreign(training: TrainingSet, warnings: tuple[LeakWarning, ...], kind: str) -> list[str]:
    """Columns of other people's making that a kind of warning names."""
    foreign = {column.name for column in training.frame.plan.columns if column.family in _OF_OTHERS}
    named = [name for warning in warnings if warning.kind == kind for name in warning.features]
    return [name for name in named if name in foreign]


def fit_value(
    config: Config, training: TrainingSet, churn: ChurnClassifier, beside: Known
) -> tuple[CltvRegressor | None, ValueAssessment | None, Tuned | None]:
    """The value model, its worth, and what a search for its parameters found; three None where no value can be learned."""
    from kizuna.evaluation.value_assessment import ValueForecast, ValueRows, assess_value
    from kizuna.evaluation.value_tuning import untried_value
    from kizuna.models import CltvRegressor
    from kizuna.models.value.pair import ChurnForecast

    window, known = training.value_window, _consecutive(np.flatnonzero(~np.isnan(training.worth)))
    worth, churned, days = training.worth[known], training.y[known], training.frame.as_of[known]
    if window is None or len(worth) < 2 or np.all(worth == 0):
        return None, None, None
    features = training.features.iloc[known].reset_index(drop=True)
    as_of = days if training.dated else None
    asked = config.model.cltv
    model = CltvRegressor(
        estimator=asked.estimator,
        params=asked.params,
        horizon_days=window.horizon_days,
        churn_days=training.definition.window.horizon_days,
        seed=config.model.seed,
        threads=config.engine.threads,
        churn_is_silence=training.definition.kind == "inactivity",
    )
    customers = training.frame.customer[known]
    try:
        folds = make_value_folds(config, training, known)
    except ContractError:
        tuned = untried_value() if asked.tune_trials else None
        return model.fit(features, worth, churned=churned, as_of=as_of), None, tuned
    rows = ValueRows(features, days, customers, worth, churned, folds, beside.beside.pasts)
    tuned = _tune_value(config, rows, model, training.dated)
    if tuned:
        model.set_params(params=tuned.params | asked.params)
    # The value folds are other folds than the churn model's, so its recipe is fitted on them once more.
    first_stage = classifier(config, churn.estimator_name_, churn.params or {})
    p = first_stage.out_of_fold(features, churned, folds.splits, customers)
    if folds.evaluation == "out_of_time":
        tested = np.isfinite(p)
        p[tested] = beside.season.anchored(p[tested], days[tested])
    told = ChurnForecast(p, beside.season.served.believed(days))
    model.fit(features, worth, churned=churned, splits=folds.splits, as_of=as_of, churn=told)
    forecast = ValueForecast(p, model.oof_conditional_[:, 0], model.oof_conditional_[:, 1])
    return model, assess_value(rows, forecast, window.horizon_days, config), tuned


def _values_out_of_fold(
    training: TrainingSet, cltv: CltvRegressor | None, value: ValueAssessment | None, evaluation: str
) -> Floats | None:
    """Value if kept and if churned of all rows, (n, 2), NaN where never tested; None where no test was of the same kind.

    Where the churn model is tested on later days, a value of folds by customer has seen these days' future.
    """
    if cltv is None or value is None or value.evaluation != evaluation:
        return None
    both = np.full((len(training.worth), 2), np.nan)
    both[~np.isnan(training.worth)] = cltv.oof_conditional_
    return both


def make_value_folds(config: Config, training: TrainingSet, known: slice | NDArray[np.intp]) -> Folds:
    """Folds of the rows whose value is known; ContractError where none is possible.

    A row teaches both outcomes, so that both windows have ended before a test begins.
    """
    from kizuna.evaluation.folds import FoldPlan, make_folds

    assert training.value_window is not None
    window = max(training.value_window, training.definition.window, key=lambda either: either.end(0))
    plan = FoldPlan(
        window, config.evaluation.folds, config.model.seed, training.dated, customer_folds=_VALUE_FOLDS_BY_CUSTOMER
    )
    return make_folds(training.frame.as_of[known], training.frame.customer[known], training.y[known], plan)


def _consecutive(positions: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """The same positions as a slice where they follow each other: millions of rows are then not copied."""
    follow = len(positions) and positions[-1] - positions[0] + 1 == len(positions)
    return slice(int(positions[0]), int(positions[-1]) + 1) if follow else positions


def _tune_value(config: Config, rows: ValueRows, model: CltvRegressor, dated: bool) -> Tuned | None:
    """What a search over the value model's LightGBM parameters found, where one is asked for."""
    asked = config.model.cltv
    if not asked.tune_trials:
        return None
    from kizuna.evaluation.value_tuning import tune_value
    from kizuna.models.learners.tuning import TuneLimits
    from kizuna.models.value.pair import ValueRecipe

    names, windows = tuple(map(str, rows.features.columns)), (float(model.horizon_days), float(model.churn_days))
    machine = (config.model.seed, config.engine.threads)
    recipe = ValueRecipe(asked.estimator, asked.params, names, windows, *machine, model.churn_is_silence)
    return tune_value(rows, recipe, TuneLimits(asked.tune_trials, asked.tune_minutes), dated)
