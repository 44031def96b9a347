"""What a model was trained beside: how features and probabilities lay, stored with the model as histograms, never as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, eq=False)
class Population:
    """Customers of one day: ``values`` (n, features), ``probability`` (n,) by the model, NaN where none was given.

    ``as_of``: None without days.
    """

    values: Floats
    probability: Floats
    as_of: int | None


@dataclass(frozen=True)
class Reference:
    """Everybody eligible on the day that training stood on (undated labels: all training rows), as histograms.

    ``as_of``: that day, None without days. ``features``: by column. ``usual``: for each column the largest index of any
    training snapshot against ``features``, which campaigns and seasons move without anything being wrong. ``scores``: of the
    model's probabilities before the season's shift; ``usual_score``: their largest index of any training snapshot.
    ``listed``: for each text column the share of its rows whose level has a column of its own. ``tables``: rows of each
    table that were known by then.
    """

    as_of: int | None
    features: Mapping[str, Histogram]
    usual: Mapping[str, float]
    scores: Histogram
    usual_score: float
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
            "usual_score": self.usual_score,
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
            float(tree["usual_score"]),
            tree["listed"],
            tree["tables"],
        )


def reference_of(
    population: Population, snapshots: Sequence[Population], plan: FeaturePlan, tables: Mapping[str, int]
) -> Reference:
    """The reference that a population gives. ``snapshots``: the training rows by day, or some of each day."""
    columns = {name: histogram(population.values[:, index]) for index, name in enumerate(plan.names)}
    scores = histogram(population.probability[np.isfinite(population.probability)])
    usual = {
        name: _largest(found, [snapshot.values[:, index] for snapshot in snapshots])
        for index, (name, found) in enumerate(columns.items())
    }
    usual_score = _largest(scores, [snapshot.probability for snapshot in snapshots])
    counts = level_counts(population.values, plan)
    shares = {text: with_level / known for text, (known, with_level) in counts.items() if known}
    return Reference(population.as_of, columns, usual, scores, usual_score, shares, tables)


def _largest(reference: Histogram, samples: Sequence[Floats]) -> float:
    """The largest index of any sample that has rows; 0 without."""
    some = [stability(reference, reference.count(sample)).psi for sample in samples if len(sample)]
    return max(some, default=0.0) if reference.rows else 0.0


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
