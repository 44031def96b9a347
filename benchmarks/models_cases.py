"""Cases of the arena: which shop, which day to stand on, which horizons; and the cut of its tables at that day.

Shops are the public sets, parts of them, simulated shops, and three logs drawn here (weekly grocery, yearly donations,
fashion by season). A table is a pandas frame with kizuna's column names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CONTOSO = DATA / "contoso_customer_insights"
# Filled in later: known only once that day has passed.
LATER = ("resolved_at", "first_response_at", "followed_up_at", "delivered_at", "ended_at", "notice_at")
NO_PRODUCT = ("POST", "D", "M", "BANK CHARGES", "AMAZONFEE", "DOT", "CRUK", "S", "B", "C2", "PADS")

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Case:
    """One question: train on ``shop`` as it was known before ``day``, score at ``day``, look at what came.

    ``sample``: so many customers drawn at random (0: all). ``tables``: purchases alone, or all there are.
    """

    shop: str
    day: str
    horizon_days: int
    active_within_days: int = 180
    sample: int = 0
    seed: int = 1
    tables: str = "all"
    quick: bool = False

    @property
    def name(self) -> str:
        part = f"~{self.sample}s{self.seed}" if self.sample else ""
        only = "" if self.tables == "all" else "/purchases"
        return f"{self.shop}{part}{only} {self.day} {self.horizon_days}d in {self.active_within_days}d"

    @property
    def group(self) -> str:
        """The kind of shop, over which means are taken."""
        return self.shop.split("-")[0]


def all_cases() -> list[Case]:
    """Every case, the public shops first."""
    return [*_retail(), *_cdnow(), *_contoso(), *_drawn(), *_simulated()]


def _retail() -> Iterator[Case]:
    yield Case("retail", "2011-09-10", 90, quick=True)
    yield Case("retail", "2011-06-15", 90)
    yield Case("retail", "2011-07-20", 90)
    yield Case("retail", "2011-10-10", 60)
    yield Case("retail", "2011-08-01", 60, 120)
    yield Case("retail", "2011-07-01", 30, 90)
    yield Case("retail", "2011-11-09", 30, 90)
    yield Case("retail-uk", "2011-08-20", 90)
    yield Case("retail-abroad", "2011-09-10", 90, quick=True)
    yield Case("retail-abroad", "2011-10-10", 60)
    for sample, seed, day in ((300, 1, "2011-09-10"), (300, 2, "2011-08-10"), (1000, 1, "2011-09-10")):
        yield Case("retail", day, 90, sample=sample, seed=seed, quick=sample == 300)
    yield Case("retail", "2011-10-10", 60, sample=1000, seed=2)
    yield Case("retail-days", "2011-09-10", 90, tables="purchases")


def _cdnow() -> Iterator[Case]:
    yield Case("cdnow-full", "1998-04-01", 90)
    yield Case("cdnow-full", "1997-12-31", 180, sample=8000)
    for day, horizon_days, active in (
        ("1997-09-30", 90, 180),
        ("1998-01-01", 90, 180),
        ("1998-04-01", 90, 365),
        ("1998-05-01", 60, 120),
        ("1998-01-01", 180, 365),
    ):
        yield Case("cdnow-sample", day, horizon_days, active, quick=day == "1998-01-01" and active == 180)
    for seed in (1, 2):
        yield Case("cdnow-full", "1998-04-01", 90, sample=1000 * seed, seed=seed)
        yield Case("cdnow-full", "1998-03-01", 90, sample=5000, seed=seed)
    yield Case("cdnow-sample", "1998-02-01", 90, sample=500, seed=3)


def _contoso() -> Iterator[Case]:
    yield Case("contoso-online", "2018-06-01", 90, quick=True)
    yield Case("contoso-online", "2018-12-01", 90, 365)
    yield Case("contoso-pos", "2018-09-01", 90, quick=True)
    yield Case("contoso-pos", "2018-12-01", 90)
    yield Case("contoso-pos", "2018-05-20", 180, 365)
    yield Case("contoso-online", "2018-12-01", 60, 180, sample=1000)
    yield Case("hotel-stays", "2016-12-01", 180, 365, sample=2000, seed=2)
    yield Case("hotel-stays", "2017-09-30", 90, 365, sample=1000)
    yield Case("clickstream", "2024-05-20", 30, 90)


def _drawn() -> Iterator[Case]:
    for seed in (1, 2):
        yield Case("grocery", "2024-10-01", 30, 60, sample=400 * seed, seed=seed, quick=seed == 1)
        yield Case("donations", "2023-01-01", 365, 730, sample=1000 * seed, seed=seed)
        yield Case("fashion", "2024-07-01", 90, 365, sample=1500 * seed, seed=seed, quick=seed == 1)
    yield Case("donations", "2022-07-01", 180, 365, sample=800, seed=3)
    yield Case("grocery", "2024-07-01", 90, 180, sample=1500, seed=3)
    yield Case("fashion", "2024-01-01", 180, 365, sample=600, seed=3)


def _simulated() -> Iterator[Case]:
    for customers, days, seed in ((300, 730, 1), (300, 1095, 2), (1000, 730, 3), (1000, 1095, 4), (3000, 1095, 5)):
        quick = (customers, days) == (1000, 730)
        yield Case(f"simulated-{customers}x{days}s{seed}", "2025-10-01", 90, quick=quick)
        yield Case(f"simulated-{customers}x{days}s{seed}", "2025-10-01", 90, tables="purchases")
    yield Case("simulated-1000x1095s6", "2024-12-31", 90)
    yield Case("simulated-3000x1095s7", "2025-07-01", 60, 120)
    yield Case("simulated-3000x1095s7", "2024-12-31", 180, 365, tables="purchases")
    yield Case("simulated-3000x730s8", "2025-05-01", 90)
    yield Case("simulated-10000x1095s9", "2025-10-01", 90)
    yield Case("simulated-10000x1095s9", "2024-12-31", 90, tables="purchases")


def tables_of(case: Case) -> Tables:
    """The case's tables with their whole future, of the customers drawn."""
    if case.shop in ("grocery", "donations", "fashion"):
        return {"purchases": _log(case.shop, case.sample, case.seed)}
    tables = dict(_shop(case.shop))
    if case.tables == "purchases":
        tables = {"purchases": tables["purchases"]}
    if case.sample:
        everybody = np.sort(tables["purchases"]["customer_id"].unique())
        drawn = np.random.default_rng(case.seed).choice(everybody, min(case.sample, len(everybody)), replace=False)
        tables = {name: table[table["customer_id"].isin(drawn)] for name, table in tables.items()}
    return tables


def known_before(tables: Tables, day: str) -> Tables:
    """The rows that were known before ``day``; what is filled in later is empty where it was still to come."""
    when, out = pd.Timestamp(day), {}
    for name, table in tables.items():
        dated = [column for column in ("occurred_at", "started_at", "first_seen_at", "known_at") if column in table]
        keep = np.logical_and.reduce([np.ones(len(table), dtype=bool), *(~(table[c] >= when) for c in dated)])
        table = table[keep].copy()
        for column in set(LATER) & set(table.columns):
            table[column] = table[column].where(table[column] < when)
        if len(table):
            out[name] = table.reset_index(drop=True)
    return out


@lru_cache(maxsize=4)
def _shop(shop: str) -> Tables:
    if shop.startswith("simulated"):
        return _simulate(*(int(part) for part in shop.partition("-")[2].replace("s", "x").split("x")))
    if shop.startswith("retail"):
        return _retail_tables(shop.partition("-")[2])
    if shop.startswith("cdnow"):
        file = "transactions_full" if shop == "cdnow-full" else "transactions_sample_1in10"
        raw = pd.read_parquet(DATA / "cdnow" / f"{file}.parquet")
        return {"purchases": _renamed(raw, "customer_id", "date", "amount_usd", quantity="cds")}
    if shop == "clickstream":
        return _clickstream()
    if shop == "hotel-stays":
        raw = pd.read_parquet(CONTOSO / "hotel_stays.parquet")
        extra = {"order_id": "stay_id", "category": "travel_category", "channel": "booking_type"}
        return {"purchases": _renamed(raw, "hotel_customer_id", "check_in_date", "dollars_spent", **extra)}
    where, owner = ("online", "contact_id") if shop == "contoso-online" else ("pos", "loyalty_id")
    raw = pd.read_parquet(CONTOSO / f"{where}_purchases.parquet")
    extra = {"order_id": "purchase_id", "product_id": "product_id"}
    return {"purchases": _renamed(raw, owner, "purchased_on", "total_price", **extra)}


def _renamed(raw: pd.DataFrame, owner: str, when: str, amount: str, **extra: str) -> pd.DataFrame:
    ours = {"customer_id": owner, "occurred_at": when, "amount": amount, **extra}
    frame = pd.DataFrame({name: raw[theirs] for name, theirs in ours.items()})
    return frame[frame["customer_id"].notna()].astype({"customer_id": "str"}).reset_index(drop=True)


def _retail_tables(part: str) -> Tables:
    raw = pd.read_parquet(DATA / "online_retail_1" / "lines.parquet")
    raw = raw[raw["customer_id"].notna() & ~raw["stock_code"].isin(NO_PRODUCT)]
    if part in ("uk", "abroad"):
        raw = raw[(raw["country"] == "United Kingdom") == (part == "uk")]
    raw = raw.assign(amount=raw["quantity"].abs() * raw["unit_price_gbp"], quantity=raw["quantity"].abs())
    extra = {
        "order_id": "invoice_no",
        "product_id": "stock_code",
        "is_return": "is_cancellation",
        "quantity": "quantity",
    }
    lines = _renamed(raw, "customer_id", "invoice_ts", "amount", **extra)
    if part == "days":
        lines = lines.drop(columns=["order_id", "product_id", "quantity"])
        return {"purchases": lines.assign(occurred_at=lines["occurred_at"].dt.normalize())}
    first = raw.sort_values("invoice_ts", kind="stable").drop_duplicates("customer_id")
    market = pd.DataFrame({"customer_id": first["customer_id"].astype("str"), "market": first["country"]})
    return {"purchases": lines, "customers": market.reset_index(drop=True)}


def _clickstream() -> Tables:
    raw = pd.read_parquet(DATA / "retentioneering_clickstream" / "events.parquet")
    raw = raw.assign(amount=1.0, kind="visit")
    bought = raw[raw["event"] == "purchase"]
    visits = raw.drop_duplicates(["user_id", "session_id"])[["user_id", "timestamp", "kind"]]
    visits = visits.rename(columns={"user_id": "customer_id", "timestamp": "occurred_at"}).reset_index(drop=True)
    return {"purchases": _renamed(bought, "user_id", "timestamp", "amount"), "engagement": visits}


def _simulate(customers: int, days: int, seed: int) -> Tables:
    from kizuna.data.simulate import simulate

    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), customers, days, seed)
        return {file.stem: pd.read_parquet(file) for file in sorted(Path(folder).glob("*.parquet"))}


@dataclass(frozen=True)
class Habit:
    """How the customers of a drawn log buy: mean gap, its regularity (gamma shape), who quits, seasons, spend."""

    first_day: str
    days: int
    gap_days: float
    regularity: float
    quit_per_order: float
    season: float
    spend: float


HABITS = {
    "grocery": Habit("2023-01-01", 730, 9.0, 2.0, 0.012, 0.05, 45.0),
    "donations": Habit("2017-01-01", 2555, 330.0, 3.0, 0.18, 0.6, 60.0),
    "fashion": Habit("2022-01-01", 1095, 75.0, 1.0, 0.10, 0.5, 80.0),
}


def _log(kind: str, customers: int, seed: int) -> pd.DataFrame:
    """Purchases of customers who each have a rate, a spend and a chance to quit of their own, from one seed."""
    habit, rng = HABITS[kind], np.random.default_rng(seed)
    # Who quits easily buys at other rates too: independence is what a textbook model assumes, and shops do not have.
    gap = habit.gap_days * rng.lognormal(0.0, 0.6, customers)
    quits = np.clip(rng.beta(1.0, 1.0 / habit.quit_per_order, customers) * (gap / habit.gap_days) ** 0.4, 0, 0.95)
    spend, day = habit.spend * rng.lognormal(0, 0.6, customers), rng.uniform(0, 0.9 * habit.days, customers)
    alive, rows = np.arange(customers), []
    while len(alive):
        amount = np.round(spend[alive] * rng.lognormal(0, 0.5, len(alive)), 2)
        rows.append(pd.DataFrame({"customer": alive, "day": day[alive].astype(int), "amount": amount}))
        stays = rng.random(len(alive)) >= quits[alive]
        season = 1 - habit.season * np.cos(2 * np.pi * (day[alive] - 340) / 365)
        pace = rng.gamma(habit.regularity, 1 / habit.regularity, len(alive))
        day[alive] += np.maximum(1.0, gap[alive] * pace * season)
        alive = alive[stays & (day[alive] < habit.days)]
    log = pd.concat(rows, ignore_index=True).sort_values(["day", "customer"], kind="stable")
    when = pd.Timestamp(habit.first_day) + pd.to_timedelta(log["day"], unit="D")
    names = [f"C{number:06d}" for number in log["customer"]]
    log = pd.DataFrame({"customer_id": names, "occurred_at": when.to_numpy(), "amount": log["amount"].to_numpy()})
    return log.astype({"customer_id": "str"})


def selected(pattern: str, quick: bool) -> list[Case]:
    """The cases whose name holds ``pattern``."""
    return [case for case in all_cases() if pattern in case.name and (case.quick or not quick)]
