"""The difference between two arms, adjusted by what was known on the list's day, with an interval that heavy tails do not break.

Each arm is regressed on the centred covariates, so that the difference of the two intercepts is the mean effect (Lin 2013,
"Agnostic notes on regression adjustments to experimental data", section 4: the same as one regression with interactions);
standard errors are HC2. With a few dozen controls, a t interval is wrong on one side: a control arm that misses
the big spenders looks both poor and certain. So the t value is judged by its own distribution over redrawn arms (Zhao &
Ding 2021, "Covariate-adjusted Fisher randomization tests for the average treatment effect", section 4), which is exact for
an effect that is the same for all, and right in large samples whatever the effects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

LEAST_IN_STRATUM = 5
_DRAWS = 1999
_DRAWN_AT_ONCE = 2_000_000
_SEED = 20_130_701
_Z_POWER = NormalDist().inv_cdf(0.8)
_Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Difference:
    """Target less control: ``estimate`` with its 95 % interval ``low`` to ``high``, HC2 ``error``, two-sided ``p_value``.

    ``plain``: the difference of the means without adjustment. ``control_mean``: of the outcome. ``t_values``: those of
    the redrawn arms, sorted, from which intervals of other levels follow.
    """

    estimate: float
    low: float
    high: float
    error: float
    p_value: float
    plain: float
    control_mean: float
    target_rows: int
    control_rows: int
    t_values: FloatArray

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of another level."""
        low, high = np.quantile(self.t_values, [(1 + level) / 2, (1 - level) / 2]).tolist()
        return self.estimate - low * self.error, self.estimate - high * self.error


def adjusted_difference(
    outcome: npt.ArrayLike, target: npt.ArrayLike, covariates: npt.ArrayLike, strata: npt.ArrayLike | None = None
) -> Difference | None:
    """The mean effect over all rows; None where an arm is too small, or the outcome does not vary within it.

    ``outcome``: one number a row. ``target``: true for the target arm. ``covariates``: rows × columns, all known before the
    arms were drawn. ``strata``: whole numbers; target is compared with control of the same stratum, and each counts by its rows.
    Strata in which an arm has fewer than ``LEAST_IN_STRATUM`` rows must be left out before: ``comparable_rows``.
    """
    values, treated = np.asarray(outcome, dtype=np.float64), np.asarray(target, dtype=bool)
    design = _design(np.asarray(covariates, dtype=np.float64).reshape(len(values), -1), strata, treated)
    arms = int(treated.sum()), int((~treated).sum())
    if min(arms) < design.shape[1] + LEAST_IN_STRATUM:
        return None
    estimate, error = (float(part[0]) for part in _fit(values, design, treated[None, :]))
    if not error > 1e-12 * float(np.abs(values).max(initial=0.0)):
        return None
    t_values = np.sort(_redrawn(values - estimate * treated, design, treated, strata))
    low, high = np.quantile(t_values, [0.975, 0.025]).tolist()
    seen = estimate / error
    tail = min(int((t_values >= seen).sum()), int((t_values <= seen).sum()))
    return Difference(
        estimate=estimate,
        low=estimate - low * error,
        high=estimate - high * error,
        error=error,
        p_value=min(1.0, 2.0 * (tail + 1) / (len(t_values) + 1)),
        plain=float(values[treated].mean() - values[~treated].mean()),
        control_mean=float(values[~treated].mean()),
        target_rows=arms[0],
        control_rows=arms[1],
        t_values=t_values,
    )


def comparable_rows(target: npt.ArrayLike, strata: npt.ArrayLike) -> BoolArray:
    """The rows of strata in which both arms have at least ``LEAST_IN_STRATUM`` rows."""
    treated, codes = np.asarray(target, dtype=bool), np.asarray(strata)
    numbers = np.unique(codes, return_inverse=True)[1]
    size = numbers.max(initial=-1) + 1
    least = np.minimum(np.bincount(numbers[treated], minlength=size), np.bincount(numbers[~treated], minlength=size))
    return np.asarray(least[numbers] >= LEAST_IN_STRATUM)


def customers_needed(difference: Difference, effect: float) -> int:
    """How many customers, in the same arms, would show an effect of this size in 4 of 5 cases at a 5 % two-sided level."""
    rows = difference.target_rows + difference.control_rows
    return math.ceil(rows * ((_Z_95 + _Z_POWER) * difference.error / abs(effect)) ** 2) if effect else 0


def visible_effect(target_rows: int, control_rows: int, outcome_sd: float) -> float:
    """The smallest difference of means that so many rows show in 4 of 5 cases at a 5 % two-sided level; NaN for an empty arm.

    ``outcome_sd``: the standard deviation of the outcome, or of what adjustment leaves of it.
    """
    if min(target_rows, control_rows) < 1:
        return math.nan
    return (_Z_95 + _Z_POWER) * outcome_sd * math.sqrt(1 / target_rows + 1 / control_rows)


def winsorised(outcome: npt.ArrayLike, share: float = 0.01) -> FloatArray:
    """The outcome with the lowest and the highest ``share`` of rows drawn in to the value there, in both arms alike."""
    values = np.asarray(outcome, dtype=np.float64)
    low, high = np.quantile(values, [share, 1 - share])
    return np.clip(values, low, high)


def _design(covariates: FloatArray, strata: npt.ArrayLike | None, treated: BoolArray) -> FloatArray:
    """A one, the strata but the first, and the covariates, centred and scaled; what says nothing is left out."""
    columns = list(covariates.T)
    if strata is not None:
        codes = np.asarray(strata)
        columns = [*((codes == code).astype(np.float64) for code in np.unique(codes)[1:]), *columns]
    kept = [np.ones(len(covariates))]
    for column in columns:
        centred = column - column.mean()
        spread = float(centred.std())
        if spread > 1e-9 * max(1.0, float(np.abs(column).max())):
            centred = centred / spread
            trial = np.column_stack([*kept, centred])
            if all(np.linalg.matrix_rank(trial[arm]) == trial.shape[1] for arm in (treated, ~treated)):
                kept.append(centred)
    return np.column_stack(kept)


def _fit(values: FloatArray, design: FloatArray, target: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Effect and HC2 error for each row of ``target`` (draws × rows)."""
    count, width = design.shape
    outer = (design[:, :, None] * design[:, None, :]).reshape(count, -1)
    effect, variance = np.zeros(len(target)), np.zeros(len(target))
    for sign, chosen in ((1.0, target.astype(np.float64)), (-1.0, (~target).astype(np.float64))):
        inverse = np.linalg.pinv((chosen @ outer).reshape(-1, width, width), hermitian=True)
        slopes = np.einsum("rij,rj->ri", inverse, (chosen * values) @ design)
        residual = values - slopes @ design.T
        leverage = inverse.reshape(-1, width * width) @ outer.T
        pull = inverse[:, 0, :] @ design.T
        variance += (chosen * pull**2 * residual**2 / np.maximum(1.0 - leverage, 1e-6)).sum(axis=1)
        effect += sign * slopes[:, 0]
    return effect, np.sqrt(variance)


def _redrawn(values: FloatArray, design: FloatArray, treated: BoolArray, strata: npt.ArrayLike | None) -> FloatArray:
    """t values under arms drawn anew within each stratum, of an outcome that has no effect."""
    generator = np.random.default_rng(_SEED)
    codes = (
        np.zeros(len(values), dtype=np.int64)
        if strata is None
        else np.unique(np.asarray(strata), return_inverse=True)[1]
    )
    groups = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    found = []
    at_once = max(1, _DRAWN_AT_ONCE // len(values))
    for start in range(0, _DRAWS, at_once):
        drawn = np.tile(treated, (min(at_once, _DRAWS - start), 1))
        for group in groups:
            drawn[:, group] = generator.permuted(drawn[:, group], axis=1)
        effect, error = _fit(values, design, drawn)
        found.append(effect / np.maximum(error, 1e-300))
    return np.concatenate(found)
