"""The rows that a run leaves behind, table by table, as arrays of numbers until they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.calendar import Calendar
from kizuna.data.simulation.campaign import Campaign
from kizuna.data.simulation.keyed import Floats, Ints, Keys
from kizuna.data.simulation.lives import Lives
from kizuna.data.simulation.parameters import Parameters

DAY_SECONDS = 86_400
NO_TIME = -(2**62)

KINDS = {
    "complaints": ("complaint", "inquiry", "praise"),
    "engagement": ("visit", "open", "click"),
    "outreach": (
        *("newsletter", "offer", "thanks", "birthday", "follow_up", "apology", "survey"),
        *("call", "notice", "invitation", "review_request"),
    ),
    "surveys": ("nps", "csat", "suggestion"),
    "loyalty": ("join", "earn", "redeem", "expire"),
    "referrals": ("referral", "review"),
}
PURCHASE_CHANNELS = ("web", "app", "store")
SUPPORT_CHANNELS = ("email", "phone", "chat")
VISIT_CHANNELS = ("web", "app", "email")
TOPICS = ("delivery", "quality", "service", "billing")
TOUCHPOINTS = ("product", "delivery", "support")


@dataclass(frozen=True)
class World:
    """What a run stands on and never changes, for the customers of ``keys`` and ``lives``.

    ``campaigns``: the lists that are acted on, each on its day.
    """

    parameters: Parameters
    keys: Keys
    lives: Lives
    calendar: Calendar
    campaigns: tuple[Campaign, ...] = ()


@dataclass(frozen=True)
class Log:
    """Rows by table. Times are seconds since the start of day 0, ``NO_TIME`` where there is none.

    A row may lie in the future when it is logged (a return, a complaint): the writer keeps what has happened.
    """

    parts: dict[str, list[dict[str, NDArray[Any]]]] = field(default_factory=dict)

    def add(self, table: str, customer: NDArray[Any], occurred: Ints, **columns: Any) -> None:
        """Append rows, single values repeated for all of them.

        Of batches that are empty or lie before day 0 only a table's first is kept, so that every table has its columns.
        """
        count = len(customer)
        if table in self.parts and (not count or occurred.max() < 0):
            return
        part = {"customer": customer, "occurred": occurred}
        for name, value in columns.items():
            part[name] = value if isinstance(value, np.ndarray) else np.full(count, value)
        self.parts.setdefault(table, []).append(part)

    def rows(self, table: str) -> dict[str, NDArray[Any]]:
        """All rows of a table, in the order of logging."""
        parts = self.parts[table]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def waking_time(day: int | Ints, draws: Floats) -> Ints:
    """Seconds of a moment between seven and half past eleven in the evening, rarer at both ends."""
    bell = np.where(draws < 0.5, np.sqrt(draws / 2), 1 - np.sqrt((1 - draws) / 2))
    return day * DAY_SECONDS + (7 * 3600 + np.floor(bell * 16.5 * 3600)).astype(np.int64)


def geometric_days(mean_days: float, draws: Floats) -> Ints:
    """Whole days, exponential before rounding down, at least 0."""
    return np.floor(-mean_days * np.log(draws)).astype(np.int64)
