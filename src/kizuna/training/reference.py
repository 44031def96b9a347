"""What later days are compared with: how features and probabilities lay when a model was trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.knowable import known_rows
from kizuna.data.store import Store
from kizuna.training.fitting import Trained

if TYPE_CHECKING:
    from kizuna.evaluation.drift.reference import Population
    from kizuna.features.frame import Frame

# Enough of a snapshot to tell how far it lies from another day.
_ROWS_OF_A_DAY = 5_000


def keep_reference(store: Store, trained: Trained, population: Frame | None) -> Trained:
    """The same with its reference: of everybody eligible on the train day, or where nobody is, of all training rows.

    ``population``: those customers or a sample of them, with at least the model's columns; None for undated labels.
    """
    from kizuna.evaluation.drift.reference import Population, reference_of

    training, plan = trained.training, trained.training.frame.plan
    frame, tables = training.frame, known_rows(store, training.train_day)
    if population is None or not len(population):
        everybody = Population(frame.values, np.asarray(trained.churn.oof_probability_), None)
        return replace(trained, reference=reference_of(everybody, [], plan, tables))
    columns = [population.plan.names.index(name) for name in plan.names]
    everybody = _with_probability(trained, population.values[:, columns], training.train_day)
    snapshots = []
    for day in training.days:
        rows = np.flatnonzero(frame.as_of == day)
        some = rows[:: len(rows) // _ROWS_OF_A_DAY + 1]
        snapshots.append(_with_probability(trained, frame.values[some], day))
    return replace(trained, reference=reference_of(everybody, snapshots, plan, tables))


def _with_probability(trained: Trained, values: np.ndarray, day: int) -> Population:
    """The rows of a day with the model's probabilities."""
    import pandas as pd

    from kizuna.evaluation.drift.reference import Population

    features = pd.DataFrame(values, columns=trained.training.frame.plan.names, copy=False)
    p = np.asarray(trained.churn.predict_proba(features))[:, 1] if len(values) else np.zeros(0)
    return Population(values, p, day)
