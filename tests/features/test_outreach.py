"""Outreach: what the company did, and whether it was answered."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

CUSTOMERS = table("customer_id language", "a ja", "b EN", "c -")


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
    assert frame["offers_30d"].to_dict() == {"a": 1, "b": 0, "c": 0}
    assert frame.loc["a", "response_share_30d"] == 1.0
    assert frame.loc[["b", "c"], "response_share_30d"].isna().all()
    assert frame["days_since_contact"].fillna(-1).to_dict() == {"a": 18, "b": 18, "c": -1}


def test_thanks_by_kind_or_by_purpose_count_once() -> None:
    outreach = table(
        "customer_id occurred_at kind purpose",
        "a 2024-01-01 newsletter -",
        "a 2025-01-01 Thanks thanks",
        "a 2025-02-01 call THANKS",
        "b 2025-02-01 call -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "outreach": outreach})
    assert frame["thanks_365d"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert frame.loc["a", "days_since_thanks"] == 28
    assert np.isnan(frame.loc["b", "days_since_thanks"])


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


def test_a_log_that_does_not_say_what_was_sent_counts_no_offers() -> None:
    outreach = table("customer_id occurred_at", "a 2024-01-01", "a 2025-02-01")
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "outreach": outreach})
    assert frame.loc["a", "contacts_30d"] == 1
    assert not [name for name in frame.columns if name.startswith(("offers_", "thanks_", "days_since_thanks"))]
