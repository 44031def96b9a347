"""Contract survival: how long contracts last, by plan, and how many end at each renewal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.events import NEVER, Events
from kizuna.data.store import Store
from kizuna.evaluation.definition.return_curve import Curve, Ints, histograms, most_common

EVERY_CONTRACT = "all contracts"
MOST_RENEWALS = 12


def contract_curves(store: Store, train_day: int) -> dict[str, list[Curve]]:
    """Curves of contract lengths by kind of segment (``all``, ``plan``, ``period``), as they were known before the day.

    A contract whose end had not come is still open. Plans: the six with most customers. Periods: each ``period_days``,
    shortest first, its segment named "30 days".
    """
    first = store.first_known_day("subscriptions", train_day)
    days = max(train_day - (train_day if first is None else first), 1)
    plans = most_common(store, "subscriptions", "plan", train_day) if store.has("subscriptions", "plan") else []
    periods = _periods(store, train_day)
    kinds = [("all", [EVERY_CONTRACT]), ("plan", plans), ("period", [f"{period} days" for period in periods])]
    segments = sum(len(names) for _, names in kinds)

    def count(block: Block) -> Ints:
        events = block.tables["subscriptions"]
        at, length, ended = lengths(events, train_day)
        plan = _places(events, plans)[at]
        period = np.full(len(at), -1, dtype=np.int64)
        for index, value in enumerate(periods):
            period[events.numbers["period_days"][at] == value] = index
        after = 1 + len(plans)
        out = histograms((np.zeros(len(at), dtype=np.int64), length, ended), segments, days)
        out += histograms((np.where(plan >= 0, 1 + plan, -1), length, ended), segments, days)
        out += histograms((np.where(period >= 0, after + period, -1), length, ended), segments, days)
        return out

    counts = np.zeros((segments, 2, days), dtype=np.int64)
    for found in store.map(count, "contracts"):
        counts += found
    pairs = iter(counts)
    return {kind: [Curve(name, *next(pairs)) for name in names] for kind, names in kinds}


def lengths(events: Events, train_day: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(position, length, ended) of every contract known before the day; a length still open is the days it was followed."""
    at = np.flatnonzero((events.day < train_day) & (events.known < train_day))
    end = events.days["ended_at"][at] if "ended_at" in events.days else np.full(len(at), NEVER, dtype=np.int32)
    ended = end < train_day
    length = np.where(ended, end, train_day - 1).astype(np.int64) - events.day[at]
    return at, np.maximum(length, 0), ended


def renewals(curves: Mapping[str, list[Curve]]) -> list[dict[str, Any]]:
    """For each period and renewal: contracts that came near it, and the share that ended there, with 95 %.

    There: within half a period before or after. At most twelve renewals, those with 30 contracts or more.
    """
    rows = []
    for curve in curves["period"]:
        period = int(curve.segment.split()[0])
        share, low, high = curve.ends_within(period)
        for number in range(1, MOST_RENEWALS + 1):
            before = number * period - (period + 1) // 2
            if before < len(share) and not np.isnan(share[before]):
                rows.append(
                    {
                        "period_days": period,
                        "renewal": number,
                        "contracts": int(curve.at_risk[before + 1]),
                        "ended_share": float(share[before]),
                        "low": float(low[before]),
                        "high": float(high[before]),
                    }
                )
    return rows


def _periods(store: Store, train_day: int) -> list[int]:
    """The at most six commonest whole periods of contracts, shortest first."""
    if not store.has("subscriptions", "period_days"):
        return []
    (rows,) = store.select(
        f"SELECT period_days, count(*) FROM {store.relation('subscriptions')} WHERE period_days >= 1 "
        f"AND period_days = floor(period_days) AND day < {train_day} AND known < {train_day} GROUP BY period_days"
    )
    counts: dict[int, int] = {}
    for period, contracts in rows:
        counts[int(period or 0)] = counts.get(int(period or 0), 0) + int(contracts or 0)
    return sorted(sorted(counts, key=lambda period: (-counts[period], period))[:6])


def _places(events: Events, plans: list[str]) -> Ints:
    """Each contract's plan as its place in the list, -1 for another or none."""
    if not plans:
        return np.full(len(events.day), -1, dtype=np.int64)
    coded = events.texts["plan"]
    place = {name: index for index, name in enumerate(plans)}
    # Code -1, the null, finds the last place.
    return np.array([*(place.get(level, -1) for level in coded.levels), -1], dtype=np.int64)[coded.codes]
