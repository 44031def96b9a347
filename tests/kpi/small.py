"""KPIs of ten rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from tests.features.small import project_of

from kizuna.kpi.pack import KpiPack, kpi_pack

NOWHERE = "no/such/folder"


def pack_of(tables: dict[str, pd.DataFrame], first: str, last: str, **sections: Any) -> KpiPack:
    """The pack of some tables, with nothing published before."""
    project = project_of(tables, **({"output": {"dir": NOWHERE}} | sections))
    return kpi_pack(project.store, project.config, date.fromisoformat(first), date.fromisoformat(last))


def one(pack: KpiPack, kpi: str, period: str, group: str = "all", dimension: str = "all") -> pd.Series:
    """One row of the numbers."""
    frame = pack.numbers
    found = frame[
        (frame["kpi"] == kpi)
        & (frame["period"] == period)
        & (frame["dimension"] == dimension)
        & (frame["group"] == group)
    ]
    assert len(found) == 1, (kpi, period, dimension, group, len(found))
    return found.iloc[0]


def value(pack: KpiPack, kpi: str, period: str, group: str = "all", dimension: str = "all") -> float:
    """One value."""
    return float(one(pack, kpi, period, group, dimension)["value"])


def buys(*rows: tuple[str, str] | tuple[str, str, float]) -> pd.DataFrame:
    """Purchases of (customer, day) for 10, or of (customer, day, amount)."""
    return pd.DataFrame(
        [(row[0], row[1], row[2] if len(row) > 2 else 10.0) for row in rows],
        columns=["customer_id", "occurred_at", "amount"],
    )
