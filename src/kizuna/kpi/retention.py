"""Measures of who stayed, left, came and came back, and of the money that goes with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.data.events import NEVER
from kizuna.kpi.facts import Days, Floats, Mask
from kizuna.kpi.moments import Measured
from kizuna.kpi.scene import Scene
from kizuna.kpi.standing import LAPSED
from kizuna.timeline import date_of, day_of

_YEAR_DAYS = 365


def measures(scene: Scene) -> Iterator[Measured]:
    """Customers at both ends and in between; retention, churn, reactivation; with purchases, the money."""
    start, end, new, returned, lost = scene.at_start, scene.at_end, scene.new, scene.returned, scene.lost
    for name, mask in (
        ("customers_start", start),
        ("customers_new", new),
        ("customers_reactivated", returned),
        ("customers_lost", lost),
        ("customers_end", end),
    ):
        yield total(name, mask)
    kept, left = start & end, start & ~end
    back, gone = returned & end, new & ~end
    yield Measured("crr_formula", _one(start), end.astype(np.float64) - new)
    yield Measured("crr_cohort", _one(start), _one(kept))
    yield Measured("crr_from_reactivated", _one(start), _one(back))
    yield Measured("crr_from_new_lost", _one(start), _one(gone))
    yield Measured("churn_rate", _one(start), _one(left))
    yield Measured("churn_rate_net", _one(start), _one(left) - back)
    lapsed = scene.standing.stage[[low for low, _ in scene.grid.spans]] == LAPSED
    yield Measured("reactivation_rate", _one(lapsed), _one(lapsed & returned))
    if scene.facts.has("customers"):
        yield total("prospects", _prospects(scene))
    if scene.facts.has("outreach", "cost"):
        yield Measured("retention_cost_per_kept", _one(kept), _cost(scene) * start)
    if scene.facts.has("purchases"):
        yield from _money(scene, kept, left)


def total(name: str, mask: Mask) -> Measured:
    """A count of customers."""
    return Measured(name, np.zeros(mask.shape), _one(mask))


def _money(scene: Scene, kept: Mask, left: Mask) -> Iterator[Measured]:
    start, new, revenue = scene.at_start, scene.new & ~scene.at_start, scene.revenue
    none = np.zeros(revenue.shape)
    retained = revenue * start
    yield Measured("orders", none, scene.orders)
    yield Measured("revenue", none, revenue)
    yield Measured("revenue_retained", none, retained)
    yield Measured("revenue_new", none, revenue * new)
    yield Measured("revenue_reactivated", none, revenue * ~(start | new))
    yield Measured("revenue_retained_share", revenue, retained)
    yield Measured("revenue_per_crr_point", _one(kept), revenue * kept)
    events, net = scene.facts.purchases.events, scene.facts.purchases.net
    days = (events.customer, events.day)
    before = scene.between((scene.grid.starts - np.int32(_YEAR_DAYS), scene.grid.starts), *days, net)
    yield Measured("revenue_churn_rate", before * start, before * left)
    last_year = (_year_before(scene.grid.starts), _year_before(scene.grid.ends))
    then = scene.between(last_year, *days, net)
    yield Measured("net_revenue_retention", then, revenue * (scene.between(last_year, *days) > 0))


def _one(mask: Mask) -> Floats:
    return mask.astype(np.float64)


def _year_before(days: Days) -> Days:
    """The same dates a year earlier; of 29 February the 28th."""
    dates = [date_of(day) for day in days]
    earlier = [
        when.replace(year=when.year - 1, day=28 if (when.month, when.day) == (2, 29) else when.day) for when in dates
    ]
    return np.array([day_of(when) for when in earlier], dtype=np.int32)


def _prospects(scene: Scene) -> Mask:
    """Known to the shop at the period's end, and had not bought by then."""
    events = scene.facts.table("customers")
    known = np.full(scene.facts.customers, NEVER, dtype=np.int64)
    seen = events.days.get("first_seen_at", events.day)
    # A customer of whom no first day is said has always been there.
    np.minimum.at(known, events.customer, np.where(seen == NEVER, events.day, seen))
    ends = scene.grid.ends[:, None]
    return np.asarray((known < ends) & (scene.standing.first >= ends))


def _cost(scene: Scene) -> Floats:
    outreach = scene.facts.table("outreach")
    return scene.count(outreach.customer, outreach.day, np.nan_to_num(outreach.numbers["cost"]))
