"""A column as numbers in about twenty bins, and how well bins in some order rank an outcome."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kizuna.evaluation.measures.metrics import FloatArray, IntArray

QUANTILE_BINS = 20

# Rows of prior churn rate that every bin starts with, so that a bin of one row does not speak with certainty.
PRIOR_ROWS = 1.0


def numbers_of(column: pd.Series) -> FloatArray:
    """The column as numbers; text becomes the number of its value in sorted order; null stays null."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = pd.factorize(column, sort=True)[0].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def edges_of(values: FloatArray) -> FloatArray:
    """Upper edges of the bins: quantiles, and the number just below one that fills a whole bin by itself."""
    known = values[~np.isnan(values)]
    if not known.size:
        return np.empty(0)
    steps = np.arange(1, QUANTILE_BINS) * known.size // QUANTILE_BINS
    quantiles = np.partition(known, np.unique(steps))[steps]
    spikes = quantiles[1:][quantiles[1:] == quantiles[:-1]]
    return np.unique(np.concatenate([quantiles, np.nextafter(spikes, -np.inf)]))


def bins_of(values: FloatArray, edges: FloatArray) -> IntArray:
    """Each value's bin, 0 to ``edges.size``; nulls have the next one."""
    return np.where(np.isnan(values), edges.size + 1, np.searchsorted(edges, values))


def auc_of_groups(score: npt.ArrayLike, positive: FloatArray, negative: FloatArray) -> float:
    """AUC of groups that share a score, from their counts; groups of equal score are ties. NaN with one class."""
    group = np.unique(np.asarray(score), return_inverse=True)[1]
    upper, lower = np.bincount(group, weights=positive), np.bincount(group, weights=negative)
    pairs = float(upper.sum() * lower.sum())
    return float(upper @ (np.cumsum(lower) - lower / 2.0)) / pairs if pairs else float("nan")
