"""What a ranking, a probability and a predicted value are worth, each as one number.

One principle for ties: tied rows have no order, so a ranking metric is its mean over every order of the tied rows,
in closed form. Without ties the metrics equal scikit-learn's of the same name. Row order never matters.
A result that cannot be defined (one class, no positive, a total of zero, no rows) is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NORMAL_95 = 1.959963984540054


def auc(y: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Probability that a churned row scores above one that stayed; a tie counts one half.

    `y` is 0/1 and `score` any finite or infinite number, one per row; `weight` multiplies rows. NaN with one class.
    """
    outcome, scores = outcomes(y, score)
    weights = np.ones_like(outcome) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != outcome.shape:
        raise ValueError(f"{outcome.size} outcomes and {weights.size} weights")
    group = np.unique(scores, return_inverse=True)[1]
    churned = np.bincount(group, weights=weights * outcome)
    stayed = np.bincount(group, weights=weights * (1.0 - outcome))
    pairs = churned.sum() * stayed.sum()
    if not pairs:
        return float("nan")
    return float(churned @ (np.cumsum(stayed) - stayed / 2.0) / pairs)


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Mean precision at the rank of each churned row. NaN without a churned row.

    Expected over the orders of tied rows: McSherry & Najork (2008), section 3.4. scikit-learn moves its threshold by
    whole groups of ties instead, which values a coarse rule below a random order of the same rows.
    """
    outcome, scores = outcomes(y, score)
    if not outcome.sum():
        return float("nan")
    rows, churned = _tie_groups_from_top(outcome, scores)
    rows_above = np.repeat(np.cumsum(rows) - rows, rows)
    churned_above = np.repeat(np.cumsum(churned) - churned, rows)
    group_rows, group_churned = np.repeat(rows, rows), np.repeat(churned, rows)
    rank = np.arange(1, outcome.size + 1)
    others_before = (rank - rows_above - 1) * (group_churned - 1) / np.maximum(group_rows - 1, 1)
    precision = (churned_above + 1 + others_before) / rank
    return float(np.sum(group_churned / group_rows * precision) / outcome.sum())


def churned_found(y: npt.ArrayLike, score: npt.ArrayLike) -> FloatArray:
    """Churned rows met by the time the 1st, 2nd, ... highest score is reached; tied rows each count their mean."""
    outcome, scores = outcomes(y, score)
    rows, churned = _tie_groups_from_top(outcome, scores)
    return np.asarray(np.cumsum(np.repeat(churned / rows, rows)), dtype=np.float64)


def precision_at(y: npt.ArrayLike, score: npt.ArrayLike, capacity: int) -> float:
    """Churned share of the `capacity` highest scores; where ties straddle the end, their mean fills it.

    Fewer rows than `capacity`: all of them. NaN without rows.
    """
    if capacity < 1:
        raise ValueError(f"capacity must be at least 1, got {capacity}")
    found = churned_found(y, score)
    if not found.size:
        return float("nan")
    places = min(capacity, found.size)
    return float(found[places - 1] / places)


def places_of(capacity: int, customers: int) -> int:
    """How many of so many customers a list may name: at most ``capacity``, and at most half of them; at least one."""
    return max(1, min(capacity, customers // 2))


def lift_at(y: npt.ArrayLike, score: npt.ArrayLike, capacity: int) -> float:
    """Precision at `capacity` over the churned share of all rows.

    NaN without a churned row, and where all rows have a place: it would be 1, whatever the scores.
    """
    outcome = np.asarray(y, dtype=np.float64)
    if not outcome.sum() or capacity >= outcome.size:
        return float("nan")
    return precision_at(y, score, capacity) / float(outcome.mean())


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean negative log-likelihood in nats; probabilities are kept 2e-16 away from 0 and 1. NaN without rows."""
    outcome, probability = _probabilities(y, p)
    if not outcome.size:
        return float("nan")
    margin = np.finfo(np.float64).eps
    inside = np.clip(probability, margin, 1.0 - margin)
    return float(-np.mean(outcome * np.log(inside) + (1.0 - outcome) * np.log1p(-inside)))


def brier(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean squared distance of probability and outcome. NaN without rows."""
    outcome, probability = _probabilities(y, p)
    return float(np.mean((probability - outcome) ** 2)) if outcome.size else float("nan")


def equal_count_bins(values: npt.ArrayLike, bins: int) -> IntArray:
    """Bin 0..bins-1 of each value, as equal in count as ties allow: tied values share the bin of their middle rank."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    group, rows = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)[1:]
    twice_middle = 2 * np.cumsum(rows) - rows
    return np.asarray(twice_middle * bins // max(2 * int(rows.sum()), 1), dtype=np.int64)[group]


def calibration_error(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 10) -> float:
    """Mean distance of predicted and observed churn rate over equal-count bins, weighted by rows. NaN without rows.

    A perfect model does not reach 0: it shows about .05 on 500 rows (see intervals.calibration_interval).
    """
    outcome, probability = _probabilities(y, p)
    if not outcome.size:
        return float("nan")
    gaps = np.bincount(equal_count_bins(probability, bins), weights=probability - outcome)
    return float(np.abs(gaps).sum() / outcome.size)


def calibration_table(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """One row per bin that holds rows, lowest probabilities first.

    Columns: bin (1..bins), rows, predicted_low, predicted_high, predicted_mean, observed_rate, observed_low,
    observed_high (95 % interval of the rate: Wilson 1927, rows taken as independent).
    """
    outcome, probability = _probabilities(y, p)
    frame = pd.DataFrame({"bin": equal_count_bins(probability, bins) + 1, "p": probability, "y": outcome})
    table = frame.groupby("bin", as_index=False).agg(
        rows=("y", "size"),
        predicted_low=("p", "min"),
        predicted_high=("p", "max"),
        predicted_mean=("p", "mean"),
        observed_rate=("y", "mean"),
    )
    rate, rows = table["observed_rate"], table["rows"]
    shrink = 1.0 + NORMAL_95**2 / rows
    centre = (rate + NORMAL_95**2 / (2 * rows)) / shrink
    half = NORMAL_95 * np.sqrt(rate * (1 - rate) / rows + NORMAL_95**2 / (4 * rows**2)) / shrink
    return table.assign(observed_low=(centre - half).clip(0.0, rate), observed_high=(centre + half).clip(rate, 1.0))


def spearman(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Correlation of the ranks, ties sharing their mean rank. NaN where either side is constant."""
    actual_rank, predicted_rank = (_centred_ranks(values) for values in paired(actual, predicted))
    scale = float(np.sqrt(actual_rank @ actual_rank) * np.sqrt(predicted_rank @ predicted_rank))
    return float(actual_rank @ predicted_rank) / scale if scale else float("nan")


def normalised_gini(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Area won over a random order by ranking on `predicted`, relative to ranking on `actual` itself: 1 is perfect.

    Both areas are covariances of `actual` with a rank, so the total cancels and net returns below 0 are no trouble.
    NaN where `actual` is constant.
    """
    values, predictions = paired(actual, predicted)
    best = float(values @ _centred_ranks(values))
    return float(values @ _centred_ranks(predictions)) / best if best > 0 else float("nan")


def mae(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean absolute error, in the unit of the values. NaN without rows."""
    values, predictions = paired(actual, predicted)
    return float(np.mean(np.abs(values - predictions))) if values.size else float("nan")


def total_ratio(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Predicted total over actual total: 1.1 promises a tenth too much. NaN where the actual total is 0."""
    values, predictions = paired(actual, predicted)
    total = float(values.sum())
    return float(predictions.sum()) / total if total else float("nan")


def decile_error(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Distance of predicted and actual total, summed over tenths of the rows by prediction, over the actual total.

    Tied predictions share a tenth. NaN unless the total is positive.
    """
    values, predictions = paired(actual, predicted)
    total = float(values.sum())
    gaps = np.bincount(equal_count_bins(predictions, 10), weights=predictions - values)
    return float(np.abs(gaps).sum()) / total if total > 0 else float("nan")


def churn_metrics(y: npt.ArrayLike, p: npt.ArrayLike, capacity: int, *, probabilities: bool = True) -> dict[str, float]:
    """Every churn metric by its public name; a rule that only ranks (`probabilities=False`) has the first four."""
    found = {
        "auc": auc(y, p),
        "average_precision": average_precision(y, p),
        "lift_at_capacity": lift_at(y, p, capacity),
        "precision_at_capacity": precision_at(y, p, capacity),
    }
    if probabilities:
        found |= {"log_loss": log_loss(y, p), "brier": brier(y, p), "calibration_error": calibration_error(y, p)}
    return found


def value_metrics(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, float]:
    """Every value metric by its public name."""
    return {
        "spearman": spearman(actual, predicted),
        "normalised_gini": normalised_gini(actual, predicted),
        "mae": mae(actual, predicted),
        "total_ratio": total_ratio(actual, predicted),
        "decile_error": decile_error(actual, predicted),
    }


def models_table(model: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per model and baseline, the model first (``kizuna``): model, then one column per metric."""
    return pd.DataFrame({"kizuna": model, **baselines}).T.rename_axis("model").reset_index()


def paired(left: npt.ArrayLike, right: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Both as one column of numbers each, of the same length. Errors: ValueError for other shapes, or nulls."""
    first, second = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"one column each is needed, got shapes {first.shape} and {second.shape}")
    nulls = int(np.isnan(first).sum() + np.isnan(second).sum())
    if nulls:
        raise ValueError(f"{nulls} nulls among {first.size} rows: nothing can be measured on them")
    return first, second


def outcomes(churned: npt.ArrayLike, amounts: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """``paired``, the first of them outcomes. Errors: ValueError where they are not 0 or 1."""
    outcome, values = paired(churned, amounts)
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1")
    return outcome, values


def mean_over_folds(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each metric's mean over the folds in which it is defined; NaN where it never is."""
    means = {}
    for name in parts[0]:
        defined = [part[name] for part in parts if not np.isnan(part[name])]
        means[name] = float(np.mean(defined)) if defined else float("nan")
    return means


def _tie_groups_from_top(outcome: FloatArray, scores: FloatArray) -> tuple[IntArray, FloatArray]:
    """Rows and churned rows of each distinct score, highest score first."""
    group, rows = np.unique(scores, return_inverse=True, return_counts=True)[1:]
    churned = np.bincount(group, weights=outcome, minlength=rows.size)
    return rows[::-1].astype(np.int64), churned[::-1].astype(np.float64)


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Mean rank of each value less the mean of all ranks, so that they sum to 0."""
    group, rows = np.unique(values, return_inverse=True, return_counts=True)[1:]
    return (np.cumsum(rows) - rows / 2.0 - values.size / 2.0)[group]


def _probabilities(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    outcome, probability = outcomes(y, p)
    if outcome.size and not (probability.min() >= 0.0 and probability.max() <= 1.0):
        raise ValueError(f"probabilities must lie in [0, 1], got {probability.min():g} to {probability.max():g}")
    return outcome, probability
