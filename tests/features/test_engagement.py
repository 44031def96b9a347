"""Engagement: what the customer did; a mail that we sent is not a sign of life."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table


def test_activity_visits_use_and_change() -> None:
    engagement = table(
        "customer_id occurred_at kind",
        "a 2024-06-01 use",
        "a 2024-12-15 use",
        "a 2025-01-15 visit",
        "a 2025-02-20 Login",
        "a 2025-02-21 open",
        "a 2025-02-21 use",
        "a 2025-03-01 use",
        "b 2025-01-15 open",
    )
    mails = table("customer_id occurred_at kind", "b 2025-02-28 newsletter")
    customers = table("customer_id", "a", "b")
    frame = features_of("2025-03-01", {"customers": customers, "engagement": engagement, "outreach": mails})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["engagements_30d"], a["visits_30d"], a["uses_30d"], a["engagements_change_30d"]) == (3, 1, 1, 2)
    assert (a["days_since_engagement"], a["days_since_use"], a["days_since_open"]) == (8, 8, 8)
    assert (a["uses_90d"], a["uses_change_90d"]) == (2, 2)
    assert (b["engagements_30d"], b["engagements_change_30d"], b["days_since_engagement"]) == (0, -1, 45)
    assert (b["days_since_open"], b["uses_change_90d"]) == (45, 0)
    assert np.isnan(b["days_since_use"])


def test_channels_and_clicks_by_what_they_were_for() -> None:
    engagement = table(
        "customer_id occurred_at kind channel purpose",
        "a 2024-03-01 click app story",
        "a 2024-08-01 click app recommendation",
        "a 2024-09-10 click Web Story",
        "a 2025-02-01 click WEB recommendation",
        "a 2025-02-02 open mail recommendation",
        "a 2025-02-03 click - -",
        "b 2024-01-01 click app story",
    )
    frame = features_of("2025-03-01", {"engagement": engagement})
    assert frame["channels_used_180d"].to_dict() == {"a": 2, "b": 0}
    assert frame["recommendation_clicks_365d"].to_dict() == {"a": 2, "b": 0}
    assert frame["story_clicks_365d"].to_dict() == {"a": 2, "b": 0}


def test_who_never_took_part_in_the_community_is_null_and_what_did_not_happen_is_0() -> None:
    engagement = table(
        "customer_id occurred_at kind",
        "a 2024-01-01 join",
        "a 2024-12-01 Post",
        "a 2024-12-01 post",
        "a 2024-06-01 event",
        "a 2025-01-01 attend",
        "a 2025-02-01 answer",
        "b 2025-02-28 visit",
    )
    frame = features_of("2025-03-01", {"engagement": engagement})
    a, b = frame.loc["a"], frame.loc["b"]
    assert (a["posts_180d"], a["events_attended_365d"], a["days_since_community"]) == (2, 2, 28)
    assert (b["posts_180d"], b["events_attended_365d"]) == (0, 0)
    assert np.isnan(b["days_since_community"])


def test_skips_and_pauses_of_a_subscription() -> None:
    engagement = table(
        "customer_id occurred_at kind", "a 2024-01-01 skip", "a 2025-01-01 Skip", "a 2025-02-01 pause", "b 2025-02-01 -"
    )
    frame = features_of("2025-03-01", {"engagement": engagement})
    assert frame[["skips_180d", "pauses_180d"]].to_numpy().tolist() == [[1, 1], [0, 0]]


def test_without_kind_nothing_is_said_of_visits_and_use() -> None:
    engagement = table("customer_id occurred_at", "a 2024-01-01", "a 2025-02-20")
    frame = features_of("2025-03-01", {"customers": table("customer_id", "a"), "engagement": engagement})
    assert frame.loc["a", "engagements_30d"] == 1
    assert {name for name in frame.columns if not name.startswith("engagements_")} == {"days_since_engagement"}


def test_without_an_engagement_table_there_is_no_community_column() -> None:
    purchases = table("customer_id occurred_at amount", "a 2024-01-01 10")
    frame = features_of("2025-03-01", {"purchases": purchases})
    assert not {"posts_180d", "events_attended_365d", "days_since_community"} & set(frame.columns)


def test_a_fixed_window_that_the_history_does_not_fill_is_left_out() -> None:
    engagement = table("customer_id occurred_at kind channel", "a 2025-01-01 post web", "a 2025-02-20 use web")
    names = set(features_of("2025-03-01", {"engagement": engagement}).columns)
    assert {"visits_30d", "uses_30d", "days_since_community"} <= names
    # A change looks at two windows, here 60 days of the 59 that there are.
    unfilled = {
        "engagements_change_30d",
        "visits_90d",
        "uses_change_90d",
        "channels_used_180d",
        "posts_180d",
        "skips_180d",
    }
    assert not unfilled & names
