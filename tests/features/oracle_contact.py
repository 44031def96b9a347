"""The oracle's families of what was said and done: see ``oracle.py`` for the rules."""

from __future__ import annotations

from statistics import mean

from tests.features.oracle import Past, Row, Values, last_mean, minus, of_kind, over


def complaints(p: Past, windows: list[int]) -> Values:
    rows = of_kind(p, "complaints", "complaint")
    out: Values = {f"complaints_{w}d": len(p.within(rows, w)) for w in windows}
    out |= {"complaints": len(rows), "days_since_complaint": p.since_last(rows)}
    if p.has("complaints", "resolved_at"):
        still = [r for r in rows if r["resolved_at"] is None]
        done = [r["resolved_at"] - r["_day"] for r in rows if r["resolved_at"] is not None]
        out |= {"open_complaints": len(still), "oldest_open_complaint_days": p.since_first(still)}
        out["resolution_days"] = mean(done) if done else None
        # Slow from the eighth day on which it stood open, and dated by that day.
        slow = [
            r | {"_day": r["_day"] + 8} for r in rows if r["resolved_at"] is None or r["resolved_at"] > r["_day"] + 7
        ]
        out |= {f"slow_complaints_{w}d": len(p.within(slow, w)) for w in windows if w >= 30}
    return out


def engagement(p: Past, windows: list[int]) -> Values:
    rows = p.rows["engagement"]
    kinded = p.has("engagement", "kind")
    out: Values = {}
    for w in windows:
        out[f"engagements_{w}d"] = len(p.within(rows, w))
        if kinded:
            out[f"visits_{w}d"] = len(p.within(of_kind(p, "engagement", "visit", "login"), w))
            out[f"uses_{w}d"] = len(p.within(of_kind(p, "engagement", "use"), w))
        if w in (30, 90, 180):
            out[f"engagements_change_{w}d"] = len(p.within(rows, w)) - len(p.within(rows, w, before=w))
    out["days_since_engagement"] = p.since_last(rows)
    if kinded:
        out["days_since_use"] = p.since_last(of_kind(p, "engagement", "use"))
    return out


def outreach(p: Past, windows: list[int]) -> Values:
    rows = p.rows["outreach"]
    mails = [r for r in rows if r["channel"] == "email"] if p.has("outreach", "channel") else rows
    out: Values = {f"contacts_{w}d": len(p.within(rows, w)) for w in windows}
    for w in [w for w in windows if w >= 30]:
        if p.has("outreach", "kind"):
            out[f"offers_{w}d"] = len(p.within(of_kind(p, "outreach", "offer"), w))
        if p.has("engagement", "kind"):
            answers = p.within(of_kind(p, "engagement", "open", "click"), w)
            out[f"response_share_{w}d"] = over(len(answers), len(p.within(mails, w)))
    out["days_since_contact"] = p.since_last(rows)
    if p.has("outreach", "kind") or p.has("outreach", "purpose"):
        thanks = [r for r in rows if "thanks" in (r.get("kind"), r.get("purpose"))]
        out["days_since_thanks"] = p.since_last(thanks)
        if 365 in windows:
            out["thanks_365d"] = len(p.within(thanks, 365))
    if p.has("outreach", "language") and p.has("customers", "language") and 180 in windows:
        wanted = p.rows["customers"][-1]["language"] if p.rows["customers"] else None
        said = [r["language"] for r in p.within(rows, 180) if r["language"] is not None]
        other = [language for language in said if wanted and language != wanted.strip().lower()]
        out["language_mismatch_share_180d"] = over(len(other), len(said)) if wanted else None
    return out


def surveys(p: Past, windows: list[int]) -> Values:
    nps, csat = of_kind(p, "surveys", "nps"), of_kind(p, "surveys", "csat")
    last, before = last_mean(nps, _nps), last_mean(nps, _nps, back=1)
    happy, earlier = last_mean(csat, _satisfaction), last_mean(csat, _satisfaction, back=1)
    out: Values = {"nps_last": last, "nps_change": minus(last, before), "days_since_nps": p.since_last(nps)}
    out["is_detractor"] = None if last is None else float(last <= 6)
    out |= {"csat_last": happy, "csat_change": minus(happy, earlier)}
    out |= {f"answers_{w}d": len(p.within(p.rows["surveys"], w)) for w in windows if w >= 180}
    if p.has("surveys", "followed_up_at"):
        owed = [r for r in p.rows["surveys"] if _owed(r) and r["followed_up_at"] is None]
        out |= {"unanswered_feedback": len(owed), "oldest_unanswered_days": p.since_first(owed)}
    return out


def _share(row: Row, low: float, high: float) -> float | None:
    low = row.get("scale_min") if row.get("scale_min") is not None else low
    high = row.get("scale_max") if row.get("scale_max") is not None else high
    return None if row["score"] is None or high <= low else (row["score"] - low) / (high - low)


def _nps(row: Row) -> float | None:
    share = _share(row, 0, 10)
    return None if share is None else 10 * share


def _satisfaction(row: Row) -> float | None:
    return _share(row, 1, 5)


def _owed(row: Row) -> bool:
    if row["kind"] == "suggestion":
        return True
    if row["kind"] == "nps":
        return _nps(row) is not None and _nps(row) <= 6
    return row["kind"] in ("csat", "ces") and _satisfaction(row) is not None and _satisfaction(row) <= 0.4


def referrals(p: Past, windows: list[int]) -> Values:
    rows = of_kind(p, "referrals", "referral")
    out: Values = {}
    for w in [w for w in windows if w >= 180]:
        out[f"referrals_{w}d"] = len(p.within(rows, w))
        if p.has("referrals", "kind"):
            out[f"reviews_{w}d"] = len(p.within(of_kind(p, "referrals", "review"), w))
    out["days_since_referral"] = p.since_last(rows)
    if p.has("referrals", "rating"):
        out["rating_last"] = last_mean(p.rows["referrals"], lambda r: r["rating"])
    return out
