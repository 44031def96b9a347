"""Shops made of frames, and what the data report says of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kizuna import Project

TODAY = date(2026, 12, 1)


def purchases(*rows: tuple[str, str, float], **columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"]).assign(**columns)


def project(tables: dict[str, pd.DataFrame], sources: dict[str, Any] | None = None, **config: Any) -> Project:
    data = {"tables": sources or {}} | config.pop("data", {})
    return Project({"name": "shop", "data": data} | config, tables=tables, today=TODAY)


def found(shop: Project, name: str) -> list[tuple[str, str, str, int, str]]:
    """(state, table, column, count, details) of the findings of one name."""
    report = shop.check()
    report = report[report["name"] == name]
    columns = ["state", "table", "column", "count", "details"]
    return [tuple(row) for row in report[columns].itertuples(index=False)]


def large(customers: int = 1200, orders: int = 2, span_days: int = 800) -> pd.DataFrame:
    """A shop whose size nobody complains about: everybody buys, the last on the day before today."""
    ids = np.repeat([f"c{index:05}" for index in range(customers)], orders)
    back = np.tile(np.linspace(1, span_days, orders).astype(int), customers)
    days = pd.to_datetime([TODAY - timedelta(days=int(day)) for day in back])
    return pd.DataFrame({"customer_id": ids, "occurred_at": days, "amount": 1.0 + np.arange(len(ids))})


def events(customers: int = 1200) -> pd.DataFrame:
    ids = [f"c{index:05}" for index in range(customers)]
    return pd.DataFrame({"customer_id": ids, "occurred_at": pd.Timestamp("2026-11-16")})
