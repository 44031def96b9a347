"""Every headline metric as a function of row weights, to be measured on redrawn customers.

A row of weight 2 counts as that row twice, so with weights of 1 each equals its namesake in metrics.py or profit.py,
ties in closed form included. All are means over the folds in which they are defined. Sorting is done once, when the
function is made: one resample of 240,000 rows takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kizuna.evaluation.measures.intervals import (
    EvaluationRows,
    Interval,
    Resampling,
    Statistic,
    auc_statistic,
    column_of,
    customer_weights,
    draws_for,
    fold_count,
    true_error,
)
from kizuna.evaluation.measures.metrics import FloatArray, IntArray, equal_count_bins
from kizuna.evaluation.measures.profit import DECILES

Statistics = dict[str, Statistic]


def churn_statistics(
    rows: EvaluationRows, score: npt.ArrayLike, capacity: int, *, probabilities: bool = True
) -> Statistics:
    """The metrics of metrics.churn_metrics by the same names; for a rule that only ranks, the first four."""
    found = {
        "auc": auc_statistic(rows, score),
        "average_precision": average_precision_statistic(rows, score),
        "lift_at_capacity": lift_statistic(rows, score, rows.churned, capacity),
        "precision_at_capacity": precision_statistic(rows, score, capacity),
    }
    if probabilities:
        found |= {
            "log_loss": log_loss_statistic(rows, score),
            "brier": mean_statistic(rows, (column_of(rows, score) - rows.churned) ** 2),
            "calibration_error": _binned_gaps(rows, score, rows.churned, np.ones(rows.churned.size)),
        }
    return found


def value_statistics(rows: EvaluationRows, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Statistics:
    """The metrics of metrics.value_metrics by the same names."""
    values, predictions = column_of(rows, actual), column_of(rows, predicted)
    return {
        "spearman": spearman_statistic(rows, values, predictions),
        "normalised_gini": gini_statistic(rows, values, predictions),
        "mae": mean_statistic(rows, np.abs(values - predictions)),
        "total_ratio": total_ratio_statistic(rows, values, predictions),
        "decile_error": _binned_gaps(rows, predictions, values, values),
    }


def decile_error_interval(
    rows: EvaluationRows, actual: npt.ArrayLike, predicted: npt.ArrayLike, resampling: Resampling | None = None
) -> Interval:
    """The decile error as counted, with the range of true errors that could have shown it.

    Like the calibration error it is a sum of absolute gaps that noise only adds to: 0 lies inside for a perfect
    forecast (see intervals.calibration_interval). Deciles are fixed on the rows; folds without value are left out.
    """
    chosen = resampling or draws_for(rows)
    values, predictions = column_of(rows, actual), column_of(rows, predicted)
    folds = [np.flatnonzero(rows.fold == fold) for fold in range(fold_count(rows))]
    worth = [(members, equal_count_bins(predictions[members], DECILES)) for members in folds if _total(values, members)]
    if not worth:
        return Interval(*[float("nan")] * 3)

    def gaps_of(weights: FloatArray) -> FloatArray:
        found = []
        for members, decile in worth:
            drawn = weights[members]
            gaps = np.bincount(decile, weights=drawn * (predictions - values)[members], minlength=DECILES)
            total = float(drawn @ values[members])
            found.append(gaps / total if total > 0 else np.full(DECILES, np.nan))
        return np.concatenate(found) / len(worth)

    gaps = gaps_of(np.ones(values.size))
    drawn = np.array([gaps_of(weights) for weights in customer_weights(rows, chosen)])
    sure = true_error(gaps, drawn[~np.isnan(drawn).any(axis=1)] - gaps, chosen)
    return Interval(float(np.abs(gaps).sum()), sure.low, sure.high)


def average_precision_statistic(rows: EvaluationRows, score: npt.ArrayLike) -> Statistic:
    """metrics.average_precision; weights must be whole numbers.

    A tie group of N rows, C of them churned, below R rows with A churned adds C / N times the sum over j = 1..N of
    (A + 1 + (j − 1)(C − 1)/(N − 1)) / (R + j), which needs only differences of harmonic numbers.
    """
    scores = column_of(rows, score)

    def of_fold(members: IntArray) -> Statistic:
        order, starts = _ranked(scores, members, rows.churned)
        churned = rows.churned[order]

        def statistic(weights: FloatArray) -> float:
            drawn = weights[order]
            tied, lost = np.add.reduceat(drawn, starts), np.add.reduceat(drawn * churned, starts)
            some = lost > 0
            below, lost_below = np.cumsum(tied)[some], np.cumsum(lost)[some]
            if not below.size:
                return float("nan")
            tied, lost = tied[some], lost[some]
            above, lost_above = below - tied, lost_below - lost
            harmonic = np.append(0.0, np.cumsum(1.0 / np.arange(1, int(below[-1]) + 1)))
            inverse_ranks = harmonic[below.astype(np.int64)] - harmonic[above.astype(np.int64)]
            later = (lost - 1.0) / np.maximum(tied - 1.0, 1.0) * (tied - (above + 1.0) * inverse_ranks)
            return float(np.sum(lost / tied * ((lost_above + 1.0) * inverse_ranks + later)) / lost_below[-1])

        return statistic

    return _mean_over_folds(rows, of_fold)


def caught_statistic(rows: EvaluationRows, score: npt.ArrayLike, amount: npt.ArrayLike, capacity: int) -> Statistic:
    """Total amount of the `capacity` highest scores, such as profit.contact_gain or the value of the churners."""
    return _top(rows, score, column_of(rows, amount), capacity, lambda caught, places, total, size: caught)


def precision_statistic(rows: EvaluationRows, score: npt.ArrayLike, capacity: int) -> Statistic:
    """metrics.precision_at."""
    return _top(rows, score, rows.churned, capacity, lambda caught, places, total, size: caught / places)


def lift_statistic(rows: EvaluationRows, score: npt.ArrayLike, amount: npt.ArrayLike, capacity: int) -> Statistic:
    """Share of the amount among the `capacity` highest scores over the share chance catches.

    NaN unless there is any, and where all rows have a place. metrics.lift_at where the amount is the outcome; the lift in
    value where it is the outcome times its value.
    """

    def lift(caught: float, places: float, total: float, size: float) -> float:
        return caught / places / (total / size) if total > 0 and places < size else float("nan")

    return _top(rows, score, column_of(rows, amount), capacity, lift)


def log_loss_statistic(rows: EvaluationRows, p: npt.ArrayLike) -> Statistic:
    """metrics.log_loss."""
    margin = np.finfo(np.float64).eps
    inside = np.clip(column_of(rows, p), margin, 1.0 - margin)
    return mean_statistic(rows, -np.where(rows.churned == 1.0, np.log(inside), np.log1p(-inside)))


def mean_statistic(rows: EvaluationRows, amount: npt.ArrayLike) -> Statistic:
    """The mean over folds of a column's means."""
    values, folds = column_of(rows, amount), fold_count(rows)

    def statistic(weights: FloatArray) -> float:
        size, total = (np.bincount(rows.fold, weights=of, minlength=folds) for of in (weights, weights * values))
        return float(np.mean(total[size != 0] / size[size != 0])) if size.any() else float("nan")

    return statistic


def total_ratio_statistic(rows: EvaluationRows, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Statistic:
    """metrics.total_ratio of all folds together, so that a fold weighs as much as its money."""
    values, predictions = column_of(rows, actual), column_of(rows, predicted)

    def statistic(weights: FloatArray) -> float:
        total = float(weights @ values)
        return float(weights @ predictions) / total if total else float("nan")

    return statistic


def gini_statistic(rows: EvaluationRows, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Statistic:
    """metrics.normalised_gini."""
    values, predictions = column_of(rows, actual), column_of(rows, predicted)

    def area_under(score: FloatArray, members: IntArray) -> Statistic:
        order, starts = _ranked(score, members, values)
        ranked = values[order]

        def area(weights: FloatArray) -> float:
            drawn = weights[order]
            return float(-_middle_ranks(drawn, starts) @ np.add.reduceat(drawn * ranked, starts))

        return area

    def of_fold(members: IntArray) -> Statistic:
        won, best = area_under(predictions, members), area_under(values, members)

        def statistic(weights: FloatArray) -> float:
            most = best(weights)
            return won(weights) / most if most > 0 else float("nan")

        return statistic

    return _mean_over_folds(rows, of_fold)


def spearman_statistic(rows: EvaluationRows, actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Statistic:
    """metrics.spearman."""
    columns = column_of(rows, actual), column_of(rows, predicted)

    def of_fold(members: IntArray) -> Statistic:
        groups = [np.unique(column[members], return_inverse=True)[1] for column in columns]

        def statistic(weights: FloatArray) -> float:
            drawn = weights[members]
            left, right = (_ranks_of_groups(drawn, group) for group in groups)
            scale = float(np.sqrt(drawn @ left**2) * np.sqrt(drawn @ right**2))
            return float(drawn @ (left * right)) / scale if scale else float("nan")

        return statistic

    return _mean_over_folds(rows, of_fold)


def _binned_gaps(
    rows: EvaluationRows, predicted: npt.ArrayLike, actual: npt.ArrayLike, whole: npt.ArrayLike
) -> Statistic:
    """Distance of predicted and actual, summed over tenths of the rows by prediction, over the total of `whole`."""
    predictions, values, wholes = (column_of(rows, column) for column in (predicted, actual, whole))

    def of_fold(members: IntArray) -> Statistic:
        order, starts = _ranked(-predictions, members, values)
        gap, part = (predictions - values)[order], wholes[order]

        def statistic(weights: FloatArray) -> float:
            drawn = weights[order]
            tied = np.add.reduceat(drawn, starts)
            # A tie group of no weight may lie behind the last decile; it holds no gap.
            middle = (2.0 * np.cumsum(tied) - tied) * DECILES / max(2.0 * float(tied.sum()), 1.0)
            gaps = np.bincount(middle.astype(np.int64), weights=np.add.reduceat(drawn * gap, starts))
            total = float(drawn @ part)
            return float(np.abs(gaps).sum()) / total if total > 0 else float("nan")

        return statistic

    return _mean_over_folds(rows, of_fold)


def _top(
    rows: EvaluationRows,
    score: npt.ArrayLike,
    amount: FloatArray,
    capacity: int,
    measure: Callable[[float, float, float, float], float],
) -> Statistic:
    """`measure` of the amount caught, the places filled, the amount of all rows and their number."""
    if capacity < 1:
        raise ValueError(f"capacity must be at least 1, got {capacity}")
    scores = column_of(rows, score)

    def of_fold(members: IntArray) -> Statistic:
        order, starts = _ranked(scores, members, amount)
        ranked, ends = amount[order], np.append(starts[1:], order.size)

        def statistic(weights: FloatArray) -> float:
            drawn = weights[order]
            filled = np.cumsum(drawn)[ends - 1]
            size = float(filled[-1])
            if not size:
                return float("nan")
            places = min(float(capacity), size)
            last = int(np.searchsorted(filled, places))
            first, end = starts[last], ends[last]
            before = float(filled[last - 1]) if last else 0.0
            straddling = float(drawn[first:end] @ ranked[first:end]) * (places - before) / (filled[last] - before)
            caught = float(drawn[:first] @ ranked[:first]) + straddling
            return measure(caught, places, float(drawn @ ranked), size)

        return statistic

    return _mean_over_folds(rows, of_fold)


def _mean_over_folds(rows: EvaluationRows, of_fold: Callable[[IntArray], Statistic]) -> Statistic:
    """The mean of one statistic per fold, over those in which it is defined."""
    parts = [of_fold(np.flatnonzero(rows.fold == fold)) for fold in range(fold_count(rows))]

    def statistic(weights: FloatArray) -> float:
        found = np.array([part(weights) for part in parts])
        defined = found[~np.isnan(found)]
        return float(defined.mean()) if defined.size else float("nan")

    return statistic


def _ranked(score: FloatArray, members: IntArray, amount: FloatArray) -> tuple[IntArray, IntArray]:
    """The rows, highest score first, and where each tie group starts; amounts order a tie, so that sums are stable."""
    order = members[np.lexsort((amount[members], -score[members]))]
    ranked = score[order]
    return order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))


def _middle_ranks(drawn: FloatArray, starts: IntArray) -> FloatArray:
    """Middle rank of each tie group less the mean of all ranks; lowest first."""
    tied = np.add.reduceat(drawn, starts)
    return np.asarray(np.cumsum(tied) - tied / 2.0 - float(tied.sum()) / 2.0)


def _ranks_of_groups(drawn: FloatArray, group: IntArray) -> FloatArray:
    tied = np.bincount(group, weights=drawn)
    return np.asarray((np.cumsum(tied) - tied / 2.0 - float(tied.sum()) / 2.0)[group], dtype=np.float64)


def _total(values: FloatArray, members: IntArray) -> bool:
    return float(values[members].sum()) > 0
