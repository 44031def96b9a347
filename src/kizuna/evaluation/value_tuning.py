"""Tuning the value model's trees: order and level that trials win on earlier tests must hold on the newest one.

The loss is 1 − normalised Gini, plus the logarithm by which the total is off beyond the 15 % that the value check allows.
It judges a trial by what the model will be judged by. A mean absolute error would prefer a model that promises too little.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.evaluation.measures.comparison import compare
from kizuna.evaluation.measures.intervals import Statistic, decimals, evaluation_rows
from kizuna.evaluation.measures.metrics import normalised_gini, total_ratio
from kizuna.evaluation.measures.weighted import gini_statistic, total_ratio_statistic
from kizuna.evaluation.value_assessment import LEVEL_LIMIT, ValueRows
from kizuna.models.learners.splits import Split
from kizuna.models.learners.trees import default_tree_params
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
from kizuna.models.value.conditional import check_value_estimator, value_tree_count
from kizuna.models.value.pair import TaughtValues, ValueRecipe, fit_pair, mixed

# Closer than this, two settings are the same and the defaults stay.
SAME_VALUE_LOSS = 0.003

_MEASURE = "value_loss"
_FEWEST_TREES, _MOST_TIMES = 20, 4
# A model without a total, or with one many times too high, is not worse than this by its level.
_WORST_LEVEL = 1.0

Floats = NDArray[np.float64]


def value_loss(gini: float, ratio: float) -> float:
    """1 − gini, plus |log ratio| as far as it is beyond 15 %, at most 1. 0 is perfect, 1 is no order; NaN where gini is.

    gini: normalised. ratio: predicted over actual total.
    """
    off = abs(float(np.log(ratio))) if ratio > 0 else np.inf
    return 1.0 - gini + float(np.clip(off - np.log1p(LEVEL_LIMIT), 0.0, _WORST_LEVEL))


def tune_value(rows: ValueRows, recipe: ValueRecipe, limits: TuneLimits, dated: bool = True) -> Tuned:
    """The parameters of the lowest ``value_loss`` on the earlier tests, if the newest test (the first split) bears them out.

    recipe: what is fitted; its params are those that no trial changes. Expected value takes p from the recipe's own first
    stage. With one split the search is by customer inside its training part. Where ``dated`` is False rows have no day
    that the level could follow. Errors: ConfigError without the extra ``tune``.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    check_value_estimator(recipe.estimator, recipe.params, (recipe.seed, recipe.threads))
    limits = replace(limits, fixed=recipe.params)
    owner = rows.customer.astype(np.intp)
    confirm, folds = searched_tests(rows.churned, rows.folds.splits, owner, recipe.seed)
    searched = [split for split in folds if _holds_money(rows, split)]
    if not searched or not _holds_money(rows, confirm):
        return untried_value()
    as_of = rows.as_of.astype(np.int64) if dated else None
    taught = TaughtValues(rows.features.to_numpy(dtype=np.float64), rows.worth, rows.churned, as_of)
    stayed = int((rows.churned[confirm.train] == 0).sum())
    trees = value_tree_count(stayed)
    first = default_tree_params(stayed, stayed // 4) | {"n_estimators": trees}

    def said(params: dict[str, Any], split: Split) -> Floats:
        """Expected value of the test's rows."""
        pair = fit_pair(taught, split.train, replace(recipe, params=params | recipe.params))
        X = taught.X[split.test]
        return mixed(pair.conditional(X, None if as_of is None else as_of[split.test]), pair.churn_probability(X))

    def measure(params: dict[str, Any], split: Split) -> dict[int, float]:
        actual, predicted = rows.worth[split.test], said(params, split)
        loss = value_loss(normalised_gini(actual, predicted), total_ratio(actual, predicted))
        return {int(params["n_estimators"]): loss}

    with threadpool_limits(recipe.threads):
        space = TreeSpace(first, stayed, (_FEWEST_TREES, _MOST_TIMES * trees))
        found = search_trees(measure, searched, space, limits, recipe.seed)
        tuned, plain = said(found.best, confirm), said({}, confirm)
    tested = evaluation_rows(rows.churned[confirm.test], owner[confirm.test])
    measured = {name: _statistics(rows, confirm, of) for name, of in (("tuned", tuned), ("defaults", plain))}
    compared = compare(tested, measured)
    best, default = compared.intervals["tuned"], compared.intervals["defaults"]
    ahead = compared.differences["defaults"]["loss"]
    gain, low, high = -ahead.estimate, -ahead.high, -ahead.low
    helped = is_help(gain, low, SAME_VALUE_LOSS)
    text = (
        f"Tuning of value {found.text}. On the test that no trial saw, the best one's normalised Gini is "
        f"{decimals(best['gini'].estimate)} (the defaults' {decimals(default['gini'].estimate)}) and its predicted over actual "
        f"total {best['total'].estimate:.2f} ({default['total'].estimate:.2f}). Order and level together gain {gain:+.4f} "
        f"(interval {low:+.4f} to {high:+.4f}): {verdict(helped)}"
    )
    if found.kept_defaults:
        text = f"Tuning of value {found.text}. None of them did better than the defaults, which stay."
    return Tuned(_MEASURE, found.best if helped else {}, helped, gain, low, high, found.trials, text)


def untried_value() -> Tuned:
    """The defaults, where no test holds money to try anything on."""
    return untried(
        _MEASURE, "Tuning of value found no tests that hold money to try anything on, and the defaults stay."
    )


def _holds_money(rows: ValueRows, split: Split) -> bool:
    worth = rows.worth[split.test]
    return bool(worth.sum() > 0 and worth.min() != worth.max())


def _statistics(rows: ValueRows, split: Split, predicted: Floats) -> dict[str, Statistic]:
    """Loss, Gini and predicted over actual total of a test's rows, as functions of their weights."""
    tested = evaluation_rows(rows.churned[split.test])
    gini = gini_statistic(tested, rows.worth[split.test], predicted)
    total = total_ratio_statistic(tested, rows.worth[split.test], predicted)
    return {"loss": lambda weights: value_loss(gini(weights), total(weights)), "gini": gini, "total": total}
