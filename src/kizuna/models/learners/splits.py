"""Splits: which rows teach and which rows test, as positions in the training frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Split:
    """One test and what may teach it.

    ``train``, ``test``: row positions. ``calibrated_by``: positions, in the list of splits, of those whose
    out-of-fold predictions and outcomes were known by this test's day; () when there are none, and calibration then
    comes from inside the training part.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    calibrated_by: tuple[int, ...] = ()


def stratified_splits(
    y: NDArray[np.float64], groups: ArrayLike | None = None, count: int = 5, seed: int = 7
) -> list[Split]:
    """At most ``count`` splits in which every row is tested once; empty when a class has fewer than two groups.

    y: 0/1 per row. groups: rows of one group (a customer) are never on both sides; None makes every row its own group.
    Groups are dealt to the folds in the order of their number of ones, drawn by ``seed`` among equals, so that every
    fold has nearly the same share of ones.
    """
    group_of_row = np.arange(len(y)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    rows_of_group = np.bincount(group_of_row)
    ones_of_group = np.bincount(group_of_row, weights=y)
    possible = min(int((ones_of_group > 0).sum()), int((ones_of_group < rows_of_group).sum()), len(rows_of_group))
    count = min(count, possible)
    if count < 2:
        return []
    shuffled = np.random.default_rng(seed).permutation(len(rows_of_group))
    dealt = shuffled[np.lexsort((rows_of_group[shuffled], ones_of_group[shuffled]))]
    fold_of_group = np.empty(len(dealt), dtype=np.intp)
    fold_of_group[dealt] = np.arange(len(dealt)) % count
    fold_of_row = fold_of_group[group_of_row]
    return [Split(np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold)) for fold in range(count)]


def pooled(parts: Sequence[NDArray[np.float64]], splits: Sequence[Split], rows: int) -> NDArray[np.float64]:
    """Out-of-fold predictions, (rows,) or (rows, k): NaN where never tested, the mean where tested more than once.

    parts: per split, the predictions of its test rows in their order.
    """
    shape = (rows, *parts[0].shape[1:]) if parts else (rows,)
    total, times = np.zeros(shape), np.zeros(rows)
    for part, split in zip(parts, splits, strict=True):
        np.add.at(total, split.test, part)
        np.add.at(times, split.test, 1.0)
    times[times == 0] = np.nan
    return total / times.reshape(-1, *([1] * (total.ndim - 1)))


def rows_at(X: NDArray[np.float64], positions: NDArray[np.intp]) -> NDArray[np.float64]:
    """The rows at these positions, ready for LightGBM; positions one after the other are copied column by column, faster."""
    if len(positions) and np.array_equal(positions, np.arange(positions[0], positions[0] + len(positions))):
        return np.asfortranarray(X[positions[0] : positions[0] + len(positions)])
    return X[positions]
