"""The search for LightGBM's parameters: trials on past tests, while the newest test, which no trial sees, waits to decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError
from kizuna.models.learners.splits import Split, stratified_splits

# The first trials are drawn blindly and none is cut short before so many are done.
_BLIND_TRIALS = 8
_INNER_FOLDS = 3

Params = dict[str, Any]
Measure = Callable[[Params, Split], dict[int, float]]
"""The loss on a split's test, by number of trees, of what its training rows teach with these parameters."""


@dataclass(frozen=True)
class TuneLimits:
    """How many trials at most, how many minutes (None: as long as they take), and what is set already and not tried."""

    trials: int
    minutes: float | None = None
    fixed: Params = field(default_factory=dict)


@dataclass(frozen=True)
class TreeSpace:
    """Where trials are drawn from. ``first``: the parameters of the first one.

    ``rows``: that a model is taught on. ``counts``: the fewest and the most trees.
    """

    first: Params
    rows: int
    counts: tuple[int, int]

    def draw(self, trial: Any, fixed: Params) -> Params:
        """The next parameters to try, with those that are fixed."""
        whole: dict[str, tuple[int, int]] = {
            "num_leaves": (3, 63),
            "min_child_samples": (5, max(20, int(2 * np.sqrt(self.rows)))),
            "n_estimators": self.counts,
        }
        real = {
            "learning_rate": (0.01, 0.2, True),
            "lambda_l2": (0.1, 200.0, True),
            "feature_fraction": (0.1, 1.0, False),
            "bagging_fraction": (0.4, 1.0, False),
        }
        params: Params = {
            name: trial.suggest_int(name, *ends, log=True) for name, ends in whole.items() if name not in fixed
        }
        for name, (low, high, log) in real.items():
            if name not in fixed:
                params[name] = trial.suggest_float(name, low, high, log=log)
        return params | fixed


@dataclass(frozen=True)
class TuneTrial:
    """One set of parameters tried. ``loss``: the mean over the tests it came to; state: complete or pruned."""

    number: int
    params: Params
    loss: float
    state: str


@dataclass(frozen=True)
class Search:
    """All trials in their order, the best parameters of them, what they lose, and how many minutes it took."""

    trials: tuple[TuneTrial, ...]
    best: Params
    minutes: float

    @property
    def kept_defaults(self) -> bool:
        """Whether no trial did better than the defaults, which were tried first."""
        return self.best == self.trials[0].params

    @property
    def text(self) -> str:
        """What was done, in a clause."""
        cut = sum(trial.state == "pruned" for trial in self.trials)
        return f"tried {len(self.trials)} settings of LightGBM in {self.minutes:.1f} minutes ({cut} cut short)"


@dataclass(frozen=True)
class Tuned:
    """What a search found. ``params``: to train with, the defaults' ({}) where it did not help; ``text`` says which and why.

    ``measure``: the loss by name. ``gain``: how much lower than the defaults' it is on rows that no trial saw; ``low``,
    ``high``: its 95 % interval, customers drawn. Positive is better; NaN where nothing could be tried.
    """

    measure: str
    params: Params
    helped: bool
    gain: float
    low: float
    high: float
    trials: tuple[TuneTrial, ...]
    text: str


def untried(measure: str, text: str) -> Tuned:
    """The defaults, where no search was possible; ``text`` says why."""
    nan = float("nan")
    return Tuned(measure, {}, False, nan, nan, nan, (), text)


def is_help(gain: float, low: float, same: float) -> bool:
    """Whether a find is used: its gain on the test that decides is more than ``same``, and clear of zero (``low``)."""
    return gain > same and low > 0


def verdict(helped: bool) -> str:
    """The end of the text."""
    return "it is used." if helped else "that is no help, and the defaults stay."


def searched_tests(
    y: NDArray[np.float64], splits: Sequence[Split], owner: NDArray[np.intp] | None, seed: int
) -> tuple[Split, list[Split]]:
    """The newest test (the first split), which decides, and the tests of the trials, without any of its rows.

    Folds by customer teach by each other's tests, so those rows are left out of what teaches. Where there is no other
    test, the trials' are by customer inside the training part, y (0/1) in like shares; none where that is impossible.
    """
    confirm, *others = splits
    unseen = np.ones(len(y), dtype=bool)
    unseen[confirm.test] = False
    apart = [Split(split.train[unseen[split.train]], split.test[unseen[split.test]]) for split in others]
    if usable := [split for split in apart if _both(y[split.train]) and _both(y[split.test])]:
        return confirm, usable
    inside = None if owner is None else owner[confirm.train]
    folds = stratified_splits(y[confirm.train], inside, _INNER_FOLDS, seed)
    return confirm, [Split(confirm.train[fold.train], confirm.train[fold.test]) for fold in folds]


def _both(y: NDArray[np.float64]) -> bool:
    return len(y) > 0 and bool(y.min() != y.max())


def search_trees(
    measure: Measure, searched: Sequence[Split], space: TreeSpace, limits: TuneLimits, seed: int
) -> Search:
    """The parameters of the lowest mean loss over the tests; the first trial's are the space's own.

    Trials that are behind the median of those before them are cut short. One thread and the same number of finished
    trials give the same parameters; at least one trial is made. Errors: ConfigError without the extra ``tune``.
    """
    optuna = _optuna()

    def objective(trial: Any) -> float:
        params = space.draw(trial, limits.fixed)
        losses: list[dict[int, float]] = []
        for step, split in enumerate(searched):
            losses.append(measure(params, split))
            trial.report(min(_means(losses).values()), step)
            if step + 1 < len(searched) and trial.should_prune():
                raise optuna.TrialPruned()
        means = _means(losses)
        count = min(means, key=lambda count: (means[count], count))
        trial.set_user_attr("n_estimators", count)
        return means[count]

    study = optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=_BLIND_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_BLIND_TRIALS),
    )
    study.enqueue_trial(space.first)
    began = time.monotonic()
    study.optimize(objective, n_trials=1, n_jobs=1)
    seconds = None if limits.minutes is None else max(limits.minutes * 60 - (time.monotonic() - began), 0.0)
    if limits.trials > 1:
        study.optimize(objective, n_trials=limits.trials - 1, timeout=seconds, n_jobs=1)
    found = []
    for trial in study.trials:
        state = "pruned" if trial.state == optuna.trial.TrialState.PRUNED else "complete"
        value = trial.value if trial.value is not None else float("nan")
        found.append(TuneTrial(trial.number, trial.params | trial.user_attrs, value, state))
    best = study.best_trial
    return Search(tuple(found), best.params | best.user_attrs, (time.monotonic() - began) / 60)


def _means(losses: Sequence[dict[int, float]]) -> dict[int, float]:
    """The mean loss over the tests so far, by number of trees."""
    return {count: float(np.mean([loss[count] for loss in losses])) for count in losses[0]}


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "tune_trials asks for a search, but Optuna is not installed. Install it: pip install 'kizuna[tune]'."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
