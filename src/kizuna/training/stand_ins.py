"""Models for a day on which a table is missing: the same recipes, taught without what that table tells.

A model that knew a table and is given gaps in its place says something, but nobody has measured what. So where the config
allows a table to be missing (``on_missing: degrade``), both models are also fitted without its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kizuna.config import Config, Model
from kizuna.data.store import Store
from kizuna.features.dependence import columns_behind
from kizuna.features.plan import FeaturePlan
from kizuna.labels.training_set import TrainingSet
from kizuna.tracking.runs import Kind
from kizuna.training.churn_fitting import fitted
from kizuna.training.fitting import Trained, fit_value

if TYPE_CHECKING:
    from kizuna.models import ChurnClassifier, CltvRegressor

Tables = tuple[str, ...]
Say = Callable[[str], None]
_FOLDER = "stand-ins"


@dataclass(frozen=True)
class StandIn:
    """Both models without what some tables tell. ``auc``: out of fold, on the rows that the full model is measured on."""

    tables: Tables
    plan: FeaturePlan
    churn: ChurnClassifier
    cltv: CltvRegressor | None
    auc: float


@dataclass(frozen=True)
class OptionalTables:
    """The tables that were there in training, those of them that may be missing, and the columns that go with them.

    ``columns``: for each optional table, and for all of them at once; without those that stand behind no column.
    """

    present: Tables
    optional: Tables
    columns: Mapping[Tables, tuple[str, ...]]


def optional_tables(store: Store, config: Config, training: TrainingSet) -> OptionalTables:
    """What the config allows to be missing, and which features of this shop go with it."""
    present = tuple(sorted(store.tables))
    optional = tuple(name for name in present if name in config.data.tables and _may_be_missing(config, name))
    groups: list[Tables] = [(name,) for name in optional]
    groups += [optional] if len(optional) > 1 else []
    plan, day, select = training.frame.plan, training.days[0], training.definition.eligible
    found = {tables: columns_behind(store, plan, tables, day, select) for tables in groups}
    return OptionalTables(present, optional, {tables: columns for tables, columns in found.items() if columns})


def fit_stand_ins(config: Config, trained: Trained, optional: OptionalTables, say: Say) -> Trained:
    """The same with both models for each group of optional tables, of the recipes that were chosen with all tables."""
    fixed = config.model_copy(update={"model": _settled(config, trained)})
    found = []
    for tables, columns in optional.columns.items():
        mine = [name for name in columns if name in trained.training.frame.plan.names]
        frame = trained.training.frame.without(mine, f"without {' and '.join(tables)}")
        training = replace(trained.training, frame=frame)
        rows = replace(trained.rows, features=training.features)
        churn = fitted(fixed, rows, (trained.churn.estimator_name_, dict(trained.churn.params or {})))
        cltv = None if trained.cltv is None else fit_value(fixed, training, churn, trained.known)[0]
        found.append(StandIn(tables, frame.plan, churn, cltv, _auc(trained, churn)))
        full = trained.assessment.metrics["auc"]
        say(f"without {' and '.join(tables)}: AUC {found[-1].auc:.3f} (with: {full:.3f}), {len(mine)} features fewer")
    return replace(trained, stand_ins=tuple(found))


def write_stand_ins(folder: Path, stand_ins: Sequence[StandIn], kind: Kind) -> list[dict[str, Any]]:
    """Where each one's model of a kind lies below ``folder``, written here; for the contract of the model beside it."""
    from kizuna.models.folder import write_model

    told: list[dict[str, Any]] = []
    for one in stand_ins:
        model = one.churn if kind == "churn" else one.cltv
        if model is not None:
            where = f"{_FOLDER}/{'-'.join(one.tables)}"
            write_model(folder / where, model, {"plan": one.plan.to_json(), "tables": list(one.tables)})
            told.append({"tables": list(one.tables), "folder": where, "auc": one.auc})
    return told


def _may_be_missing(config: Config, table: str) -> bool:
    return config.data.tables[table].on_missing == "degrade"


def _settled(config: Config, trained: Trained) -> Model:
    """The config's models with what a search has found, and no further search."""
    cltv = config.model.cltv
    found = cltv.params if trained.cltv is None else dict(trained.cltv.params or {})
    return config.model.model_copy(update={"cltv": cltv.model_copy(update={"tune_trials": 0, "params": found})})


def _auc(trained: Trained, churn: ChurnClassifier) -> float:
    """The mean over the tests, as the full model is measured."""
    from kizuna.evaluation.measures.metrics import auc

    rows = trained.rows
    p = trained.known.season.anchored(churn.oof_probability_, trained.known.as_of)[rows.tested]
    churned, fold = rows.churned[rows.tested], rows.folds.fold_of_test_rows
    return float(np.mean([auc(churned[fold == k], p[fold == k]) for k in range(rows.folds.reported)]))
