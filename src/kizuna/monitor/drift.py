"""Drift now: how far a day's customers and their probabilities lie from what the champion was trained beside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from kizuna.evaluation.drift.day import DRIFT_COLUMNS

PROBABILITY = "churn_probability"
DRIFT_TABLE_COLUMNS = [*DRIFT_COLUMNS, "moved"]


@dataclass(frozen=True)
class Drift:
    """``model`` is the champion, trained on the rows before ``trained_on``, measured on ``customers`` of the day.

    ``features``: ``DRIFT_TABLE_COLUMNS``, the probabilities first, as ``churn_probability``, then features, the most moved
    first; ``moved``: beyond its limit in the config's section gates, chance and what is usual; ``limit``: that of features.
    ``why_not``: in words, where nothing was measured; then ``features`` has no rows.
    """

    model: str | None
    trained_on: date | None
    customers: int
    features: pd.DataFrame
    limit: float
    why_not: str | None = None

    @property
    def moved(self) -> pd.DataFrame:
        """The features that moved, the probabilities left out."""
        return self.measured[self.measured["moved"].astype(bool)].reset_index(drop=True)

    @property
    def measured(self) -> pd.DataFrame:
        """The features, the probabilities left out."""
        return self.features[self.features["feature"] != PROBABILITY]

    @property
    def probability(self) -> pd.Series | None:
        """The row of the probabilities."""
        mine = self.features[self.features["feature"] == PROBABILITY]
        return mine.iloc[0] if len(mine) else None


def not_measured(why: str, limit: float, model: str | None = None) -> Drift:
    """Drift that could not be measured, and why."""
    return Drift(model, None, 0, pd.DataFrame(columns=DRIFT_TABLE_COLUMNS), limit, why)
