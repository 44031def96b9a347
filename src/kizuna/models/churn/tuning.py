"""Tuning the churn model's trees: the log loss that trials win on earlier tests must hold on the newest one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError
from kizuna.models.churn.ladder import SAME_SETTING_LOG_LOSS, fit_told_trees, log_loss
from kizuna.models.churn.task import Task, TaughtRows
from kizuna.models.learners.splits import Split
from kizuna.models.learners.trees import default_tree_params, tree_counts
from kizuna.models.learners.tuning import (
    TreeSpace,
    Tuned,
    TuneLimits,
    is_help,
    search_trees,
    searched_tests,
    untried,
    verdict,
)

_NORMAL_95 = 1.959963984540054
_MEASURE = "log_loss"

Floats = NDArray[np.float64]


def tune_churn(
    X: Floats, y: Floats, splits: Sequence[Split], task: Task, limits: TuneLimits, owner: NDArray[np.intp] | None = None
) -> Tuned:
    """The parameters of the lowest log loss on the earlier tests, if the newest test (the first split) bears them out.

    owner: the customer of each row as a number. With one split the search is by customer inside its training part.
    Errors: ConfigError without the extra ``tune``.
    """
    if not splits:
        raise ConfigError("model.churn.tune_trials needs rows to test on; no split was possible. Set it to 0.")
    fixed = limits.fixed
    confirm, searched = searched_tests(y, splits, owner, task.seed)
    if not searched:
        return untried(
            _MEASURE, "Tuning found too few customers of each outcome to test a trial on, and the defaults stay."
        )
    defaults = default_tree_params(task.rows, task.rarer) | fixed
    counts = (int(fixed["n_estimators"]),) if "n_estimators" in fixed else tree_counts(task.rows)

    def measure(params: dict[str, Any], split: Split) -> dict[int, float]:
        tried = (*[count for count in counts if count < params["n_estimators"]], params["n_estimators"])
        models = fit_told_trees(TaughtRows(X[split.train], y[split.train], task), defaults | params, tried)
        losses = [log_loss(y[split.test], model.margin(X[split.test])) for model in models]
        return dict(zip(tried, losses, strict=True))

    space = TreeSpace(defaults | {"n_estimators": max(counts)}, task.rows, (min(counts), 2 * max(counts)))
    found = search_trees(measure, searched, space, limits, task.seed)
    rows = TaughtRows(X[confirm.train], y[confirm.train], task)
    # The first trial is the defaults', and knows how many trees they take.
    (plain,) = fit_told_trees(rows, defaults, [int(found.trials[0].params["n_estimators"])])
    (tuned,) = fit_told_trees(rows, defaults | found.best, [int(found.best["n_estimators"])])
    unseen = X[confirm.test]
    customers = confirm.test if owner is None else owner[confirm.test]
    gain, low, high = _gain(y[confirm.test], plain.margin(unseen), tuned.margin(unseen), customers)
    helped = is_help(gain, low, SAME_SETTING_LOG_LOSS)
    text = (
        f"Tuning {found.text}. On the test that no trial saw, the best one's log loss is {abs(gain):.4f} "
        f"{'lower' if gain > 0 else 'higher'} than the defaults' (gain {gain:+.4f}, interval {low:+.4f} to {high:+.4f}): "
        f"{verdict(helped)}"
    )
    if found.kept_defaults:
        text = f"Tuning {found.text}. None of them did better than the defaults, which stay."
    return Tuned(_MEASURE, found.best if helped else {}, helped, gain, low, high, found.trials, text)


def _gain(y: Floats, plain: Floats, tuned: Floats, owner: NDArray[np.intp]) -> tuple[float, float, float]:
    """Mean of the rows' log loss saved, and its 95 % interval with customers as the units."""
    saved = (np.logaddexp(0, plain) - y * plain) - (np.logaddexp(0, tuned) - y * tuned)
    total = np.bincount(np.unique(owner, return_inverse=True)[1], weights=saved - saved.mean())
    error = float(np.sqrt((total**2).sum())) / len(y)
    mean = float(saved.mean())
    return mean, mean - _NORMAL_95 * error, mean + _NORMAL_95 * error
