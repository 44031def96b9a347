"""Complaints: open, slow, resolved; what came later has not come."""

from __future__ import annotations

import numpy as np
from tests.features.small import features_of, table

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
        "c 2024-11-01 - complaint",
    )
    frame = features_of("2025-01-31", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["slow_complaints_30d"].to_dict() == {"a": 1, "b": 2, "c": 0}
    assert frame["slow_complaints_90d"].to_dict() == {"a": 1, "b": 2, "c": 1}


def test_a_table_without_kind_holds_complaints_and_without_resolution_says_nothing_of_it() -> None:
    complaints = table("customer_id occurred_at", "a 2025-01-01", "a 2025-02-28")
    frame = features_of("2025-03-01", {"customers": CUSTOMERS, "complaints": complaints})
    assert frame["complaints"].to_dict() == {"a": 2, "b": 0, "c": 0}
    assert not [name for name in frame.columns if "open" in name or "slow" in name or "resolution" in name]
