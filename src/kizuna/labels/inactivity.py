"""Churn as silence: eligible customers bought lately; churned ones buy nothing in the label window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import History
from kizuna.features.purchases import is_purchase
from kizuna.labels.outcome import Outcome

TABLE = "purchases"


def eligible(h: History, active_within_days: int) -> NDArray[np.bool_]:
    """Rows whose customer bought in ``[as_of − active_within_days, as_of)``; visits and opens do not count."""
    bought = h.count(active_within_days, is_purchase(h)) > 0
    return np.asarray(bought, dtype=np.bool_)


def churned(h: History, outcome: Outcome) -> NDArray[np.float64]:
    """1 where the customer buys nothing in the label window, else 0; a return is no purchase."""
    return np.asarray(outcome.count(is_purchase(h)) == 0, dtype=np.float64)
