"""Small hostile shops from a seed: ties, late and repeated news, nulls, orders in pieces, customers without any row.

A shop is plain rows (dicts); a day is whole days since 1970-01-01. Nothing of the package's own reading is used here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from kizuna.project import Project

Row = dict[str, Any]
FIRST, LAST = 18_900, 19_800
CUSTOMERS = ("007", "7", "NA", "NULL", "a", "B", "b-1", "c", "d", "é", "絆", "𠮷")
REQUIRED = {
    "customers": ("customer_id",),
    "purchases": ("customer_id", "occurred_at", "amount"),
    "complaints": ("customer_id", "occurred_at"),
    "engagement": ("customer_id", "occurred_at"),
    "outreach": ("customer_id", "occurred_at"),
    "surveys": ("customer_id", "occurred_at", "kind", "score"),
    "loyalty": ("customer_id", "occurred_at", "kind"),
    "referrals": ("customer_id", "occurred_at"),
    "subscriptions": ("customer_id", "started_at"),
    "features": ("customer_id", "usage"),
}
DATED_BY = dict.fromkeys(REQUIRED, "occurred_at") | {
    "customers": "valid_from",
    "subscriptions": "started_at",
    "features": "as_of",
}
TIMES = {
    *("occurred_at", "known_at", "valid_from", "as_of", "started_at", "ended_at", "notice_at", "renews_at"),
    *("promised_at", "delivered_at", "resolved_at", "first_response_at", "followed_up_at", "expires_at"),
    *("adopted_at", "refunded_at", "launched_at", "reopened_at"),
    *("first_seen_at", "birth_date", "list_as_of", "from", "until"),
}
NUMBERS = {
    *("amount", "quantity", "discount_amount", "score", "scale_min", "scale_max", "points", "rating", "price", "cost"),
    *("period_days", "usage", "visits_made", "stamps", "value", "tier_rank", "points_to_next", "compensation"),
}
FLAGS = {"is_return", "voluntary", "bounced", "auto_renew", "is_vip", "consent", "consent_email", "churned"}
ATTRIBUTES = ("stamps", "tier")


@dataclass(frozen=True)
class Shop:
    """Rows of each table, and the columns that each table has."""

    rows: dict[str, list[Row]]
    columns: dict[str, tuple[str, ...]]

    def frames(self, shuffle: int | None = None) -> dict[str, pd.DataFrame]:
        """pandas tables; with ``shuffle`` their rows in an order drawn from that seed."""
        out = {}
        for name, rows in self.rows.items():
            order = list(rows)
            if shuffle is not None:
                Random(f"{shuffle}|{name}").shuffle(order)
            out[name] = frame_of(order, self.columns[name])
        return out

    def project(self, shuffle: int | None = None, **sections: Any) -> Project:
        """A project over these tables; ``sections`` of the config override the defaults."""
        sources: dict[str, Any] = {name: {} for name in self.rows}
        if "customers" in self.rows:
            sources["customers"] = {"attributes": [a for a in ATTRIBUTES if a in self.columns["customers"]]}
        tree = {"name": "shop", "data": {"tables": sources}, **sections}
        return Project(tree, self.frames(shuffle), today=date(2040, 1, 1))

    def only(self, *tables: str) -> Shop:
        """The same shop with fewer tables."""
        return Shop({t: self.rows[t] for t in tables}, {t: self.columns[t] for t in tables})


def frame_of(rows: list[Row], columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows as a pandas table, each column with the type that a shop's export would have."""
    out = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        if name in TIMES:
            days = [np.datetime64("NaT") if v is None else np.datetime64(int(v), "D") for v in values]
            out[name] = pd.Series(np.array(days, dtype="datetime64[s]"))
        elif name in FLAGS:
            out[name] = pd.Series(values, dtype="boolean")
        elif name in NUMBERS:
            out[name] = pd.Series([np.nan if v is None else float(v) for v in values], dtype="float64")
        else:
            out[name] = pd.Series(values, dtype="str")
    return pd.DataFrame(out)


def random_shop(seed: int, style: str) -> Shop:
    """A shop drawn from a seed. ``style``: full (all columns), mixed (some), lean (required ones), undated (no versions)."""
    rng = Random(f"{seed}|{style}")
    pool = sorted(rng.sample(range(FIRST, LAST), 45))
    ancient = [-400, -1, 0, 300] if style == "mixed" else []
    rows: dict[str, list[Row]] = {}
    columns: dict[str, tuple[str, ...]] = {}
    for table in REQUIRED:
        columns[table] = _columns(rng, table, style)
        rows[table] = []
        for customer in CUSTOMERS:
            if table in ("customers", "features"):
                rows[table].extend(_versions(rng, table, customer, pool, DATED_BY[table] in columns[table]))
            else:
                rows[table].extend(_events(rng, table, customer, pool + ancient))
        if table not in ("customers", "features"):
            rows[table].append(draw_row(rng, table, CUSTOMERS[-1], pool[0]) | {"known_at": None})
        rng.shuffle(rows[table])
    rows["outreach"] += _at_moments(rng, rows)
    return Shop(rows, columns)


def draw_row(rng: Random, table: str, customer: str, day: int) -> Row:
    """One row of one event table on a day, every column filled or null."""
    row = {"customer_id": customer, DATED_BY[table]: day, **_DRAWS[table](rng, day)}
    late = rng.choice([None, None, 0, -rng.randint(1, 9), rng.randint(1, 60), rng.randint(1, 60)])
    row["known_at"] = None if late is None else day + late
    return row


def _columns(rng: Random, table: str, style: str) -> tuple[str, ...]:
    everything = ["customer_id", DATED_BY[table], *_DRAWS[table](Random(0), 0), "known_at"]
    undated = {"valid_from", "as_of", "known_at"} if table in ("customers", "features") else set()
    if style == "undated":
        everything = [c for c in everything if c not in undated]
    if style == "lean":
        kept = REQUIRED[table]
    elif style == "mixed":
        kept = tuple(c for c in everything if c in REQUIRED[table] or rng.random() < 0.6)
    else:
        kept = tuple(everything)
    return kept


def _events(rng: Random, table: str, customer: str, pool: list[int]) -> list[Row]:
    count = rng.choice([0, 0, 1, 2, 3, 5, 12, 30])
    rows = [draw_row(rng, table, customer, rng.choice(pool)) for _ in range(count)]
    return rows + [dict(row) for row in rows if rng.random() < 0.05]


def _versions(rng: Random, table: str, customer: str, pool: list[int], dated: bool) -> list[Row]:
    count = rng.choice([0, 1, 1, 2, 3] if dated else [0, 1, 1, 1])
    return [draw_row(rng, table, customer, day) for day in rng.sample(pool, count)]


def _at_moments(rng: Random, rows: dict[str, list[Row]]) -> list[Row]:
    """Outreach on the edges of what lies around purchases, the yearly days of the first one, and birthdays."""
    out = []
    for customer in CUSTOMERS[::2]:
        bought = [r["occurred_at"] for r in rows["purchases"] if r["customer_id"] == customer]
        born = [r["birth_date"] for r in rows["customers"] if r["customer_id"] == customer]
        moments = [("follow_up", day) for day in bought]
        for kind, first in [("anniversary", min(bought, default=None)), *[("birthday", day) for day in born]]:
            moments += [(kind, first + round(365.25 * n)) for n in range(90) if first is not None]
        for kind, day in moments:
            if FIRST <= day <= LAST + 300 and rng.random() < 0.6:
                edges = [-8, -7, 0, 7, 8] if kind != "follow_up" else [0, 1, 14, 15]
                out.append(draw_row(rng, "outreach", customer, day + rng.choice(edges)) | {"kind": kind})
    return out


def _later(rng: Random, day: int, most: int) -> int | None:
    return rng.choice([None, day + rng.randint(0, most), day + rng.randint(0, most), day - rng.randint(0, 5)])


def _purchase(rng: Random, day: int) -> Row:
    amount = rng.choice([0.0, 1e6, 0.1, 19.99, round(rng.uniform(1, 500), 2), float(rng.randint(1, 90))])
    returned = rng.choice([False, False, False, True, None])
    if returned is None or returned:
        amount *= rng.choice([1, -1])
    promised = rng.choice([None, day + rng.randint(0, 20)])
    return {
        "amount": amount,
        "is_return": returned,
        "order_id": rng.choice([None, "o1", "o2", "O2", "o3", "o4", "o5", "o6"]),
        "quantity": rng.choice([None, 1, 2, 7, 0, 0.5]),
        "category": rng.choice([None, "cd", "book", "toy"]),
        "product_id": rng.choice([None, "p1", "P1", "p2", "p3"]),
        "channel": rng.choice([None, "web", "shop", "Shop", "電話"]),
        "discount_amount": rng.choice([None, 0.0, 0.0, 5.0, -1.0]),
        "promised_at": promised,
        "delivered_at": _later(rng, promised or day, 40),
        "refunded_at": _later(rng, day, 60),
        "launched_at": rng.choice([None, day - rng.randint(0, 120), day - 90, day - 91, day + 1]),
    }


def _complaint(rng: Random, day: int) -> Row:
    return {
        "resolved_at": _later(rng, day, 200),
        "first_response_at": _later(rng, day, 20),
        "reopened_at": _later(rng, day, 300),
        "severity": rng.choice([None, "high", " Low", "CRITICAL", "中", "2.5", "-1", "1e3", "odd"]),
        "category": rng.choice([None, "Defect ", "billing", "品質", "delivery"]),
        "channel": rng.choice([None, "phone", "chat", "Chat"]),
        "kind": rng.choice([None, "complaint", "Complaint ", "complaint", "inquiry", "praise"]),
        "compensation": rng.choice([None, 0.0, 0.1, 500.0]),
    }


def _engagement(rng: Random, day: int) -> Row:
    seldom = rng.choice(["post", "answer", "join", "Event", "attend", "skip", "pause"])
    return {
        "kind": rng.choice([None, "visit", "LOGIN", "open", "click", "click", "use", seldom, seldom]),
        "channel": rng.choice([None, "web", "WEB ", "app"]),
        "purpose": rng.choice([None, "recommendation", " Story", "sale"]),
    }


def _outreach(rng: Random, day: int) -> Row:
    seldom = rng.choice(["birthday", "anniversary", "gift", "notice", "review_request", "dunning"])
    purpose = rng.choice(["birthday", "anniversary", "Gift", "payment", "promotion", "personal", "recommendation"])
    return {
        "kind": rng.choice([None, "newsletter", "offer", "Thanks", "call", "follow_up", "survey", seldom, seldom]),
        "purpose": rng.choice([None, None, "thanks", "sale", purpose, purpose]),
        "channel": rng.choice([None, "email", "EMAIL", "post", "phone"]),
        "language": rng.choice([None, "ja", "EN", "fr"]),
        "cost": rng.choice([None, 0.0, 0.1, 85.0]),
        "bounced": rng.choice([None, False, False, True]),
        "list_as_of": rng.choice([None, day]),
    }


def _survey(rng: Random, day: int) -> Row:
    kind = rng.choice(["nps", "NPS", "csat", "ces", "intent", "suggestion"])
    low, high = rng.choice([(None, None), (None, None), (0, 10), (1, 5), (0, 100), (5, 5), (None, 10)])
    score = None if kind == "suggestion" or rng.random() < 0.1 else float(rng.randint(low or 0, high or 10))
    return {
        "kind": kind,
        "score": score,
        "scale_min": low,
        "scale_max": high,
        "touchpoint": rng.choice([None, "Price ", "value", "delivery"]),
        "followed_up_at": _later(rng, day, 90),
        "adopted_at": _later(rng, day, 90),
    }


def _loyalty(rng: Random, day: int) -> Row:
    return {
        "kind": rng.choice(["join", "earn", "earn", "earn", "Redeem", "expire", "tier"]),
        "points": rng.choice([None, 10.0, 0.1, -33.3, round(rng.uniform(0, 300), 1)]),
        "expires_at": _later(rng, day, 400),
        "tier": rng.choice([None, None, "gold", "Gold", "silver"]),
        "tier_rank": rng.choice([None, None, 1, 2, 3]),
        "points_to_next": rng.choice([None, None, -5.0, 0.0, 120.5]),
    }


def _referral(rng: Random, day: int) -> Row:
    return {"kind": rng.choice([None, "referral", "review", "Mention"]), "rating": rng.choice([None, 1.0, 4.5, 5.0])}


def _subscription(rng: Random, day: int) -> Row:
    ended = _later(rng, day, 500)
    return {
        "ended_at": ended,
        "notice_at": rng.choice([None, None, _later(rng, day, 300)]),
        "price": rng.choice([None, 9.8, 20.1, round(rng.uniform(1, 99), 2)]),
        "renews_at": _later(rng, day, 400),
        "voluntary": None if ended is None else rng.choice([None, True, False]),
        "auto_renew": rng.choice([None, True, False]),
    }


def _customer(rng: Random, day: int) -> Row:
    return {
        "first_seen_at": rng.choice([None, day - rng.randint(0, 400), day + rng.randint(0, 400)]),
        # 6633 is 29 February 1988.
        "birth_date": rng.choice([None, -5_000, 6_633, 20_000, day - 10_958 + rng.randint(-12, 12)]),
        "market": rng.choice([None, "JP", "US"]),
        "language": rng.choice([None, "ja", "EN ", "en"]),
        "acquisition_channel": rng.choice([None, "shop", "web"]),
        "consent_email": rng.choice([None, True, False]),
        "stamps": rng.choice([None, 3, 8]),
        "tier": rng.choice([None, "gold", "silver"]),
    }


def _features(rng: Random, day: int) -> Row:
    return {
        "usage": rng.choice([None, 0.5, 17.0]),
        "is_vip": rng.choice([None, True, False]),
        "plan_name": rng.choice([None, "S", "M"]),
    }


_DRAWS: dict[str, Callable[[Random, int], Row]] = {
    "customers": _customer,
    "purchases": _purchase,
    "complaints": _complaint,
    "engagement": _engagement,
    "outreach": _outreach,
    "surveys": _survey,
    "loyalty": _loyalty,
    "referrals": _referral,
    "subscriptions": _subscription,
    "features": _features,
}
