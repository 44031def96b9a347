"""The oracle's families of orders, points, contracts and profiles, and the list of all: see ``oracle.py`` for the rules."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable
from statistics import mean, pstdev
from typing import Any

from tests.features import oracle_contact as contact
from tests.features.oracle import Past, Row, Values, last_mean, middle, of_kind, over


def is_return(row: Row) -> bool:
    """Said by the row, else a negative amount."""
    said = row.get("is_return")
    return row["amount"] < 0 if said is None else said


def net(row: Row) -> float:
    """A return counts as −|amount|."""
    return -abs(row["amount"]) if is_return(row) else row["amount"]


def orders_of(p: Past) -> list[Row]:
    """One row per order: one order_id, or the rows of one day; dated by its row that was known first.

    It has come when all the lines that were known as early as that row have come.
    """
    lines: dict[Any, list[Row]] = defaultdict(list)
    for row in p.rows["purchases"]:
        if not is_return(row):
            name = row.get("order_id")
            lines[("day", row["_day"]) if name is None else ("order", name)].append(row)
    out = []
    for rows in lines.values():
        first = min(rows, key=lambda r: (r["_known"], r["_day"]))
        discounted = any(r.get("discount_amount") not in (None, 0) for r in rows)
        batch = [r for r in rows if (r["_known"], r["_day"]) == (first["_known"], first["_day"])]
        came = [r.get("delivered_at") for r in batch]
        out.append(first | {"discounted": discounted, "delivered_at": None if None in came else max(came)})
    return out


def purchases(p: Past, windows: list[int]) -> Values:
    rows, orders = p.rows["purchases"], orders_of(p)
    bought, returned = [r for r in rows if not is_return(r)], [r for r in rows if is_return(r)]
    out: Values = {}
    for w in windows:
        out[f"orders_{w}d"] = len(p.within(orders, w))
        out[f"revenue_{w}d"] = sum(map(net, p.within(rows, w)))
        if w in (30, 90, 180):
            out[f"orders_change_{w}d"] = len(p.within(orders, w)) - len(p.within(orders, w, before=w))
            now, then = p.within(rows, w), p.within(rows, w, before=w)
            out[f"revenue_change_{w}d"] = sum(map(net, now)) - sum(map(net, then))
        if w >= 30:
            out[f"returns_{w}d"] = len(p.within(returned, w))
            out[f"refund_amount_{w}d"] = sum(abs(r["amount"]) for r in p.within(returned, w))
    gross, refunds = sum(map(net, bought)), sum(abs(r["amount"]) for r in returned)
    out |= {"orders": len(orders), "revenue": sum(map(net, rows)), "order_value": over(gross, len(orders))}
    out |= {"is_one_time": float(len(orders) == 1), "tenure_days": p.since_first(bought)}
    out["return_share"] = over(refunds, gross)
    days = sorted({r["_day"] for r in bought}, reverse=True)[:13]
    gaps = [newer - older for newer, older in itertools.pairwise(days)]
    out |= {"days_since_order": p.since_last(bought), "usual_gap_days": middle(gaps)}
    out["gap_cv"] = pstdev(gaps) / mean(gaps) if len(gaps) >= 2 else None
    out["overdue_ratio"] = over(out["days_since_order"], out["usual_gap_days"])
    return out | _deliveries(p, orders, windows) | _discounts(p, orders, windows) | _categories(p, bought, windows)


def _deliveries(p: Past, orders: list[Row], windows: list[int]) -> Values:
    if not p.has("purchases", "promised_at", "delivered_at"):
        return {}
    late = []
    for order in orders:
        due, came = order["promised_at"], order["delivered_at"]
        # Late from the day after the promise; that day must be over to be counted.
        if due is not None and due + 1 < p.as_of and (came is None or came > due):
            late.append(order | {"_day": due + 1})
    out: Values = {f"late_deliveries_{w}d": len(p.within(late, w)) for w in windows if w >= 30}
    return out | {"overdue_deliveries": len([order for order in late if order["delivered_at"] is None])}


def _discounts(p: Past, orders: list[Row], windows: list[int]) -> Values:
    if not p.has("purchases", "discount_amount") or 365 not in windows:
        return {}
    year = p.within(orders, 365)
    discounted = [order for order in year if order["discounted"]]
    return {
        "discount_share_365d": over(len(discounted), len(year)),
        "full_price_orders_365d": len(year) - len(discounted),
    }


def _categories(p: Past, bought: list[Row], windows: list[int]) -> Values:
    if not p.has("purchases", "category"):
        return {}
    names = {r["category"] for r in bought} - {None}
    firsts = [min((r for r in bought if r["category"] == n), key=lambda r: (r["_known"], r["_day"])) for n in names]
    out: Values = {"categories": len(names)}
    return out | ({"new_categories_365d": len(p.within(firsts, 365))} if 365 in windows else {})


def loyalty(p: Past, windows: list[int]) -> Values:
    rows = p.rows["loyalty"]
    earned, redeemed = of_kind(p, "loyalty", "earn"), of_kind(p, "loyalty", "redeem")
    out: Values = {"is_member": float(bool(rows))}
    out |= {"days_since_earn": p.since_last(earned), "days_since_redeem": p.since_last(redeemed)}
    if not p.has("loyalty", "points"):
        return out
    for w in [w for w in windows if w >= 30]:
        out[f"points_earned_{w}d"] = _points(p.within(earned, w))
        out[f"points_redeemed_{w}d"] = _points(p.within(redeemed, w))
    used = _points(of_kind(p, "loyalty", "redeem", "expire"))
    out["points_balance"] = _points(earned) - used
    if p.has("loyalty", "expires_at"):
        out["points_expiring_30d"] = _expiring(p, earned, used)
    return out


def _points(rows: list[Row]) -> float:
    return sum(abs(r["points"]) for r in rows if r["points"] is not None)


def _expiring(p: Past, earned: list[Row], used: float) -> float:
    """Uses up the points that expire first, then counts what is left to expire within 30 days."""
    lost = 0.0
    for row in sorted((r for r in earned if r["expires_at"] is not None), key=lambda r: r["expires_at"]):
        points = abs(row["points"] or 0.0)
        taken = min(points, used)
        used -= taken
        if p.as_of <= row["expires_at"] < p.as_of + 30:
            lost += points - taken
    return lost


def subscriptions(p: Past, windows: list[int]) -> Values:
    """A contract is live until its end; the age and the days left are those of the newest live contract."""
    rows = p.rows["subscriptions"]
    live = [r for r in rows if r.get("ended_at") is None]
    out: Values = {"has_contract": float(bool(live)), "contract_days": p.since_last(live)}
    if p.has("subscriptions", "renews_at"):
        renews = last_mean(live, lambda r: r["renews_at"])
        out["contract_days_left"] = None if renews is None else renews - p.as_of
    if p.has("subscriptions", "price"):
        out["contract_price"] = last_mean(rows, lambda r: r["price"])
    if p.has("subscriptions", "ended_at"):
        ended = [r["ended_at"] for r in rows if r["ended_at"] is not None]
        out |= {"contracts_ended": len(ended), "days_since_contract_end": p.as_of - max(ended) if ended else None}
    if p.has("subscriptions", "notice_at"):
        out["notice_given"] = float(any(r["notice_at"] is not None for r in live))
    return out


def profile(p: Past, windows: list[int]) -> Values:
    rows, out = p.rows["customers"], {}
    for column, name, unit in (("birth_date", "age_years", 365.25), ("first_seen_at", "days_since_first_seen", 1)):
        if p.has("customers", column):
            said = [r[column] for r in rows if r[column] is not None]
            out[name] = (p.as_of - said[-1]) / unit if said and said[-1] < p.as_of else None
    if p.has("customers", "stamps"):
        out["stamps"] = rows[-1]["stamps"] if rows else None
    return out


def supplied(p: Past, windows: list[int]) -> Values:
    row = p.rows["features"][-1] if p.rows["features"] else {}
    return {name: row.get(name) for name in ("usage", "is_vip") if p.has("features", name)}


def text_columns(p: Past, family: str) -> list[str]:
    """Text columns that are spread over levels; without ``valid_from`` only those that do not change."""
    if family == "supplied":
        return [c for c in ("plan_name",) if p.has("features", c)]
    wanted = ["language", "market", "tier"]
    if p.has("customers", "valid_from"):
        wanted.append("acquisition_channel")
    return [c for c in wanted if p.has("customers", c)]


def level_values(p: Past, table: str, column: str, levels: list[str]) -> Values:
    """One 0/1 per level, null where the text is."""
    text = p.rows[table][-1][column] if p.rows[table] else None
    return {f"{column}={level}": None if text is None else float(text == level) for level in levels}


ORACLES: dict[str, Callable[[Past, list[int]], Values]] = {
    "purchases": purchases,
    "complaints": contact.complaints,
    "engagement": contact.engagement,
    "outreach": contact.outreach,
    "surveys": contact.surveys,
    "loyalty": loyalty,
    "referrals": contact.referrals,
    "subscriptions": subscriptions,
    "profile": profile,
    "supplied": supplied,
}
