"""Outreach: what the company sent, and whether it was answered."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.small import features_of, table

CUSTOMERS = table("customer_id language", "a ja", "b EN", "c -")
KNOWN = table("customer_id", "a", "b", "c")


def test_response_is_opens_and_clicks_per_mail() -> None:
    outreach = table(
        "customer_id occurred_at kind channel",
        "a 2024-01-01 newsletter email",
        "a 2025-02-01 newsletter Email",
        "a 2025-02-10 offer email",
        "a 2025-02-11 call phone",
        "b 2025-02-11 call phone",
    )
    engagement = table(
        "customer_id occurred_at kind",
        "a 2025-02-02 open",
        "a 2025-02-10 click",
        "a 2025-02-10 visit",
        "b 2025-02-12 open",
    )
    tables = {"customers": CUSTOMERS, "outreach": outreach, "engagement": engagement}
    frame = features_of("2025-03-01", tables)
    assert frame["contacts_30d"].to_dict() == {"a": 3, "b": 1, "c": 0}
    assert frame["offers_90d"].to_dict() == {"a": 1, "b": 0, "c": 0}
    assert (frame.loc["a", "response_share_90d"], frame.loc["a", "click_share_90d"]) == (1.0, 0.5)
    assert frame.loc[["b", "c"], ["response_share_90d", "click_share_90d"]].isna().all(axis=None)
    assert frame["days_since_contact"].fillna(-1).to_dict() == {"a": 18, "b": 18, "c": -1}


def test_what_bounced_is_no_contact() -> None:
    outreach = table(
        "customer_id occurred_at kind channel language cost bounced",
        "a 2024-01-01 newsletter email ja 5 -",
        "a 2025-02-01 thanks email ja 5 false",
        "a 2025-02-02 thanks email en 5 true",
        "a 2025-02-03 offer phone en 7 true",
        "b 2025-02-03 gift post en 9 true",
    )
    engagement = table("customer_id occurred_at kind", "a 2025-02-02 open")
    tables = {"customers": CUSTOMERS, "outreach": outreach, "engagement": engagement}
    frame = features_of("2025-03-01", tables)
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["contacts_90d"], a["days_since_contact"], a["contact_cost_365d"]) == (1, 28, 5)
    assert (a["thanks_365d"], a["days_since_thanks"], a["offers_90d"], a["calls_180d"]) == (1, 28, 0, 0)
    assert (a["language_mismatch_share_180d"], a["response_share_90d"], a["personal_share_365d"]) == (0, 1, 1)
    assert (b["contacts_365d"], b["gifts_365d"], b["contact_cost_365d"]) == (0, 0, 0)
    assert np.isnan([b["days_since_contact"], b["personal_share_365d"], b["language_mismatch_share_180d"]]).all()


def test_the_silence_is_measured_by_the_usual_gap() -> None:
    outreach = table(
        "customer_id occurred_at",
        "a 2025-01-01",
        "a 2025-01-11",
        "a 2025-01-11",
        "a 2025-01-31",
        "b 2025-01-01",
        "b 2025-01-11",
        "c 2025-01-01",
    )
    frame = features_of("2025-03-01", {"customers": KNOWN, "outreach": outreach})
    assert frame.loc["a", "contact_gap_ratio"] == pytest.approx(29 / 15)
    assert frame.loc["a", "contact_gap_cv"] == pytest.approx(5 / 15)
    assert frame.loc["b", "contact_gap_ratio"] == 4.9
    assert np.isnan([frame.loc["b", "contact_gap_cv"], frame.loc["c", "contact_gap_ratio"]]).all()


def test_thanks_by_kind_or_by_purpose_count_once() -> None:
    outreach = table(
        "customer_id occurred_at kind purpose",
        "a 2024-01-01 newsletter -",
        "a 2025-01-01 Thanks thanks",
        "a 2025-02-01 offer THANKS",
        "b 2025-02-01 call -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "outreach": outreach})
    assert frame["thanks_365d"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert frame.loc["a", "days_since_thanks"] == 28
    assert np.isnan(frame.loc["b", "days_since_thanks"])


def test_each_message_counts_for_what_it_was() -> None:
    outreach = table(
        "customer_id occurred_at kind purpose channel",
        "a 2024-01-01 follow_up - -",
        "a 2025-01-01 notice - email",
        "a 2025-01-02 call payment phone",
        "a 2025-01-03 letter gift phone",
        "a 2025-01-04 gift gift post",
        "a 2025-01-05 dunning - -",
        "a 2025-01-06 review_request recommendation email",
        "a 2025-01-07 newsletter Promotion email",
        "a 2025-01-08 offer - email",
        "a 2025-01-09 birthday - -",
        "b 2025-01-01 - - -",
    )
    frame = features_of("2025-03-01", {"customers": KNOWN, "outreach": outreach})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["notices_180d"], a["calls_180d"], a["gifts_365d"], a["dunnings_180d"]) == (1, 2, 2, 2)
    assert (a["review_requests_365d"], a["surveys_sent_180d"], a["days_since_followup"]) == (1, 0, 425)
    assert (a["nonpromo_share_365d"], a["personal_share_365d"]) == pytest.approx((7 / 9, 2 / 9))
    assert (b["nonpromo_share_365d"], b["personal_share_365d"], b["gifts_365d"]) == (1, 0, 0)


def test_answers_per_survey_sent() -> None:
    outreach = table(
        "customer_id occurred_at kind",
        "a 2024-01-01 survey",
        "a 2024-06-01 survey",
        "a 2025-01-01 Survey",
        "b 2024-01-02 survey",
    )
    surveys = table("customer_id occurred_at kind score", "a 2025-01-05 nps 9", "b 2025-01-05 nps 9")
    frame = features_of("2025-03-01", {"outreach": outreach, "surveys": surveys})
    assert frame["surveys_sent_180d"].to_dict() == {"a": 1, "b": 0}
    assert frame["survey_response_share_365d"].fillna(-1).to_dict() == {"a": 0.5, "b": -1}


def test_language_is_compared_with_the_customers_own() -> None:
    outreach = table(
        "customer_id occurred_at language",
        "a 2024-01-01 en",
        "a 2025-02-01 JA",
        "a 2025-02-02 en",
        "a 2025-02-03 -",
        "b 2025-02-01 en",
        "c 2025-02-01 en",
    )
    share = features_of("2025-03-01", {"customers": CUSTOMERS, "outreach": outreach})["language_mismatch_share_180d"]
    assert share.fillna(-1).to_dict() == {"a": 0.5, "b": 0.0, "c": -1}


def test_a_log_that_does_not_say_what_was_sent_counts_contacts_alone() -> None:
    outreach = table("customer_id occurred_at", "a 2024-01-01", "a 2025-02-01")
    frame = features_of("2025-03-01", {"customers": KNOWN, "outreach": outreach})
    assert frame.loc["a", "contacts_30d"] == 1
    counted = {f"contacts_{w}d" for w in (7, 30, 90, 365)}
    assert set(frame.columns) == counted | {"days_since_contact", "contact_gap_ratio", "contact_gap_cv"}
