"""The oracle's families of what was said and done: see ``oracle.py`` for the rules."""

from __future__ import annotations

import itertools
from statistics import mean, pstdev

from tests.features.oracle import Past, Row, Values, last_mean, middle, minus, of_kind, over


def engagement(p: Past, windows: list[int]) -> Values:
    rows = p.rows["engagement"]
    out: Values = {}
    for w in windows:
        out[f"engagements_{w}d"] = len(p.within(rows, w))
    for w in (30, 90):
        out[f"engagements_change_{w}d"] = len(p.within(rows, w)) - len(p.within(rows, w, before=w))
    out["days_since_engagement"] = p.since_last(rows)
    if p.has("engagement", "channel"):
        out["channels_used_180d"] = len({r["channel"] for r in p.within(rows, 180)} - {None})
    return out | (_engagement_kinds(p) if p.has("engagement", "kind") else {})


def _engagement_kinds(p: Past) -> Values:
    out: Values = {}
    used = of_kind(p, "engagement", "use")
    for w in (30, 90):
        out[f"visits_{w}d"] = len(p.within(of_kind(p, "engagement", "visit", "login"), w))
        out[f"uses_{w}d"] = len(p.within(used, w))
    out["uses_change_90d"] = len(p.within(used, 90)) - len(p.within(used, 90, before=90))
    out |= {"days_since_use": p.since_last(used)}
    out["days_since_open"] = p.since_last(of_kind(p, "engagement", "open", "click"))
    if p.has("engagement", "purpose"):
        clicks = p.within(of_kind(p, "engagement", "click"), 365)
        for purpose in ("recommendation", "story"):
            out[f"{purpose}_clicks_365d"] = sum(r["purpose"] == purpose for r in clicks)
    out["posts_180d"] = len(p.within(of_kind(p, "engagement", "post"), 180))
    out["events_attended_365d"] = len(p.within(of_kind(p, "engagement", "event", "attend"), 365))
    together = of_kind(p, "engagement", "post", "answer", "join", "event", "attend")
    out["days_since_community"] = p.since_last(together)
    out["skips_180d"] = len(p.within(of_kind(p, "engagement", "skip"), 180))
    out["pauses_180d"] = len(p.within(of_kind(p, "engagement", "pause"), 180))
    return out


def contacts(p: Past) -> list[Row]:
    """Outreach that did not bounce."""
    return [r for r in p.rows["outreach"] if not r.get("bounced")]


def contacts_about(p: Past, kinds: set[str], purposes: set[str]) -> list[Row]:
    """Contacts of one of the kinds or of one of the purposes, each once."""
    return [r for r in contacts(p) if r.get("kind") in kinds or r.get("purpose") in purposes]


def outreach(p: Past, windows: list[int]) -> Values:
    rows = contacts(p)
    out: Values = {f"contacts_{w}d": len(p.within(rows, w)) for w in (7, 30, 90, 365)}
    if p.has("outreach", "cost"):
        out["contact_cost_365d"] = sum(r["cost"] or 0.0 for r in p.within(rows, 365))
    days = sorted({r["_day"] for r in rows}, reverse=True)[:13]
    gaps = [newer - older for newer, older in itertools.pairwise(days)]
    out["days_since_contact"] = p.since_last(rows)
    out["contact_gap_ratio"] = over(p.since_last(rows), middle(gaps))
    out["contact_gap_cv"] = pstdev(gaps) / mean(gaps) if len(gaps) >= 2 else None
    if p.has("outreach", "kind"):
        out |= _outreach_kinds(p)
    if p.has("outreach", "kind") or p.has("outreach", "channel"):
        calls = [r for r in rows if r.get("kind") == "call" or r.get("channel") == "phone"]
        out["calls_180d"] = len(p.within(calls, 180))
    if p.has("outreach", "kind") or p.has("outreach", "purpose"):
        out |= _outreach_purposes(p)
    if p.has("engagement", "kind"):
        mails = [r for r in rows if r["channel"] == "email"] if p.has("outreach", "channel") else rows
        for w in (90, 365):
            answers = p.within(of_kind(p, "engagement", "open", "click"), w)
            out[f"response_share_{w}d"] = over(len(answers), len(p.within(mails, w)))
        clicks = p.within(of_kind(p, "engagement", "click"), 90)
        out["click_share_90d"] = over(len(clicks), len(p.within(mails, 90)))
    if p.has("outreach", "language") and p.has("customers", "language"):
        wanted = p.rows["customers"][-1]["language"] if p.rows["customers"] else None
        said = [r["language"] for r in p.within(rows, 180) if r["language"] is not None]
        other = [language for language in said if wanted and language != wanted.strip().lower()]
        out["language_mismatch_share_180d"] = over(len(other), len(said)) if wanted else None
    return out


def _outreach_kinds(p: Past) -> Values:
    def of(kind: str, days: int) -> int:
        return len(p.within(contacts_about(p, {kind}, set()), days))

    out: Values = {"offers_90d": of("offer", 90), "offers_365d": of("offer", 365)}
    out |= {"notices_180d": of("notice", 180), "surveys_sent_180d": of("survey", 180)}
    out["review_requests_365d"] = of("review_request", 365)
    out["days_since_followup"] = p.since_last(contacts_about(p, {"follow_up"}, set()))
    if p.has("surveys"):
        out["survey_response_share_365d"] = over(len(p.within(p.rows["surveys"], 365)), of("survey", 365))
    return out


def _outreach_purposes(p: Past) -> Values:
    thanks = contacts_about(p, {"thanks"}, {"thanks"})
    out: Values = {"days_since_thanks": p.since_last(thanks), "thanks_365d": len(p.within(thanks, 365))}
    out["gifts_365d"] = len(p.within(contacts_about(p, {"gift"}, {"gift"}), 365))
    out["dunnings_180d"] = len(p.within(contacts_about(p, {"dunning"}, {"payment"}), 180))
    year = p.within(contacts(p), 365)
    plain = [r for r in year if r.get("kind") != "offer" and r.get("purpose") != "promotion"]
    personal = contacts_about(p, {"birthday", "thanks", "follow_up"}, {"personal", "recommendation"})
    out["nonpromo_share_365d"] = over(len(plain), len(year))
    out["personal_share_365d"] = over(len(p.within(personal, 365)), len(year))
    return out


def surveys(p: Past, windows: list[int]) -> Values:
    nps, csat = of_kind(p, "surveys", "nps"), of_kind(p, "surveys", "csat")
    last, before = last_mean(nps, _nps), last_mean(nps, _nps, back=1)
    happy, earlier = last_mean(csat, _satisfaction), last_mean(csat, _satisfaction, back=1)
    out: Values = {"nps_last": last, "nps_change": minus(last, before), "days_since_nps": p.since_last(nps)}
    out["is_detractor"] = None if last is None else float(last <= 6)
    out |= {"csat_last": happy, "csat_change": minus(happy, earlier)}
    scored = [(r["_day"], _satisfaction(r)) for r in csat if _satisfaction(r) is not None]
    before_last = [share for day, share in scored if day < max(day for day, _ in scored)]
    out["csat_vs_usual"] = minus(happy, mean(before_last) if before_last else None)
    out["csat_min_180d"] = min(
        (_satisfaction(r) for r in p.within(csat, 180) if _satisfaction(r) is not None), default=None
    )
    out["ces_last"] = last_mean(of_kind(p, "surveys", "ces"), _ease)
    out["intent_last"] = last_mean(of_kind(p, "surveys", "intent"), lambda r: _share(r, 0, 10))
    if p.has("surveys", "touchpoint"):
        of_value = [r for r in csat if (r["touchpoint"] or "").strip().lower() in ("price", "value")]
        out["value_last"] = last_mean(of_value, _satisfaction)
    year, suggested = p.within(p.rows["surveys"], 365), of_kind(p, "surveys", "suggestion")
    out |= {"answers_365d": len(year), "suggestions_365d": len(p.within(suggested, 365))}
    out["critical_answers_365d"] = sum(map(_owed, year))
    if p.has("surveys", "adopted_at"):
        out["suggestions_adopted"] = sum(r["adopted_at"] is not None for r in suggested)
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


def _ease(row: Row) -> float | None:
    return _share(row, 1, 7)


def _owed(row: Row) -> bool:
    if row["kind"] == "suggestion":
        return True
    if row["kind"] == "nps":
        return _nps(row) is not None and _nps(row) <= 6
    share = {"csat": _satisfaction, "ces": _ease}.get(row["kind"], lambda r: None)(row)
    return share is not None and share <= 0.4


def referrals(p: Past, windows: list[int]) -> Values:
    rows = of_kind(p, "referrals", "referral")
    out: Values = {}
    out["referrals_365d"] = len(p.within(rows, 365))
    if p.has("referrals", "kind"):
        out["reviews_365d"] = len(p.within(of_kind(p, "referrals", "review"), 365))
    out["days_since_referral"] = p.since_last(rows)
    if p.has("referrals", "rating"):
        ratings = [r["rating"] for r in p.rows["referrals"] if r["rating"] is not None]
        out["rating_last"] = last_mean(p.rows["referrals"], lambda r: r["rating"])
        out["rating_mean"] = mean(ratings) if ratings else None
    return out
