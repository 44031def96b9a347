"""Out of fold: the calibration of the shipped model, and of each test by what was known on its day.

A test of later days tells the shape of the map from margins to probabilities, but its level is its season's: carrying
it on misses the next season by as much again. So a model that is fitted by likelihood keeps the level it has learned,
and somebody else's estimator takes it from folds by customer inside its training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.models.churn.calibration import Calibration, fit_calibration, probability
from kizuna.models.churn.ladder import Trial
from kizuna.models.churn.task import Task, TaughtRows
from kizuna.models.learners.splits import Split, stratified_splits

_INNER_FOLDS = 3
_ROWS_INSIDE = 20_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The training frame: X (n, features), y (n,) 0/1, owner (n,) the customer as a number (None: all different)."""

    X: Floats
    y: Floats
    owner: NDArray[np.intp] | None
    task: Task


def shipped_calibration(
    trial: Trial, data: TrainingRows, splits: Sequence[Split], method: str, seed: int
) -> Calibration:
    """The calibration of the refitted model, from the pooled out-of-fold margins of the trial.

    Where the splits test every row they are folds by customer, and shape and level both come from them. Otherwise they
    are tests of some days: the shape comes from them, the level from the model.
    """
    if not splits or method == "none":
        return Calibration()
    return _calibration(trial, data, splits, (range(len(splits)), np.arange(len(data.y))), (method, seed))


def calibrations_by_then(
    trial: Trial, data: TrainingRows, splits: Sequence[Split], method: str, seed: int
) -> list[Calibration]:
    """Per split, the calibration that could be had on its day: never from its own outcomes.

    It is made as the shipped one, of the splits of ``calibrated_by`` and of the training part. Where there are no
    earlier splits, folds by customer inside the training part give shape and level; but a model fitted by likelihood,
    whose penalties were chosen on later days, is believed as it is for a later day.
    """
    if method == "none":
        return [Calibration() for _ in splits]
    return [_calibration(trial, data, splits, (split.calibrated_by, split.train), (method, seed)) for split in splits]


def _calibration(
    trial: Trial,
    data: TrainingRows,
    splits: Sequence[Split],
    known: tuple[Sequence[int], NDArray[np.intp]],
    how: tuple[str, int],
) -> Calibration:
    """known: the splits whose outcomes may be used, and the rows that the model was taught on. how: method, seed."""
    numbers, taught = known
    method, seed = how
    level = trial.rung.level
    by_day = len(np.unique(np.concatenate([split.test for split in splits]))) < len(data.y)
    if not numbers:
        if by_day and level == "likelihood":
            return Calibration()
        return fit_calibration(*_inside(trial, data, taught, seed), method)
    margin, y = _pool(trial, data, splits, numbers)
    if not by_day or level == "none":
        return fit_calibration(margin, y, method)
    shape = fit_calibration(margin, y, method, np.repeat(numbers, [len(splits[n].test) for n in numbers]))
    if level == "likelihood":
        return shape.levelled(margin, float(probability(margin).mean()))
    inside_margin, inside_y = _inside(trial, data, taught, seed)
    # Half a row is added to either outcome, so that one outcome alone gives no certainty.
    return shape.levelled(inside_margin, (inside_y.sum() + 0.5) / (len(inside_y) + 1)) if len(inside_y) else shape


def _pool(trial: Trial, data: TrainingRows, splits: Sequence[Split], numbers: Sequence[int]) -> tuple[Floats, Floats]:
    margin = np.concatenate([trial.margins[number] for number in numbers])
    return margin, np.concatenate([data.y[splits[number].test] for number in numbers])


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
        taught = TaughtRows(data.X[train], data.y[train], data.task)
        margins.append(trial.rung.fit(taught, [trial.setting])[0].margin(data.X[test]))
    return np.concatenate(margins), data.y[rows[np.concatenate([fold.test for fold in folds])]]
