"""Which rows train and which test: out of time where history allows, by customer where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ContractError
from kizuna.models.learners.splits import Split, stratified_splits
from kizuna.timeline import LabelWindow, out_of_time_folds


@dataclass(frozen=True)
class Folds:
    """Splits of the training rows. The first ``reported`` ones are measured; further ones only help to calibrate them.

    ``evaluation`` is out_of_time or in_time. ``test_days``: the test snapshot of each split, None by customer.
    """

    splits: tuple[Split, ...]
    reported: int
    evaluation: str
    test_days: tuple[int | None, ...]

    @property
    def test_rows(self) -> NDArray[np.int64]:
        """Positions of the measured test rows, fold after fold."""
        return np.concatenate([split.test for split in self.splits[: self.reported]])

    @property
    def fold_of_test_rows(self) -> NDArray[np.int64]:
        """The fold of each measured test row."""
        return np.repeat(np.arange(self.reported), [len(split.test) for split in self.splits[: self.reported]])


@dataclass(frozen=True)
class FoldPlan:
    """How folds are made: the label window that must have ended, how many tests to report, the seed of the rest.

    ``dated`` False: there is no time to fold by. ``customer_folds``: how many folds by customer stand in.
    """

    window: LabelWindow
    count: int
    seed: int
    dated: bool = True
    customer_folds: int = 5


def make_folds(as_of: NDArray[np.int32], customer: NDArray[np.int32], y: NDArray[np.float64], plan: FoldPlan) -> Folds:
    """Folds for rows with these days, customers (numbers in the order of their ids) and outcomes.

    Out of time: the ``plan.count`` newest matured snapshots are tests, each trained on snapshots whose labels had ended by
    then; one older test is added so that every reported test can be calibrated by outcomes known on its day. A fold
    whose training or test rows hold one class only is left out. Without any: ``plan.customer_folds`` folds by customer.
    """
    days, window = sorted({int(day) for day in np.unique(as_of)}, reverse=True), plan.window
    folds = out_of_time_folds(days, window, len(days)) if plan.dated else []
    usable = [fold for fold in folds if _both(y, as_of, fold.train_days) and _both(y, as_of, (fold.test_day,))]
    reported = usable[: plan.count]
    if not reported:
        return _by_customer(customer, y, plan)
    chosen = list(reported)
    # The newest test whose outcomes were complete on the day of every reported one: it calibrates them all.
    known = [other for other in usable if window.end(other.test_day) <= reported[-1].test_day]
    chosen += known[:1]
    splits = []
    for fold in chosen:
        calibrated_by = tuple(i for i, other in enumerate(chosen) if window.end(other.test_day) <= fold.test_day)
        train = np.flatnonzero(np.isin(as_of, fold.train_days))
        splits.append(Split(train, np.flatnonzero(as_of == fold.test_day), calibrated_by))
    return Folds(tuple(splits), len(reported), "out_of_time", tuple(fold.test_day for fold in chosen))


def _both(y: NDArray[np.float64], as_of: NDArray[np.int32], days: Sequence[int]) -> bool:
    chosen = y[np.isin(as_of, days)]
    return len(chosen) > 0 and bool(chosen.min() != chosen.max())


def _by_customer(customer: NDArray[np.int32], y: NDArray[np.float64], plan: FoldPlan) -> Folds:
    splits = stratified_splits(y, customer, plan.customer_folds, plan.seed)
    if not splits:
        raise ContractError(
            f"A model must be tested on customers that it has not seen; of {len(np.unique(customer)):,} "
            f"customers only {int(y.sum()):,} rows churned and {int((1 - y).sum()):,} did not. "
            "At least two customers of each kind are needed: load more history."
        )
    # By customer every other fold is as old as this one, and may calibrate it.
    others = [tuple(k for k in range(len(splits)) if k != n) for n in range(len(splits))]
    chosen = tuple(Split(split.train, split.test, others[n]) for n, split in enumerate(splits))
    return Folds(chosen, len(chosen), "in_time", tuple(None for _ in chosen))
