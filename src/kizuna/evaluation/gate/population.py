"""The population of the day that training stands on, scored once before a model is registered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Fewer customers than this may well share a probability, or all lack a value.
ENOUGH_CUSTOMERS = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """What the fitted model says of everybody who is eligible on the day that training stands on.

    ``impossible``: probabilities that are no number; ``distinct``: how many different ones. ``usual``: between which
    mean probabilities past outcomes lie. ``missing``: columns that nobody has now and somebody had in training.
    """

    customers: int
    impossible: int
    distinct: int
    mean: float
    usual: tuple[float, float]
    missing: tuple[str, ...]


def measure_population(
    p: Floats, features: pd.DataFrame, training: pd.DataFrame, usual: tuple[float, float]
) -> Population:
    """The population with its probabilities ``p`` and features, beside the features of the training rows."""
    finite = p[np.isfinite(p)]
    missing: tuple[str, ...] = ()
    if len(p) >= ENOUGH_CUSTOMERS:
        empty = [str(name) for name in features.columns if np.isnan(features[name].to_numpy()).all()]
        missing = tuple(name for name in empty if not np.isnan(training[name].to_numpy()).all())
    mean = float(finite.mean()) if finite.size else float("nan")
    return Population(len(p), len(p) - len(finite), len(np.unique(finite)), mean, usual, missing)


def usual_means(y: Floats, as_of: NDArray[np.int32], margin: float) -> tuple[float, float]:
    """The lowest and the highest share of churned among the snapshots, each ``margin`` further out, within [0, 1]."""
    which = np.unique(as_of, return_inverse=True)[1]
    shares = np.bincount(which, weights=y) / np.bincount(which)
    return max(float(shares.min()) - margin, 0.0), min(float(shares.max()) + margin, 1.0)
