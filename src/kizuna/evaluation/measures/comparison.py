"""A model beside its baselines on the same redrawn customers: every metric with its interval, every difference paired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.measures.intervals import (
    EvaluationRows,
    Interval,
    Resampling,
    Statistic,
    customer_weights,
    draws_for,
    evaluation_rows,
)
from kizuna.evaluation.measures.metrics import NORMAL_95
from kizuna.evaluation.measures.weighted import churn_statistics, decile_error_interval, value_statistics

MOST_ROWS = 40_000
"""Of more rows some customers stand for the spread of all."""
_DRAWS_OF_A_PART = 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """Some customers' rows: ``at`` picks them from any column of all rows, ``share`` is their part of the customers."""

    rows: EvaluationRows
    at: npt.NDArray[np.intp] | slice
    share: float

    def column(self, values: npt.ArrayLike) -> Floats:
        """These customers' rows of a column of all rows."""
        return np.asarray(values, dtype=np.float64)[self.at]

    def amounts(self, values: npt.ArrayLike) -> Floats:
        """The same, weighted so that their totals are about those of all rows."""
        return np.asarray(self.column(values) / self.share)

    def places(self, capacity: int) -> int:
        """What of a list's places is theirs, at least one."""
        return max(1, round(capacity * self.share))


@dataclass(frozen=True)
class Comparison:
    """``intervals``: by model or baseline, the model first, then by metric. ``differences``: the model minus each baseline.

    Errors (log loss, brier, mae, calibration and decile error) are better below 0.
    """

    intervals: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Mapping[str, Interval]]

    @property
    def model(self) -> Mapping[str, Interval]:
        """The model's own metrics with their intervals."""
        return next(iter(self.intervals.values()))

    def knowing(
        self, model: Mapping[str, Interval], differences: Mapping[str, Mapping[str, Interval]] | None = None
    ) -> Comparison:
        """The same with intervals that were measured elsewhere in place of, or beside, those of the model."""
        name, own = next(iter(self.intervals.items()))
        told = {other: {**found, **(differences or {}).get(other, {})} for other, found in self.differences.items()}
        return replace(self, intervals={**self.intervals, name: {**own, **model}}, differences=told)

    def interval_table(self, prefix: str) -> pd.DataFrame:
        """One row per model and metric: model, metric (``prefix`` before its name), estimate, low, high."""
        lines = [
            (name, f"{prefix}{metric}", found.estimate, found.low, found.high)
            for name, metrics in self.intervals.items()
            for metric, found in metrics.items()
        ]
        return pd.DataFrame(lines, columns=["model", "metric", "estimate", "low", "high"])

    def difference_table(self, prefix: str) -> pd.DataFrame:
        """One row per baseline and metric: baseline, metric, difference (the model minus the baseline), low, high."""
        lines = [
            (name, f"{prefix}{metric}", found.estimate, found.low, found.high)
            for name, metrics in self.differences.items()
            for metric, found in metrics.items()
        ]
        return pd.DataFrame(lines, columns=["baseline", "metric", "difference", "low", "high"])


def compare(
    rows: EvaluationRows, statistics: Mapping[str, Mapping[str, Statistic]], resampling: Resampling | None = None
) -> Comparison:
    """Every statistic with its percentile interval, and the first model's minus each other's, all on the same draws.

    ``statistics``: by model, the model first, then by metric. Draws in which a number is undefined (NaN) are left out;
    where it is undefined on the rows themselves, all three are NaN.
    """
    chosen = resampling or draws_for(rows)
    tails = (1.0 - chosen.level) / 2.0, (1.0 + chosen.level) / 2.0

    def percentiles(_: float, found: Floats) -> tuple[float, float]:
        low, high = np.quantile(found, tails).tolist()
        return low, high

    return _compared(statistics, _measured(rows, statistics), _drawn(rows, statistics, chosen), percentiles)


def compare_by(
    rows: EvaluationRows, statistics_of: Callable[[Part], Mapping[str, Mapping[str, Statistic]]]
) -> Comparison:
    """The same for statistics that can be made of any customers' rows; of more than 40,000 rows it is cheaper.

    Then whole customers with about as many rows are drawn once, their spread over 60 resamples is scaled by the root of
    their share, and the interval is normal: the estimate of all rows ± 1.96 spreads (the spread is known to a tenth).
    """
    everybody = Part(rows, slice(None), 1.0)
    statistics = statistics_of(everybody)
    if rows.churned.size <= MOST_ROWS:
        return compare(rows, statistics)
    part = _some_customers(rows)
    scale = NORMAL_95 * np.sqrt(part.share)

    def normal(estimate: float, found: Floats) -> tuple[float, float]:
        half = float(scale * found.std(ddof=1)) if found.size > 1 else float("nan")
        return estimate - half, estimate + half

    drawn = _drawn(part.rows, statistics_of(part), Resampling(_DRAWS_OF_A_PART))
    return _compared(statistics, _measured(rows, statistics), drawn, normal)


def _some_customers(rows: EvaluationRows) -> Part:
    generator = np.random.default_rng(Resampling().seed)
    chosen = generator.random(rows.customers) < MOST_ROWS / rows.churned.size
    at = np.flatnonzero(chosen[rows.customer])
    part = evaluation_rows(rows.churned[at], rows.customer[at], rows.fold[at])
    return Part(part, at, float(chosen.mean()))


def _measured(rows: EvaluationRows, statistics: Mapping[str, Mapping[str, Statistic]]) -> Floats:
    whole = np.ones(rows.churned.size)
    return np.array([of(whole) if whole.size else np.nan for metrics in statistics.values() for of in metrics.values()])


def _drawn(rows: EvaluationRows, statistics: Mapping[str, Mapping[str, Statistic]], chosen: Resampling) -> Floats:
    """One row per resample, one column per model and metric."""
    every = [of for metrics in statistics.values() for of in metrics.values()]
    draws = customer_weights(rows, chosen) if rows.churned.size else ()
    return np.array([[of(weights) for of in every] for weights in draws]).reshape(-1, len(every))


def _compared(
    statistics: Mapping[str, Mapping[str, Statistic]],
    whole: Floats,
    drawn: Floats,
    ends: Callable[[float, Floats], tuple[float, float]],
) -> Comparison:
    """``ends``: low and high by the estimate and the draws in which it is defined."""

    def interval(estimate: float, found: Floats) -> Interval:
        known = found[~np.isnan(found)]
        if np.isnan(estimate) or not known.size:
            return Interval(float(estimate), float("nan"), float("nan"))
        return Interval(float(estimate), *ends(float(estimate), known))

    places = [(name, metric) for name, metrics in statistics.items() for metric in metrics]
    at = {place: column for column, place in enumerate(places)}
    model, *others = statistics
    intervals = {
        name: {metric: interval(whole[at[name, metric]], drawn[:, at[name, metric]]) for metric in metrics}
        for name, metrics in statistics.items()
    }
    differences: dict[str, dict[str, Interval]] = {name: {} for name in others}
    for name in others:
        for metric in statistics[model]:
            if metric in statistics[name]:
                ours, theirs = at[model, metric], at[name, metric]
                differences[name][metric] = interval(whole[ours] - whole[theirs], drawn[:, ours] - drawn[:, theirs])
    return Comparison(intervals, differences)


def compare_churn(
    rows: EvaluationRows, scores: Mapping[str, npt.ArrayLike], ranking_only: tuple[str, ...], capacity: int
) -> Comparison:
    """The churn metrics of every score, the model's first.

    The calibration error is compared as counted, but has no interval here: noise only adds to it, and its interval is
    intervals.calibration_interval's.
    """

    def statistics_of(part: Part) -> dict[str, dict[str, Statistic]]:
        places = part.places(capacity)
        return {
            name: churn_statistics(part.rows, part.column(score), places, probabilities=name not in ranking_only)
            for name, score in scores.items()
        }

    return _without(compare_by(rows, statistics_of), "calibration_error")


def compare_value(rows: EvaluationRows, actual: npt.ArrayLike, predictions: Mapping[str, npt.ArrayLike]) -> Comparison:
    """The value metrics of every prediction, the model's first; its decile error with the interval of its own kind."""

    def statistics_of(part: Part) -> dict[str, dict[str, Statistic]]:
        came = part.column(actual)
        return {name: value_statistics(part.rows, came, part.column(said)) for name, said in predictions.items()}

    found = _without(compare_by(rows, statistics_of), "decile_error")
    model = next(iter(predictions.values()))
    return found.knowing({"decile_error": decile_error_interval(rows, actual, model)})


def _without(found: Comparison, metric: str) -> Comparison:
    kept = {
        name: {key: interval for key, interval in metrics.items() if key != metric}
        for name, metrics in found.intervals.items()
    }
    return replace(found, intervals=kept)
