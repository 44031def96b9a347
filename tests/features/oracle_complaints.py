"""The oracle's family of complaints: see ``oracle.py`` for the rules."""

from __future__ import annotations

from tests.features.oracle import Past, Row, Values, minus, of_kind
from tests.features.oracle_purchases import average, bought_rows

GRADES = {"low": 1, "minor": 1, "低": 1, "medium": 2, "normal": 2, "中": 2, "high": 3, "major": 3, "高": 3}
GRADES |= {"critical": 4, "urgent": 4, "緊急": 4}
DEFECTS = ("defect", "defective", "broken", "damaged", "quality", "product", "不良", "品質", "破損", "故障")


def complaints(p: Past, windows: list[int]) -> Values:
    rows, every = of_kind(p, "complaints", "complaint"), p.rows["complaints"]
    out: Values = {f"complaints_{w}d": len(p.within(rows, w)) for w in (30, 90, 365)}
    out |= {"complaints": len(rows), "days_since_complaint": p.since_last(rows)}
    if p.has("complaints", "severity"):
        grades = [g for r in p.within(rows, 180) if (g := _grade(r["severity"])) is not None]
        out["worst_severity_180d"] = max(grades, default=None)
    if p.has("complaints", "category"):
        out["repeated_complaints_180d"] = len([r for r in p.within(rows, 180) if any(_precedes(s, r) for s in rows)])
        named = [r for r in p.within(rows, 365) if r["category"] is not None]
        out["defect_complaints_365d"] = len([r for r in named if r["category"].strip().lower() in DEFECTS])
    if p.has("complaints", "channel"):
        out["complaint_channels_365d"] = len({r["channel"] for r in p.within(every, 365)} - {None})
    if p.has("complaints", "resolved_at"):
        out |= _resolution(p, rows)
    if p.has("complaints", "first_response_at"):
        out["response_days"] = average([r["took"] for r in _dated_by(rows, "first_response_at")])
    if p.has("complaints", "reopened_at"):
        out["reopened_complaints_365d"] = len(p.within(_dated_by(rows, "reopened_at"), 365))
    if p.has("purchases"):
        last = max((r["_day"] for r in bought_rows(p)), default=None)
        out["service_contacts_since_order"] = len(
            [r for r in every if last is not None and 0 <= r["_day"] - last <= 30]
        )
    return out


def _resolution(p: Past, rows: list[Row]) -> Values:
    still, done = [r for r in rows if r["resolved_at"] is None], _dated_by(rows, "resolved_at")
    out: Values = {"open_complaints": len(still), "oldest_open_complaint_days": p.since_first(still)}
    out["resolution_days"] = average([r["took"] for r in done])
    recent = [r["took"] for r in p.within(done, 180)]
    earlier = [r["took"] for r in done if r["_day"] < p.as_of - 180]
    out["resolution_days_change_180d"] = minus(average(recent), average(earlier))
    # Slow from the eighth day on which it stood open, and dated by that day.
    slow = [r | {"_day": r["_day"] + 8} for r in rows if r["resolved_at"] is None or r["resolved_at"] > r["_day"] + 7]
    out["slow_complaints_180d"] = len(p.within(slow, 180))
    if p.has("complaints", "kind"):
        out["open_inquiries"] = len([r for r in of_kind(p, "complaints", "inquiry") if r["resolved_at"] is None])
    if p.has("complaints", "compensation"):
        paid = p.within(_dated_by(p.rows["complaints"], "resolved_at"), 365)
        out["compensation_365d"] = sum(r["compensation"] for r in paid if r.get("compensation") is not None)
    return out


def _dated_by(rows: list[Row], column: str) -> list[Row]:
    """The rows where a value has come, dated by its day, and how long it took."""
    return [r | {"_day": r[column], "took": r[column] - r["_day"]} for r in rows if r[column] is not None]


def _grade(severity: str | None) -> float | None:
    if severity is None:
        return None
    word = severity.strip().lower()
    if word.lstrip("+-").replace(".", "", 1).isascii() and word.lstrip("+-").replace(".", "", 1).isdigit():
        return float(word)
    return GRADES.get(word)


def _precedes(other: Row, row: Row) -> bool:
    """Whether a complaint of the same category came 1 … 180 days earlier and was known no later."""
    same = row["category"] is not None and other["category"] == row["category"]
    return same and 1 <= row["_day"] - other["_day"] <= 180 and other["_known"] <= row["_known"]
