"""Which way of a feature is better for the bond with a customer, so that one can say what getting better would mean.

Features that stand in neither set have no better side (a rhythm, a channel, a length), or it depends on the shop.
``{w}`` is any window.
"""

from __future__ import annotations

_MORE_IS_BETTER = """
orders_{w}d orders_change_{w}d orders revenue_{w}d revenue_change_{w}d revenue order_value
full_price_orders_{w}d purchase_channels_{w}d categories new_categories_{w}d repeat_products_{w}d
new_product_orders_{w}d items_per_order_{w}d items_per_order_change_{w}d first_order_csat
engagements_{w}d engagements_change_{w}d visits_{w}d channels_used_{w}d recommendation_clicks_{w}d
story_clicks_{w}d uses_{w}d uses_change_{w}d posts_{w}d events_attended_{w}d
auto_renew has_contract contract_days_left
nps_last nps_change csat_last csat_change csat_vs_usual csat_min_{w}d ces_last intent_last value_last
answers_{w}d suggestions_adopted
is_member points_earned_{w}d points_redeemed_{w}d redeemed_share tier_rank tier_rank_change_{w}d
referrals_{w}d reviews_{w}d rating_last rating_mean
thanks_{w}d gifts_{w}d thanks_per_order_{w}d followed_up_after_order touchpoints_before_order
nonpromo_share_{w}d personal_share_{w}d notices_{w}d calls_{w}d
response_share_{w}d click_share_{w}d survey_response_share_{w}d
"""
_LESS_IS_BETTER = """
days_since_order overdue_ratio is_one_time days_to_second_order
discount_share_{w}d offers_{w}d unit_price_change_{w}d
returns_{w}d refund_amount_{w}d return_share refund_days_{w}d refunds_pending late_deliveries_{w}d
late_delivery_share_{w}d late_days_max_{w}d overdue_deliveries delivery_vs_promise_days_{w}d
first_order_late first_order_returned first_order_discounted first_order_complaint
complaints_{w}d complaints worst_severity_{w}d repeated_complaints_{w}d defect_complaints_{w}d
open_complaints oldest_open_complaint_days open_inquiries resolution_days resolution_days_change_{w}d
slow_complaints_{w}d response_days reopened_complaints_{w}d compensation_{w}d service_contacts_since_order
complaint_channels_{w}d
days_since_engagement days_since_open days_since_use days_since_community
skips_{w}d pauses_{w}d dunnings_{w}d notice_given
is_detractor unanswered_feedback oldest_unanswered_days critical_answers_{w}d
days_since_earn days_since_redeem points_expired_{w}d points_expiring_{w}d months_to_reward points_to_next
days_since_referral
days_since_contact contact_gap_ratio days_since_followup days_since_dialogue days_since_thanks
birthday_missed anniversary_missed
contacts_{w}d surveys_sent_{w}d review_requests_{w}d contact_cost_{w}d
language_mismatch_share_{w}d
"""
_NEITHER = """
tenure_days usual_gap_days gap_cv channel_changed top_category_share_{w}d days_since_complaint
contract_days contract_price contracts_ended days_since_contract_end
days_since_nps suggestions_{w}d points_balance contact_gap_cv
age_years days_since_first_seen profile_completeness
"""

MORE_IS_BETTER, LESS_IS_BETTER, NEITHER = (
    frozenset(stems.split()) for stems in (_MORE_IS_BETTER, _LESS_IS_BETTER, _NEITHER)
)


def better_side(stem: str) -> int:
    """1 where more of a feature is better, -1 where less is, 0 where neither is known to be."""
    return 1 if stem in MORE_IS_BETTER else -1 if stem in LESS_IS_BETTER else 0
