"""Contact habits: contact around orders, birthdays and anniversaries, and the last dialogue."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.small import features_of, table

PURCHASES = table(
    "customer_id occurred_at amount order_id",
    "a 2024-01-10 10 o1",
    "a 2025-01-10 10 o2",
    "a 2025-01-12 10 o2",
    "a 2025-02-01 -5 o2",
    "b 2024-02-01 10 o3",
)


def test_thanks_per_order_and_the_follow_up() -> None:
    outreach = table(
        "customer_id occurred_at kind purpose",
        "a 2025-01-12 follow_up -",
        "a 2025-01-26 follow_up -",
        "a 2025-02-01 letter thanks",
        "a 2025-02-02 thanks -",
        "b 2024-02-16 follow_up -",
    )
    frame = features_of("2025-03-01", {"purchases": PURCHASES, "outreach": outreach})
    assert frame["thanks_per_order_365d"].fillna(-1).to_dict() == {"a": 2, "b": -1}
    assert frame["followed_up_after_order"].to_dict() == {"a": 1, "b": 0}
    assert (
        features_of("2025-01-26", {"purchases": PURCHASES, "outreach": outreach}).loc["a"]["followed_up_after_order"]
        == 0
    )


EVERYONE = table("customer_id", "a", "b", "c", "d")


def test_touchpoints_are_the_contacts_and_visits_of_30_days_before_the_last_purchase() -> None:
    outreach = table(
        "customer_id occurred_at bounced",
        "a 2024-12-12 -",
        "a 2024-12-13 -",
        "a 2025-01-11 true",
        "a 2025-01-12 -",
        "c 2025-01-12 -",
    )
    engagement = table("customer_id occurred_at", "a 2025-01-11", "a 2025-01-12", "a 2024-12-20")
    tables = {"customers": EVERYONE, "purchases": PURCHASES, "outreach": outreach}
    alone, both = features_of("2025-03-01", tables), features_of("2025-03-01", tables | {"engagement": engagement})
    assert alone["touchpoints_before_order"].fillna(-1).to_dict() == {"a": 1, "b": 0, "c": -1, "d": -1}
    assert both["touchpoints_before_order"].fillna(-1).to_dict() == {"a": 3, "b": 0, "c": -1, "d": -1}


BIRTHS = table("customer_id birth_date", "a 1990-03-01", "b 1988-02-29", "c -", "d 1990-02-27", "e 2024-12-01")


@pytest.mark.parametrize(
    ("as_of", "missed"),
    [
        ("2025-03-08", {"a": 1, "b": 0, "c": -1, "d": 1, "e": -1}),
        ("2025-03-09", {"a": 0, "b": 0, "c": -1, "d": 1, "e": -1}),
        ("2024-03-06", {"a": -1, "b": -1, "c": -1, "d": -1, "e": -1}),
        ("2024-03-08", {"a": -1, "b": 1, "c": -1, "d": -1, "e": -1}),
    ],
)
def test_a_birthday_is_missed_when_its_week_before_and_after_brought_nothing(as_of: str, missed: dict) -> None:
    outreach = table(
        "customer_id occurred_at kind purpose bounced",
        "a 2024-03-01 newsletter - -",
        "a 2025-03-08 Birthday - -",
        "b 2023-03-01 newsletter - -",
        "b 2025-02-21 offer birthday -",
        "c 2023-01-01 newsletter - -",
        "d 2024-03-15 newsletter - -",
        "d 2025-02-27 birthday - true",
        "d 2025-03-07 birthday - -",
        "e 2024-12-02 birthday - -",
    )
    frame = features_of(as_of, {"customers": BIRTHS, "outreach": outreach})
    assert frame["birthday_missed"].fillna(-1).to_dict() == missed


def test_a_leap_day_birthday_is_kept_on_28_february_in_common_years() -> None:
    births = table("customer_id birth_date", "a 1988-02-29", "b 1988-02-29", "c 1988-02-29", "d 1988-02-29")
    outreach = table(
        "customer_id occurred_at kind",
        *(f"{customer} 2020-01-01 newsletter" for customer in "abcd"),
        "a 2023-02-21 birthday",
        "b 2023-02-20 birthday",
        "c 2024-02-22 birthday",
        "d 2024-02-21 birthday",
    )
    tables = {"customers": births, "outreach": outreach}
    common, leap = features_of("2023-03-08", tables), features_of("2024-03-08", tables)
    assert common["birthday_missed"].to_dict() == {"a": 0, "b": 1, "c": 1, "d": 1}
    assert leap["birthday_missed"].to_dict() == {"a": 1, "b": 1, "c": 0, "d": 1}


def test_a_birthday_before_we_knew_the_customer_is_not_missed_and_a_purchase_makes_us_know() -> None:
    outreach = table("customer_id occurred_at kind", "a 2025-02-01 newsletter", "d 2024-02-28 newsletter")
    tables = {"customers": BIRTHS, "outreach": outreach}
    assert features_of("2025-03-01", tables)["birthday_missed"].isna().all()
    bought = table("customer_id occurred_at amount", "a 2024-03-01 10", "d 2024-01-01 -10")
    frame = features_of("2025-03-01", tables | {"purchases": bought})
    assert frame["birthday_missed"].fillna(-1).to_dict() == {"a": 1, "b": -1, "c": -1, "d": -1, "e": -1}


def test_an_anniversary_is_missed_from_the_first_one_on() -> None:
    outreach = table(
        "customer_id occurred_at kind purpose",
        "a 2025-01-17 offer thanks",
        "b 2025-02-09 anniversary -",
        "b 2024-02-01 thanks -",
    )
    tables = {"purchases": PURCHASES, "outreach": outreach}
    early, late = features_of("2025-01-17", tables), features_of("2025-02-10", tables)
    assert early["anniversary_missed"].isna().all()
    assert late["anniversary_missed"].to_dict() == {"a": 0, "b": 1}


def test_a_dialogue_is_what_the_customer_wrote_or_answered() -> None:
    tables = {
        "customers": EVERYONE,
        "outreach": table("customer_id occurred_at", "a 2025-02-28", "b 2025-02-28", "c 2025-02-28", "d 2024-01-01"),
        "complaints": table("customer_id occurred_at kind", "a 2025-01-01 praise", "b 2025-01-01 inquiry"),
        "surveys": table("customer_id occurred_at kind score", "a 2025-02-01 nps -"),
        "referrals": table("customer_id occurred_at kind", "b 2025-02-10 review", "c 2025-02-10 referral"),
    }
    frame = features_of("2025-03-01", tables)
    assert frame["days_since_dialogue"].fillna(-1).to_dict() == {"a": 28, "b": 19, "c": -1, "d": -1}
    assert "days_since_dialogue" not in features_of(
        "2025-03-01", {"customers": EVERYONE, "outreach": tables["outreach"]}
    )


def test_a_contact_that_was_not_yet_known_does_not_count() -> None:
    outreach = table(
        "customer_id occurred_at kind known_at",
        "a 2024-01-01 newsletter -",
        "a 2025-01-20 follow_up 2025-03-01",
        "a 2025-01-09 thanks 2025-03-01",
    )
    frame = features_of("2025-03-01", {"purchases": PURCHASES, "outreach": outreach})
    a = frame.loc["a"]
    assert (a["followed_up_after_order"], a["anniversary_missed"], a["touchpoints_before_order"]) == (0, 1, 0)
    assert np.isnan(frame.loc["b", "thanks_per_order_365d"])
