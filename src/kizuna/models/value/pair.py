"""Both conditional models with what stands between them: a first stage of their own, and the level of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizuna.models.churn.calibration import probability
from kizuna.models.learners.linear import LinearModel, fit_linear, thinned
from kizuna.models.value.btyd import RhythmValue, fit_rhythm_values, rhythm_value
from kizuna.models.value.conditional import NOTHING, ConditionalModel, fit_conditional
from kizuna.models.value.level import ValueLevel, fit_level
from kizuna.models.value.mean import MeanModel, MeanTask, fit_mean
from kizuna.models.value.rhythm import RhythmModel, fit_rhythm

ValueModel = ConditionalModel | MeanModel | RhythmValue

_STAGE_PENALTY = 0.03
_ENOUGH = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChurnForecast:
    """What the churn model says of the same rows, out of fold.

    probability: (n,), NaN where never tested. moves: (n,), the log odds by which it allows for the season of each row's day;
    None: it does not.
    """

    probability: ArrayLike
    moves: ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class TaughtValues:
    """X (n, features); value (n,), net of returns; lost (n,) 0/1; as_of (n,) day numbers, None where there is no time.

    churn_moves (n,): log odds that the churn model allows for on a day's season, which the level then does not tell again.
    """

    X: Floats
    value: Floats
    lost: Floats
    as_of: NDArray[np.int64] | None
    churn_moves: Floats | None = None


@dataclass(frozen=True)
class ValueRecipe:
    """What is fitted: the estimator by name, its parameters, column names, lengths of both windows, seed and threads.

    ``windows``: value window and churn window, days. ``churn_is_silence``: churned means no purchase in the churn window.
    """

    estimator: str
    params: dict[str, Any]
    names: Sequence[str]
    windows: tuple[float, float]
    seed: int
    threads: int
    churn_is_silence: bool = True


@dataclass(frozen=True, eq=False)
class ValuePair:
    """Value if kept, value if churned. ``stage``: log odds of churn, where no churn model says them."""

    kept: ValueModel
    churned: ValueModel
    stage: LinearModel
    level: ValueLevel

    def conditional(self, X: Floats, as_of: ArrayLike | None) -> Floats:
        """Both values, (n, 2), finite and at least 0. as_of: one day for all or one each; None leaves the level as learned."""
        both = np.column_stack([self.kept.predict(X), self.churned.predict(X)])
        return both if as_of is None else both * np.broadcast_to(self.level.factor(as_of), len(X))[:, None]

    def churn_probability(self, X: Floats) -> Floats:
        """Probability of churn by the own first stage, (n,)."""
        return probability(self.stage.margin(X))


def mixed(conditional: Floats, p: Floats) -> Floats:
    """Expected value, (n,): (1 − p) · value if kept + p · value if churned."""
    return np.asarray((1 - p) * conditional[:, 0] + p * conditional[:, 1])


def fit_pair(rows: TaughtValues, taught: NDArray[np.intp], recipe: ValueRecipe) -> ValuePair:
    """Both models, the first stage and the level, taught on the rows at these positions.

    Rows may be millions: a kind's are copied while its model is taught, and no more at a time.
    """
    kept, churned = _fit_both(rows, taught, recipe)
    some = taught[thinned(len(taught), rows.X.shape[1])]
    (stage,) = fit_linear(rows.X[some], rows.lost[some], None, [_STAGE_PENALTY])
    pair = ValuePair(kept, churned, stage, ValueLevel())
    if rows.as_of is None:
        return pair
    some = _evenly(taught)
    X = rows.X[some]
    moves = 0.0 if rows.churn_moves is None else rows.churn_moves[some]
    said = mixed(pair.conditional(X, None), probability(stage.margin(X) + moves))
    return ValuePair(kept, churned, stage, fit_level(rows.as_of[some], rows.value[some], said))


def _fit_both(rows: TaughtValues, taught: NDArray[np.intp], recipe: ValueRecipe) -> tuple[ValueModel, ValueModel]:
    # Who cancels has paid until then; who is silent for the whole window has bought nothing.
    ends_within = recipe.churn_is_silence and recipe.windows[0] <= recipe.windows[1]
    rhythm, machine = None, (recipe.seed, recipe.threads)
    if recipe.estimator in ("auto", "btyd"):
        rhythm = fit_rhythm(rows.X[_evenly(taught)], recipe.names, recipe.windows)
    if recipe.estimator == "btyd":
        assert rhythm is not None
        kept, churned = _fit_btyd(rows, taught, rhythm, recipe.churn_is_silence)
        return kept, NOTHING if ends_within else churned
    task = MeanTask(recipe.names, recipe.params, *machine)

    def one(outcome: int) -> ValueModel:
        mine = taught[rows.lost[taught] == outcome]
        X, value = rows.X[mine], rows.value[mine]
        if recipe.estimator == "auto":
            said = None if rhythm is None else rhythm_value(rhythm, outcome, recipe.churn_is_silence)
            return fit_mean(X, value, said, task)
        return fit_conditional(X, value, recipe.estimator, recipe.params, machine)

    return one(0), NOTHING if ends_within else one(1)


def _fit_btyd(
    rows: TaughtValues, taught: NDArray[np.intp], rhythm: RhythmModel, churn_is_silence: bool
) -> tuple[RhythmValue, RhythmValue]:
    """Both models with their levels; only the columns that they read are copied."""
    X, narrow = rows.X[np.ix_(taught, np.array(rhythm.positions))], rhythm.narrowed()
    plain = rhythm_value(narrow, 0, churn_is_silence), rhythm_value(narrow, 1, churn_is_silence)
    kept, churned = fit_rhythm_values(X, rows.value[taught], rows.lost[taught], plain)
    return replace(kept, rhythm=rhythm), replace(churned, rhythm=rhythm)


def _evenly(taught: NDArray[np.intp]) -> NDArray[np.intp]:
    """About 100,000 of the positions, evenly spaced: enough for four parameters, and for a ratio of sums."""
    return taught[:: max(1, len(taught) // _ENOUGH)]
