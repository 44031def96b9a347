"""The slow, obvious answer to every label: one customer, one snapshot, what training's day could know of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tests.features.oracle import Past, Row, past_of
from tests.features.oracle_purchases import is_return, net
from tests.features.shops import Shop

from kizuna.data.store import Store
from kizuna.features.rows import Rows, every_pair
from kizuna.timeline import LabelWindow

FAR = 10**9


def every_row(store: Store, days: list[int]) -> tuple[dict[str, object], Rows]:
    """All tables in one block, and every customer on every day."""
    return store.block(0, store.customers).tables, every_pair(store.customers, days)


def brute(shop: Shop, store: Store, days: list[int], answer: Callable[[str, int], float]) -> np.ndarray:
    """``answer(customer, as_of)`` in the order of ``every_row``."""
    return np.array([answer(customer, day) for customer in store.ids() for day in sorted(days)], dtype=np.float64)


def in_window(rows: list[Row], as_of: int, window: LabelWindow) -> list[Row]:
    """Rows of ``[as_of + gap, as_of + gap + horizon)``."""
    low = as_of + window.gap_days
    return [r for r in rows if low <= r["_day"] < low + window.horizon_days]


def has_bought_lately(shop: Shop, customer: str, as_of: int, within_days: int) -> bool:
    """Whether a purchase was known of the days before as_of."""
    past = past_of(shop, customer, as_of)
    return any(not is_return(r) for r in past.within(past.rows["purchases"], within_days))


def fell_silent(shop: Shop, customer: str, as_of: int, window: LabelWindow, train_day: int) -> float:
    """1 where no purchase of the window was known before training's day."""
    rows = past_of(shop, customer, train_day).rows["purchases"]
    return float(not any(not is_return(r) for r in in_window(rows, as_of, window)))


def finish(row: Row) -> int:
    """The day on which a contract ends or its notice is given, far away where neither is known."""
    return min(row.get("ended_at") or FAR, row.get("notice_at") or FAR)


def has_live_contract(shop: Shop, customer: str, as_of: int) -> bool:
    """Whether a contract had begun, not ended, and no notice was given on it."""
    return any(finish(r) == FAR for r in past_of(shop, customer, as_of).rows["subscriptions"])


def cancelled(shop: Shop, customer: str, as_of: int, window: LabelWindow, train_day: int) -> float:
    """1 where a contract held at as_of ends in the window and none is live at the window's end."""
    low, high = as_of + window.gap_days, as_of + window.gap_days + window.horizon_days
    contracts = past_of(shop, customer, train_day).rows["subscriptions"]
    lost = [r for r in contracts if r["_day"] < as_of <= finish(r) and low <= finish(r) < high]
    live = [r for r in contracts if r["_day"] < high <= finish(r)]
    return float(bool(lost) and not live)


def worth(shop: Shop, customer: str, as_of: int, window: LabelWindow, train_day: int) -> float:
    """Net money of the window; a return of an order known to be placed outside it is left out."""
    past: Past = past_of(shop, customer, train_day)
    placed: dict[str, int] = {}
    for row in past.rows["purchases"]:
        name = row.get("order_id")
        if name is not None and not is_return(row):
            placed[name] = min(placed.get(name, FAR), row["_day"])
    low, total = as_of + window.gap_days, 0.0
    for row in in_window(past.rows["purchases"], as_of, window):
        ordered = placed.get(row.get("order_id")) if is_return(row) else None
        if ordered is None or low <= ordered < low + window.horizon_days:
            total += net(row)
    return total
