"""Tuning LightGBM by trial: what the search learns on earlier tests must hold on the newest one, or the defaults stay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError
from kizuna.models.ladder import SAME_SETTING_LOG_LOSS, fit_told_trees, log_loss
from kizuna.models.splits import Split, stratified_splits
from kizuna.models.task import Task, TaughtRows
from kizuna.models.trees import default_tree_params, tree_counts

# The first trials are drawn blindly and none is cut short before so many are done.
_BLIND_TRIALS = 8
_INNER_FOLDS = 3
_NORMAL_95 = 1.959963984540054
_DRAWN = ("num_leaves", "learning_rate", "min_child_samples", "lambda_l2", "feature_fraction", "bagging_fraction")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TuneBudget:
    """How many trials at most, and how many minutes (None: as long as they take)."""

    trials: int
    minutes: float | None = None


@dataclass(frozen=True)
class TuneTrial:
    """One set of parameters tried. ``log_loss``: the mean over the tests it came to; state: complete or pruned."""

    number: int
    params: dict[str, Any]
    log_loss: float
    state: str


@dataclass(frozen=True)
class Tuned:
    """What a search found. ``params``: to train with, the defaults' ({}) where it did not help; ``text`` says which and why.

    ``gain``: how much lower than the defaults' the log loss is on rows that no trial saw; ``low``, ``high``: its 95 %
    interval, customers drawn. Positive is better.
    """

    params: dict[str, Any]
    helped: bool
    gain: float
    low: float
    high: float
    trials: tuple[TuneTrial, ...]
    text: str


def tune_trees(
    X: Floats, y: Floats, splits: Sequence[Split], task: Task, budget: TuneBudget, owner: NDArray[np.intp] | None = None
) -> Tuned:
    """The parameters of the lowest log loss on the earlier tests, if the newest test (the first split) bears them out.

    With one split the search is by customer inside its training part. Trials that are behind the median of those before
    them are cut short. One thread and the same number of finished trials give the same parameters. owner: the customer
    of each row as a number. Errors: ConfigError without the extra ``tune``.
    """
    if not splits:
        raise ConfigError("model.churn.tune_trials needs rows to test on; no split was possible. Set it to 0.")
    confirm, searched = splits[0], list(splits[1:])
    if not searched:
        inside = None if owner is None else owner[confirm.train]
        folds = stratified_splits(y[confirm.train], inside, _INNER_FOLDS, task.seed)
        searched = [Split(confirm.train[fold.train], confirm.train[fold.test]) for fold in folds]
    defaults = default_tree_params(task.rows, task.rarer)
    counts = tree_counts(task.rows)
    began = time.monotonic()
    trials, best = _search(X, y, searched, (task, defaults, counts), budget)
    minutes = (time.monotonic() - began) / 60
    rows = TaughtRows(X[confirm.train], y[confirm.train], task)
    (plain,) = fit_told_trees(rows, defaults, [_best_count(X, y, searched, (task, defaults, counts))])
    (tuned,) = fit_told_trees(rows, defaults | best, [int(best["n_estimators"])])
    unseen = X[confirm.test]
    gain, low, high = _gain(y[confirm.test], plain.margin(unseen), tuned.margin(unseen), _owners(owner, confirm))
    helped = gain > SAME_SETTING_LOG_LOSS
    cut = sum(trial.state == "pruned" for trial in trials)
    text = (
        f"Tuning tried {len(trials)} settings of LightGBM in {minutes:.1f} minutes ({cut} cut short). On the newest test, "
        f"which no trial saw, the best one's log loss is {abs(gain):.4f} {'lower' if gain > 0 else 'higher'} than the "
        f"defaults' (gain {gain:+.4f}, interval {low:+.4f} to {high:+.4f}): "
        + ("it is used." if helped else "that is no help, and the defaults stay.")
    )
    return Tuned(best if helped else {}, helped, gain, low, high, trials, text)


def _search(
    X: Floats,
    y: Floats,
    searched: Sequence[Split],
    setting: tuple[Task, dict[str, Any], tuple[int, ...]],
    budget: TuneBudget,
) -> tuple[tuple[TuneTrial, ...], dict[str, Any]]:
    """All trials in their order, the defaults first, and the best parameters."""
    optuna = _optuna()
    task, defaults, counts = setting

    def objective(trial: Any) -> float:
        params = _drawn(trial, task.rows, counts)
        tried = (*[count for count in counts if count < params["n_estimators"]], params["n_estimators"])
        losses: list[NDArray[np.float64]] = []
        for step, split in enumerate(searched):
            models = fit_told_trees(TaughtRows(X[split.train], y[split.train], task), defaults | params, tried)
            losses.append(np.array([log_loss(y[split.test], model.margin(X[split.test])) for model in models]))
            trial.report(float(np.mean(losses, axis=0).min()), step)
            if step + 1 < len(searched) and trial.should_prune():
                raise optuna.TrialPruned()
        means = np.mean(losses, axis=0)
        trial.set_user_attr("n_estimators", int(tried[int(means.argmin())]))
        return float(means.min())

    study = optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=task.seed, n_startup_trials=_BLIND_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_BLIND_TRIALS),
    )
    first = {name: value for name, value in defaults.items() if name in _DRAWN} | {"n_estimators": max(counts)}
    study.enqueue_trial(first)
    seconds = None if budget.minutes is None else budget.minutes * 60
    study.optimize(objective, n_trials=budget.trials, timeout=seconds, n_jobs=1)
    found = []
    for trial in study.trials:
        state = "pruned" if trial.state == optuna.trial.TrialState.PRUNED else "complete"
        value = trial.value if trial.value is not None else float("nan")
        found.append(TuneTrial(trial.number, trial.params | trial.user_attrs, value, state))
    best = study.best_trial
    return tuple(found), best.params | best.user_attrs


def _drawn(trial: Any, rows: int, counts: tuple[int, ...]) -> dict[str, Any]:
    """The next set of parameters to try."""
    return {
        "num_leaves": trial.suggest_int("num_leaves", 3, 63, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, max(20, int(2 * np.sqrt(rows))), log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 200.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "n_estimators": trial.suggest_int("n_estimators", min(counts), 2 * max(counts), log=True),
    }


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "tune_trials asks for a search, but Optuna is not installed. Install it: pip install 'kizuna[tune]'."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _best_count(
    X: Floats, y: Floats, searched: Sequence[Split], setting: tuple[Task, dict[str, Any], tuple[int, ...]]
) -> int:
    """How many trees the defaults would take by the same tests."""
    task, defaults, counts = setting
    losses = []
    for split in searched:
        models = fit_told_trees(TaughtRows(X[split.train], y[split.train], task), defaults, counts)
        losses.append([log_loss(y[split.test], model.margin(X[split.test])) for model in models])
    return int(counts[int(np.mean(losses, axis=0).argmin())])


def _owners(owner: NDArray[np.intp] | None, split: Split) -> NDArray[np.intp]:
    return split.test if owner is None else owner[split.test]


def _gain(y: Floats, plain: Floats, tuned: Floats, owner: NDArray[np.intp]) -> tuple[float, float, float]:
    """Mean of the rows' log loss saved, and its 95 % interval with customers as the units."""
    saved = (np.logaddexp(0, plain) - y * plain) - (np.logaddexp(0, tuned) - y * tuned)
    total = np.bincount(np.unique(owner, return_inverse=True)[1], weights=saved - saved.mean())
    error = float(np.sqrt((total**2).sum())) / len(y)
    mean = float(saved.mean())
    return mean, mean - _NORMAL_95 * error, mean + _NORMAL_95 * error
