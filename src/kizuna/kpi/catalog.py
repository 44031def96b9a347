"""The KPIs in the order in which they are told: how each is made of its sums, what it needs, when it can be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["share", "rate", "total", "net_promoters", "median", "derived"]
Unit = Literal[
    "customers", "orders", "money", "share", "score", "per_100", "per_1000", "days", "years", "per_year", "rating"
]


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    ``method``: how value and interval follow from the sums x and y. ``factor``: the unit's multiple, 100 for a rate per hundred.
    ``better``: 1 if more is better, −1 if less is, 0 if neither. ``needs``: tables, or columns of tables; ``base`` stands for
    the table that says who is active. ``waits_days``: how long after a period's end it can be known. ``past``: how far back
    history must reach before the period, so that one can tell who was active, or a year. ``by_customers``: n counts
    customers, and not the units of x. ``headline``: whether it stands on the first page.
    """

    code: str
    method: Method
    unit: Unit
    better: Literal[-1, 0, 1]
    needs: tuple[str, ...]
    factor: float = 1.0
    waits_days: int = 0
    past: Literal["", "active", "year"] = ""
    by_customers: bool = False
    headline: bool = False


_BUYING = ("purchases",)

KPIS = (
    Kpi("customers_start", "total", "customers", 1, ("base",), past="active"),
    Kpi("customers_new", "total", "customers", 1, ("base",), past="active", headline=True),
    Kpi("customers_reactivated", "total", "customers", 1, ("base",), past="active"),
    Kpi("customers_lost", "total", "customers", -1, ("base",), past="active"),
    Kpi("customers_end", "total", "customers", 1, ("base",), past="active", headline=True),
    Kpi("crr_formula", "rate", "share", 1, ("base",), past="active", headline=True),
    Kpi("crr_cohort", "share", "share", 1, ("base",), past="active", headline=True),
    Kpi("crr_from_reactivated", "share", "share", 0, ("base",), past="active"),
    Kpi("crr_from_new_lost", "share", "share", 0, ("base",), past="active"),
    Kpi("churn_rate", "share", "share", -1, ("base",), past="active", headline=True),
    Kpi("churn_rate_net", "rate", "share", -1, ("base",), past="active"),
    Kpi("revenue_churn_rate", "rate", "share", -1, ("base", "purchases"), past="active", by_customers=True),
    Kpi("reactivation_rate", "share", "share", 1, ("base",), past="active", headline=True),
    Kpi("nps", "net_promoters", "score", 1, ("surveys",), factor=100, headline=True),
    Kpi("csat_top2_share", "share", "share", 1, ("surveys",), headline=True),
    Kpi("csat_mean", "rate", "share", 1, ("surveys",)),
    Kpi("survey_asked_share", "share", "share", 0, ("base", "outreach.kind", "surveys")),
    Kpi("survey_response_rate", "share", "share", 1, ("outreach.kind", "surveys"), waits_days=30),
    Kpi("survey_never_asked_share", "share", "share", -1, ("base", "outreach.kind", "surveys")),
    Kpi("cltv_formula", "rate", "money", 1, _BUYING, past="active", by_customers=True, headline=True),
    Kpi("cltv_order_value", "rate", "money", 1, _BUYING, past="active", by_customers=True),
    Kpi("cltv_orders_per_year", "rate", "per_year", 1, _BUYING, past="active", by_customers=True),
    Kpi("cltv_years", "derived", "years", 0, _BUYING, past="active"),
    Kpi("lifetime_by_churn_years", "derived", "years", 1, ("base",), past="active"),
    Kpi("cltv_formula_by_churn", "derived", "money", 1, ("base", "purchases"), past="active"),
    Kpi("cltv_model", "rate", "money", 1, ("scores",)),
    Kpi("repeat_rate_any", "share", "share", 1, _BUYING, past="active", headline=True),
    Kpi("repeat_rate_same_product", "share", "share", 1, ("purchases.product_id",), past="active"),
    Kpi("f2_rate_90d", "share", "share", 1, _BUYING, waits_days=90, past="active", headline=True),
    Kpi("f2_rate_180d", "share", "share", 1, _BUYING, waits_days=180, past="active"),
    Kpi("f3_rate_90d", "share", "share", 1, _BUYING, waits_days=90, past="active"),
    Kpi("f3_rate_180d", "share", "share", 1, _BUYING, waits_days=180, past="active"),
    Kpi("days_to_second", "median", "days", -1, _BUYING, past="active"),
    Kpi("complaints_per_100_orders", "rate", "per_100", -1, ("complaints", "purchases"), factor=100, headline=True),
    Kpi("complaints_per_100_active", "rate", "per_100", -1, ("base", "complaints"), factor=100, past="active"),
    Kpi("silent_lapse_share", "share", "share", 0, ("base", "complaints"), past="active", headline=True),
    Kpi("first_response_days", "median", "days", -1, ("complaints.first_response_at",)),
    Kpi("resolution_days", "median", "days", -1, ("complaints.resolved_at",), headline=True),
    Kpi("complaint_reopen_rate", "share", "share", -1, ("complaints.reopened_at", "complaints.resolved_at")),
    Kpi("complaint_recovery_rate", "share", "share", 1, ("complaints", "purchases"), waits_days=90),
    Kpi("reviews_per_1000_orders", "rate", "per_1000", 1, ("referrals.kind", "purchases"), factor=1000, headline=True),
    Kpi("rating_mean", "rate", "rating", 1, ("referrals.rating",)),
    Kpi("referrals_per_1000_orders", "rate", "per_1000", 1, ("referrals", "purchases"), factor=1000),
    Kpi("referral_share_of_new", "share", "share", 1, ("base", "customers.acquisition_channel"), past="active"),
    Kpi("orders", "total", "orders", 1, _BUYING),
    Kpi("revenue", "total", "money", 1, _BUYING, headline=True),
    Kpi("revenue_retained", "total", "money", 1, ("base", "purchases"), past="active"),
    Kpi("revenue_new", "total", "money", 1, ("base", "purchases"), past="active"),
    Kpi("revenue_reactivated", "total", "money", 1, ("base", "purchases"), past="active"),
    Kpi(
        "revenue_retained_share",
        "rate",
        "share",
        0,
        ("base", "purchases"),
        past="active",
        by_customers=True,
        headline=True,
    ),
    Kpi("net_revenue_retention", "rate", "share", 1, _BUYING, past="year", by_customers=True),
    Kpi("revenue_per_crr_point", "rate", "money", 0, ("base", "purchases"), past="active"),
    Kpi("retention_cost_per_kept", "rate", "money", -1, ("base", "outreach.cost"), past="active"),
    Kpi("prospects", "total", "customers", 0, ("base", "customers")),
)
BY_CODE = {kpi.code: kpi for kpi in KPIS}
