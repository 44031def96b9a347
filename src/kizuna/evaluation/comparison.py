"""A model beside its baselines on the same redrawn customers: every metric with its interval, every difference paired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.intervals import EvaluationRows, Interval, Resampling, Statistic, customer_weights
from kizuna.evaluation.weighted import churn_statistics, decile_error_interval, value_statistics

_MOST_DRAWN_ROWS = 8_000_000
_FEWEST_DRAWS = 80


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


def draws_for(rows: EvaluationRows) -> Resampling:
    """200 draws; of more than 40,000 rows fewer, so that the draws read 8,000,000 rows, but never fewer than 80.

    Of so many rows an interval is narrow, and its ends are sure enough: 100,000 rows of a model and four baselines take
    about three seconds.
    """
    affordable = _MOST_DRAWN_ROWS // max(rows.churned.size, 1)
    return Resampling(resamples=int(np.clip(affordable, _FEWEST_DRAWS, Resampling().resamples)))


def compare(
    rows: EvaluationRows, statistics: Mapping[str, Mapping[str, Statistic]], resampling: Resampling | None = None
) -> Comparison:
    """Every statistic with its percentile interval, and the first model's minus each other's, all on the same draws.

    ``statistics``: by model, the model first, then by metric. Draws in which a number is undefined (NaN) are left out;
    where it is undefined on the rows themselves, all three are NaN.
    """
    chosen = resampling or draws_for(rows)
    places = [(name, metric) for name, metrics in statistics.items() for metric in metrics]

    def all_of(weights: npt.NDArray[np.float64]) -> list[float]:
        return [statistics[name][metric](weights) if weights.size else float("nan") for name, metric in places]

    whole = np.array(all_of(np.ones(rows.churned.size)))
    drawn = np.array([all_of(weights) for weights in customer_weights(rows, chosen)] if rows.churned.size else [whole])
    tails = (1.0 - chosen.level) / 2.0, (1.0 + chosen.level) / 2.0

    def interval(estimate: float, found: npt.NDArray[np.float64]) -> Interval:
        known = found[~np.isnan(found)]
        if np.isnan(estimate) or not known.size:
            return Interval(estimate, float("nan"), float("nan"))
        low, high = np.quantile(known, tails).tolist()
        return Interval(float(estimate), low, high)

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
    statistics = {
        name: churn_statistics(rows, score, capacity, probabilities=name not in ranking_only)
        for name, score in scores.items()
    }
    return _without(compare(rows, statistics), "calibration_error")


def compare_value(rows: EvaluationRows, actual: npt.ArrayLike, predictions: Mapping[str, npt.ArrayLike]) -> Comparison:
    """The value metrics of every prediction, the model's first; its decile error with the interval of its own kind."""
    statistics = {name: value_statistics(rows, actual, values) for name, values in predictions.items()}
    found = _without(compare(rows, statistics), "decile_error")
    model = next(iter(predictions.values()))
    return found.knowing({"decile_error": decile_error_interval(rows, actual, model, draws_for(rows))})


def _without(found: Comparison, metric: str) -> Comparison:
    kept = {
        name: {key: interval for key, interval in metrics.items() if key != metric}
        for name, metrics in found.intervals.items()
    }
    return replace(found, intervals=kept)
