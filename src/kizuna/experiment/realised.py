"""How good a matured list was, on customers whom no list has treated.

Customers of the target arm were contacted, so what became of them says nothing of the prediction. Those of the control arm
stand for both arms of all who were ever listed, with weight one over the control share; who was never listed stands for
himself. First listings precede all treatment, so that the two together are the whole shop as it would have been.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.errors import ContractError
from kizuna.evaluation.measures.intervals import Interval
from kizuna.evaluation.measures.metrics import NORMAL_95, FloatArray, auc

NEEDED = ("churn_probability", "arm", "is_listed", "ever_listed", "churned")
BIN_COLUMNS = ["bin", "rows", "customers", "predicted_mean", "observed_rate", "observed_low", "observed_high"]
_BINS = 10


@dataclass(frozen=True)
class Realised:
    """What a list promised and what came of it.

    ``rows``: customers measured on, of which ``listed_rows`` on the list. ``precision``: the share of the listed who churned;
    ``predicted``: their mean probability. ``lift``: precision over the ``base_rate`` of all eligible. ``level_gap``: mean
    probability less churn rate over all eligible, 0 for a calibrated model. ``auc`` over all. ``bins``: tenths by
    probability, ``BIN_COLUMNS``; ``customers`` is how many they stand for. ``left_out``: targets and exempt.
    """

    rows: int
    listed_rows: int
    precision: Interval
    predicted: float
    lift: Interval
    base_rate: float
    level_gap: Interval
    auc: float
    bins: pd.DataFrame
    left_out: dict[str, int]


def realised_quality(scored: pd.DataFrame, control_share: float) -> Realised:
    """The realised quality of one list whose label window has matured.

    ``scored``: one row per customer eligible on the list's day: churn_probability, arm, is_listed (on this list),
    ever_listed (on any list of the experiment up to the end of the window), churned (1 or 0). Exempt customers were served
    and are left out. Of a sample also how many customers each row ``represents``. ContractError: a column is missing, or
    lists had no control arm.
    """
    missing = [column for column in NEEDED if column not in scored]
    listed_before = not missing and bool(scored["ever_listed"].any())
    if missing or (listed_before and not 0 < control_share < 1):
        raise ContractError(
            f"Realised quality needs the columns {', '.join(NEEDED)} and a control share between 0 and 1; "
            f"{', '.join(missing) or 'no column'} cannot be found, and the control share is {control_share:g}."
        )
    weight = untreated_weights(scored["arm"], scored["ever_listed"], control_share) * stands_for(scored)
    kept = weight > 0
    rows, weight = scored[kept], weight[kept]
    churned = rows["churned"].to_numpy(dtype=np.float64)
    probability = rows["churn_probability"].to_numpy(dtype=np.float64)
    listed = rows["is_listed"].to_numpy(dtype=bool)
    base_rate = _mean(churned, weight)
    precision = _wilson(_mean(churned, weight * listed), _effective(weight * listed))
    exempt = (scored["arm"] == "exempt").to_numpy()
    return Realised(
        rows=len(rows),
        listed_rows=int(listed.sum()),
        precision=precision,
        predicted=_mean(probability, weight * listed),
        lift=_lift(churned, listed * weight, weight),
        base_rate=base_rate,
        level_gap=_weighted_mean(probability - churned, weight),
        auc=auc(churned, probability, weight) if len(rows) else math.nan,
        bins=_bins(churned, probability, weight),
        left_out={"target": int((~kept & ~exempt).sum()), "exempt": int(exempt.sum())},
    )


def untreated_weights(arm: pd.Series, ever_listed: pd.Series, control_share: float) -> FloatArray:
    """How many customers each row stands for: 1 over the control share for controls that were listed, 0 for targets that
    were and for exempt rows, 1 for those never listed.
    """
    listed, arms = ever_listed.to_numpy(dtype=bool), arm.to_numpy(dtype=object)
    inverse = 1 / control_share if listed.any() else 1.0
    weight = np.where(listed, np.where(arms == "control", inverse, 0.0), 1.0)
    return np.where(arms == "exempt", 0.0, weight)


def stands_for(scored: pd.DataFrame) -> FloatArray:
    """How many customers each row was drawn for: 1 where the rows are everybody."""
    if "represents" not in scored:
        return np.ones(len(scored))
    return scored["represents"].to_numpy(dtype=np.float64)


def _mean(values: FloatArray, weight: FloatArray) -> float:
    total = float(weight.sum())
    return float(values @ weight) / total if total > 0 else math.nan


def _effective(weight: FloatArray) -> float:
    """Rows of equal weight that would say as much (Kish 1965, section 11.7)."""
    square = float(weight @ weight)
    return float(weight.sum()) ** 2 / square if square > 0 else 0.0


def _weighted_mean(values: FloatArray, weight: FloatArray) -> Interval:
    """A weighted mean with the interval of its linearised error."""
    mean = _mean(values, weight)
    half = NORMAL_95 * float(np.sqrt((weight**2 * (values - mean) ** 2).sum())) / max(float(weight.sum()), 1e-300)
    return Interval(mean, mean - half, mean + half)


def _lift(churned: FloatArray, listed: FloatArray, weight: FloatArray) -> Interval:
    """Ratio of two weighted means; its interval is that of the logarithm's linearised error."""
    precision, base = _mean(churned, listed), _mean(churned, weight)
    if math.isnan(precision) or not precision > 0 or not base > 0:
        return Interval(math.nan, math.nan, math.nan)
    pull = listed * (churned - precision) / (precision * listed.sum()) - weight * (churned - base) / (
        base * weight.sum()
    )
    half = NORMAL_95 * float(np.sqrt(pull @ pull))
    lift = precision / base
    return Interval(lift, lift * math.exp(-half), lift * math.exp(half))


def _wilson(rate: float, rows: float) -> Interval:
    """A share with its interval (Wilson 1927)."""
    if not rows > 0:
        return Interval(math.nan, math.nan, math.nan)
    shrink = 1.0 + NORMAL_95**2 / rows
    centre = (rate + NORMAL_95**2 / (2 * rows)) / shrink
    half = NORMAL_95 * math.sqrt(max(rate * (1 - rate), 0.0) / rows + NORMAL_95**2 / (4 * rows**2)) / shrink
    return Interval(rate, min(max(centre - half, 0.0), rate), max(min(centre + half, 1.0), rate))


def _bins(churned: FloatArray, probability: FloatArray, weight: FloatArray) -> pd.DataFrame:
    """Tenths of the customers that the rows stand for, lowest probabilities first; ties share the tenth of their middle."""
    group = np.unique(probability, return_inverse=True)[1]
    tied = np.bincount(group, weights=weight)
    middle = np.cumsum(tied) - tied / 2
    number = np.minimum((middle * _BINS / max(float(weight.sum()), 1e-300)).astype(np.int64), _BINS - 1)[group]
    found = []
    for each in np.unique(number):
        mine = number == each
        observed = _wilson(_mean(churned[mine], weight[mine]), _effective(weight[mine]))
        row = (each + 1, int(mine.sum()), float(weight[mine].sum()), _mean(probability[mine], weight[mine]))
        found.append((*row, observed.estimate, observed.low, observed.high))
    return pd.DataFrame(found, columns=BIN_COLUMNS)
