"""The slow, obvious answer to every feature: one customer, one day, plain Python over what was known, nothing shared.

Rules of product.md: a row counts when its day and its known day lie before ``as_of``; what fills in later counts when
it lies before ``as_of``, else it is null. Nothing happened is 0, never happened is null (None here).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from tests.features.shops import DATED_BY, Row, Shop

MATURING = (
    *("resolved_at", "first_response_at", "reopened_at", "followed_up_at", "adopted_at"),
    *("delivered_at", "refunded_at", "ended_at", "notice_at"),
)
COMES_WITH = {"voluntary": "ended_at", "compensation": "resolved_at"}
CODES = {
    *("complaints.kind", "engagement.kind", "engagement.channel", "engagement.purpose"),
    *("outreach.kind", "outreach.purpose", "outreach.channel", "outreach.language"),
    *("surveys.kind", "loyalty.kind", "referrals.kind"),
}
ALWAYS = -1_000_000
Values = dict[str, float | None]


@dataclass(frozen=True)
class Past:
    """What was known of one customer before ``as_of``: rows by table, oldest first, with ``_day`` and ``_known``."""

    as_of: int
    rows: dict[str, list[Row]]
    columns: dict[str, tuple[str, ...]]

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is configured and has these columns."""
        return table in self.columns and all(c in self.columns[table] for c in columns)

    def within(self, rows: list[Row], days: int, before: int = 0) -> list[Row]:
        """Rows of ``[as_of − before − days, as_of − before)``."""
        return [r for r in rows if self.as_of - before - days <= r["_day"] < self.as_of - before]

    def since_last(self, rows: list[Row]) -> float | None:
        """Days since the newest row."""
        return self.as_of - max(r["_day"] for r in rows) if rows else None

    def since_first(self, rows: list[Row]) -> float | None:
        """Days since the oldest row."""
        return self.as_of - min(r["_day"] for r in rows) if rows else None


def dates_of(row: Row, table: str, columns: tuple[str, ...]) -> tuple[int, int]:
    """The day and the known day of one row. A row of supplied features may be used on its own day."""
    dated_by = DATED_BY[table]
    day = row[dated_by] if dated_by in columns and row[dated_by] is not None else ALWAYS
    if table == "features" and dated_by in columns:
        day -= 1
    known = row.get("known_at") if "known_at" in columns else None
    return day, day if known is None else max(day, known)


def past_of(shop: Shop, customer: str, as_of: int) -> Past:
    """One customer's past on one day."""
    out: dict[str, list[Row]] = {}
    for table, columns in shop.columns.items():
        known = []
        for row in shop.rows[table]:
            if row["customer_id"] != customer:
                continue
            day, known_day = dates_of(row, table, columns)
            if day < as_of and known_day < as_of:
                known.append(_as_known(row, table, columns, as_of) | {"_day": day, "_known": known_day})
        out[table] = sorted(known, key=lambda r: (r["_day"], r["_known"]))
    return Past(as_of, out, shop.columns)


def _as_known(row: Row, table: str, columns: tuple[str, ...], as_of: int) -> Row:
    seen: Row = {}
    for column in columns:
        value = row.get(column)
        if column in MATURING and value is not None and value >= as_of:
            value = None
        if f"{table}.{column}" in CODES and value is not None:
            value = value.strip().lower() or None
        seen[column] = value
    for column, comes in COMES_WITH.items():
        if seen.get(comes) is None:
            seen.pop(column, None)
    return seen


def of_kind(past: Past, table: str, *kinds: str) -> list[Row]:
    """Rows of these kinds; all rows where the table has no kind."""
    rows = past.rows[table]
    return [r for r in rows if r["kind"] in kinds] if past.has(table, "kind") else rows


def last_mean(rows: list[Row], value: Any, back: int = 0) -> float | None:
    """The mean value on the last day with a value, or ``back`` such days earlier."""
    valued = [(r["_day"], value(r)) for r in rows if value(r) is not None]
    days = sorted({day for day, _ in valued}, reverse=True)
    return mean(v for day, v in valued if day == days[back]) if len(days) > back else None


def minus(a: float | None, b: float | None) -> float | None:
    """a − b, null where either is."""
    return None if a is None or b is None else a - b


def over(a: float | None, b: float | None) -> float | None:
    """a / b, null where b is 0 or either is null."""
    return None if a is None or not b else a / b


def text_now(p: Past, table: str, column: str) -> str | None:
    """The text of the newest row; of loyalty, whose rows seldom name a tier, that of the newest day that names one alone."""
    rows = p.rows[table]
    if table != "loyalty":
        return rows[-1][column] if rows else None
    named = [r for r in rows if r[column] is not None]
    said = {r[column] for r in named if r["_day"] == named[-1]["_day"]}
    return said.pop() if len(said) == 1 else None


def levels_of(pasts: list[tuple[str, Past]], table: str, column: str) -> list[str]:
    """The texts that get a column of their own: the 12 most frequent on these rows, of 20 rows and 5 customers or more each."""
    said = [(customer, text_now(p, table, column)) for customer, p in pasts]
    held = Counter(text for _, text in said if text is not None)
    holders = Counter(text for _, text in set(said))
    ranked = sorted(held, key=lambda level: (-held[level], level))[:12]
    return sorted(level for level in ranked if held[level] >= 20 and holders[level] >= 5)


def middle(values: list[float]) -> float | None:
    """The median, null where there is nothing."""
    return median(values) if values else None
