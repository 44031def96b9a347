"""The value model: what a customer is worth if kept, and if lost, as two conditional models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from kizuna.models.columns import learn_columns, read_columns
from kizuna.models.conditional import NOTHING, ConditionalModel, check_value_estimator, fit_conditional
from kizuna.models.linear import fit_linear, thinned
from kizuna.models.splits import Split, pooled, stratified_splits

_STAGE_PENALTY = 0.03

Floats = NDArray[np.float64]


class CltvRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Expected net value over the value window: (1 − p) · value if kept + p · value if churned.

    estimator: 'hurdle' (share of positive values times a gamma mean), 'tweedie' (one model of both), or the import path
    of a scikit-learn regressor; each conditional model is one of them. params: its parameters. equal_windows: the value
    window ends within the churn window, so that who churns is worth 0. seed, threads: of everything that draws or
    computes.

    After ``fit``: ``oof_conditional_``, (n, 2), value if kept and if churned out of fold, NaN where never tested.
    """

    def __init__(
        self,
        estimator: str = "hurdle",
        params: dict[str, Any] | None = None,
        equal_windows: bool = False,
        seed: int = 7,
        threads: int = 1,
    ) -> None:
        self.estimator = estimator
        self.params = params
        self.equal_windows = equal_windows
        self.seed = seed
        self.threads = threads

    def fit(
        self, X: Any, y: ArrayLike, churned: ArrayLike | None = None, splits: Sequence[Split] | None = None
    ) -> CltvRegressor:
        """The regressor, fitted on all rows.

        X: (n, features), gaps as NaN. y: value in the value window, net of returns, may be negative. churned: 0/1 in
        the churn window (None: y ≤ 0). splits: what ``oof_conditional_`` is made by (None: five stratified folds).
        """
        machine = (self.seed, self.threads)
        check_value_estimator(self.estimator, dict(self.params or {}), machine)
        matrix, target = learn_columns(self, X, y)
        value = np.asarray(target, dtype=np.float64)
        lost = _outcome(value, churned)
        tests = list(splits) if splits else _default_splits(lost, value, self.seed)
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        with threadpool_limits(self.threads):
            self.kept_, self.churned_ = self._pair(matrix, value, lost, np.arange(len(value)))
            some = thinned(len(lost), matrix.shape[1])
            (self.stage_,) = fit_linear(matrix[some], lost[some], None, [_STAGE_PENALTY])
            parts = []
            for split in tests:
                models = self._pair(matrix, value, lost, split.train)
                parts.append(_both(models, matrix[split.test]))
            self.oof_conditional_ = pooled(parts, tests, len(value)) if tests else np.full((len(value), 2), np.nan)
        return self

    def conditional(self, X: Any) -> Floats:
        """Value if kept and value if churned, (n, 2), finite and at least 0, in the unit of y."""
        matrix = read_columns(self, X)
        return _both((self.kept_, self.churned_), matrix)

    def predict(self, X: Any, churn_probability: ArrayLike | None = None) -> Floats:
        """Expected value, (n,): (1 − p) · value if kept + p · value if churned.

        churn_probability: p of the churn model, (n,); None: a simple logistic first stage of this model's own.
        """
        matrix = read_columns(self, X)
        kept, lost = _both((self.kept_, self.churned_), matrix).T
        if churn_probability is None:
            p = np.exp(-np.logaddexp(0, -self.stage_.margin(matrix)))
        else:
            p = np.asarray(churn_probability, dtype=np.float64)
        return np.asarray((1 - p) * kept + p * lost)

    def _pair(
        self, X: Floats, value: Floats, lost: Floats, rows: NDArray[np.intp]
    ) -> tuple[ConditionalModel, ConditionalModel]:
        """Both conditional models, taught on these rows."""
        params, machine = dict(self.params or {}), (self.seed, self.threads)
        stayed, left = rows[lost[rows] == 0], rows[lost[rows] == 1]
        kept = fit_conditional(X[stayed], value[stayed], self.estimator, params, machine)
        if self.equal_windows:
            return kept, NOTHING
        return kept, fit_conditional(X[left], value[left], self.estimator, params, machine)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        # Values of customers are never predicted below zero, which the general score of a regressor cannot know.
        tags.regressor_tags.poor_score = True
        return tags


def _both(models: tuple[ConditionalModel, ConditionalModel], X: Floats) -> Floats:
    return np.column_stack([model.predict(X) for model in models])


def _outcome(value: Floats, churned: ArrayLike | None) -> Floats:
    if churned is None:
        return (value <= 0).astype(np.float64)
    lost = np.asarray(churned, dtype=np.float64)
    if lost.shape != value.shape or not np.isin(lost, (0, 1)).all():
        raise ValueError(
            f"churned asks for one 0 or 1 per row of y; found shape {lost.shape} for {len(value):,} rows, "
            f"with values {np.unique(lost)[:5].tolist()}. Pass the churn labels of the same rows."
        )
    return lost


def _default_splits(lost: Floats, value: Floats, seed: int) -> list[Split]:
    """Five folds with like shares of churned; where all or none churned, with like shares of high values."""
    return stratified_splits(lost, None, 5, seed) or stratified_splits(
        (value > np.median(value)).astype(np.float64), None, 5, seed
    )
