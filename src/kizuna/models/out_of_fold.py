"""Out of fold: the calibration of the shipped model, and of each test by what was known on its day.

A test of later days tells the shape of the map from margins to probabilities, but its level is its season's: carrying
it on misses the next season by as much again. So the level comes from folds by customer inside the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.models.calibration import Calibration, fit_calibration
from kizuna.models.ladder import Trial
from kizuna.models.splits import Split, stratified_splits

_INNER_FOLDS = 3
_ROWS_INSIDE = 20_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The training frame: X (n, features), y (n,) 0/1, owner (n,) the customer as a number (None: all different)."""

    X: Floats
    y: Floats
    owner: NDArray[np.intp] | None


def shipped_calibration(
    trial: Trial, data: TrainingRows, splits: Sequence[Split], method: str, seed: int
) -> Calibration:
    """The calibration of the refitted model, from the pooled out-of-fold margins of the trial.

    Where the splits test every row they are folds by customer, and shape and level both come from them. Otherwise they
    are tests of some days: the shape comes from them, the level from folds by customer over all rows.
    """
    if not splits or method == "none":
        return Calibration()
    everywhere = range(len(splits))
    if not _level_is_seasonal(trial, data, splits):
        return fit_calibration(*_pool(trial, data, splits, everywhere), method)
    shape = fit_calibration(*_pool(trial, data, splits, everywhere), method, _test_of_rows(splits, everywhere))
    margin, y = _inside(trial, data, np.arange(len(data.y)), seed)
    return shape.levelled(margin, y) if len(y) else shape


def calibrations_by_then(
    trial: Trial, data: TrainingRows, splits: Sequence[Split], method: str, seed: int
) -> list[Calibration]:
    """Per split, the calibration that could be had on its day: never from its own outcomes.

    It is made as the shipped one, of the splits of ``calibrated_by`` for all splits, and of the training part for all
    rows; where there are no earlier splits, folds by customer inside the training part give shape and level.
    """
    seasonal = _level_is_seasonal(trial, data, splits)
    found = []
    for split in splits:
        known = split.calibrated_by
        if method == "none":
            found.append(Calibration())
        elif known and not seasonal:
            found.append(fit_calibration(*_pool(trial, data, splits, known), method))
        else:
            margin, y = _inside(trial, data, split.train, seed)
            if not known:
                found.append(fit_calibration(margin, y, method))
                continue
            shape = fit_calibration(*_pool(trial, data, splits, known), method, _test_of_rows(splits, known))
            found.append(shape.levelled(margin, y) if len(y) else shape)
    return found


def _level_is_seasonal(trial: Trial, data: TrainingRows, splits: Sequence[Split]) -> bool:
    """Whether tests stand for days other than the training's. A rule that learns nothing has only their level."""
    tested = np.concatenate([split.test for split in splits]) if splits else np.zeros(0)
    return trial.rung.learns and len(np.unique(tested)) < len(data.y)


def _pool(trial: Trial, data: TrainingRows, splits: Sequence[Split], numbers: Sequence[int]) -> tuple[Floats, Floats]:
    margin = np.concatenate([trial.margins[number] for number in numbers])
    return margin, np.concatenate([data.y[splits[number].test] for number in numbers])


def _test_of_rows(splits: Sequence[Split], numbers: Sequence[int]) -> NDArray[np.intp]:
    return np.concatenate([np.full(len(splits[number].test), number) for number in numbers])


def _inside(trial: Trial, data: TrainingRows, rows: NDArray[np.intp], seed: int) -> tuple[Floats, Floats]:
    """Margins and outcomes of folds by customer among the rows, at most about 20,000 of them; empty where impossible."""
    owner = rows if data.owner is None else data.owner[rows]
    if len(rows) > _ROWS_INSIDE:
        everybody = np.unique(owner)
        drawn = everybody[np.random.default_rng(seed).random(len(everybody)) < _ROWS_INSIDE / len(rows)]
        rows, owner = rows[np.isin(owner, drawn)], owner[np.isin(owner, drawn)]
    folds = stratified_splits(data.y[rows], owner, _INNER_FOLDS, seed)
    if not folds:
        return np.zeros(0), np.zeros(0)
    margins = []
    for fold in folds:
        train, test = rows[fold.train], rows[fold.test]
        margins.append(trial.rung.fit(data.X[train], data.y[train], [trial.setting])[0].margin(data.X[test]))
    return np.concatenate(margins), data.y[rows[np.concatenate([fold.test for fold in folds])]]
