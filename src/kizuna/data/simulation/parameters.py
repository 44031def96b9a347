"""Every number of the simulated shop, named, with its unit and its default, as one frozen tree.

Days count from the first written day, which is day 0; the shop lived 400 days before it. Ratios multiply the hazard of
beginning to fade away. Shares and probabilities lie between 0 and 1. Money is in the shop's one currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kizuna.data.simulation.dirt import Dirt
from kizuna.data.simulation.markets import DE, JP, US, Market


@dataclass(frozen=True)
class Acquisition:
    """When customers come. ``customers_per_day`` None: so that all who were asked for have come by the last day."""

    prehistory_days: int = 400
    customers_per_day: float | None = None
    channel_shares: tuple[tuple[str, float], ...] = (
        ("search", 0.30),
        ("ad", 0.28),
        ("social", 0.20),
        ("store", 0.12),
        ("referral", 0.10),
    )


@dataclass(frozen=True)
class Buying:
    """How often customers buy; gaps are Gamma with mean one in the customer's own, seasonal time."""

    rate_shape: float = 1.1
    rate_per_year: float = 6.0
    gap_shape: float = 1.5
    weekend_factor: float = 1.25
    payday_month_days: tuple[int, ...] = (25, 26, 27)
    gift_only_share: float = 0.06
    gift_months: tuple[int, ...] = (7, 12)
    gift_rate_factor: float = 0.5
    sale_only_share: float = 0.12
    sales: tuple[tuple[int, int, int], ...] = ((1, 3, 12), (3, 20, 10), (6, 20, 16), (9, 15, 10), (11, 20, 11))
    sale_rate_factor: float = 0.7
    reseller_share: float = 0.002
    reseller_factor: float = 20.0
    store_buyer_share: float = 0.15
    store_buyer_store_share: float = 0.85
    other_store_share: float = 0.04
    app_share: float = 0.4
    favourite_category_share: float = 0.6


@dataclass(frozen=True)
class Leaving:
    """How customers are lost: at once after the first order, or by fading first."""

    first_order_share: float = 0.35
    first_order_window_days: int = 14
    hazard_per_day: float = 0.0012
    frailty_variance: float = 0.6
    fade_mean_days: float = 45.0
    fade_rate_factor: float = 0.4
    interest_half_life_days: float = 21.0


@dataclass(frozen=True)
class Money:
    """What an order is worth."""

    median_amount: float = 4800.0
    between_sd: float = 0.5
    within_sd: float = 0.5
    second_line_share: float = 0.2
    second_line_part: float = 0.4
    return_min_days: int = 3
    return_max_days: int = 21
    price_rise: float = 0.08
    price_rise_day: int = 600
    sale_discount: float = 0.15


@dataclass(frozen=True)
class Ratios:
    """Hazard ratios and how long each acts; their product is clipped."""

    open_complaint: float = 2.0
    complaint_growth_per_day: float = 0.06
    complaint_growth_after_days: int = 3
    complaint_limit: float = 4.0
    late_delivery: float = 1.5
    late_delivery_days: int = 60
    company_silent: float = 1.3
    company_silent_days: int = 60
    mail_fatigue: float = 1.25
    mail_fatigue_above_per_week: int = 3
    unanswered_feedback: float = 1.4
    unanswered_after_days: int = 14
    unanswered_feedback_days: int = 90
    far_reward: float = 1.15
    far_reward_months: float = 12.0
    language_mismatch: float = 1.2
    thanks: float = 0.85
    thanks_days: int = 90
    redemption: float = 0.8
    redemption_days: int = 90
    follow_up_first_order_points: float = 0.06
    lowest: float = 0.4
    highest: float = 6.0


@dataclass(frozen=True)
class Service:
    """Deliveries and complaints."""

    promise_days: int = 3
    late_share: float = 0.06
    late_min_days: int = 3
    late_max_days: int = 12
    complaint_share: float = 0.03
    complaint_late_factor: float = 3.0
    slow_share: float = 0.2
    slow_after_days: float = 7.0
    fast_mean_days: float = 2.0
    slow_mean_more_days: float = 300.0
    open_complaint_rate_factor: float = 0.05
    first_response_mean_days: float = 1.0
    inquiry_per_visit: float = 0.06
    praise_share: float = 0.006


@dataclass(frozen=True)
class Contact:
    """What the company sends, to whom, how often, at what cost. The sunset rule ends newsletters to the inactive."""

    opt_in_share: float = 0.62
    sunset_days: int = 180
    newsletter_weekday: int = 3
    heavy_share: float = 0.2
    heavy_weekdays: tuple[int, ...] = (0,)
    heavy_campaign_weekdays: tuple[int, ...] = (1, 5)
    campaign_months: tuple[int, ...] = (12,)
    offer_every_days: int = 84
    offer_recent_days: int = 45
    offer_hold_out_share: float = 0.15
    coupon_value: float = 800.0
    coupon_valid_days: int = 30
    coupon_use_share: float = 0.6
    thanks_share: float = 0.2
    thanks_after_days: int = 2
    thanks_post_share: float = 0.25
    follow_up_share: float = 0.5
    follow_up_after_days: int = 6
    apology_share: float = 0.5
    apology_after_days: int = 2
    own_language_share: float = 0.4
    email_cost: float = 1.0
    post_cost: float = 120.0
    phone_cost: float = 300.0
    sms_cost: float = 10.0
    line_cost: float = 3.0


@dataclass(frozen=True)
class Engagement:
    """Visits and opens. They grow rarer with the customer's interest, and some mail programs open everything."""

    visits_per_year: float = 14.0
    visits_sd: float = 0.8
    visits_rate_power: float = 0.3
    order_visit_share: float = 0.7
    open_logit_mean: float = -1.1
    open_logit_sd: float = 0.8
    click_share: float = 0.2
    auto_open_share: float = 0.2
    auto_open_probability: float = 0.9


@dataclass(frozen=True)
class Responses:
    """How customers answer a contact meant to keep them. Types follow an index with a predictable part.

    ``service_helps``: a complaint or feedback that a list sends to the service desk is settled within days.
    """

    sleeping_share: float = 0.10
    lost_share: float = 0.20
    sure_share: float = 0.45
    predictable_variance: float = 0.3
    effect_days: int = 60
    persuadable_ratio: float = 0.4
    persuadable_more_per_year: float = 12.0
    sleeping_ratio: float = 1.4
    sleeping_opt_out: float = 0.08
    sure_value_lost: float = 0.3
    sure_pull_forward_days: float = 10.0
    service_helps: bool = True


@dataclass(frozen=True)
class Voice:
    """Surveys, reviews, referrals."""

    invitations_per_year: int = 2
    invited_within_days: int = 365
    response_share: float = 0.22
    fading_response_factor: float = 0.5
    left_response_factor: float = 0.1
    kind_shares: tuple[float, float, float] = (0.5, 0.35, 0.15)
    nps_mean: float = 8.2
    csat_mean: float = 3.9
    satisfaction_sd: float = 1.2
    satisfaction_frailty_correlation: float = -0.5
    answer_sd: float = 1.3
    open_complaint_points: float = 2.5
    late_delivery_points: float = 1.0
    fading_points: float = 1.2
    follow_up_share: float = 0.65
    follow_up_mean_days: float = 4.0
    review_share: float = 0.03
    referral_share: float = 0.012


@dataclass(frozen=True)
class Loyalty:
    """The points programme."""

    member_share: float = 0.55
    amount_per_point: float = 100.0
    reward_points: int = 300
    redeem_share: float = 0.5
    expire_after_days: int = 365
    pace_min_days: int = 90


@dataclass(frozen=True)
class Subscriptions:
    """Contracts beside the orders. Only customers who outlive their first order take one, hence more than a tenth."""

    share_of_stayers: float = 0.17
    start_max_days: int = 180
    plans: tuple[tuple[str, float, float, int], ...] = (
        ("basic", 0.55, 980.0, 30),
        ("plus", 0.30, 1980.0, 30),
        ("annual", 0.15, 9800.0, 365),
    )
    notice_mean_days: float = 10.0
    cancel_hazard_per_day: float = 0.0003
    payment_failure_hazard_per_day: float = 0.0001
    return_share: float = 0.5
    return_max_days: int = 30


@dataclass(frozen=True)
class Arrival:
    """Rows that reach the warehouse late."""

    late_share: float = 0.03
    late_min_days: int = 2
    late_max_days: int = 10


@dataclass(frozen=True)
class Truth:
    """What the truth is about: the windows of churn and value."""

    horizon_days: int = 90
    active_within_days: int = 180
    value_horizon_days: int = 365
    min_history_days: int = 90


@dataclass(frozen=True)
class Parameters:
    """The whole shop. ``effects`` none: contacts change nothing; ``signal`` none: the past tells nothing of the future."""

    markets: tuple[Market, ...] = (JP, US, DE)
    acquisition: Acquisition = field(default_factory=Acquisition)
    buying: Buying = field(default_factory=Buying)
    leaving: Leaving = field(default_factory=Leaving)
    money: Money = field(default_factory=Money)
    ratios: Ratios = field(default_factory=Ratios)
    service: Service = field(default_factory=Service)
    contact: Contact = field(default_factory=Contact)
    engagement: Engagement = field(default_factory=Engagement)
    responses: Responses = field(default_factory=Responses)
    voice: Voice = field(default_factory=Voice)
    loyalty: Loyalty = field(default_factory=Loyalty)
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    arrival: Arrival = field(default_factory=Arrival)
    dirt: Dirt = field(default_factory=Dirt)
    truth: Truth = field(default_factory=Truth)
    language: Literal["en", "ja"] = "en"
    list_size: int = 300
    effects: Literal["real", "none"] = "real"
    signal: Literal["real", "none"] = "real"
    dirty: bool = False
