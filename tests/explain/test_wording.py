"""Both languages are complete, and numbers are written as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ConfigError
from kizuna.explain.facts import FACTS
from kizuna.explain.sentences import SENTENCES
from kizuna.explain.wording import (
    UNITS,
    driver_text,
    feature_text,
    figure,
    fill,
    load_wording,
    places,
    stem_of,
)
from kizuna.wording.catalog import languages

DRIVERS = """
RECENCY FREQ_DOWN SPEND_DOWN ONE_TIME CONTACT_GAP ENGAGE_DOWN USE_DOWN FATIGUE COMPLAINT_OPEN SERVICE_SLOW
FEEDBACK_IGNORED NPS_LOW CSAT_DOWN NO_THANKS POINTS_EXPIRING LOYALTY_INACTIVE DISCOUNT_DEP RETURN_DELIVERY LANG_MISMATCH
CONTRACT SUPPLIED TENURE VARIETY ADVOCACY PROFILE FIRST_EXPERIENCE PRICE COMMUNITY LIST_ARM
"""

FEATURES = """
orders_7d orders_change_90d orders revenue_365d revenue_change_30d revenue order_value days_since_order usual_gap_days
gap_cv overdue_ratio is_one_time tenure_days returns_90d refund_amount_365d return_share late_deliveries_90d
overdue_deliveries discount_share_365d full_price_orders_365d categories new_categories_365d
complaints_90d complaints days_since_complaint open_complaints oldest_open_complaint_days resolution_days
slow_complaints_180d engagements_90d visits_90d days_since_engagement engagements_change_90d days_since_use uses_90d
contacts_90d days_since_contact response_share_90d thanks_365d days_since_thanks offers_90d
language_mismatch_share_180d nps_last nps_change days_since_nps is_detractor csat_last csat_change answers_365d
unanswered_feedback oldest_unanswered_days is_member points_balance days_since_earn days_since_redeem points_earned_90d
points_redeemed_90d points_expiring_30d referrals_365d reviews_365d days_since_referral rating_last has_contract
contract_days contract_days_left contract_price contracts_ended days_since_contract_end notice_given age_years
days_since_first_seen market=JP language=ja
top_category_share_365d repeat_products_365d new_product_orders_365d items_per_order_365d items_per_order_change_180d
unit_price_change_180d purchase_channels_365d channel_changed late_delivery_share_180d late_days_max_180d
delivery_vs_promise_days_365d refund_days_365d refunds_pending days_to_second_order first_order_late
first_order_returned first_order_discounted first_order_csat first_order_complaint worst_severity_180d
repeated_complaints_180d defect_complaints_365d complaint_channels_365d open_inquiries resolution_days_change_180d
response_days reopened_complaints_365d compensation_365d service_contacts_since_order
uses_change_90d days_since_open channels_used_180d recommendation_clicks_365d story_clicks_365d posts_180d
events_attended_365d days_since_community skips_180d pauses_180d contact_gap_ratio contact_gap_cv contact_cost_365d
nonpromo_share_365d personal_share_365d notices_180d calls_180d surveys_sent_180d survey_response_share_365d
review_requests_365d dunnings_180d days_since_followup followed_up_after_order touchpoints_before_order
days_since_dialogue click_share_90d thanks_per_order_365d gifts_365d birthday_missed anniversary_missed csat_min_180d
csat_vs_usual ces_last intent_last value_last suggestions_365d suggestions_adopted critical_answers_365d
points_expired_365d redeemed_share points_to_next months_to_reward tier_rank tier_rank_change_365d loyalty_tier=gold
rating_mean auto_renew profile_completeness
"""


def test_languages_are_the_files():
    assert languages() == ("en", "ja")


@pytest.mark.parametrize("language", languages())
def test_every_driver_and_feature_has_a_name(language):
    words = load_wording(language)
    assert sorted(words.drivers) == sorted(DRIVERS.split())
    for name in FEATURES.split():
        text = feature_text(name, language)
        assert text != name
        assert not places(text)
        window = stem_of(name)[1]
        assert window is None or str(window) in text


@pytest.mark.parametrize("language", languages())
def test_every_sentence_has_words_and_all_words_are_used(language):
    words = load_wording(language)
    spoken = {(sentence.driver, sentence.key) for sentence in SENTENCES} | {
        (driver, key) for driver in ("SUPPLIED", "PROFILE") for key in ("number", "is", "is_not")
    }
    assert {(driver, key) for driver, templates in words.reasons.items() for key in templates} == spoken
    assert {fact.code: {key for key, _ in fact.says} for fact in FACTS} == {
        code: set(templates) for code, templates in words.facts.items()
    }


def test_languages_have_the_same_keys_and_places():
    english = _templates("en")
    for language in languages():
        assert _templates(language) == english


def _templates(language):
    words = load_wording(language)
    found = {f"{group}.{key}": places(text) for group, of in _groups(words) for key, text in of.items()}
    assert not any("{" in re.sub(r"\{\w+(:[^{}]*)?\}", "", text) for _, of in _groups(words) for text in of.values())
    return found


def _groups(words):
    yield from (("drivers", words.drivers), ("features", words.features), ("currencies", words.currencies))
    yield "level", {"level": words.level}
    yield from ((f"reasons.{driver}", templates) for driver, templates in words.reasons.items())
    yield from ((f"facts.{code}", templates) for code, templates in words.facts.items())


def test_every_place_has_a_unit_or_takes_a_text():
    named = set().union(*_templates("en").values())
    assert named - set(UNITS) == {"feature", "level", "currency"}


@pytest.mark.parametrize(
    ("name", "english", "japanese"),
    [
        ("orders_90d", "Orders in the last 90 days", "直近90日の注文回数"),
        ("orders_1d", "Orders in the last 1 day", "直近1日の注文回数"),
        (
            "revenue_change_30d",
            "Revenue in the last 30 days minus that in the 30 before",
            "直近30日の購入金額からその前の30日の金額を引いた差",
        ),
        ("market=JP", "Market is JP", "市場が「JP」"),
        ("tier={w}", "tier is {w}", "tierが「{w}」"),
        ("MonthlyCharges", "MonthlyCharges", "MonthlyCharges"),
        ("tenure_30d", "tenure_30d", "tenure_30d"),
    ],
)
def test_feature_text(name, english, japanese):
    assert (feature_text(name, "en"), feature_text(name, "ja")) == (english, japanese)


def test_driver_text():
    assert (driver_text("RECENCY", "en"), driver_text("RECENCY", "ja")) == (
        "Time since the last purchase",
        "最終購入からの経過",
    )
    assert driver_text("NEW_ONE", "ja") == "NEW_ONE"


@pytest.mark.parametrize(
    ("value", "unit", "currency", "english", "japanese"),
    [
        (1234.0, "whole", None, "1,234", "1,234"),
        (18.5, "whole", None, "19", "19"),
        (-0.2, "whole", None, "0", "0"),
        (0.784, "share", None, "78%", "78%"),
        (2.449, "ratio", None, "2.4", "2.4"),
        (7.0, "number", None, "7", "7"),
        (29.85, "number", None, "29.85", "29.85"),
        (1e20, "number", None, "100,000,000,000,000,000,000", "100,000,000,000,000,000,000"),
        (1e300, "whole", None, "1e+300", "1e+300"),
        (48200.4, "money", "JPY", "¥48,200", "48,200円"),
        (-500.0, "money", "JPY", "−¥500", "−500円"),
        (-0.3, "money", "JPY", "¥0", "0円"),
        (12.5, "money", "USD", "$12.50", "$12.50"),
        (1934.56, "money", "EUR", "€1,935", "€1,935"),
        (980.0, "money", "SEK", "SEK 980.00", "SEK 980.00"),
        (980.0, "money", None, "980", "980"),
        (98.1, "money", None, "98.10", "98.10"),
    ],
)
def test_figures(value, unit, currency, english, japanese):
    assert figure(value, unit, "en", currency) == english
    assert figure(value, unit, "ja", currency) == japanese


@given(st.floats(-1e300, 1e300), st.sampled_from(sorted(set(UNITS.values()))))
def test_any_finite_number_can_be_written(value, unit):
    for currency in ("JPY", "USD", None):
        text = figure(value, unit, "en", currency)
        assert text
        assert text not in ("-0", "−0", "−¥0", "-0%")


def test_a_number_that_is_not_finite_is_never_written():
    with pytest.raises(ValueError, match="only finite numbers"):
        figure(float("nan"), "whole", "en")


def test_nouns_follow_the_number_and_texts_go_in_as_they_are():
    assert fill("{count:order|orders}", {"count": 1.0}, "en") == "1 order"
    assert fill("{count:order|orders}", {"count": 0.0}, "en") == "0 orders"
    assert fill("{feature} is {level}", {"feature": "{level}", "level": "\\1 {days}"}, "en") == "{level} is \\1 {days}"


def test_unknown_language():
    with pytest.raises(ConfigError) as caught:
        load_wording("jp")
    assert str(caught.value) == (
        "Words in 'jp' were asked for; there are words for en, ja. Set at_risk.language to one of them."
    )
