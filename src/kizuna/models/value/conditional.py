"""Expected net value given one outcome: of those who stay, or of those who leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError, nearest
from kizuna.models.churn.calibration import probability
from kizuna.models.learners.foreign import ForeignModel, build_estimator, fit_foreign, is_import_path
from kizuna.models.learners.linear import LinearModel, fit_linear, thinned
from kizuna.models.learners.trees import TreeModel, check_tree_params, default_tree_params, fit_trees

VALUE_MODELS = ("auto", "hurdle", "tweedie", "btyd")
AMOUNTS = ("gamma", "lognormal")

# Below this many rows of a kind, a mean is all that can be said.
ENOUGH_ROWS = 20
_SHARE_PENALTY = 0.03
_HIGHEST_LOG = 50.0
# So many rows are read at a time, where reading copies them: there may be millions.
_ROWS_AT_ONCE = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ConditionalModel:
    """share · amount · level, never negative.

    share: the probability that value is positive, a number or a model of its log odds. amount: LightGBM of the log
    mean in units of ``scale``, an estimator of somebody else's, or None for ``scale`` itself. level: what puts the
    total of the training rows right after extremes were cut and returns set aside.
    """

    share: float | LinearModel
    amount: TreeModel | ForeignModel | None
    scale: float
    level: float

    def predict(self, X: Floats) -> Floats:
        """Expected value over the value window, (n,), at least 0, in the unit of the training values."""
        return self._shape(X) * self.level

    def _shape(self, X: Floats) -> Floats:
        if isinstance(self.amount, TreeModel):
            amount = np.exp(np.clip(self.amount.margin(X), -_HIGHEST_LOG, _HIGHEST_LOG))
        elif self.amount is not None:
            amount = np.maximum(np.nan_to_num(self.amount.output(X)), 0.0)
        else:
            amount = np.ones(len(X))
        if isinstance(self.share, LinearModel):
            return np.asarray(amount * self.scale * probability(self.share.margin(X)))
        return np.asarray(amount * self.scale * self.share)


# What is said where no row of a kind was seen, or where its value is known to be nothing.
NOTHING = ConditionalModel(share=0.0, amount=None, scale=0.0, level=0.0)


def check_value_estimator(estimator: str, params: dict[str, Any], machine: tuple[int, int]) -> None:
    """Nothing, or ConfigError where the estimator's name or parameters are unknown."""
    if estimator == "btyd":
        if params:
            raise ConfigError(f"model.cltv.params has {', '.join(params)}; btyd has nothing to set. Leave params out.")
    elif estimator in VALUE_MODELS:
        amount = params.get("amount", "gamma")
        if estimator == "hurdle" and amount not in AMOUNTS:
            raise ConfigError(f"model.cltv.params.amount asks for {' or '.join(AMOUNTS)}; found {amount!r}.")
        known = {name: value for name, value in params.items() if (estimator, name) != ("hurdle", "amount")}
        check_tree_params(known, "model.cltv.params")
    elif is_import_path(estimator):
        build_estimator(estimator, params, "regressor", machine)
    else:
        raise ConfigError(
            f"model.cltv.estimator '{estimator}' is unknown.{nearest(estimator, VALUE_MODELS)} "
            f"Known are {', '.join(VALUE_MODELS)}, or an import path such as sklearn.ensemble.RandomForestRegressor."
        )


def fit_conditional(
    X: Floats,
    value: Floats,
    estimator: str,
    params: dict[str, Any],
    machine: tuple[int, int],
    more: Floats | None = None,
) -> ConditionalModel:
    """The model of the rows given, which all share one outcome.

    value: net of returns, may be negative. estimator: 'hurdle' (share positive times a mean given positive, gamma or,
    with params amount 'lognormal', of the logarithm), 'tweedie' (one model of both), or an import path. machine: seed
    and threads. more: for tweedie, columns that stand after those of X, (n, k), so that X need not be copied.
    """
    if not len(value) or value.sum() <= 0:
        return NOTHING
    positive = value > 0
    cut = np.minimum(value, highest_taught(value[positive]))
    # Where all rows teach, none is copied.
    taught = positive if estimator == "hurdle" else slice(None)
    target = np.maximum(cut[taught], 0.0)
    scale = float(target.mean())
    amount: TreeModel | ForeignModel | None = None
    if positive.sum() >= ENOUGH_ROWS and is_import_path(estimator):
        built = build_estimator(estimator, params, "regressor", machine)
        amount = fit_foreign(built, X[taught], target / scale, machine[0])
    elif positive.sum() >= ENOUGH_ROWS:
        amount = _fit_amount(X[taught], target / scale, estimator, params, machine, more)
    share: float | LinearModel = 1.0
    if estimator == "hurdle":
        share = float(positive.mean())
        if min(positive.sum(), (~positive).sum()) >= ENOUGH_ROWS:
            some = thinned(len(X), X.shape[1])
            (share,) = fit_linear(X[some], positive[some].astype(np.float64), None, [_SHARE_PENALTY])
    shape = ConditionalModel(share, amount, scale, 1.0)
    # Of millions of rows, evenly spaced ones tell the mean of what is said.
    some = slice(None, None, -(-len(X) // _ROWS_AT_ONCE))
    said = shape.predict(X[some] if more is None else np.column_stack([X[some], more[some]]))
    return ConditionalModel(share, amount, scale, float(value.mean() / said.mean())) if said.sum() > 0 else NOTHING


def in_pieces(predict: Callable[[Floats], Floats], X: Floats) -> Floats:
    """What ``predict`` says of X, (n,), some rows at a time."""
    out = np.empty(len(X))
    for start in range(0, len(X), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        out[part] = predict(X[part])
    return out


def value_tree_count(rows: int) -> int:
    """How many trees are taught on so many rows, where nothing else is asked for."""
    return 60 if rows < 50_000 else 100


def _fit_amount(
    X: Floats,
    target: Floats,
    estimator: str,
    params: dict[str, Any],
    machine: tuple[int, int],
    more: Floats | None,
) -> TreeModel:
    """Trees of the log mean of the target; of the mean log where the amount is lognormal.

    From the mean log to the log mean is a constant (Duan's smearing, 1983), which the level takes in.
    """
    settings = {**default_tree_params(len(target), len(target) // 4), **params}
    count = int(settings.pop("n_estimators", value_tree_count(len(target))))
    if settings.pop("amount", "gamma") == "lognormal":
        return fit_trees(X, np.log(target), settings, [count], "regression", machine)[0]
    objective = "gamma" if estimator == "hurdle" else "tweedie"
    return fit_trees(X, target, settings, [count], objective, machine, more)[0]


def highest_taught(positive: Floats) -> float:
    """Where values are cut while teaching: the 99.5 % point, and 3.5 robust deviations of the logarithm."""
    logs = np.log(positive)
    middle = np.median(logs)
    deviation = max(1.4826 * float(np.median(np.abs(logs - middle))), 0.5)
    return float(min(np.quantile(positive, 0.995), np.exp(min(middle + 3.5 * deviation, logs.max()))))
