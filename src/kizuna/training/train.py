"""From what was known before a day to a registered challenger and, if it passes the gate, the champion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING, Any

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.features.frame import Frame, build_frame
from kizuna.features.planning import earliest_day
from kizuna.features.sample import Sample
from kizuna.labels.everybody import pasts_of
from kizuna.labels.level_days import level_frame
from kizuna.labels.training_set import TrainingSet
from kizuna.lists.witness import contradiction
from kizuna.scoring.settings import refuse_list_settings
from kizuna.scratch import scratch_folder
from kizuna.timeline import date_of
from kizuna.tracking.registry import ModelPair, Registry
from kizuna.training.beside_lists import training_beside_lists
from kizuna.training.churn_fitting import BesideTraining
from kizuna.training.fitting import Say, Trained, fit_dates, fit_models, no_lift, undated_attributes
from kizuna.training.record import interval_ends, log_evidence, register_models, run_tags
from kizuna.training.reference import keep_reference
from kizuna.training.stand_ins import fit_stand_ins, optional_tables

if TYPE_CHECKING:
    from kizuna.evaluation.money import MoneyAssessment


_POPULATION = 50_000


@dataclass(frozen=True)
class TrainResult:
    """One training: what was fitted and measured, what was registered, and why it is not champion now; empty if it is."""

    trained: Trained
    config: Config
    run_id: str
    versions: dict[str, str]
    not_promoted: str

    @property
    def promoted(self) -> bool:
        """Whether it is champion now."""
        return not self.not_promoted

    @property
    def why(self) -> str:
        """The gate's decision in full, and what else kept it from promotion."""
        text = self.trained.decision.text
        kept = self.not_promoted and self.trained.decision.passed
        return f"{text} Not promoted: {self.not_promoted}. Use kizuna promote if you mean it." if kept else text

    @property
    def model_uri(self) -> str:
        """Where MLflow finds the churn model."""
        return f"models:/{self.config.name}-churn/{self.versions['churn']}"

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
            "why_value_estimator": trained.cltv.why_ if trained.cltv else None,
            "evaluation": trained.evaluation,
            "metrics": self.metrics,
            "no_lift": no_lift(trained, self.config.evaluation.capacity),
            "ranked_by": trained.answer["ranked_by"],
            "headline": trained.headline,
            "value_metrics": self.value_metrics,
            "value_evaluation": trained.value.evaluation if trained.value else None,
            "value_intervals": interval_ends(trained.value.comparison) if trained.value else {},
            "value_baselines": trained.value.baselines if trained.value else {},
            "value_best_baseline": trained.value.best_baseline if trained.value else None,
            "value_check": {key: getattr(trained.value.check, key) for key in checks} if trained.value else None,
            "money": _money(trained.value.money) if trained.value and trained.value.money else None,
            "no_value": trained.training.no_value,
            "intervals": interval_ends(trained.comparison),
            "baselines": trained.assessment.baselines,
            "gate": {
                "passed": decision.passed,
                "grade": decision.grade,
                "text": decision.text,
                "checks": [{key: getattr(check, key) for key in checks} for check in decision.checks],
            },
            "leak_findings": [{"feature": found.feature, "evidence": found.evidence} for found in trained.findings],
            "warnings": [{"kind": found.kind, "evidence": found.text} for found in trained.warnings],
            "season_unseen": _season(trained),
            "tuning": trained.tuned.text if trained.tuned else None,
            "value_tuning": trained.value_tuned.text if trained.value_tuned else None,
            "left_out": list(trained.training.frame.plan.left_out),
            "answer": trained.answer,
            "train_day": date_of(trained.training.train_day).isoformat(),
            "rows": len(trained.training.y),
            "features": len(trained.training.frame.plan.columns),
            "snapshots": [date_of(day).isoformat() for day in trained.training.days],
            "model_uri": self.model_uri,
        }


def _season(trained: Trained) -> dict[str, Any] | None:
    """What is known of the coming season's level; None where the rows have no days, and so no season."""
    if not trained.training.dated:
        return None
    season = trained.season
    spread = None if isnan(season.level_spread) else season.level_spread
    return {"unseen": season.unseen, "level_spread": spread, "level_most": season.level_most}


def _money(found: MoneyAssessment) -> dict[str, Any]:
    """What each ranking came to, as plain values."""
    return {"capacity": found.capacity, "rankings": found.table.set_index("ranking").to_dict("index")}


def train(
    store: Store, config: Config, train_day: int, promote: bool = True, say: Say = lambda line: None
) -> TrainResult:
    """Trains both models on what was known before ``train_day``, logs them, and promotes them if the gate passes.

    Errors: those of the training set (exit 10, 11), and of the MLflow store.
    """
    refuse_list_settings(config)
    registry = Registry(config.tracking_uri, config.name)
    champion = registry.champion()
    training = training_beside_lists(store, config, train_day)
    undated = undated_attributes(store, training)
    population, pasts = _population(store, training, config.model.seed), pasts_of(store, training.frame.plan)
    levels = level_frame(store, config, training)
    beside = BesideTraining(champion, undated, earliest_day(store), population, pasts, levels)
    optional = optional_tables(store, config, training)
    store.rest()
    columns = len(training.frame.plan.columns)
    say(f"training set: {len(training.y):,} rows, {columns} features, {len(training.days)} snapshots")
    trained = fit_models(config, training, beside, say)
    trained = keep_reference(store, fit_dates(store, trained, say), population)
    trained = fit_stand_ins(config, trained, optional, say)
    with (
        registry.training_run(f"train {date_of(train_day)}", run_tags(config, training)) as run,
        scratch_folder() as folder,
    ):
        log_evidence(run, config, trained)
        versions = register_models(run, folder, config, trained, optional)
    say(f"registered {config.name}-churn version {versions['churn']}")
    not_promoted = _not_promoted(trained, champion, promote) or _contradicted(registry, config, versions["churn"])
    if not not_promoted:
        registry.promote(versions["churn"], datetime.now(UTC))
    return TrainResult(trained, config, run.run_id, versions, not_promoted)


def _population(store: Store, training: TrainingSet, seed: int) -> Frame | None:
    """Everybody eligible on the train day, drawn to about 50,000; None where the labels know no day."""
    if not training.dated:
        return None
    sample = Sample(seed, _POPULATION / store.customers) if store.customers > _POPULATION else None
    return build_frame(store, training.frame.plan, [training.train_day], training.definition.eligible, sample)


def _contradicted(registry: Registry, config: Config, version: str) -> str:
    """Why a version whose number lists know with other files is not promoted; empty where none does."""
    found = contradiction(config.output_dir, registry.resolve(version))
    if found is None:
        return ""
    return f"the list of {found.list_of} was made with other files under that number: the MLflow store is not the one of then"


def _not_promoted(trained: Trained, champion: ModelPair | None, promote: bool) -> str:
    """Why the version does not become champion by itself; empty where it does."""
    train_day = date_of(trained.training.train_day).isoformat()
    newest = champion.churn.tags.get("train_day", "") if champion else ""
    if not trained.decision.passed:
        return "refused by the gate"
    if not promote:
        return "as asked, it waits as challenger"
    if champion and newest > train_day:
        return f"it knows the shop until {train_day}, the champion (version {champion.churn.version}) until {newest}"
    return ""
