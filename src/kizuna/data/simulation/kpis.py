"""The true figures of each month: of customers and when they left, not of what a table shows of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.simulation.events import DAY_SECONDS, Log, World
from kizuna.data.simulation.state import State
from kizuna.data.simulation.voice import CSAT, NPS


def months_of(world: World, days: int) -> list[tuple[date, int, int]]:
    """First date, first day and day after the last of each month wholly inside the run."""
    found = []
    for day in range(days):
        first = world.calendar.date_of(day)
        if first.day == 1:
            after = world.calendar.day_of(date(first.year + first.month // 12, first.month % 12 + 1, 1))
            if after <= days:
                found.append((first, day, after))
    return found


def kpis_of(world: World, state: State, days: int, log: Log) -> dict[str, NDArray[Any]]:
    """One entry per month. A customer is held from the first order until the day of leaving.

    ``crr_formula`` is (end − new) / start, ``crr_cohort`` the share of those of the start who are still there. Rates of a
    month without a denominator are not a number.
    """
    months = months_of(world, days)
    acquired, left = state.first_order, state.left
    purchases, complaints, surveys = log.rows("purchases"), log.rows("complaints"), log.rows("surveys")
    table: dict[str, list[Any]] = {}
    for first, start, end in months:
        at_start = (acquired < start) & (left >= start)
        of_start = at_start & (left < end)
        new = (acquired >= start) & (acquired < end)
        at_end = (acquired < end) & (left >= end)
        orders = _orders(purchases, start, end)
        first_orders = int(new.sum())
        complained = int((complaints["kind"][_during(complaints, start, end)] == 0).sum())
        asked = _during(surveys, start, end)
        nps, csat = (surveys["score"][asked & (surveys["kind"] == kind)] for kind in (NPS, CSAT))
        row = {
            "month": np.datetime64(first),
            "customers_start": int(at_start.sum()),
            "customers_new": first_orders,
            "customers_lost": int(((left >= start) & (left < end)).sum()),
            "customers_end": int(at_end.sum()),
            "crr_formula": _share(at_end.sum() - new.sum(), at_start.sum()),
            "crr_cohort": _share(at_start.sum() - of_start.sum(), at_start.sum()),
            "churn_rate": _share(of_start.sum(), at_start.sum()),
            "orders": orders,
            "repeat_order_share": _share(orders - first_orders, orders),
            "net_revenue": float(purchases["amount"][_during(purchases, start, end)].sum()),
            "complaints_per_100_orders": 100 * _share(complained, orders),
            "nps": 100 * _share((nps >= 9).sum() - (nps <= 6).sum(), len(nps)),
            "csat_mean": float(csat.mean()) if len(csat) else float("nan"),
        }
        for name, value in row.items():
            table.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in table.items()}


def _orders(purchases: dict[str, NDArray[Any]], start: int, end: int) -> int:
    inside = (purchases["order_day"] >= start) & (purchases["order_day"] < end) & ~purchases["is_return"]
    return len(np.unique(purchases["customer"][inside] * 1_000_000 + purchases["order_day"][inside]))


def _during(rows: dict[str, NDArray[Any]], start: int, end: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (rows["occurred"] >= start * DAY_SECONDS) & (rows["occurred"] < end * DAY_SECONDS)
    return inside


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else float("nan")
