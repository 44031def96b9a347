"""The champion's drift on a day, of a sample of customers: features and probabilities beside those of training."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.errors import ModelError, Transient
from kizuna.evaluation.drift.day import count_day, day_sample, drifted, feature_drift
from kizuna.evaluation.drift.reference import Reference
from kizuna.evaluation.drift.stability import Counts, Stability, stability
from kizuna.features.families import families_for
from kizuna.features.frame import block_values, selected_rows
from kizuna.features.sample import narrowed
from kizuna.monitor.drift import DRIFT_TABLE_COLUMNS, PROBABILITY, Drift, not_measured
from kizuna.scoring.champion import LoadedModels, load_models
from kizuna.timeline import date_of


def drift_now(store: Store, config: Config, as_of: int) -> Drift:
    """How far the day lies from the champion's training; of about 50,000 customers where there are more.

    Where there is no champion, or it was stored without a reference, or its store does not answer, it says so and measures
    nothing: what became of lists can be told all the same.
    """
    limits = config.gates
    try:
        models = load_models(config, missing=store.missing)
        reference = Reference.from_contract(models.contract)
        name = models.names["churn"]
        if reference is None:
            why = "the model was stored without what it was trained beside. Train again."
            return not_measured(why, limits.warn_feature_psi, name)
        day = count_day(store, models.plan, models.definition.eligible, reference, as_of)
        if not day.rows:
            return not_measured(f"nobody is eligible on {date_of(as_of)}.", limits.warn_feature_psi, name)
        features = feature_drift(models.plan, reference, day)
        moved = set(drifted(features, limits.warn_feature_psi)["feature"])
        scores = stability(reference.scores, _score_counts(store, models, reference, as_of))
    except (ModelError, Transient) as error:
        return not_measured(str(error).replace("\n", " "), limits.warn_feature_psi)
    features = features.assign(moved=features["feature"].isin(moved))
    first = _probability_row(scores, reference.usual_score, limits.warn_score_psi)
    table = pd.concat([first, features], ignore_index=True)[DRIFT_TABLE_COLUMNS]
    trained = None if reference.as_of is None else date_of(reference.as_of)
    return Drift(name, trained, day.rows, table, limits.warn_feature_psi)


def _probability_row(found: Stability, usual: float, limit: float) -> pd.DataFrame:
    row = {"feature": PROBABILITY, "driver": "", "psi": found.psi, "by_chance": found.by_chance, "usual": usual}
    if not math.isfinite(found.psi):
        return pd.DataFrame(columns=DRIFT_TABLE_COLUMNS)
    return pd.DataFrame([row | {"missing_then": 0.0, "missing_now": 0.0, "moved": found.exceeds(max(limit, usual))}])


def _score_counts(store: Store, models: LoadedModels, reference: Reference, as_of: int) -> Counts:
    """The day's probabilities, before the season's shift, over the bins of the reference."""
    families = families_for(models.plan, store.config)

    def count(block: Block) -> Counts:
        rows = selected_rows(block, [as_of], models.definition.eligible, left)
        if not len(rows):
            return reference.scores.count(np.zeros(0))
        features = pd.DataFrame(block_values(block.tables, rows, models.plan, families), columns=models.plan.names)
        return reference.scores.count(np.asarray(models.churn.predict_proba(features))[:, 1])

    total = reference.scores.count(np.zeros(0))
    with narrowed(store, day_sample(store)) as (few, left):
        for counts in few.map(count, "drift of probabilities"):
            total = total + counts
    return total
