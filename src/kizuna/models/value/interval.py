"""Intervals of value: how far from what is expected the money of one customer falls, learned from out-of-fold errors.

Value if kept and value if churned each have a spread: what was found as a share of what was said, by size of what was
said. A customer's value is a mixture of the two by the probability of churn, in which nothing at all is common. Quantiles
of that mixture are widened or narrowed until past folds hold the share that was asked for, each fold judged by the spread
of the others (distributional conformal prediction: Chernozhukov, Wüthrich & Zhu 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Each bin of predicted value has so many rows at least, and there are so many bins at most.
_ROWS_A_BIN = 200
_MOST_BINS = 5
_ATOMS = 50
_ROWS_AT_ONCE = 50_000
_NOMINAL = tuple(round(level, 3) for level in (*np.arange(0.3, 0.951, 0.05), 0.97, 0.98, 0.99, 0.995))

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OutOfFoldRows:
    """Out-of-fold rows: conditional (n, 2), p and value (n,), lost 0/1, fold (n,) which test they come from."""

    conditional: Floats
    p: Floats
    value: Floats
    lost: Floats
    fold: NDArray[np.intp]

    def at(self, rows: NDArray[np.bool_]) -> OutOfFoldRows:
        """These rows alone."""
        return OutOfFoldRows(self.conditional[rows], self.p[rows], self.value[rows], self.lost[rows], self.fold[rows])


@dataclass(frozen=True, eq=False)
class Spread:
    """Of one outcome: found as a share of said, ``ratios`` (bins, atoms) ascending, by bins of said between ``edges``."""

    edges: Floats
    ratios: Floats

    def amounts(self, said: Floats) -> Floats:
        """Equally likely values, (n, atoms), where ``said`` is expected, (n,)."""
        return np.asarray(said[:, None] * self.ratios[np.searchsorted(self.edges, said, side="right")])


@dataclass(frozen=True, eq=False)
class ValueIntervals:
    """Spreads of both outcomes, and ``held``: the share of past values inside the interval of each nominal coverage."""

    kept: Spread
    churned: Spread
    held: tuple[float, ...]
    rows: int

    def bounds(self, conditional: Floats, p: Floats, coverage: float) -> Floats:
        """Lower and upper bound, (n, 2), that hold the value of a share ``coverage`` of customers."""
        # One more row than was seen: the customer himself.
        asked = min(coverage * (self.rows + 1) / max(self.rows, 1), 1.0)
        nominal = float(np.interp(asked, self.held, _NOMINAL))
        return self._quantiles(conditional, p, [nominal])[0]

    def _quantiles(self, conditional: Floats, p: Floats, levels: Sequence[float]) -> list[Floats]:
        """Per nominal coverage the bounds, (n, 2): equal tails, or from 0 upwards where 0 itself fills the lower tail."""
        out = [np.empty((len(p), 2)) for _ in levels]
        for start in range(0, len(p), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            amounts, below = self._mixture(conditional[part], p[part])
            for bounds, level in zip(out, levels, strict=True):
                low = _reached(amounts, below, (1 - level) / 2)
                high = _reached(amounts, below, (1 + level) / 2)
                bounds[part, 0] = low
                bounds[part, 1] = np.where(low > 0, high, _reached(amounts, below, level))
        return out

    def _mixture(self, conditional: Floats, p: Floats) -> tuple[Floats, Floats]:
        """Possible values, ascending, and the probability of at most each, both (n, 2 · atoms)."""
        pairs = zip((self.kept, self.churned), conditional.T, strict=True)
        amounts = np.hstack([spread.amounts(said) for spread, said in pairs])
        weight = np.repeat(np.column_stack([1 - p, p]) / _ATOMS, _ATOMS, axis=1)
        order = np.argsort(amounts, axis=1, kind="stable")
        return np.take_along_axis(amounts, order, axis=1), np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)

    def to_json(self) -> dict[str, Any]:
        """The intervals as plain JSON."""
        spreads = {name: getattr(self, name) for name in ("kept", "churned")}
        told = {name: {"edges": s.edges.tolist(), "ratios": s.ratios.tolist()} for name, s in spreads.items()}
        return {**told, "held": list(self.held), "rows": self.rows}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> ValueIntervals:
        """The intervals that ``to_json`` wrote."""
        kept, churned = (
            Spread(
                np.asarray(tree[name]["edges"], dtype=np.float64), np.asarray(tree[name]["ratios"], dtype=np.float64)
            )
            for name in ("kept", "churned")
        )
        return cls(kept, churned, tuple(float(value) for value in tree["held"]), int(tree["rows"]))


def fit_intervals(rows: OutOfFoldRows) -> ValueIntervals:
    """Intervals learned from out-of-fold rows, at least one."""
    folds = np.unique(rows.fold)
    inside = np.zeros((len(rows.value), len(_NOMINAL)), dtype=bool)
    for fold in folds:
        tested = rows.fold == fold
        others = rows.at(~tested) if len(folds) > 1 else rows
        bounds = _plain(others)._quantiles(rows.conditional[tested], rows.p[tested], _NOMINAL)
        value = np.maximum(rows.value[tested], 0.0)
        inside[tested] = np.column_stack([(found[:, 0] <= value) & (value <= found[:, 1]) for found in bounds])
    held = np.maximum.accumulate(inside.mean(axis=0))
    plain = _plain(rows)
    return ValueIntervals(plain.kept, plain.churned, tuple(float(share) for share in held), len(rows.value))


def _plain(rows: OutOfFoldRows) -> ValueIntervals:
    kept, churned = (_spread(rows.conditional[rows.lost == k, k], rows.value[rows.lost == k]) for k in (0, 1))
    return ValueIntervals(kept, churned, _NOMINAL, len(rows.value))


def _spread(said: Floats, found: Floats) -> Spread:
    """Where nothing was said, nothing is expected, and there is no share to learn."""
    found, said = np.maximum(found[said > 0], 0.0), said[said > 0]
    if not len(said):
        return Spread(np.zeros(0), np.ones((1, _ATOMS)))
    bins = max(1, min(_MOST_BINS, len(said) // _ROWS_A_BIN))
    edges = np.unique(np.quantile(said, np.arange(1, bins) / bins))
    at, share = np.searchsorted(edges, said, side="right"), found / said
    middles = (np.arange(_ATOMS) + 0.5) / _ATOMS
    taught = [share[at == number] for number in range(len(edges) + 1)]
    return Spread(edges, np.array([np.quantile(part if len(part) else share, middles) for part in taught]))


def _reached(amounts: Floats, below: Floats, level: float) -> Floats:
    """The smallest value whose probability of not being exceeded reaches the level, (n,)."""
    at = np.minimum((below < level - 1e-9).sum(axis=1), amounts.shape[1] - 1)
    return np.asarray(np.take_along_axis(amounts, at[:, None], axis=1)[:, 0])
