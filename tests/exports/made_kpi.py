"""The KPIs of a small simulated shop, as the exports receive them."""

from __future__ import annotations

import tempfile
from datetime import date
from functools import cache
from pathlib import Path

from kizuna.data.simulate import simulate
from kizuna.kpi.pack import KpiPack, kpi_pack
from kizuna.project import load

NOWHERE = "no/such/folder"


@cache
def made_kpi(customers: int = 400) -> KpiPack:
    """Two years of KPIs up to the day before 2026-01-01, nothing of them published before; drawn once a session."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), customers=customers, days=1095, seed=5)
        project = load(Path(folder) / "config.yaml", [f"output.dir={NOWHERE}"])
        return kpi_pack(project.store, project.config, date(2024, 1, 1), date(2025, 12, 31))
