"""The textbook's customer lifetime value: average order value × order frequency × lifetime, in units that agree."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FORMULA_COLUMNS = ("orders_365d", "revenue_365d", "tenure_days")
_LEAST_OBSERVED_DAYS = 90
Days = TypeVar("Days", pd.Series, NDArray[np.float64])


def cltv_formula(context: pd.DataFrame, horizon_days: int, margin: float = 1.0) -> pd.Series:
    """Average order value × orders per year × expected years × margin, per row, in money.

    Order value: revenue_365d / orders_365d, net of returns. Orders per year: orders_365d over the part of the last
    year since the first purchase (tenure_days, at least 90). Expected years: ``horizon_days`` / 365, the span of
    ``cltv``, so that formula and model can be read side by side. 0 without an order in the year; null where a factor
    is unknown.
    """
    orders, revenue = context["orders_365d"], context["revenue_365d"]
    order_value = (revenue / orders.where(orders > 0)).where(orders != 0, 0.0)
    return order_value * (orders / observed_years(context["tenure_days"])) * (horizon_days / 365) * margin


def observed_years(tenure_days: Days) -> Days:
    """The part of the last year since the first purchase, at least 90 days of it, in years."""
    return tenure_days.clip(_LEAST_OBSERVED_DAYS, 365) / 365
