"""Complaints: open, slow, resolved; what came later has not come."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.small import features_of, table

from kizuna.features.complaints import severity_of

HEADER = "customer_id occurred_at resolved_at kind"
CUSTOMERS = table("customer_id", "a", "b", "c")


def test_a_complaint_resolved_later_is_still_open() -> None:
    complaints = table(
        HEADER,
        "a 2025-01-01 2025-01-03 complaint",
        "a 2025-02-01 2025-03-01 complaint",
        "a 2025-02-10 - Complaint",
        "a 2025-02-11 - inquiry",
        "b 2025-02-28 2025-02-28 complaint",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["open_complaints"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert frame["complaints"].to_dict() == {"a": 3, "b": 1, "c": 0}
    a, b, c = (frame.loc[name] for name in "abc")
    assert (a["oldest_open_complaint_days"], a["resolution_days"], a["days_since_complaint"]) == (28, 2, 19)
    assert (b["resolution_days"], b["days_since_complaint"]) == (0, 1)
    assert np.isnan([c["oldest_open_complaint_days"], c["resolution_days"], c["days_since_complaint"]]).all()


def test_slow_is_a_week_without_resolution_dated_by_the_eighth_day() -> None:
    complaints = table(
        HEADER,
        "a 2025-01-01 2025-01-08 complaint",
        "a 2025-01-01 2025-01-09 complaint",
        "b 2025-01-01 - complaint",
        "b 2025-01-22 - complaint",
        "b 2025-01-23 - complaint",
        "c 2024-07-26 - complaint",
    )
    frame = features_of("2025-01-31", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["slow_complaints_180d"].to_dict() == {"a": 1, "b": 2, "c": 0}


def test_a_table_without_kind_holds_complaints_and_without_resolution_says_nothing_of_it() -> None:
    complaints = table("customer_id occurred_at", "a 2025-01-01", "a 2025-02-28")
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["complaints"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert not [name for name in frame.columns if "open" in name or "slow" in name or "resolution" in name]


def test_severity_is_a_number_or_a_name() -> None:
    complaints = table(
        "customer_id occurred_at severity kind",
        "a 2024-01-01 critical complaint",
        "a 2024-12-01 Low complaint",
        "a 2025-01-01 中 complaint",
        "a 2025-01-02 4 inquiry",
        "b 2025-01-01 odd complaint",
        "c 2025-01-01 2.5 complaint",
        "c 2025-01-01 low complaint",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["worst_severity_180d"].fillna(-1).to_dict() == {"a": 2, "b": -1, "c": 2.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [(" HIGH ", 3), ("緊急", 4), ("-1", -1), ("3.0", 3), ("1_000", None), ("nan", None), ("\uff13", None)],
)
def test_only_plain_numbers_and_known_names_are_severities(text: str, value: float | None) -> None:
    assert np.isnan(severity_of(text)) if value is None else severity_of(text) == value


def test_the_same_topic_within_180_days_is_a_repetition() -> None:
    complaints = table(
        "customer_id occurred_at category kind known_at",
        "a 2024-08-20 billing complaint -",
        "a 2025-02-16 billing complaint -",
        "a 2025-02-16 billing complaint -",
        "b 2024-08-19 billing complaint -",
        "b 2025-02-16 billing complaint -",
        "b 2025-02-17 Billing complaint -",
        "b 2025-02-18 - complaint -",
        "b 2025-02-19 - complaint -",
        "c 2025-02-01 delivery complaint 2025-02-10",
        "c 2025-02-05 delivery complaint -",
        "c 2025-02-06 delivery inquiry -",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["repeated_complaints_180d"].to_dict() == {"a": 2, "b": 0, "c": 0}


def test_quality_is_a_topic_and_ways_to_us_are_counted_over_all_kinds() -> None:
    complaints = table(
        "customer_id occurred_at category channel kind",
        "a 2025-01-01 Defective phone complaint",
        "a 2025-01-02 品質 chat complaint",
        "a 2025-01-03 broken mail inquiry",
        "a 2025-01-04 billing phone praise",
        "b 2024-01-01 defect phone complaint",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["defect_complaints_365d"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert frame["complaint_channels_365d"].to_dict() == {"a": 3, "b": 0, "c": 0}


def test_answers_reopenings_and_compensation_count_when_they_came() -> None:
    complaints = table(
        "customer_id occurred_at first_response_at resolved_at reopened_at compensation kind",
        "a 2024-01-01 2024-01-02 2024-01-11 2024-01-20 1000 complaint",
        "a 2025-01-01 2025-01-06 2025-01-05 2025-02-20 30 complaint",
        "a 2025-02-01 2025-03-01 2025-03-01 2025-03-02 500 complaint",
        "a 2025-02-02 2025-02-03 2025-02-05 - 7 inquiry",
        "b 2025-02-02 - - - 9 inquiry",
        "c 2025-02-02 - 2025-02-03 - - complaint",
    )
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["response_days"].fillna(-1).to_dict() == {"a": 3, "b": -1, "c": -1}
    assert frame["resolution_days_change_180d"].fillna(-1).to_dict() == {"a": 4 - 10, "b": -1, "c": -1}
    assert frame["reopened_complaints_365d"].to_dict() == {"a": 1, "b": 0, "c": 0}
    assert frame["compensation_365d"].to_dict() == {"a": 37, "b": 0, "c": 0}
    assert frame["open_inquiries"].to_dict() == {"a": 0, "b": 1, "c": 0}


def test_contacts_after_the_last_purchase_count_for_30_days() -> None:
    purchases = table(
        "customer_id occurred_at amount", "a 2024-12-01 1", "a 2025-01-01 1", "a 2025-01-20 -1", "b 2025-02-01 1"
    )
    complaints = table(
        "customer_id occurred_at kind",
        "a 2024-12-31 complaint",
        "a 2025-01-01 praise",
        "a 2025-01-31 complaint",
        "a 2025-02-01 complaint",
        "c 2025-02-01 complaint",
    )
    tables = {"customers": CUSTOMERS, "purchases": purchases, "complaints": complaints}
    assert features_of("2025-03-01", tables)["service_contacts_since_order"].to_dict() == {"a": 2, "b": 0, "c": 0}
    del tables["purchases"]
    assert "service_contacts_since_order" not in features_of("2025-03-01", tables)
