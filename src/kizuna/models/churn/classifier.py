"""The churn model: a scikit-learn classifier that chooses among the rungs of a ladder and calibrates what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from kizuna.errors import ConfigError
from kizuna.models.churn.blend import blend_trial
from kizuna.models.churn.calibration import probability
from kizuna.models.churn.ladder import BLENDED, Trial, build_ladder, try_rungs
from kizuna.models.churn.out_of_fold import TrainingRows, calibrations_by_then, shipped_calibration
from kizuna.models.churn.task import MarginModel, Task, TaughtRows
from kizuna.models.learners.columns import column_names, learn_columns, read_columns
from kizuna.models.learners.splits import Split, pooled, stratified_splits

# With fewer churners or stayers than this, splits cannot tell models apart.
ENOUGH_TO_CHOOSE = 50
SAME_AUC = 0.001
# How much less log loss another model must have than the blend to be taken instead.
AHEAD_OF_BLEND = 0.005
SAME_LOG_LOSS = 0.001
_CALIBRATIONS = ("auto", "platt", "isotonic", "none")

Floats = NDArray[np.float64]


class ChurnClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Calibrated probability of churn.

    estimator: 'auto' (the blend of btyd, rfm, rfm_btyd, logistic and lightgbm, unless one of them is clearly ahead out of
    fold), 'blend', 'rule', one of those five, or the import path of a scikit-learn classifier. params: its parameters; with
    'auto', by name of the model. calibration: 'auto', 'platt', 'isotonic' or 'none'. horizon_days: of the label, for rule
    and btyd. seed, threads: of everything that draws or computes. What btyd says is also a column of rfm_btyd, logistic
    and lightgbm.

    After ``fit``: ``estimator_name_`` and ``why_`` (what was chosen, and the numbers), ``candidates_`` (what was tried),
    ``oof_probability_`` (out-of-fold probability per training row, NaN where never tested), ``calibration_``.
    """

    def __init__(
        self,
        estimator: str = "auto",
        params: dict[str, Any] | None = None,
        calibration: str = "auto",
        horizon_days: float = 90,
        seed: int = 7,
        threads: int = 1,
    ) -> None:
        self.estimator = estimator
        self.params = params
        self.calibration = calibration
        self.horizon_days = horizon_days
        self.seed = seed
        self.threads = threads

    def fit(
        self, X: Any, y: ArrayLike, splits: Sequence[Split] | None = None, groups: ArrayLike | None = None
    ) -> ChurnClassifier:
        """The classifier, chosen out of fold and refitted on all rows.

        X: (n, features), gaps as NaN. y: two classes, the later in sort order is churn. splits: what chooses, measures
        and calibrates (None: five stratified folds). groups: one customer's rows share a value and are kept together.
        """
        data = self._learn(X, y, groups)
        tests = list(splits) if splits else stratified_splits(data.y, data.owner, seed=self.seed)
        with _threads(self.threads):
            chosen = self._choose(data, tests)
            rows = TaughtRows(data.X, data.y, data.task)
            self.model_: MarginModel = chosen.rung.fit(rows, [chosen.setting])[0]
            self._calibration = shipped_calibration(chosen, data, tests, self.calibration, self.seed)
            self.calibration_ = self._calibration.to_json()
            self.oof_probability_ = self._out_of_fold(chosen, data, tests)
        return self

    def out_of_fold(self, X: Any, y: ArrayLike, splits: Sequence[Split], groups: ArrayLike | None = None) -> Floats:
        """What ``fit`` with these arguments would leave in ``oof_probability_``, without the model itself, (n,)."""
        data, tests = self._learn(X, y, groups), list(splits)
        with _threads(self.threads):
            return self._out_of_fold(self._choose(data, tests), data, tests)

    def _learn(self, X: Any, y: ArrayLike, groups: ArrayLike | None) -> TrainingRows:
        if self.calibration not in _CALIBRATIONS:
            raise ConfigError(
                f"model.churn.calibration asks for one of {', '.join(_CALIBRATIONS)}; found {self.calibration!r}."
            )
        matrix, labels = learn_columns(self, X, y)
        self.classes_, outcome = _two_classes(labels)
        owners = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        rarer = int(min(outcome.sum(), (1 - outcome).sum()))
        names = tuple(column_names(self))
        task = Task(names, len(outcome), rarer, float(self.horizon_days), self.seed, self.threads)
        return TrainingRows(matrix, outcome, owners, task)

    def _choose(self, data: TrainingRows, tests: list[Split]) -> Trial:
        y = data.y
        rungs = build_ladder(self.estimator, self.params, data.task)
        rarer = _rarer_customers(data)
        alone = rarer[0] < ENOUGH_TO_CHOOSE and self.estimator == "auto"
        trials = try_rungs(rungs[:1] if alone else rungs, data.X, y, tests, data.task)
        parts = {trial.rung.name: trial for trial in trials}
        blended = [parts[name] for name in BLENDED if name in parts]
        if self.estimator in ("auto", "blend") and len(blended) > 1:
            trials.append(blend_trial(blended, y, tests))
        chosen = trials[-1] if self.estimator == "blend" else _choose(trials)
        self.estimator_name_ = chosen.rung.name
        self.candidates_ = [_describe(trial, trial is chosen) for trial in trials]
        self.why_ = self._why(chosen, trials, (len(y), int(y.sum()), len(tests)), rarer if alone else None)
        return chosen

    def _out_of_fold(self, chosen: Trial, data: TrainingRows, tests: list[Split]) -> Floats:
        maps = calibrations_by_then(chosen, data, tests, self.calibration, self.seed)
        parts = [probability(by.apply(margin)) for by, margin in zip(maps, chosen.margins, strict=True)]
        return pooled(parts, tests, len(data.y))

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities, (n, 2), of the classes in the order of ``classes_``; the second is churn."""
        matrix = read_columns(self, X)
        p = probability(self._calibration.apply(self.model_.margin(matrix)))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier class of each row, (n,)."""
        likelier = (self.predict_proba(X)[:, 1] > 0.5).astype(np.intp)
        return np.asarray(self.classes_[likelier])

    def contributions(self, X: Any) -> Floats:
        """Additive parts of the calibrated log odds, (n, features + 1), the bias last; rows sum to log(p / (1 − p)).

        Exact for rule and btyd (Shapley against the training medians), regressions (against the training means),
        lightgbm (TreeSHAP) and their blend; sampled Shapley values against the training medians for others. The part of
        the column that btyd makes goes to the columns that it is made of.
        """
        matrix = read_columns(self, X)
        return self._calibration.contributions(self.model_.contributions(matrix))

    def _why(
        self, chosen: Trial, trials: list[Trial], counts: tuple[int, int, int], few: tuple[int, str] | None
    ) -> str:
        rows, churned, tests = counts
        data = f"{rows:,} rows, {churned:,} churned"
        if few:
            return (
                f"{chosen.rung.name} was taken because only {few[0]} customers {few[1]} ({data}): the models above it are "
                f"tried once {ENOUGH_TO_CHOOSE} have, fewer do not tell models apart."
            )
        measured = "; ".join(f"{t.rung.name} {_number(t.auc)} (log loss {_number(t.log_loss)})" for t in trials)
        how = f"mean AUC over {tests} splits" if tests else "no split was possible"
        if self.estimator != "auto":
            return f"{chosen.rung.name} was asked for; {how}: {measured}; {data}."
        if any(trial.rung.name == "blend" for trial in trials):
            reason = "no other having" if chosen.rung.name == "blend" else "having"
            return f"{chosen.rung.name} was chosen, {reason} {AHEAD_OF_BLEND} less log loss; {how}: {measured}; {data}."
        tied = [t.rung.name for t in trials if t is not chosen and t.auc > chosen.auc - SAME_AUC]
        within = f" (within {SAME_AUC} of {' and '.join(tied)}, where log loss, then simplicity decide)" if tied else ""
        return f"{chosen.rung.name} was chosen by {how}: {measured}{within}; {data}."

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def _threads(count: int) -> Any:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(count)


def _two_classes(labels: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """The classes, and 1.0 where a row has the later one. 0 or 1 alone still belong to the pair 0, 1."""
    check_classification_targets(labels)
    classes = np.unique(labels)
    if len(classes) > 2:
        raise ValueError(
            f"Only binary classification is supported: churned or not. Found {len(classes)} classes in y. "
            "Code them as two."
        )
    if len(classes) == 1:
        if labels.dtype.kind not in "biuf" or classes[0] not in (0, 1):
            raise ValueError(f"Two classes are asked for; y has one class, '{classes[0]}'. Give rows of both.")
        classes = np.array([0, 1]).astype(labels.dtype)
    return classes, (labels == classes[1]).astype(np.float64)


def _choose(trials: list[Trial]) -> Trial:
    """The blend, unless another is clearly likelier; without a blend the highest AUC.

    Among equal ones the lowest log loss; among equal ones the simplest, which stands first. Choosing by a few folds picks
    the luckiest model; what several models agree on has held better on the days that came after.
    """
    if len(trials) == 1 or all(np.isnan(trial.auc) for trial in trials):
        return trials[0]
    blend = next((trial for trial in trials if trial.rung.name == "blend"), None)
    if blend is not None:
        likeliest = min(trials, key=lambda trial: trial.log_loss)
        return likeliest if likeliest.log_loss < blend.log_loss - AHEAD_OF_BLEND else blend
    best = max(trial.auc for trial in trials if not np.isnan(trial.auc))
    near = [trial for trial in trials if trial.auc > best - SAME_AUC]
    least = min(trial.log_loss for trial in near)
    return next(trial for trial in near if trial.log_loss < least + SAME_LOG_LOSS)


def _describe(trial: Trial, chosen: bool) -> dict[str, Any]:
    numbers = {"auc": trial.auc, "log_loss": trial.log_loss}
    known = {name: None if np.isnan(value) else value for name, value in numbers.items()}
    return {"rung": trial.rung.name, **known, "setting": dict(trial.setting), "chosen": chosen}


def _rarer_customers(data: TrainingRows) -> tuple[int, str]:
    """How many customers show the rarer outcome (rows, where customers are not told), and what it is."""
    owner = np.arange(len(data.y)) if data.owner is None else data.owner
    stayed, churned = (len(np.unique(owner[data.y == outcome])) for outcome in (0, 1))
    return (churned, "churned") if churned <= stayed else (stayed, "stayed")


def _number(value: float) -> str:
    return "not measurable" if np.isnan(value) else f"{value:.4f}"
