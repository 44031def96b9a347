"""The textbook's customer lifetime value: average order value × order frequency × lifetime, in units that agree."""

from __future__ import annotations

import pandas as pd

FORMULA_COLUMNS = ("orders_365d", "revenue_365d", "tenure_days")
_LEAST_OBSERVED_DAYS = 90


def cltv_formula(context: pd.DataFrame, horizon_days: int, margin: float = 1.0) -> pd.Series:
    """Average order value × orders per year × expected years × margin, per row, in money.

    Order value: revenue_365d / orders_365d, net of returns. Orders per year: orders_365d over the part of the last
    year since the first purchase (tenure_days, at least 90). Expected years: ``horizon_days`` / 365, the span of
    ``cltv``, so that formula and model can be read side by side. 0 without an order in the year; null where a factor
    is unknown.
    """
    orders, revenue = context["orders_365d"], context["revenue_365d"]
    observed_years = context["tenure_days"].clip(_LEAST_OBSERVED_DAYS, 365) / 365
    order_value = (revenue / orders.where(orders > 0)).where(orders != 0, 0.0)
    return order_value * (orders / observed_years) * (horizon_days / 365) * margin
