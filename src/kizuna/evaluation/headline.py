"""What the model is worth while there is still time: on customers silent for less than the horizon, and how early it names.

Whoever has been silent for a whole horizon is churned already in all but name, and easy to find. These numbers leave such
customers out, and say how long those that the model names first had been silent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.evaluation.assessment import ChurnRows
from kizuna.evaluation.metrics import churn_metrics, churned_found

SILENCE = "days_since_order"
BELOW = "silent_below_horizon"

Floats = NDArray[np.float64]


def headline_metrics(rows: ChurnRows, probability: Floats, horizon_days: int, capacity: int) -> dict[str, float]:
    """Metrics by public name; empty where the features do not say how long a customer has been silent.

    probability: (tested,), of the measured rows. ``<metric>_silent_below_horizon``: means over the tests, with
    ``captured_at_capacity``, the share of the churners among the first ``capacity``, and ``share``, of all tested rows.
    ``days_of_warning``: see there; NaN where customers were held back instead of days.
    """
    if SILENCE not in rows.features:
        return {}
    tested, fold = rows.tested, rows.folds.fold_of_test_rows
    silence, churned = rows.features[SILENCE].to_numpy(dtype=np.float64)[tested], rows.churned[tested]
    below = silence < horizon_days
    parts = []
    for k in range(rows.folds.reported):
        y, p = churned[below & (fold == k)], probability[below & (fold == k)]
        parts.append(churn_metrics(y, p, capacity) | {"captured_at_capacity": _captured(y, p, capacity)})
    means = pd.DataFrame(parts).mean()
    dated = all(day is not None for day in rows.folds.test_days[: rows.folds.reported])
    # Folds run from the newest day to the oldest.
    ids = rows.customer_ids[tested].astype(str)
    order = {"day": -fold, "customer_id": ids, "probability": probability, "silence_days": silence}
    return {f"{name}_{BELOW}": float(mean) for name, mean in means.items()} | {
        f"share_{BELOW}": float(below.mean()),
        "days_of_warning": days_of_warning(pd.DataFrame(order), capacity) if dated else float("nan"),
    }


def days_of_warning(rows: pd.DataFrame, capacity: int) -> float:
    """The median silence in days of customers on the first day on which they are among the ``capacity`` likeliest to churn.

    rows: day (any number that grows), customer_id, probability, silence_days. A day's list holds at most half of its
    customers; of equals the first ids are named, as on the list. Whoever would have been named before the first day counts
    from that day, so that few days lean to long silences.
    """
    named = []
    for _, day in rows.groupby("day"):
        places = min(capacity, max(len(day) // 2, 1))
        ranked = day.sort_values(["probability", "customer_id"], ascending=[False, True])
        named.append(ranked.head(places))
    first = pd.concat(named).drop_duplicates("customer_id")
    return float(first["silence_days"].median())


def _captured(y: Floats, p: Floats, capacity: int) -> float:
    """The share of the churners among the ``capacity`` likeliest; NaN without a churner."""
    found = churned_found(y, p)
    return float(found[min(capacity, len(y)) - 1] / y.sum()) if y.sum() else float("nan")
