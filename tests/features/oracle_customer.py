"""The oracle's families of membership, contracts and profiles: see ``oracle.py`` for the rules."""

from __future__ import annotations

from statistics import mean

from tests.features.oracle import Past, Row, Values, last_mean, minus, of_kind, over, text_now


def loyalty(p: Past, windows: list[int]) -> Values:
    rows = p.rows["loyalty"]
    earned, redeemed = of_kind(p, "loyalty", "earn"), of_kind(p, "loyalty", "redeem")
    out: Values = {"is_member": float(bool(rows))}
    out |= {"days_since_earn": p.since_last(earned), "days_since_redeem": p.since_last(redeemed)}
    if p.has("loyalty", "tier_rank"):
        earlier = [r for r in rows if r["_day"] < p.as_of - 365 and r["_known"] < p.as_of - 365]
        out["tier_rank"] = last_mean(rows, lambda r: r["tier_rank"])
        out["tier_rank_change_365d"] = minus(out["tier_rank"], last_mean(earlier, lambda r: r["tier_rank"]))
    if p.has("loyalty", "points_to_next"):
        lacking = last_mean(rows, lambda r: r["points_to_next"])
        out["points_to_next"] = None if lacking is None else max(lacking, 0.0)
    if not p.has("loyalty", "points"):
        return out
    expired, year = of_kind(p, "loyalty", "expire"), _points(p.within(earned, 365))
    out |= {"points_earned_90d": _points(p.within(earned, 90)), "points_earned_365d": year}
    out["points_redeemed_365d"] = _points(p.within(redeemed, 365))
    out["points_expired_365d"] = _points(p.within(expired, 365))
    out["redeemed_share"] = over(_points(redeemed), _points(earned))
    used = _points(redeemed) + _points(expired)
    out["points_balance"] = _points(earned) - used
    if p.has("loyalty", "expires_at"):
        out["points_expiring_30d"] = _expiring(p, earned, used)
    if p.has("loyalty", "points_to_next"):
        out["months_to_reward"] = over(out["points_to_next"], year / 12)
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
    if p.has("subscriptions", "auto_renew"):
        out["auto_renew"] = last_mean(live, lambda r: r["auto_renew"])
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
    asked = [c for c in ("birth_date", "market", "language") if p.has("customers", c)]
    if asked:
        out["profile_completeness"] = mean(rows[-1][c] is not None for c in asked) if rows else None
    if p.has("customers", "stamps"):
        out["stamps"] = rows[-1]["stamps"] if rows else None
    return out


def supplied(p: Past, windows: list[int]) -> Values:
    row = p.rows["features"][-1] if p.rows["features"] else {}
    return {name: row.get(name) for name in ("usage", "is_vip") if p.has("features", name)}


def text_columns(p: Past, family: str) -> list[str]:
    """Text columns that are spread over levels; without ``valid_from`` only those that do not change."""
    if family == "loyalty":
        return [c for c in ("tier",) if p.has("loyalty", c)]
    if family == "supplied":
        return [c for c in ("plan_name",) if p.has("features", c)]
    wanted = ["language", "market", "tier"]
    if p.has("customers", "valid_from"):
        wanted.append("acquisition_channel")
    return [c for c in wanted if p.has("customers", c)]


def level_values(p: Past, table: str, column: str, levels: list[str]) -> Values:
    """One 0/1 per level, null where the text is."""
    text, before = text_now(p, table, column), "loyalty_" if table == "loyalty" else ""
    return {f"{before}{column}={level}": None if text is None else float(text == level) for level in levels}
