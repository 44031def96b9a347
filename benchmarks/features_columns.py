"""The columns that the rivals make: measures over prepared tables, and what is worked out from them, under kizuna's names.

The prepared tables hold one row per event, or per customer and day for purchases, with whole days and with one flag per
sort of event; features_sql.py and features_pandas.py make them and read this list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Window = tuple[int, int | None] | None
"""(30, 60): events 31 to 60 days old; (0, 30): the last 30 days; (30, None): all before them; None: all the past."""
GAPS = 12
SLOW_AFTER_DAYS = 7
FIRST_DAYS = 30
COUNTED = ("count", "sum", "distinct")
"""Ways that give 0 where nothing happened; the others are null."""
ENGAGEMENT_FLAGS = {
    "visited": ("visit", "login"),
    "used": ("use",),
    "answered": ("open", "click"),
    "clicked": ("click",),
    "posted": ("post",),
    "took_part": ("post", "answer", "join", "event", "attend"),
    "attended": ("event", "attend"),
    "skipped": ("skip",),
    "paused": ("pause",),
}
OUTREACH_FLAGS = {
    "offered": ("offer",),
    "thanked": ("thanks",),
    "followed_up": ("follow_up",),
    "notified": ("notice",),
    "asked": ("survey",),
    "asked_for_review": ("review_request",),
    "given": ("gift",),
    "dunned": ("dunning",),
    "personal": ("birthday", "thanks", "follow_up"),
}
COMPLAINT_FLAGS = {"complained": ("complaint",), "inquired": ("inquiry",)}


@dataclass(frozen=True)
class Measure:
    """One aggregate over a prepared table.

    ``how``: count, sum, largest, distinct, since_last, since_first (days), gap_median, gap_variation (of the last 12 gaps).
    ``where``: a flag column. ``dated_by``: the column of days that the window looks at. ``open_until``: only rows whose
    day in that column has not come.
    """

    table: str
    how: str = "count"
    where: str | None = None
    value: str | None = None
    window: Window = None
    dated_by: str = "day"
    open_until: str | None = None


@dataclass(frozen=True)
class Derived:
    """``minus``, ``over`` (null where the second is 0), ``equals_one`` or ``any`` of measures or of other columns."""

    how: str
    first: Measure | Derived
    second: Measure | Derived | None = None


Column = Measure | Derived


def columns(windows_days: Sequence[int]) -> dict[str, Column]:
    """All columns by name."""
    return _purchases(windows_days) | _complaints(windows_days) | _engagement(windows_days) | _outreach(windows_days)


def measures(wanted: dict[str, Column]) -> dict[Measure, str]:
    """The measures that columns rest on, each once, with a short name."""
    found: dict[Measure, str] = {}

    def visit(column: Column | None) -> None:
        if isinstance(column, Derived):
            visit(column.first)
            visit(column.second)
        elif column is not None:
            found.setdefault(column, f"m{len(found)}")

    for column in wanted.values():
        visit(column)
    return found


def _change(first: Column, second: Column) -> Derived:
    return Derived("minus", first, second)


def _share(first: Column, second: Column) -> Derived:
    return Derived("over", first, second)


def _purchases(windows_days: Sequence[int]) -> dict[str, Column]:
    def orders(window: Window = None) -> Measure:
        return Measure("purchases", where="ordered", window=window)

    def total(value: str, window: Window = None) -> Measure:
        return Measure("purchases", "sum", value=value, window=window)

    usual = Measure("purchases", "gap_median", "ordered", "gap")
    since = Measure("purchases", "since_last", "ordered")
    discounted = Measure("purchases", where="discounted", window=(0, 365))
    found: dict[str, Column] = {}
    for w in windows_days:
        found[f"orders_{w}d"] = orders((0, w))
        found[f"revenue_{w}d"] = total("net", (0, w))
        found[f"returns_{w}d"] = total("returned_rows", (0, w))
        found[f"refund_amount_{w}d"] = total("refunded", (0, w))
        found[f"orders_change_{w}d"] = _change(orders((0, w)), orders((w, 2 * w)))
        found[f"revenue_change_{w}d"] = _change(total("net", (0, w)), total("net", (w, 2 * w)))
    per_order = [_share(total("items", window), orders(window)) for window in ((0, 180), (180, 360), (0, 365))]
    prices = [_share(total("price", window), total("priced_rows", window)) for window in ((0, 180), (180, 360))]
    return found | {
        "orders": orders(),
        "revenue": total("net"),
        "order_value": _share(total("gross"), orders()),
        "is_one_time": Derived("equals_one", orders()),
        "tenure_days": Measure("purchases", "since_first", "ordered"),
        "days_since_order": since,
        "usual_gap_days": usual,
        "gap_cv": Measure("purchases", "gap_variation", "ordered", "gap"),
        "overdue_ratio": _share(since, usual),
        "return_share": _share(total("refunded"), total("gross")),
        "discount_share_365d": _share(discounted, orders((0, 365))),
        "full_price_orders_365d": _change(orders((0, 365)), discounted),
        "categories": total("new_categories"),
        "new_categories_365d": total("new_categories", (0, 365)),
        "items_per_order_365d": per_order[2],
        "items_per_order_change_180d": _change(per_order[0], per_order[1]),
        "unit_price_change_180d": _change(prices[0], prices[1]),
        "days_to_second_order": Measure("purchases", "largest", "is_second", "gap"),
        "first_order_returned": Derived("any", Measure("purchases", where="returned_soon")),
        "first_order_discounted": Derived("any", Measure("purchases", where="discounted_first")),
        "first_order_complaint": Derived("any", Measure("complaints", where="complained_soon")),
    }


def _complaints(windows_days: Sequence[int]) -> dict[str, Column]:
    def complaints(window: Window = None, dated_by: str = "day") -> Measure:
        return Measure("complaints", where="complained", window=window, dated_by=dated_by)

    def took(window: Window = None) -> Derived:
        days = Measure("complaints", "sum", "complained", "took", window, "resolved")
        return _share(days, complaints(window, "resolved"))

    inquiries = Measure("complaints", where="inquired")
    answered = Measure("complaints", where="inquired", dated_by="resolved")
    found: dict[str, Column] = {f"complaints_{w}d": complaints((0, w)) for w in windows_days}
    found |= {f"slow_complaints_{w}d": complaints((0, w), "slow_day") for w in windows_days}
    return found | {
        "complaints": complaints(),
        "days_since_complaint": Measure("complaints", "since_last", "complained"),
        "open_complaints": _change(complaints(), complaints(dated_by="resolved")),
        "oldest_open_complaint_days": Measure("complaints", "since_first", "complained", open_until="resolved"),
        "resolution_days": took(),
        "resolution_days_change_180d": _change(took((0, 180)), took((180, None))),
        "open_inquiries": _change(inquiries, answered),
    }


def _engagement(windows_days: Sequence[int]) -> dict[str, Column]:
    def events(where: str | None = None, window: Window = None) -> Measure:
        return Measure("engagement", where=where, window=window)

    found: dict[str, Column] = {}
    for w in windows_days:
        found[f"engagements_{w}d"] = events(None, (0, w))
        found[f"visits_{w}d"] = events("visited", (0, w))
        found[f"uses_{w}d"] = events("used", (0, w))
        found[f"engagements_change_{w}d"] = _change(events(None, (0, w)), events(None, (w, 2 * w)))
    return found | {
        "uses_change_90d": _change(events("used", (0, 90)), events("used", (90, 180))),
        "days_since_engagement": Measure("engagement", "since_last"),
        "days_since_use": Measure("engagement", "since_last", "used"),
        "days_since_open": Measure("engagement", "since_last", "answered"),
        "days_since_community": Measure("engagement", "since_last", "took_part"),
        "channels_used_180d": Measure("engagement", "distinct", value="channel", window=(0, 180)),
        "posts_180d": events("posted", (0, 180)),
        "events_attended_365d": events("attended", (0, 365)),
        "skips_180d": events("skipped", (0, 180)),
        "pauses_180d": events("paused", (0, 180)),
    }


def _outreach(windows_days: Sequence[int]) -> dict[str, Column]:
    def sent(where: str | None = None, window: Window = None) -> Measure:
        return Measure("outreach", where=where, window=window)

    year: Window = (0, 365)
    since = Measure("outreach", "since_last")
    clicks_90 = Measure("engagement", where="clicked", window=(0, 90))
    found: dict[str, Column] = {}
    for w in windows_days:
        found[f"contacts_{w}d"] = sent(None, (0, w))
        found[f"offers_{w}d"] = sent("offered", (0, w))
        answers = Measure("engagement", where="answered", window=(0, w))
        found[f"response_share_{w}d"] = _share(answers, sent("mailed", (0, w)))
    return found | {
        "click_share_90d": _share(clicks_90, sent("mailed", (0, 90))),
        "days_since_contact": since,
        "contact_gap_ratio": _share(since, Measure("outreach", "gap_median", value="gap")),
        "contact_gap_cv": Measure("outreach", "gap_variation", value="gap"),
        "days_since_thanks": Measure("outreach", "since_last", "thanked"),
        "days_since_followup": Measure("outreach", "since_last", "followed_up"),
        "thanks_365d": sent("thanked", year),
        "thanks_per_order_365d": _share(sent("thanked", year), Measure("purchases", where="ordered", window=year)),
        "gifts_365d": sent("given", year),
        "nonpromo_share_365d": _share(_change(sent(None, year), sent("offered", year)), sent(None, year)),
        "personal_share_365d": _share(sent("personal", year), sent(None, year)),
        "notices_180d": sent("notified", (0, 180)),
        "calls_180d": sent("called", (0, 180)),
        "dunnings_180d": sent("dunned", (0, 180)),
        "surveys_sent_180d": sent("asked", (0, 180)),
        "review_requests_365d": sent("asked_for_review", year),
    }
