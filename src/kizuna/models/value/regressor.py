"""The value model: what a customer is worth if kept, and if lost, as two conditional models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from kizuna.errors import ConfigError, ModelError
from kizuna.models.learners.columns import column_names, learn_columns, read_columns
from kizuna.models.learners.splits import Split, pooled, stratified_splits
from kizuna.models.value.conditional import check_value_estimator
from kizuna.models.value.interval import OutOfFoldRows, ValueIntervals, fit_intervals
from kizuna.models.value.mean import MeanModel, lacking_columns
from kizuna.models.value.pair import ChurnForecast, TaughtValues, ValueRecipe, fit_pair, mixed
from kizuna.models.value.rhythm import RHYTHM_COLUMNS, missing_columns

# So many rows of each test are enough to learn how far values fall from what was expected.
_SPREAD_ROWS = 20_000

Floats = NDArray[np.float64]


class CltvRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Expected net value over the value window: (1 − p) · value if kept + p · value if churned.

    estimator: 'auto' (the mean of Tweedie trees, a Tweedie regression and buy-till-you-die), 'hurdle' (share of positive
    values times a gamma or lognormal mean), 'tweedie' (trees of both at once), 'btyd' (expected orders times expected
    money an order), or the import path of a scikit-learn regressor. params: its parameters. horizon_days, churn_days:
    lengths of the value window and of the churn window, which begin together. seed, threads: of everything that draws or
    computes. churn_is_silence: churned means no purchase in the churn window, which tells buy-till-you-die how many
    orders to expect, and who churns is worth 0 where the churn window holds the value window. Not so for contracts: who
    cancels has paid until then.

    After ``fit``: ``why_`` (what was fitted, and why), ``oof_conditional_`` ((n, 2), value if kept and if churned out of
    fold, NaN where never tested), ``intervals_`` (None where no split was possible).
    """

    def __init__(
        self,
        estimator: str = "auto",
        params: dict[str, Any] | None = None,
        horizon_days: float = 365,
        churn_days: float = 90,
        seed: int = 7,
        threads: int = 1,
        churn_is_silence: bool = True,
    ) -> None:
        self.estimator = estimator
        self.params = params
        self.horizon_days = horizon_days
        self.churn_days = churn_days
        self.seed = seed
        self.threads = threads
        self.churn_is_silence = churn_is_silence

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        churned: ArrayLike | None = None,
        splits: Sequence[Split] | None = None,
        as_of: ArrayLike | None = None,
        churn: ChurnForecast | None = None,
    ) -> CltvRegressor:
        """The regressor, fitted on all rows.

        X: (n, features), gaps as NaN. y: value in the value window, net of returns, may be negative. churned: 0/1 in
        the churn window (None: y ≤ 0). splits: what the out-of-fold values are made by (None: five stratified folds).
        as_of: the day number of each row, by which the level follows season and growth (None: it does not).
        churn: what the churn model says out of fold of the rows that ``splits`` test, from which intervals learn (None:
        this model's own first stage's), and by how much it allows for the season, which the level then does not tell again.
        """
        check_value_estimator(self.estimator, dict(self.params or {}), (self.seed, self.threads))
        matrix, target = learn_columns(self, X, y)
        self._check_columns()
        value = np.asarray(target, dtype=np.float64)
        lost = _outcome(value, churned)
        days = None if as_of is None else np.asarray(as_of, dtype=np.int64)
        moves = None if churn is None or churn.moves is None else np.asarray(churn.moves, dtype=np.float64)
        rows = TaughtValues(matrix, value, lost, days, moves)
        tests = list(splits) if splits else _default_splits(lost, value, self.seed)
        p = None if churn is None else _tested(churn.probability, tests, len(value))
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        with threadpool_limits(self.threads):
            self.pair_ = fit_pair(rows, np.arange(len(value)), self._recipe())
            self._measure(rows, tests, p)
        self.why_ = self._why(rows)
        return self

    def _recipe(self) -> ValueRecipe:
        windows = (float(self.horizon_days), float(self.churn_days))
        params = dict(self.params or {})
        machine = (self.seed, self.threads)
        return ValueRecipe(self.estimator, params, column_names(self), windows, *machine, self.churn_is_silence)

    def _measure(self, rows: TaughtValues, tests: list[Split], given: Floats | None) -> None:
        """Values out of fold, and what intervals learn from them."""
        parts, tested = [], []
        for number, split in enumerate(tests):
            pair = fit_pair(rows, split.train, self._recipe())
            both = pair.conditional(rows.X[split.test], None if rows.as_of is None else rows.as_of[split.test])
            parts.append(both)
            step = max(1, len(both) // _SPREAD_ROWS)
            some = split.test[::step]
            p = pair.churn_probability(rows.X[some]) if given is None else given[some]
            fold = np.full(len(some), number, dtype=np.intp)
            tested.append(OutOfFoldRows(both[::step], p, rows.value[some], rows.lost[some], fold))
        self.oof_conditional_ = (
            pooled(parts, tests, len(rows.value)) if tests else np.full((len(rows.value), 2), np.nan)
        )
        self.intervals_: ValueIntervals | None = fit_intervals(_together(tested)) if tests else None

    def conditional(self, X: Any, as_of: ArrayLike | None = None) -> Floats:
        """Value if kept and value if churned, (n, 2), finite and at least 0, in the unit of y.

        as_of: the day number of X, one for all or one each, whose season is then allowed for; None leaves the level as learned.
        """
        matrix = read_columns(self, X)
        return self.pair_.conditional(matrix, as_of)

    def predict(self, X: Any, churn_probability: ArrayLike | None = None, as_of: ArrayLike | None = None) -> Floats:
        """Expected value, (n,): (1 − p) · value if kept + p · value if churned.

        churn_probability: p of the churn model, (n,); None: a simple logistic first stage of this model's own. as_of: as
        in ``conditional``.
        """
        matrix = read_columns(self, X)
        return mixed(self.pair_.conditional(matrix, as_of), self._probability(matrix, churn_probability))

    def interval(
        self,
        X: Any,
        churn_probability: ArrayLike | None = None,
        coverage: float = 0.8,
        as_of: ArrayLike | None = None,
    ) -> Floats:
        """Lower and upper bound, (n, 2), between which the values of a share ``coverage`` of customers fall.

        A loss counts as 0. The share is one over all customers; it holds as far as the time to come is like the folds of
        training. ModelError where no fold was possible, ValueError for a coverage that is no share.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"A coverage of {coverage} was asked for. It is a share between 0 and 1, such as 0.8.")
        matrix = read_columns(self, X)
        if self.intervals_ is None:
            raise ModelError(
                "Intervals of value were asked for, but no fold was possible in training. Load more history."
            )
        p = self._probability(matrix, churn_probability)
        return self.intervals_.bounds(self.pair_.conditional(matrix, as_of), p, float(coverage))

    def _probability(self, matrix: Floats, given: ArrayLike | None) -> Floats:
        return self.pair_.churn_probability(matrix) if given is None else np.asarray(given, dtype=np.float64)

    def _check_columns(self) -> None:
        missing = missing_columns(column_names(self))
        if self.estimator == "btyd" and missing:
            raise ConfigError(
                f"model.cltv.estimator btyd reads {', '.join(RHYTHM_COLUMNS)}; the training set lacks {', '.join(missing)}. "
                "Keep the family purchases in features.families and out of features.exclude, or choose auto or tweedie."
            )

    def _why(self, rows: TaughtValues) -> str:
        data = f"{len(rows.value):,} rows, {int(rows.lost.sum()):,} churned, {int((rows.value > 0).sum()):,} with value"
        if self.estimator != "auto":
            return f"{self.estimator} was asked for; {data}."
        if lacking := lacking_columns(column_names(self)):
            return f"Tweedie trees alone, because columns are missing: {', '.join(lacking)}; {data}."
        if isinstance(self.pair_.kept, MeanModel):
            return f"the mean of Tweedie trees, a Tweedie regression and MBG/NBD with Gamma-Gamma; {data}."
        return f"the average of each outcome, because too few of those who stayed hold value to learn more; {data}."

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        # Values of customers are never predicted below zero, which the general score of a regressor cannot know.
        tags.regressor_tags.poor_score = True
        return tags


def _together(parts: Sequence[OutOfFoldRows]) -> OutOfFoldRows:
    columns = ([getattr(part, name) for part in parts] for name in ("conditional", "p", "value", "lost", "fold"))
    return OutOfFoldRows(*(np.concatenate(column) for column in columns))


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


def _tested(given: ArrayLike, tests: Sequence[Split], rows: int) -> Floats:
    p = np.asarray(given, dtype=np.float64)
    tested = np.concatenate([split.test for split in tests]) if tests else np.zeros(0, dtype=np.intp)
    if p.shape != (rows,):
        raise ValueError(
            f"churn.probability asks for one number per row of y; found shape {p.shape} for {rows:,} rows. "
            "Pass the out-of-fold probabilities of the same splits."
        )
    if wrong := int((~((p[tested] >= 0) & (p[tested] <= 1))).sum()):
        raise ValueError(
            f"churn.probability asks for a number between 0 and 1 for each row that splits test; {wrong:,} of "
            f"{len(tested):,} have none. Pass the out-of-fold probabilities of the same splits."
        )
    return p


def _default_splits(lost: Floats, value: Floats, seed: int) -> list[Split]:
    """Five folds with like shares of churned; where all or none churned, with like shares of high values."""
    return stratified_splits(lost, None, 5, seed) or stratified_splits(
        (value > np.median(value)).astype(np.float64), None, 5, seed
    )
