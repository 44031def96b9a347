"""Segments: customers of one kind among whom a model may be worse than the best rule, or its level off.

Standard errors are closed forms: a row's influence on the AUC (its placement among the other class; DeLong, DeLong and
Clarke-Pearson, 1988), summed by customer. The p values of all segments are corrected together (Holm, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.measures.intervals import EvaluationRows, Interval, fold_count
from kizuna.evaluation.measures.metrics import NORMAL_95, FloatArray

# Below these a segment says more about chance than about the model.
MIN_CUSTOMERS = 200
MIN_RARER = 30
_LEVELS_OF = "market="

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Segment:
    """One segment of the measured rows. ``churned``: customers seen to churn; AUCs are means over folds.

    ``ahead``: AUC of the model minus that of the best baseline; ``p`` that it is not behind by more than allowed.
    ``level``: mean probability minus churned share; ``level_p`` that it is as off as everybody's within the limit.
    """

    name: str
    customers: int
    churned: int
    auc: float
    baseline_auc: float
    ahead: Interval
    p: float
    p_holm: float
    mean_probability: float
    churned_share: float
    level: Interval
    level_p: float
    level_p_holm: float


@dataclass(frozen=True)
class SegmentRules:
    """How far a segment may fall short: of the best baseline's AUC, and of the level that everybody has.

    ``horizon_days``: of the label; half of it divides the silent from the others.
    """

    behind_baseline: float
    level_error: float
    horizon_days: float


def segment_masks(features: pd.DataFrame, positions: NDArray[np.int64], horizon_days: float) -> dict[str, Mask]:
    """Which of the rows at ``positions`` belong to which segment, by name; only the segments that the columns can tell."""
    masks: dict[str, Mask] = {}
    for name in features.columns:
        if str(name).startswith(_LEVELS_OF):
            masks[str(name)] = features[name].to_numpy()[positions] == 1
    if "orders" in features:
        orders = features["orders"].to_numpy()[positions]
        masks |= {"one order": orders == 1, "several orders": orders > 1}
    if "days_since_order" in features:
        silence, half = features["days_since_order"].to_numpy()[positions], horizon_days / 2
        masks |= {f"silent less than {half:g} days": silence < half, f"silent {half:g} days or more": silence >= half}
    return masks


def measure_segments(
    rows: EvaluationRows, masks: Mapping[str, Mask], p: FloatArray, baseline: FloatArray, allowed: SegmentRules
) -> tuple[Segment, ...]:
    """Every segment with at least 200 customers and 30 of the rarer outcome, in the order of ``masks``.

    ``p`` the model's probabilities, ``baseline`` the best baseline's scores, both in the order of ``rows``.
    """
    everybody = float((p - rows.churned).mean()) if p.size else 0.0
    found = [_segment(rows, name, mask, (p, baseline), (allowed, everybody)) for name, mask in masks.items()]
    kept = [segment for segment in found if segment is not None]
    corrected = holm([value for segment in kept for value in (segment.p, segment.level_p)])
    return tuple(
        Segment(**{**vars(segment), "p_holm": corrected[2 * index], "level_p_holm": corrected[2 * index + 1]})
        for index, segment in enumerate(kept)
    )


def segment_table(segments: Sequence[Segment], baseline: str) -> pd.DataFrame:
    """One row per segment; intervals as columns ending in _low and _high, ``baseline`` the one compared with."""
    lines = [
        {
            "segment": segment.name,
            "customers": segment.customers,
            "churned": segment.churned,
            "auc": segment.auc,
            "baseline": baseline,
            "baseline_auc": segment.baseline_auc,
            "auc_ahead": segment.ahead.estimate,
            "auc_ahead_low": segment.ahead.low,
            "auc_ahead_high": segment.ahead.high,
            "p": segment.p,
            "p_holm": segment.p_holm,
            "mean_probability": segment.mean_probability,
            "churned_share": segment.churned_share,
            "level_error_low": segment.level.low,
            "level_error_high": segment.level.high,
            "level_p_holm": segment.level_p_holm,
        }
        for segment in segments
    ]
    return pd.DataFrame(lines)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, in their own order."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return [float(value) for value in corrected]


def auc_influence(rows: EvaluationRows, score: FloatArray) -> tuple[float, FloatArray]:
    """The AUC, mean over the folds that hold both classes, and each row's influence on it; they sum to 0.

    The standard error is the root of the sum, over customers, of the squared sum of their rows.
    """
    influence, found = np.zeros(score.size), []
    for fold in range(fold_count(rows)):
        churned = np.flatnonzero((rows.fold == fold) & (rows.churned == 1))
        stayed = np.flatnonzero((rows.fold == fold) & (rows.churned == 0))
        if churned.size and stayed.size:
            above = _share_below(score[stayed], score[churned])
            below = 1.0 - _share_below(score[churned], score[stayed])
            found.append(float(above.mean()))
            influence[churned] = (above - found[-1]) / churned.size
            influence[stayed] = (below - found[-1]) / stayed.size
    return (float(np.mean(found)), influence / len(found)) if found else (float("nan"), influence)


def _segment(
    rows: EvaluationRows,
    name: str,
    mask: Mask,
    scores: tuple[FloatArray, FloatArray],
    limit: tuple[SegmentRules, float],
) -> Segment | None:
    inside, (allowed, everybody) = EvaluationRows(rows.churned[mask], rows.customer[mask], rows.fold[mask]), limit
    customers = len(np.unique(inside.customer))
    churned, stayed = (len(np.unique(inside.customer[inside.churned == outcome])) for outcome in (1, 0))
    if customers < MIN_CUSTOMERS or min(churned, stayed) < MIN_RARER:
        return None
    p, baseline = (values[mask] for values in scores)
    auc, influence = auc_influence(inside, p)
    baseline_auc, other = auc_influence(inside, baseline)
    if np.isnan(auc):
        return None
    gap = p - inside.churned
    level = _around(float(gap.mean()), _clustered_error(inside, (gap - gap.mean()) / gap.size))
    ahead = _around(auc - baseline_auc, _clustered_error(inside, influence - other))
    beyond = abs(level.estimate - everybody) - allowed.level_error
    return Segment(
        name=name,
        customers=customers,
        churned=churned,
        auc=auc,
        baseline_auc=baseline_auc,
        ahead=ahead,
        p=_chance_of(-ahead.estimate - allowed.behind_baseline, ahead),
        p_holm=1.0,
        mean_probability=float(p.mean()),
        churned_share=float(inside.churned.mean()),
        level=level,
        level_p=_chance_of(beyond, level),
        level_p_holm=1.0,
    )


def _share_below(others: FloatArray, values: FloatArray) -> FloatArray:
    """For each value the share of the others that lie below it, ties counted half."""
    ranked = np.sort(others)
    places = np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")
    return np.asarray(places / (2.0 * ranked.size))


def _clustered_error(rows: EvaluationRows, influence: FloatArray) -> float:
    customers, place = np.unique(rows.customer, return_inverse=True)
    sums = np.bincount(place, weights=influence)
    return math.sqrt(float(sums @ sums) * customers.size / max(customers.size - 1, 1))


def _around(estimate: float, error: float) -> Interval:
    return Interval(estimate, estimate - NORMAL_95 * error, estimate + NORMAL_95 * error)


def _chance_of(beyond: float, found: Interval) -> float:
    """One-sided normal p value of an excess, by the width of its interval."""
    error = (found.high - found.low) / (2.0 * NORMAL_95)
    if error <= 1e-12:
        return 0.0 if beyond > 1e-9 else 1.0
    return 0.5 * math.erfc(beyond / error / math.sqrt(2.0))
