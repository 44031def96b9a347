"""LightGBM with defaults for shops: shallow, strongly regularised, growing with the rows, repeatable to the bit."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.errors import ConfigError, ModelError, nearest

TREE_PARAMS = (
    "n_estimators",
    "num_leaves",
    "max_depth",
    "learning_rate",
    "min_child_samples",
    "min_split_gain",
    "lambda_l1",
    "lambda_l2",
    "feature_fraction",
    "feature_fraction_bynode",
    "bagging_fraction",
    "bagging_freq",
    "max_bin",
    "path_smooth",
    "extra_trees",
)

_MANY_ROWS = 50_000
_VERY_MANY_ROWS = 200_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeModel:
    """A LightGBM booster read from its own text. ``trees``: how many of its trees count."""

    booster: Any
    trees: int
    threads: int

    @property
    def n_features(self) -> int:
        """How many columns it was taught on."""
        return int(self.booster.num_feature())

    def margin(self, X: Floats) -> Floats:
        """Raw scores, (n,): log odds of a binary model, the log of the mean of a gamma or tweedie model."""
        return self._predict(X, raw_score=True).reshape(len(X))

    def contributions(self, X: Floats) -> Floats:
        """Exact SHAP values of the raw score, (n, features + 1), the bias last (LightGBM's ``pred_contrib``)."""
        return self._predict(X, pred_contrib=True).reshape(len(X), self.n_features + 1)

    def text(self) -> str:
        """LightGBM's own text, with the counted trees only."""
        return str(self.booster.model_to_string(num_iteration=self.trees))

    def _predict(self, X: Floats, **kind: bool) -> Floats:
        if not len(X):
            return np.zeros(0)
        return np.asarray(self.booster.predict(X, num_iteration=self.trees, num_threads=self.threads, **kind))


def staged_margins(models: Sequence[TreeModel], X: Floats) -> list[Floats]:
    """The margin of each model, (n,), models being views of one booster with rising tree counts: every tree runs once."""
    said, before, total = [], 0, np.zeros(len(X))
    for model in models:
        if len(X) and model.trees > before:
            more = {"start_iteration": before, "num_iteration": model.trees - before, "num_threads": model.threads}
            total = total + np.asarray(model.booster.predict(X, raw_score=True, **more))
        said.append(total)
        before = model.trees
    return said


def read_trees(text: str, threads: int) -> TreeModel:
    """The model of a LightGBM text; ModelError where it is none."""
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise ModelError(f"A LightGBM text was asked for; found something else ({error}). Train again.") from None
    return TreeModel(booster, booster.current_iteration(), threads)


def default_tree_params(rows: int, rarer: int) -> dict[str, Any]:
    """LightGBM parameters for ``rows`` training rows of which ``rarer`` have the rarer outcome.

    Trees of 7 leaves below 20,000 rows of the rarer outcome, 15 below 200,000, then 31; leaves of at least
    √rows / 2 rows; larger steps where there are many rows, to keep the time down.
    """
    many = rows >= _MANY_ROWS
    return {
        "num_leaves": 7 if rarer < 20_000 else 15 if rarer < 200_000 else 31,
        "learning_rate": 0.1 if many else 0.05,
        "min_child_samples": max(10, int(np.sqrt(rows) / 2)),
        "lambda_l2": 5.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "bin_construct_sample_cnt": 50_000,
    }


def tree_counts(rows: int) -> tuple[int, ...]:
    """How many trees are tried, fewest first."""
    if rows < _MANY_ROWS:
        return (40, 80, 160, 320)
    return (30, 60, 100) if rows < _VERY_MANY_ROWS else (50, 100, 200)


def check_tree_params(params: dict[str, Any], key: str) -> None:
    """Nothing, or ConfigError where ``key`` holds a name that is not one of ours or a value LightGBM cannot take."""
    for name, value in params.items():
        if name not in TREE_PARAMS:
            raise ConfigError(
                f"{key} asks LightGBM for '{name}', which is not a parameter to set.{nearest(name, TREE_PARAMS)} "
                f"Parameters are {', '.join(TREE_PARAMS)}."
            )
        if isinstance(value, str) or not np.isscalar(value):
            raise ConfigError(f"{key}.{name} asks for a number; found {value!r}.")


def fit_trees(
    X: Floats,
    y: Floats,
    params: dict[str, Any],
    counts: Sequence[int],
    objective: str,
    machine: tuple[int, int],
    more: Floats | None = None,
) -> list[TreeModel]:
    """One model per tree count, all views of one training run.

    X: (n, features) with gaps as NaN. y: the target of ``objective`` (binary, gamma, tweedie). machine: the seed and the
    number of threads. more: columns that stand after those of X, (n,) or (n, k), so that X need not be copied.
    """
    import lightgbm

    seed, threads = machine
    settings = {
        **params,
        "objective": objective,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if objective == "tweedie":
        settings["tweedie_variance_power"] = 1.5
    settings.pop("n_estimators", None)
    # Names of our own: LightGBM refuses some characters that a customer's column may hold.
    try:
        rows = lightgbm.Dataset(X, y, feature_name=_names(0, X), params=settings, free_raw_data=True)
        if more is not None:
            _add_columns(rows, more.reshape(len(X), -1), settings)
        booster = lightgbm.train(settings, rows, num_boost_round=max(counts))
    except lightgbm.basic.LightGBMError as error:
        reason = re.sub(r" at \S+, line \d+ \.\s*", "", str(error)).strip()
        raise ConfigError(f"LightGBM refused its parameters: {reason}. Change them or leave them out.") from None
    trained = read_trees(booster.model_to_string(num_iteration=-1), threads)
    return [TreeModel(trained.booster, min(count, trained.trees), threads) for count in counts]


def _names(first: int, X: Floats) -> list[str]:
    return [f"f{first + position}" for position in range(X.shape[1])]


def _add_columns(rows: Any, more: Floats, settings: dict[str, Any]) -> None:
    import lightgbm

    first = rows.construct().num_feature()
    added = lightgbm.Dataset(more, feature_name=_names(first, more), params=settings, free_raw_data=True)
    with warnings.catch_warnings():
        # It warns that raw values, which are freed here on purpose, are not there to be joined.
        warnings.simplefilter("ignore", UserWarning)
        rows.add_features_from(added.construct())
