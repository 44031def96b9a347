"""What a model was trained beside: how features and probabilities lay, stored with the model as histograms, never as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.evaluation.drift.stability import Histogram, Stability, histogram, stability
from kizuna.features.families import FAMILIES
from kizuna.features.plan import FeaturePlan
from kizuna.models.churn.season_anchor import shifted

Floats = NDArray[np.float64]
_KEY = "reference"
# Enough of a snapshot to tell how far it lies from another day.
_ROWS_OF_A_DAY = 5_000


@dataclass(frozen=True, eq=False)
class Population:
    """The customers that a reference is made of: ``values`` (n, features), ``probability`` (n,), NaN where none was given."""

    values: Floats
    probability: Floats
    as_of: int | None


@dataclass(frozen=True)
class Reference:
    """Everybody eligible on the day that training stood on (undated labels: all training rows), as histograms.

    ``as_of``: that day, None without days. ``features``: by column. ``usual``: for each column the largest index of any
    training snapshot against ``features``, which campaigns and seasons move without anything being wrong. ``scores``: of the
    model's probabilities before the season's shift. ``listed``: for each text column the share of its rows whose level has a
    column of its own. ``tables``: rows of each table that were known by then.
    """

    as_of: int | None
    features: Mapping[str, Histogram]
    usual: Mapping[str, float]
    scores: Histogram
    listed: Mapping[str, float]
    tables: Mapping[str, int]

    def scores_on(self, shift: float) -> Histogram:
        """The histogram of probabilities as a day shows them that moves them by so many log odds."""
        cuts = shifted(np.array(self.scores.cuts), shift)
        return Histogram(tuple(cuts.tolist()), self.scores.counts)

    def to_json(self) -> dict[str, Any]:
        """The reference as plain JSON, for the model's contract."""
        return {
            "as_of": self.as_of,
            "features": {name: found.to_json() for name, found in sorted(self.features.items())},
            "usual": dict(sorted(self.usual.items())),
            "scores": self.scores.to_json(),
            "listed": dict(sorted(self.listed.items())),
            "tables": dict(sorted(self.tables.items())),
        }

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> Reference | None:
        """The reference of a model's contract; None of a model that was stored without one."""
        tree = contract.get(_KEY)
        if not tree:
            return None
        return cls(
            tree["as_of"],
            {name: Histogram.from_json(found) for name, found in tree["features"].items()},
            tree["usual"],
            Histogram.from_json(tree["scores"]),
            tree["listed"],
            tree["tables"],
        )


def reference_of(
    population: Population, snapshots: Mapping[int, Floats], plan: FeaturePlan, tables: Mapping[str, int]
) -> Reference:
    """The reference that a population gives. ``snapshots``: the training rows of each day, (n, the plan's columns)."""
    columns = {name: histogram(population.values[:, index]) for index, name in enumerate(plan.names)}
    shares = {
        text: with_level / known for text, (known, with_level) in level_counts(population.values, plan).items() if known
    }
    scores = histogram(population.probability[np.isfinite(population.probability)])
    return Reference(population.as_of, columns, _usual(columns, snapshots), scores, shares, tables)


def _usual(columns: Mapping[str, Histogram], snapshots: Mapping[int, Floats]) -> dict[str, float]:
    few = [values[:: len(values) // _ROWS_OF_A_DAY + 1] for values in snapshots.values() if len(values)]
    return {
        name: max((stability(found, found.count(rows[:, index])).psi for rows in few), default=0.0)
        for index, (name, found) in enumerate(columns.items())
        if found.rows
    }


def level_counts(values: Floats, plan: FeaturePlan) -> dict[str, tuple[int, int]]:
    """For each text column with level columns: rows whose text is known, and those whose level has a column of its own.

    ``values``: (rows, the plan's columns).
    """
    tables = {family.name: family.table for family in FAMILIES}
    found = {}
    for text, levels in sorted(plan.vocabularies.items()):
        table, _, column = text.partition(".")
        names = {f"{column}={level}" for level in levels}
        mine = [
            index for index, one in enumerate(plan.columns) if one.name in names and tables.get(one.family) == table
        ]
        if mine:
            flags = values[:, mine]
            known = ~np.isnan(flags).all(axis=1)
            found[text] = (int(known.sum()), int((np.nan_to_num(flags[known]).sum(axis=1) > 0).sum()))
    return found


def score_stability(reference: Reference, probability: Floats, shift: float) -> Stability:
    """How far a day's probabilities, moved by its season's ``shift`` in log odds, lie from those of training."""
    expected = reference.scores_on(shift)
    return stability(expected, expected.count(probability))
