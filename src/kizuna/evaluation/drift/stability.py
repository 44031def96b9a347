"""The population stability index: how far two histograms over the same bins lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
# So rarely do two samples of one population lie apart by chance alone.
_BY_CHANCE = 0.001

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Histogram:
    """How many values of a column lie in which bin.

    ``cuts``: ascending; bin k holds ``cuts[k − 1] < value ≤ cuts[k]``. ``counts``: one per bin, ``len(cuts) + 1``, then the
    missing values.
    """

    cuts: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """All values, the missing ones among them."""
        return sum(self.counts)

    def count(self, values: Floats) -> Counts:
        """How many of ``values`` lie in the same bins, the missing ones last; the counts of parts add up."""
        known = np.isfinite(values)
        place = np.searchsorted(np.array(self.cuts), values[known], side="left")
        return np.append(np.bincount(place, minlength=len(self.cuts) + 1), (~known).sum()).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """The histogram as plain JSON."""
        return {"cuts": list(self.cuts), "counts": list(self.counts)}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Histogram:
        """The histogram that ``to_json`` wrote."""
        return cls(tuple(map(float, tree["cuts"])), tuple(map(int, tree["counts"])))


@dataclass(frozen=True)
class Stability:
    """``psi``, and what it stays below 999 times in 1,000 where nothing but chance moved the rows, ``by_chance``.

    NaN and infinity where either side has no rows.
    """

    psi: float
    by_chance: float

    def exceeds(self, limit: float) -> bool:
        """Whether it is above the limit, and by more than chance."""
        return self.psi > max(limit, self.by_chance)


def histogram(values: Floats, bins: int = BINS) -> Histogram:
    """The histogram of a column: cuts lie halfway between neighbouring values, as near to its quantiles as they can.

    A value that many rows share has a bin of its own where quantiles allow; a column of one value has a bin below it and one
    above.
    """
    found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(found) == 1:
        cuts = np.array([np.nextafter(found[0], -np.inf), found[0]])
    else:
        below = np.cumsum(counts)[:-1] / max(counts.sum(), 1)
        wanted = np.arange(1, bins) / bins
        nearest = np.abs(below[:, None] - wanted).argmin(axis=0) if len(below) else np.zeros(0, dtype=np.int64)
        at = np.unique(nearest)
        # Halves are added, so that the largest floats do not overflow.
        cuts = found[at] / 2 + found[at + 1] / 2 if len(at) else np.zeros(0)
    empty = Histogram(tuple(cuts.tolist()), (0,) * (len(cuts) + 2))
    return Histogram(empty.cuts, tuple(empty.count(values).tolist()))


def population_stability_index(expected: Floats, actual: Floats) -> float:
    """``Σ (actual − expected) · ln(actual / expected)`` over shares above 0 that each sum to 1."""
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def stability(reference: Histogram, counts: Sequence[int] | Counts) -> Stability:
    """How far ``counts`` over the bins of a reference lie from it.

    Half a row is added to each bin that either side fills, so that an empty bin is no infinity. Where both are drawn from one
    population, ``psi / (1/n + 1/m)`` follows a chi-squared distribution with one degree of freedom less than there are bins
    (Yurdakul, Statistical Properties of Population Stability Index, 2018).
    """
    from scipy.special import chdtri

    then, now = np.array(reference.counts, dtype=np.float64), np.array(counts, dtype=np.float64)
    if not then.sum() or not now.sum():
        return Stability(float("nan"), float("inf"))
    filled = then + now > 0
    then, now = then[filled] + 0.5, now[filled] + 0.5
    psi = population_stability_index(then / then.sum(), now / now.sum())
    scale = 1 / then.sum() + 1 / now.sum()
    return Stability(psi, float(scale * chdtri(len(then) - 1, _BY_CHANCE)) if len(then) > 1 else 0.0)
