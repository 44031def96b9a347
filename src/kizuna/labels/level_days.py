"""Past levels: who was eligible on every day of the whole history that can be a snapshot, and who churned afterwards.

A training set stops at ``snapshots.max_count``, which is less than two years by default. How the same weeks of earlier
years ended is told by all days there are, and for that a sample of the customers and few columns are enough.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.features.frame import Frame, Tables, build_frame
from kizuna.features.rows import Rows
from kizuna.features.sample import Sample
from kizuna.labels.everybody import HISTORY_COLUMNS
from kizuna.labels.training_set import TrainingSet
from kizuna.timeline import snapshot_days

# Enough to see a level to a point or so; whole customers are drawn.
LEVEL_ROWS = 60_000


def level_frame(store: Store, config: Config, training: TrainingSet) -> Frame | None:
    """``HISTORY_COLUMNS`` of a sample of the customers eligible on every past snapshot day, ``churned`` in ``also``.

    Days go back every ``snapshots.every_days`` to the first possible one, whatever ``snapshots.max_count``; all labels had
    matured on the train day. Whole customers are drawn, so that about ``LEVEL_ROWS`` rows result at most. None where churn is not
    the absence of purchases, where a column is missing, and where the training set already holds every day.
    """
    definition, plan, train_day = training.definition, training.frame.plan, training.train_day
    columns = tuple(column for column in plan.columns if column.name in HISTORY_COLUMNS)
    days = _days(store, config, training)
    if definition.kind != "inactivity" or len(columns) < len(HISTORY_COLUMNS) or len(days) <= len(training.days):
        return None
    families = tuple(dict.fromkeys(column.family for column in columns))
    # Earlier days had fewer customers rather than more.
    expected = len(training.y) / training.sampled_share / len(training.days) * len(days)
    sample = Sample(config.model.seed, LEVEL_ROWS / expected) if expected > LEVEL_ROWS else None

    def outcome(tables: Tables, rows: Rows) -> dict[str, NDArray[np.float64]]:
        return {"churned": definition.churned(tables, rows, train_day)}

    few = replace(plan, windows_days=(), columns=columns, families=families)
    return build_frame(store, few, days, definition.eligible, sample, outcome)


def _days(store: Store, config: Config, training: TrainingSet) -> list[int]:
    """Every snapshot day whose label had matured by the train day, newest first."""
    window, train_day = training.definition.window, training.train_day
    first = store.first_known_day(training.definition.table, train_day)
    if first is None:
        return []
    earliest, every = first + config.snapshots.min_history_days, config.snapshots.every_days
    days = snapshot_days(train_day, window, earliest, every, 1 + max(0, train_day - earliest) // every)
    return [day for day in days if window.is_matured(day, train_day)]
