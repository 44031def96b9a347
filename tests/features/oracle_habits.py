"""The oracle of contact at the moments that matter to a customer: see ``oracle.py`` for the rules."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from tests.features.oracle import Past, Row, Values, over
from tests.features.oracle_contact import contacts, contacts_about

_EPOCH = date(1970, 1, 1)


def contact_habits(p: Past, windows: list[int]) -> Values:
    out: Values = {}
    bought = [r for r in p.rows.get("purchases", []) if not _is_return(r)]
    if p.has("purchases"):
        out |= _around_orders(p, bought)
    if p.has("outreach", "kind") or p.has("outreach", "purpose"):
        dealings = [r["_day"] for r in contacts(p) + bought]
        if p.has("customers", "birth_date"):
            said = [r["birth_date"] for r in p.rows["customers"] if r["birth_date"] is not None]
            birth = said[-1] if said and said[-1] < p.as_of else None
            greeted = contacts_about(p, {"birthday"}, {"birthday"})
            out["birthday_missed"] = _missed(p, birth, greeted, dealings)
        if p.has("purchases"):
            days = [r["_day"] for r in bought]
            thanked = contacts_about(p, {"anniversary", "thanks"}, {"anniversary", "thanks"})
            out["anniversary_missed"] = _missed(p, min(days, default=None), thanked, days)
    tables = [t for t in ("complaints", "surveys", "referrals") if p.has(t) and (t != "referrals" or p.has(t, "kind"))]
    if tables:
        spoken = [r for t in tables for r in p.rows[t] if t != "referrals" or r["kind"] == "review"]
        out["days_since_dialogue"] = p.since_last(spoken)
    return out


def _is_return(row: Row) -> bool:
    said = row.get("is_return")
    return row["amount"] < 0 if said is None else said


def _around_orders(p: Past, bought: list[Row]) -> Values:
    out: Values = {}
    last = max((r["_day"] for r in bought), default=None)
    if p.has("outreach", "kind") or p.has("outreach", "purpose"):
        thanks = p.within(contacts_about(p, {"thanks"}, {"thanks"}), 365)
        out["thanks_per_order_365d"] = over(len(thanks), len(p.within(_first_lines(bought), 365)))
    if p.has("outreach", "kind"):
        sent = [r["_day"] for r in contacts_about(p, {"follow_up"}, set())]
        after = last is not None and any(last + 1 <= day <= last + 14 for day in sent)
        out["followed_up_after_order"] = None if last is None else float(after)
    touches = [r["_day"] for r in contacts(p) + p.rows.get("engagement", [])]
    out["touchpoints_before_order"] = None if last is None else sum(last - 30 <= day < last for day in touches)
    return out


def _first_lines(bought: list[Row]) -> list[Row]:
    """Of each order the line that was known first."""
    orders: dict[Any, list[Row]] = defaultdict(list)
    for row in bought:
        name = row.get("order_id")
        orders[("day", row["_day"]) if name is None else ("order", name)].append(row)
    return [min(lines, key=lambda r: (r["_known"], r["_day"])) for lines in orders.values()]


def _missed(p: Past, origin: int | None, greeted: list[Row], dealings: list[int]) -> float | None:
    """Whether the last yearly day whose weeks before and after are past brought nothing; it must follow a dealing."""
    if origin is None:
        return None
    year = range(max(origin + 1, p.as_of - 7 - 366), p.as_of - 7)
    kept = [day for day in year if _is_yearly(origin, day)]
    if not kept or not any(day <= kept[-1] for day in dealings):
        return None
    return float(not any(kept[-1] - 7 <= r["_day"] <= kept[-1] + 7 for r in greeted))


def _is_yearly(origin: int, day: int) -> bool:
    born, today = _EPOCH + timedelta(days=origin), _EPOCH + timedelta(days=day)
    tomorrow_is_march = (today + timedelta(days=1)).month == 3 and today.month == 2
    if (born.month, born.day) == (2, 29) and tomorrow_is_march:
        return True
    return (born.month, born.day) == (today.month, today.day)
