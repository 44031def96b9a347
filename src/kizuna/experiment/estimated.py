"""How good a list will prove, before anybody knows: by the probabilities themselves, which are taken to be calibrated.

Confidence-based performance estimation, as in NannyML ("Performance Estimation", how it works: CBPE) and Białek, Kivimäki,
Kuberski, Perrakis, Estimating Model Performance Under Covariate Shift Without Labels (arXiv 2401.08348), section on CBPE:
each customer counts as churned with his probability and as kept with the rest. Intervals are those of what will be measured
on the same customers with the same weights, if every customer leaves with his own probability and by himself. They do not
hold what calibration misses: a season that moves everybody, a world that changed. How often matured lists fell into
theirs says how far to trust those that have not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.evaluation.measures.intervals import Interval
from kizuna.evaluation.measures.metrics import NORMAL_95, FloatArray
from kizuna.experiment.realised import stands_for, untreated_weights

_TAIL = 0.025
# Beyond so many customers the normal distribution is as good.
_EXACT_UP_TO = 2_000
_UNKNOWN = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Estimated:
    """What is expected of a list with 95 % intervals: ``precision``, the share of the listed who leave untreated; ``base_rate``
    of all eligible; ``lift``, the ratio of the two; ``auc`` over all. NaN where nobody stands for it.
    """

    precision: Interval
    base_rate: Interval
    lift: Interval
    auc: Interval


def estimated_quality(scored: pd.DataFrame, control_share: float) -> Estimated:
    """The quality of a list as ``realised_quality`` will measure it, for the same columns but ``churned``.

    Where nobody who was listed was left alone, nobody will be measured: then all count alike, as if nobody were treated.
    """
    p = scored["churn_probability"].to_numpy(dtype=np.float64)
    weight = stands_for(scored)
    if not scored["ever_listed"].any() or 0 < control_share < 1:
        weight = weight * untreated_weights(scored["arm"], scored["ever_listed"], control_share)
    kept = weight > 0
    p, weight = p[kept], weight[kept]
    listed = weight * scored["is_listed"].to_numpy(dtype=bool)[kept]
    return Estimated(
        precision=expected_share(p, listed),
        base_rate=expected_share(p, weight),
        lift=_lift(p, listed, weight),
        auc=expected_auc(p, weight),
    )


def expected_share(p: FloatArray, weight: FloatArray) -> Interval:
    """The weighted share of customers who leave: its mean, and the ends between which it falls 95 times in 100.

    Exact for few customers of one weight (the Poisson binomial distribution, by its characteristic function: Hong 2013,
    equation 2.5), else by the normal distribution.
    """
    some = weight > 0
    p, weight = p[some], weight[some]
    if not len(p):
        return _UNKNOWN
    mean = float(p @ weight / weight.sum())
    if len(p) <= _EXACT_UP_TO and (weight == weight[0]).all():
        below = np.cumsum(poisson_binomial(p))
        low, high = (int(np.searchsorted(below, end)) / len(p) for end in (_TAIL + 1e-12, 1 - _TAIL - 1e-12))
        return Interval(mean, min(low, mean), max(high, mean))
    half = NORMAL_95 * math.sqrt(float((weight**2 * p * (1 - p)).sum())) / float(weight.sum())
    return Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def poisson_binomial(p: FloatArray) -> FloatArray:
    """(n + 1,): the probabilities that 0, 1, … n of customers leave who leave with ``p`` each."""
    n = len(p)
    turns = np.exp(2j * np.pi * np.arange(n + 1) / (n + 1)) - 1
    characteristic = np.ones(n + 1, dtype=np.complex128)
    for one in p:
        characteristic *= 1 + one * turns
    found: FloatArray = np.clip(np.fft.fft(characteristic).real / (n + 1), 0.0, 1.0)
    return found


def expected_auc(p: FloatArray, weight: FloatArray) -> Interval:
    """The expected AUC of ranking by ``p``: pairs of one who leaves and one who stays, over all such pairs.

    A ratio of expectations; its error is linearised, customer by customer. A tie counts one half.
    """
    leaves, stays = weight * p, weight * (1 - p)
    group = np.unique(p, return_inverse=True)[1]
    left, stayed = np.bincount(group, weights=leaves), np.bincount(group, weights=stays)
    stays_below = (np.cumsum(stayed) - stayed / 2)[group] - stays / 2
    leaves_above = (left.sum() - np.cumsum(left) + left / 2)[group] - leaves / 2
    pairs = float(leaves @ stays_below)
    all_pairs = float(leaves.sum() * stays.sum() - leaves @ stays)
    if not (pairs > 0 and all_pairs > 0):
        return _UNKNOWN
    auc = pairs / all_pairs
    pull = weight * (stays_below - leaves_above) / pairs
    pull -= weight * ((stays.sum() - stays) - (leaves.sum() - leaves)) / all_pairs
    half = NORMAL_95 * auc * math.sqrt(float((pull**2 * p * (1 - p)).sum()))
    return Interval(auc, max(auc - half, 0.0), min(auc + half, 1.0))


def _lift(p: FloatArray, listed: FloatArray, weight: FloatArray) -> Interval:
    """The ratio of two expected shares; its interval is that of the logarithm's linearised error."""
    if not (listed.sum() > 0 and p @ listed > 0):
        return _UNKNOWN
    lift = float((p @ listed / listed.sum()) / (p @ weight / weight.sum()))
    pull = listed / float(p @ listed) - weight / float(p @ weight)
    half = NORMAL_95 * math.sqrt(float((pull**2 * p * (1 - p)).sum()))
    return Interval(lift, lift * math.exp(-half), lift * math.exp(half))
