"""What the documents of a list say of the time before it: earlier lists and what came of them, and the KPIs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ConfigError, ContractError, DataMissing, ListDamaged, LockHeld, ResultError
from kizuna.exports.pack import PastLists
from kizuna.kpi.files import freeze
from kizuna.kpi.pack import KpiPack, kpi_pack
from kizuna.lists.publication import Publication, lists_before
from kizuna.monitor.pack import MonitorPack, monitor_pack
from kizuna.timeline import date_of

# A quarter of weekly lists; each costs a look at everybody of its day.
_NEWEST = 13
_KPI_YEARS = 2
# Exports that show KPIs.
_SHOWN_IN = ("workbook", "report")


@dataclass(frozen=True)
class Before:
    """What was before a list. ``lists``: those published before it, oldest first.

    ``monitor``: what came of them; None before the first, or where nothing can be told. ``kpi``: None without dated rows, or
    where no document shows them.
    """

    lists: Sequence[Publication]
    monitor: MonitorPack | None
    kpi: KpiPack | None

    @property
    def proven(self) -> frozenset[str]:
        """The drivers of our own conduct that past lists have shown to act."""
        return self.monitor.proven if self.monitor else frozenset()


def before_of(store: Store, config: Config, as_of: int, say: Callable[[str], None], backfill: bool = False) -> Before:
    """What was before the list of a day. What cannot be told is said and left out: no list waits for an account of the past."""
    lists = lists_before(config.output_dir, date_of(as_of))
    monitor, kpi = None, None
    try:
        monitor = monitor_pack(store, config, as_of, _NEWEST, backfill) if lists else None
    except ContractError as error:
        say(f"earlier lists are left out of the documents: {error}")
    day = date_of(as_of)
    if not any(export.to in _SHOWN_IN for export in config.exports):
        return Before(lists, monitor, None)
    try:
        kpi = kpi_pack(store, config, date(day.year - _KPI_YEARS, day.month, 1), date_of(as_of - 1))
    except ListDamaged:
        raise
    except (DataMissing, ResultError) as error:
        say(f"KPIs are left out of the documents: {error}")
    return Before(lists, monitor, kpi)


def past_lists(before: Before, today: dict[str, Any]) -> PastLists | None:
    """The lists before as documents show them, and ``today``, the list's own ``summary``; None before the first."""
    if before.monitor is None:
        return None
    told = [publication.manifest["summary"] for publication in before.lists if "summary" in publication.manifest]
    trend = pd.DataFrame([*told, today])
    return PastLists(
        known_before=before.monitor.known_before,
        lists=before.monitor.lists,
        bins=before.monitor.bins,
        effects=before.monitor.effects,
        groups=before.monitor.groups,
        basis=before.monitor.basis,
        trend=trend.assign(as_of=pd.to_datetime(trend["as_of"]).astype("datetime64[s]")),
    )


def freeze_kpis(before: Before, config: Config, say: Callable[[str], None]) -> None:
    """Keeps the figures that a list's documents show; what stands against it is said, for no list waits for it."""
    if before.kpi is None:
        return
    try:
        freeze(before.kpi, config.output_dir / "kpi")
    except (LockHeld, ConfigError, OSError) as error:
        say(f"the KPIs shown are not kept: {error}")
