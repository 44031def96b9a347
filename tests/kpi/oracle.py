"""KPIs by brute force: pandas, one customer at a time, written from the definitions and not from the code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

Frame = pd.DataFrame


@dataclass
class Truth:
    """Plain tables cut to what was known before a day; days as midnight timestamps."""

    tables: dict[str, Frame]
    now: pd.Timestamp
    active_days: int
    regular_orders: int = 4
    seen: dict[str, Any] = field(default_factory=dict)

    def customers(self) -> list[str]:
        return sorted({*self.tables["purchases"]["customer_id"], *self.tables["customers"]["customer_id"]})

    @cached_property
    def _bought(self) -> dict[str, Frame]:
        rows = self.tables["purchases"]
        return dict(iter(rows[~rows["is_return"]].groupby("customer_id")))

    def bought(self, customer: str) -> Frame:
        return self._bought.get(customer, self.tables["purchases"].head(0))

    def order_days(self, customer: str) -> list[pd.Timestamp]:
        if customer not in self.seen:
            self.seen[customer] = sorted(self.bought(customer).groupby("order_id")["day"].min())
        return self.seen[customer]

    def active(self, customer: str, day: pd.Timestamp) -> bool:
        days = self.bought(customer)["day"]
        return any(day - pd.Timedelta(days=self.active_days) <= when < day for when in days)

    def stage(self, customer: str, day: pd.Timestamp) -> str:
        days = sorted({when for when in self.bought(customer)["day"] if when < day})
        orders = [when for when in self.order_days(customer) if when < day]
        if not days:
            return "prospect"
        if not self.active(customer, day):
            return "lapsed"
        gaps = [(after - before).days for before, after in pairwise(days)]
        if gaps and gaps[-1] > self.active_days:
            return "reactivated"
        if len(orders) == 1:
            return "first"
        if gaps and (day - days[-1]).days >= 2 * np.median(gaps[-12:]):
            return "lapsing"
        if len(orders) == 2:
            return "second"
        lately = [when for when in orders if when >= day - pd.Timedelta(days=365)]
        return "regular" if len(lately) >= self.regular_orders else "occasional"


def cut(tables: dict[str, Frame], now: str) -> dict[str, Frame]:
    """The tables as they were known before a day, with ``day``; what fills in later is null."""
    limit, out = pd.Timestamp(now), {}
    for name, frame in tables.items():
        if "occurred_at" not in frame:
            out[name] = frame
            continue
        frame = frame.assign(day=frame["occurred_at"].dt.normalize())
        known = frame["known_at"].dt.normalize().fillna(frame["day"]) if "known_at" in frame else frame["day"]
        frame = frame[(frame["day"] < limit) & (known < limit)].copy()
        for column in ("resolved_at", "first_response_at"):
            if column in frame:
                frame[column] = frame[column].where(frame[column].dt.normalize() < limit)
        out[name] = frame
    return out


def kpis(truth: Truth, members: list[str], start: pd.Timestamp, end: pd.Timestamp) -> dict[str, float]:
    """KPIs of some customers in a period."""
    t = truth.tables
    inside = lambda frame: frame[  # noqa: E731
        frame["customer_id"].isin(members) & (frame["day"] >= start) & (frame["day"] < end)
    ]
    at_start = {c for c in members if truth.active(c, start)}
    at_end = {c for c in members if truth.active(c, end)}
    first = {c: min(truth.bought(c)["day"], default=pd.NaT) for c in members}
    new = {c for c in members if start <= first[c] < end}
    buyers = {c for c in members if any(start <= when < end for when in truth.bought(c)["day"])}
    returned = {c for c in buyers if first[c] < start and c not in at_start}
    kept = at_start & at_end
    purchases = inside(t["purchases"])
    net = np.where(purchases["is_return"], -purchases["amount"].abs(), purchases["amount"])
    money = pd.Series(net, index=purchases["customer_id"]).groupby(level=0).sum()
    orders = {c: [day for day in truth.order_days(c) if start <= day < end] for c in members}
    ordered = {c for c in members if orders[c]}
    total = sum(map(len, orders.values()))
    complaints = inside(t["complaints"])
    complaints = complaints[complaints["kind"] == "complaint"]
    year = t["complaints"][t["complaints"]["kind"] == "complaint"]
    year = set(year[(year["day"] >= end - pd.Timedelta(days=365)) & (year["day"] < end)]["customer_id"])
    surveys = inside(t["surveys"])
    nps = surveys[surveys["kind"] == "nps"].sort_values(["day", "score"], ascending=[True, False])
    nps = nps.groupby("customer_id")["score"].last()
    csat = surveys[surveys["kind"] == "csat"]
    reviews = inside(t["referrals"])
    reviews = reviews[reviews["kind"] == "review"]
    lapsed = {c for c in members if truth.stage(c, start) == "lapsed"}
    channel = t["customers"].set_index("customer_id")["acquisition_channel"]
    lost = at_start - at_end
    return {
        "customers_start": len(at_start),
        "customers_new": len(new),
        "customers_reactivated": len(returned),
        "customers_lost": len((at_start | new | returned) - at_end),
        "customers_end": len(at_end),
        "crr_formula": _share(len(at_end) - len(new), len(at_start)),
        "crr_cohort": _share(len(kept), len(at_start)),
        "churn_rate": _share(len(lost), len(at_start)),
        "reactivation_rate": _share(len(returned & lapsed), len(lapsed)),
        "orders": total,
        "revenue": float(money.sum()),
        "revenue_retained": float(money[money.index.isin(at_start)].sum()),
        "revenue_new": float(money[money.index.isin(new)].sum()),
        "repeat_rate_any": _share(
            sum(len([d for d in truth.order_days(c) if d < end]) >= 2 for c in ordered), len(ordered)
        ),
        "repeat_rate_same_product": _share(len(set(_same_product(truth, start, end)) & ordered), len(ordered)),
        "nps": 100 * _share(int((nps >= 9).sum() - (nps <= 6).sum()), len(nps)),
        "csat_top2_share": _share(int((csat["score"] >= 4).sum()), len(csat)),
        "csat_mean": _share(float(((csat["score"] - 1) / 4).sum()), len(csat)),
        "complaints_per_100_orders": 100 * _share(len(complaints), total),
        "silent_lapse_share": _share(len(lost - year), len(lost)),
        "reviews_per_1000_orders": 1000 * _share(len(reviews), total),
        "rating_mean": _share(float(reviews["rating"].sum()), len(reviews)),
        "referral_share_of_new": _share(sum(channel[c] == "referral" for c in new), len(new)),
        "f2_rate_90d": _second_order(truth, members, start, end, 90),
    }


def _second_order(truth: Truth, members: list[str], start: pd.Timestamp, end: pd.Timestamp, within: int) -> float:
    if end + pd.Timedelta(days=within) > truth.now:
        return float("nan")
    cohort = [days for c in members if (days := truth.order_days(c)) and start <= days[0] < end]
    return _share(sum(len(days) > 1 and (days[1] - days[0]).days <= within for days in cohort), len(cohort))


def _same_product(truth: Truth, start: pd.Timestamp, end: pd.Timestamp) -> Iterator[str]:
    rows = truth.tables["purchases"]
    rows = rows[~rows["is_return"]]
    rows = rows.assign(order_day=rows.groupby("order_id")["day"].transform("min"))
    for (customer, _), group in rows.groupby(["customer_id", "product_id"]):
        again = group[group["order_day"] > group["order_day"].min()]
        if ((again["order_day"] >= start) & (again["order_day"] < end)).any():
            yield customer


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
