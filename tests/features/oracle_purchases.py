"""The oracle's families of orders, products, deliveries and first orders: see ``oracle.py`` for the rules."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from statistics import mean, pstdev
from typing import Any

from tests.features.oracle import Past, Row, Values, middle, minus, of_kind, over


def is_return(row: Row) -> bool:
    """Said by the row, else a negative amount."""
    said = row.get("is_return")
    return row["amount"] < 0 if said is None else said


def net(row: Row) -> float:
    """A return counts as −|amount|."""
    return -abs(row["amount"]) if is_return(row) else row["amount"]


def average(values: list[float]) -> float | None:
    """The mean, null where there is nothing."""
    return mean(values) if values else None


def bought_rows(p: Past) -> list[Row]:
    """Purchase rows without returns."""
    return [r for r in p.rows["purchases"] if not is_return(r)]


def orders_of(p: Past) -> list[Row]:
    """One row per order: one order_id, or the rows of one day; dated by its row that was known first.

    ``lines``: its rows. Its promise is the earliest of the rows that were known as early as that row and dated as it is;
    it has come when all of these with that promise have come.
    """
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in bought_rows(p):
        name = row.get("order_id")
        groups[("day", row["_day"]) if name is None else ("order", name)].append(row)
    out = []
    for lines in groups.values():
        known, day = min((r["_known"], r["_day"]) for r in lines)
        batch = [r for r in lines if (r["_known"], r["_day"]) == (known, day)]
        promise = min((r["promised_at"] for r in batch if r.get("promised_at") is not None), default=None)
        came = [r.get("delivered_at") for r in batch if r.get("promised_at") == promise]
        order = {"_day": day, "_known": known, "lines": lines, "promised_at": promise}
        order["delivered_at"] = None if None in came else max(came)
        order["discounted"] = any(r.get("discount_amount") not in (None, 0) for r in lines)
        out.append(order)
    return out


def purchases(p: Past, windows: list[int]) -> Values:
    rows, orders, bought = p.rows["purchases"], orders_of(p), bought_rows(p)
    out: Values = {}
    for w in windows:
        out[f"orders_{w}d"] = len(p.within(orders, w))
        out[f"revenue_{w}d"] = sum(map(net, p.within(rows, w)))
    for w in (90, 180):
        out[f"orders_change_{w}d"] = len(p.within(orders, w)) - len(p.within(orders, w, before=w))
        now, then = p.within(rows, w), p.within(rows, w, before=w)
        out[f"revenue_change_{w}d"] = sum(map(net, now)) - sum(map(net, then))
    gross = sum(map(net, bought))
    out |= {"orders": len(orders), "revenue": sum(map(net, rows)), "order_value": over(gross, len(orders))}
    out |= {"is_one_time": float(len(orders) == 1), "tenure_days": p.since_first(bought)}
    days = sorted({r["_day"] for r in bought}, reverse=True)[:13]
    gaps = [newer - older for newer, older in itertools.pairwise(days)]
    out |= {"days_since_order": p.since_last(bought), "usual_gap_days": middle(gaps)}
    out["gap_cv"] = pstdev(gaps) / mean(gaps) if len(gaps) >= 2 else None
    out["overdue_ratio"] = over(out["days_since_order"], out["usual_gap_days"])
    if p.has("purchases", "discount_amount"):
        year = p.within(orders, 365)
        discounted = [order for order in year if order["discounted"]]
        out["discount_share_365d"] = over(len(discounted), len(year))
        out["full_price_orders_365d"] = len(year) - len(discounted)
    if p.has("purchases", "channel"):
        out["purchase_channels_365d"] = len({r["channel"] for r in p.within(bought, 365)} - {None})
        out["channel_changed"] = _channel_changed([r for r in bought if r["channel"] is not None])
    return out


def _channel_changed(rows: list[Row]) -> float | None:
    days = sorted({r["_day"] for r in rows})[-2:]
    channels = [min((r["_known"], r["channel"]) for r in rows if r["_day"] == day)[1] for day in days]
    return float(channels[0] != channels[1]) if len(channels) == 2 else None


def products(p: Past, windows: list[int]) -> Values:
    bought, orders, out = bought_rows(p), orders_of(p), {}
    lines = [line | {"_day": order["_day"]} for order in orders for line in order["lines"]]
    if p.has("purchases", "category"):
        names = {r["category"] for r in bought} - {None}
        firsts = [min((r for r in bought if r["category"] == n), key=lambda r: (r["_known"], r["_day"])) for n in names]
        out |= {"categories": len(names), "new_categories_365d": len(p.within(firsts, 365))}
        held = Counter(r["category"] for r in p.within(bought, 365) if r["category"] is not None)
        out["top_category_share_365d"] = over(max(held.values(), default=0), held.total())
    if p.has("purchases", "product_id"):
        again = [r for r in lines if r["product_id"] is not None and any(_earlier(s, r) for s in lines)]
        out["repeat_products_365d"] = len(p.within(again, 365))
    if p.has("purchases", "launched_at"):
        out["new_product_orders_365d"] = len(p.within([order for order in orders if _has_new_product(order)], 365))
    if p.has("purchases", "quantity"):
        now, then = _items_per_order(p, lines, 180), _items_per_order(p, lines, 180, before=180)
        out["items_per_order_365d"] = _items_per_order(p, lines, 365)
        out["items_per_order_change_180d"] = minus(now, then)
        priced = [r for r in bought if r["quantity"] is not None and r["quantity"] > 0]
        prices = [[r["amount"] / r["quantity"] for r in p.within(priced, 180, before)] for before in (0, 180)]
        out["unit_price_change_180d"] = minus(average(prices[0]), average(prices[1]))
    return out


def _earlier(other: Row, row: Row) -> bool:
    """Whether the same product was bought on an earlier day, and known no later."""
    same = other["product_id"] == row["product_id"]
    return same and other["_day"] < row["_day"] and other["_known"] <= row["_known"]


def _has_new_product(order: Row) -> bool:
    launches = [line["launched_at"] for line in order["lines"] if line["launched_at"] is not None]
    return any(0 <= order["_day"] - launched <= 90 for launched in launches)


def _items_per_order(p: Past, lines: list[Row], days: int, before: int = 0) -> float | None:
    items = [1 if r["quantity"] is None else r["quantity"] for r in p.within(lines, days, before)]
    return over(sum(items), len(p.within(orders_of(p), days, before)))


def deliveries(p: Past, windows: list[int]) -> Values:
    bought, returned = bought_rows(p), [r for r in p.rows["purchases"] if is_return(r)]
    out: Values = {f"returns_{w}d": len(p.within(returned, w)) for w in (90, 365)}
    out["refund_amount_365d"] = sum(abs(r["amount"]) for r in p.within(returned, 365))
    out["return_share"] = over(sum(abs(r["amount"]) for r in returned), sum(map(net, bought)))
    if p.has("purchases", "refunded_at"):
        refunded = [
            r | {"_day": r["refunded_at"], "took": r["refunded_at"] - r["_day"]} for r in returned if _refund(r)
        ]
        out["refund_days_365d"] = average([r["took"] for r in p.within(refunded, 365)])
        out["refunds_pending"] = len(returned) - len(refunded)
    if p.has("purchases", "promised_at", "delivered_at"):
        out |= _promises(p)
    return out


def _refund(row: Row) -> bool:
    return row["refunded_at"] is not None


def due_orders(p: Past) -> list[Row]:
    """Orders whose promise had fallen due: the day after it is over."""
    return [o for o in orders_of(p) if o["promised_at"] is not None and o["promised_at"] + 1 < p.as_of]


def is_late(order: Row) -> bool:
    """Whether an order that had fallen due had not come by its promise."""
    return order["delivered_at"] is None or order["delivered_at"] > order["promised_at"]


def _promises(p: Past) -> Values:
    due = [order | {"_day": order["promised_at"] + 1} for order in due_orders(p)]
    late = [order for order in due if is_late(order)]
    out: Values = {f"late_deliveries_{w}d": len(p.within(late, w)) for w in (90, 365)}
    out["late_delivery_share_180d"] = over(len(p.within(late, 180)), len(p.within(due, 180)))
    waiting = [order for order in late if order["delivered_at"] is None]
    promised = [o for o in orders_of(p) if o["promised_at"] is not None and o["delivered_at"] is not None]
    came = [o | {"_day": o["delivered_at"], "took": o["delivered_at"] - o["promised_at"]} for o in promised]
    lateness = [p.as_of - order["promised_at"] for order in p.within(waiting, 180)]
    lateness += [order["took"] for order in p.within(came, 180) if order["took"] > 0]
    out["late_days_max_180d"] = max(lateness, default=None)
    out["overdue_deliveries"] = len(waiting)
    out["delivery_vs_promise_days_365d"] = average([order["took"] for order in p.within(came, 365)])
    return out


def first_order(p: Past, windows: list[int]) -> Values:
    orders = orders_of(p)
    days = sorted({order["_day"] for order in orders})
    first = days[0] if days else None
    firsts = [order for order in orders if order["_day"] == first]
    out: Values = {"days_to_second_order": days[1] - days[0] if len(days) > 1 else None}
    if p.has("purchases", "promised_at", "delivered_at"):
        due = [order for order in due_orders(p) if order["_day"] == first]
        out["first_order_late"] = float(any(map(is_late, due))) if due else None
    returned = [r for r in p.rows["purchases"] if is_return(r)]
    out["first_order_returned"] = None if first is None else float(bool(_within_30_days(returned, first)))
    if p.has("purchases", "discount_amount"):
        out["first_order_discounted"] = float(any(o["discounted"] for o in firsts)) if firsts else None
    if p.has("surveys"):
        answers = [] if first is None else _within_30_days(of_kind(p, "surveys", "csat"), first)
        out["first_order_csat"] = average([s for r in answers if (s := _satisfaction(r)) is not None])
    if p.has("complaints"):
        complaints = of_kind(p, "complaints", "complaint")
        out["first_order_complaint"] = None if first is None else float(bool(_within_30_days(complaints, first)))
    return out


def _within_30_days(rows: list[Row], first: int) -> list[Row]:
    return [r for r in rows if first <= r["_day"] <= first + 30]


def _satisfaction(row: Row) -> float | None:
    low = 1 if row.get("scale_min") is None else row["scale_min"]
    high = 5 if row.get("scale_max") is None else row["scale_max"]
    return None if row["score"] is None or high <= low else (row["score"] - low) / (high - low)
