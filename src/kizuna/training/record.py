"""What a training leaves in MLflow: parameters, metrics, tables, pictures, datasets' digests, and both models."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kizuna.config import Config
from kizuna.labels.training_set import TrainingSet
from kizuna.plain import plain
from kizuna.timeline import date_of
from kizuna.training.fitting import Trained
from kizuna.training.stand_ins import OptionalTables, write_stand_ins
from kizuna.training.version_page import churn_page, value_page
from kizuna.version import VERSION

if TYPE_CHECKING:
    import pandas as pd

    from kizuna.evaluation.measures.comparison import Comparison
    from kizuna.models.value.regressor import CltvRegressor
    from kizuna.tracking.runs import TrainingRun

_EXPLAINED_ROWS = 1000
_EXPLAINED_ROWS_OF_OTHERS = 100


def run_tags(config: Config, training: TrainingSet) -> dict[str, str]:
    """The tags of the run."""
    return {
        "kizuna_version": VERSION,
        "python": platform.python_version(),
        "train_day": date_of(training.train_day).isoformat(),
        "definition": training.definition.kind,
        "horizon_days": str(training.definition.horizon_days),
        "shop": config.name,
    }


def register_models(
    run: TrainingRun, folder: Path, config: Config, trained: Trained, tables: OptionalTables
) -> dict[str, str]:
    """Both models written below ``folder`` and registered; version numbers by kind."""
    from kizuna.models.folder import write_model

    contract = _contract(config, trained) | {"tables": list(tables.present), "may_lack": list(tables.optional)}
    names = trained.training.frame.plan.names
    day = contract["train_day"]
    tags = {
        "horizon_days": str(trained.training.definition.horizon_days),
        "definition": trained.training.definition.kind,
        "train_day": "" if day is None else date_of(day).isoformat(),
        "feature_set_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "estimator": trained.churn.estimator_name_,
        "grade": trained.decision.grade,
        "validation_status": "passed" if trained.decision.passed else "refused",
        **({"season_unseen": str(trained.season.unseen).lower()} if trained.training.dated else {}),
        **trained.decision.tags(),
        "recipe": json.dumps({"estimator": trained.churn.estimator_name_, "params": trained.churn.params or {}}),
    }
    versions: dict[str, str] = {}
    if trained.cltv is not None:
        told = {"stand_ins": write_stand_ins(folder / "cltv", trained.stand_ins, "cltv")}
        write_model(folder / "cltv", trained.cltv, contract | told)
        outputs = ["value_if_kept", "value_if_churned"]
        own = {name: tags[name] for name in ("horizon_days", "definition", "train_day", "feature_set_sha256")} | {
            "cltv_horizon_days": str(contract["cltv_horizon_days"]),
            "estimator": _value_estimator(trained.cltv),
            "value_check": trained.value.check.short if trained.value else "not tested",
        }
        versions["cltv"] = run.log_model("cltv", folder / "cltv", names, outputs, own, value_page(config, trained))
    told = {"stand_ins": write_stand_ins(folder / "churn", trained.stand_ins, "churn")}
    write_model(folder / "churn", trained.churn, contract | told)
    versions["churn"] = run.log_model(
        "churn", folder / "churn", names, ["churn_probability"], tags, churn_page(config, trained)
    )
    return versions


def log_evidence(run: TrainingRun, config: Config, trained: Trained) -> None:
    """Everything that a reader needs to judge the models, on the run."""
    import yaml

    from kizuna.explain.feature_table import feature_table

    plan = trained.training.frame.plan
    run.describe(_description(trained))
    run.log_params(_flat(config.document) | _resolved(trained))
    run.log_metrics(_metrics(trained))
    for name, table in _tables(trained).items():
        run.log_table(table, f"evaluation/{name}")
    run.log_table(feature_table(plan), "features/features")
    run.log_text(yaml.safe_dump(config.document, allow_unicode=True, sort_keys=False), "config.yaml")
    run.log_text("".join(f"{line}\n" for line in _decided(trained)), "evaluation/gate.txt")
    leaks = {
        "leak_findings": [{"feature": found.feature, "evidence": found.evidence} for found in trained.findings],
        "warnings": [{"kind": found.kind, "evidence": found.text} for found in trained.warnings],
        "left_out": list(plan.left_out),
    }
    run.log_json(leaks, "evaluation/leaks.json")
    # A column beside the others, none of which is copied.
    rows = trained.training.features.copy(deep=False)
    rows.insert(rows.shape[1], "churned", trained.training.y)
    run.log_dataset(rows, f"{config.name}-training", "kizuna training set", "churned")
    for name, of, tuned in (("trial", "", trained.tuned), ("value trial", "value_", trained.value_tuned)):
        if tuned is not None:
            for trial in tuned.trials:
                run.log_trial(f"{name} {trial.number}", trial.params, {tuned.measure: trial.loss}, trial.state)
            run.log_text(tuned.text + "\n", f"evaluation/{of}tuning.txt")
    _log_pictures(run, config, trained)


def interval_ends(found: Comparison) -> dict[str, dict[str, float]]:
    """The ends of the 95 % intervals of the model's own metrics, by metric."""
    return {name: {"low": interval.low, "high": interval.high} for name, interval in found.model.items()}


def _resolved(trained: Trained) -> dict[str, Any]:
    """What was fitted where the config leaves the choice, as parameters of the run."""
    resolved: dict[str, Any] = {"resolved.estimator": trained.churn.estimator_name_}
    resolved["resolved.ranked_by"] = trained.answer["ranked_by"]
    resolved |= {f"resolved.{name}": count for name, count in trained.training.beside_lists.items()}
    if trained.cltv is None or trained.training.value_window is None:
        return resolved
    return resolved | {
        "resolved.cltv_estimator": _value_estimator(trained.cltv),
        "resolved.cltv_horizon_days": trained.training.value_window.horizon_days,
    }


def _value_estimator(model: CltvRegressor) -> str:
    """What was fitted: the estimator asked for; for auto the mean of three, the trees alone, or the average."""
    from kizuna.models.value.mean import MeanModel, lacking_columns

    if model.estimator != "auto":
        return model.estimator
    if isinstance(model.pair_.kept, MeanModel):
        return "mean"
    return "tweedie" if lacking_columns([str(name) for name in model.feature_names_in_]) else "average"


def _decided(trained: Trained) -> list[str]:
    """What the gate decided, why these estimators were taken, and what the value check found, in full."""
    lines = [trained.decision.text, trained.churn.why_]
    if trained.value:
        lines.append(f"value: {trained.value.check.text}")
    return [*lines, trained.cltv.why_] if trained.cltv else lines


def _description(trained: Trained) -> str:
    """The run's first lines in Markdown: the gate's decision, and the model beside every rule on the same rows."""
    from kizuna.evaluation.baselines.names import rule_name
    from kizuna.evaluation.measures.intervals import decimals

    found, rules = trained.comparison.intervals, trained.assessment.baselines
    model = next(iter(found))
    order = sorted(rules, key=lambda name: (-np.nan_to_num(rules[name]["auc"]), name))
    lines = [trained.decision.text, "", "| | AUC [95 %] | log loss |", "| --- | --- | --- |"]
    for name in (model, *order):
        loss = found[name].get("log_loss")
        said = f"**kizuna** ({trained.churn.estimator_name_})" if name == model else rule_name(name)
        lines.append(f"| {said} | {found[name]['auc']} | {decimals(loss.estimate) if loss else '–'} |")
    return "\n".join([*lines, "", *_decided(trained)[1:]])


def _metrics(trained: Trained) -> dict[str, float | None]:
    from kizuna.evaluation.headline import BELOW

    training = trained.training
    metrics: dict[str, float | None] = {f"churn_{name}": value for name, value in trained.assessment.metrics.items()}
    metrics |= _ends("churn_", trained.comparison) | {
        "churn_calibration_error_if_perfect": trained.assessment.evidence.calibration.expected_if_perfect,
        "churn_level_spread": trained.season.level_spread,
        "churn_level_most": trained.season.level_most,
        "gate_passed": float(trained.decision.passed),
        "leak_findings": float(len(trained.findings)),
        "training_rows": float(len(training.y)),
        "training_snapshots": float(len(training.days)),
    }
    # How early the list names is the list's, whichever model ranks it.
    metrics |= {f"churn_{name}" if name.endswith(BELOW) else name: value for name, value in trained.headline.items()}
    metrics |= {f"churn_auc_without_{'_'.join(one.tables)}": one.auc for one in trained.stand_ins}
    if trained.next_purchase is not None:
        metrics |= {"next_purchase_coverage": trained.next_purchase.coverage}
    for name, values in trained.assessment.baselines.items():
        metrics |= {f"baseline_{name}_{key}": value for key, value in values.items()}
    if trained.value:
        metrics |= {f"cltv_{name}": value for name, value in trained.value.metrics.items()}
        metrics |= _ends("cltv_", trained.value.comparison)
        for name, values in trained.value.baselines.items():
            metrics |= {f"cltv_baseline_{name}_{key}": value for key, value in values.items()}
        if money := trained.value.money:
            metrics |= {f"money_{name}": found.estimate for name, found in money.comparison.model.items()}
            metrics |= _ends("money_", money.comparison)
    return metrics


def _ends(prefix: str, found: Comparison) -> dict[str, float | None]:
    """The same ends by flat names, as metrics of the run."""
    ends = interval_ends(found).items()
    return {f"{prefix}{name}_{end}": value for name, both in ends for end, value in both.items()}


def _tables(trained: Trained) -> dict[str, pd.DataFrame]:
    """The evidence as tables by name: models beside baselines, segments, intervals, paired differences, value, money."""
    import pandas as pd

    from kizuna.evaluation.measures.profit import realised_table

    tables = {"models_and_baselines": trained.assessment.table()}
    if len(trained.assessment.segments):
        tables["segments"] = trained.assessment.segments
    compared = {"churn_": trained.comparison}
    if value := trained.value:
        tables["values_and_baselines"] = value.table()
        tables["value_deciles"] = realised_table(value.predicted, value.actual)
        compared["cltv_"] = value.comparison
        if value.money:
            tables["money"] = value.money.table
            compared["money_"] = value.money.comparison
    tables["intervals"] = pd.concat([one.interval_table(prefix) for prefix, one in compared.items()], ignore_index=True)
    differences = [one.difference_table(prefix) for prefix, one in compared.items()]
    return tables | {"differences": pd.concat(differences, ignore_index=True)}


def _log_pictures(run: TrainingRun, config: Config, trained: Trained) -> None:
    from kizuna.evaluation.plots import evidence as plots
    from kizuna.evaluation.plots.money import money_figures

    assessment, training = trained.assessment, trained.training
    calibration = assessment.evidence.calibration
    calibrated = plots.calibration_figure(assessment.churned, assessment.scores["kizuna"], calibration)
    run.log_figure(calibrated, "plots/calibration.png")
    lift = plots.lift_figure(assessment.churned, assessment.scores, config.evaluation.capacity)
    run.log_figure(lift, "plots/lift.png")
    if trained.value:
        deciles = plots.decile_figure(trained.value.actual, trained.value.predicted, config.data.currency or "")
        run.log_figure(deciles, "plots/value_deciles.png")
        if trained.value.money:
            for name, figure in money_figures(trained.value.money, config.data.currency or "").items():
                run.log_figure(figure, f"plots/{name}.png")
    newest = np.flatnonzero(training.frame.as_of == training.days[0])
    # Evenly through the customers, so that the picture does not depend on a draw.
    # Estimators from elsewhere are explained by many predictions for each row.
    rows = _EXPLAINED_ROWS_OF_OTHERS if "." in trained.churn.estimator_name_ else _EXPLAINED_ROWS
    shown = newest[np.linspace(0, len(newest) - 1, min(rows, len(newest))).astype(np.int64)]
    features = training.features.iloc[shown]
    contributions = trained.churn.contributions(features)[:, :-1]
    run.log_figure(plots.contribution_figure(contributions, features), "plots/shap_bar.png")
    run.log_figure(plots.beeswarm_figure(contributions, features), "plots/shap_beeswarm.png")


def _contract(config: Config, trained: Trained) -> dict[str, Any]:
    """Everything that scoring reads from the model and not from the config, as plain values."""
    training = trained.training
    return {
        "shop": config.name,
        "plan": training.frame.plan.to_json(),
        "definition": training.definition.to_json(),
        "train_day": training.train_day if training.dated else None,
        "cltv_horizon_days": training.value_window.horizon_days if training.value_window and trained.cltv else None,
        "no_value": training.no_value,
        "margin": config.cltv.margin,
        "timezone": config.data.timezone,
        "evaluation": {
            "evaluation": trained.evaluation,
            "model": plain(trained.assessment.metrics),
            "baselines": plain(trained.assessment.baselines),
            "grade": trained.decision.grade,
            "gate_checks": [
                {"name": one.name, "status": one.status, **plain({"value": one.value, "limit": one.limit})}
                for one in trained.decision.checks
            ],
            "season": _season(trained) if training.dated else None,
        },
        "answer": trained.answer if trained.answer["named_on"] else None,
        "season_anchor": None if trained.season.unseen else trained.season.served.to_json(),
        "next_purchase": trained.next_purchase.to_json() if trained.next_purchase else None,
        "reference": trained.reference.to_json() if trained.reference else None,
    }


def _season(trained: Trained) -> dict[str, Any]:
    season: dict[str, Any] = plain(
        {key: getattr(trained.season, key) for key in ("unseen", "level_spread", "level_most")}
    )
    return season


def _flat(tree: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict) or not tree:
        return {path: tree}
    flat: dict[str, Any] = {}
    for name, node in tree.items():
        flat |= _flat(node, f"{path}.{name}" if path else str(name))
    return flat
