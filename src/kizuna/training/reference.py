"""What later days are compared with: how features and probabilities lay when a model was trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.knowable import known_rows
from kizuna.data.store import Store
from kizuna.training.fitting import Trained

if TYPE_CHECKING:
    from kizuna.features.frame import Frame


def keep_reference(store: Store, trained: Trained, population: Frame | None) -> Trained:
    """The same with its reference: of everybody eligible on the train day, or where nobody is, of all training rows.

    ``population``: those customers or a sample of them, with at least the model's columns; None for undated labels.
    """
    from kizuna.evaluation.drift.reference import Population, reference_of

    training, plan = trained.training, trained.training.frame.plan
    frame, tables = training.frame, known_rows(store, training.train_day)
    if population is None or not len(population):
        everybody = Population(frame.values, np.asarray(trained.churn.oof_probability_), None)
        return replace(trained, reference=reference_of(everybody, {}, plan, tables))
    features = population.columns()[plan.names]
    p = np.asarray(trained.churn.predict_proba(features))[:, 1]
    everybody = Population(features.to_numpy(dtype=np.float64), p, training.train_day)
    snapshots = {day: frame.values[frame.as_of == day] for day in training.days}
    return replace(trained, reference=reference_of(everybody, snapshots, plan, tables))
