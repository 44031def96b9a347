"""What the model is worth while there is still time: on customers silent for less than the horizon, and how early it names.

Whoever has been silent for a whole horizon is churned already in all but name, and easy to find. These numbers leave such
customers out, and say how long those that the model names first had been silent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.assessment import ChurnRows, ListRanking
from kizuna.evaluation.measures.metrics import churn_metrics, places_of

SILENCE = "days_since_order"
BELOW = "silent_below_horizon"
FIRST_LISTED = "median_silence_days_at_first_listing"

Floats = NDArray[np.float64]


def headline_metrics(
    rows: ChurnRows, probability: Floats, ranking: ListRanking, horizon_days: int, capacity: int
) -> dict[str, float]:
    """Metrics by public name; empty where the features do not say how long a customer has been silent.

    probability: (tested,), of the measured rows. ranking: what each test's list is made by, as far as half of the
    customers allow.
    ``<metric>_silent_below_horizon``: means over the tests. ``recall_at_capacity`` is the share of the churners silent below
    the horizon who are on the list of everybody, ``share`` is of all tested rows.
    ``median_silence_days_at_first_listing``: see ``first_listing``; NaN where customers were held back instead of days.
    """
    if SILENCE not in rows.features:
        return {}
    tested, fold = rows.tested, rows.folds.fold_of_test_rows
    silence, churned = rows.features[SILENCE].to_numpy(dtype=np.float64)[tested], rows.churned[tested]
    customer, below = rows.customer[tested], silence < horizon_days
    named, parts = np.zeros(len(tested), dtype=np.bool_), []
    for k in range(rows.folds.reported):
        test = np.flatnonzero(fold == k)
        named[test] = on_the_list(ranking.scores[test], customer[test], capacity)
        some = test[below[test]]
        lost = churned[some] == 1
        recall = float(named[some][lost].mean()) if lost.any() else float("nan")
        parts.append(churn_metrics(churned[some], probability[some], capacity) | {"recall_at_capacity": recall})
    means = pd.DataFrame(parts).mean()
    dated = all(day is not None for day in rows.folds.test_days[: rows.folds.reported])
    # Folds run from the newest day to the oldest.
    order = pd.DataFrame({"day": -fold, "customer": customer, "silence_days": silence})
    return {f"{name}_{BELOW}": float(mean) for name, mean in means.items()} | {
        f"share_{BELOW}": float(below.mean()),
        FIRST_LISTED: first_listing(order[named]) if dated else float("nan"),
    }


def on_the_list(score: Floats, customer: NDArray[np.int32], capacity: int) -> NDArray[np.bool_]:
    """Who of one day's customers is named, (n,): the highest scores, of equals the first customers, at most half of all."""
    named = np.zeros(len(score), dtype=np.bool_)
    named[np.lexsort((customer, -score))[: places_of(capacity, len(score))]] = True
    return named


def first_listing(named: pd.DataFrame) -> float:
    """The median silence in days of customers on the first day on which they are on the list.

    named: the lists' rows: day (any number that grows), customer, silence_days. Whoever would have been named before the
    first day counts from that day, so that few days lean to long silences.
    """
    first = named.sort_values(["day", "customer"]).drop_duplicates("customer")
    return float(first["silence_days"].median())
