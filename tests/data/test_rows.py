from __future__ import annotations

import pandas as pd
import pytest
from tests.data.reported import found, large, project, purchases


def test_empty_and_half_empty_columns() -> None:
    rows = purchases(
        *[("a", f"2026-11-{day:02}", 1) for day in range(1, 11)],
        category=["x"] * 7 + [None] * 3,
        channel=["web"] * 9 + [None],
        product_id=[None] * 10,
        discount_amount=[None] * 5 + [1.0] * 5,
        delivered_at=[None] * 10,
    )
    shop = project({"purchases": rows})
    assert found(shop, "missing_cells") == [
        (
            *("recommendation", "purchases", "category", 3),
            "Column purchases.category is empty in 3 of 10 rows (30%). What it says then rests on the others.",
        )
    ]
    assert found(shop, "empty_column") == [
        (
            *("recommendation", "purchases", "product_id", 10),
            "Column purchases.product_id is empty in all 10 rows. Fill it, or do not map it.",
        )
    ]


def test_repeated_rows() -> None:
    rows = purchases(("a", "2026-11-16", 1), ("a", "2026-11-16", 1), ("a", "2026-11-16", 1), ("a", "2026-11-16", 2))
    assert found(project({"purchases": rows}), "duplicate_rows") == [
        (
            *("warning", "purchases", "", 2),
            "Table purchases: 2 of 4 rows repeat another row in every mapped column. They are kept.",
        )
    ]
    assert found(project({"purchases": rows.assign(order_id=list("1234"))}), "duplicate_rows") == []


@pytest.mark.parametrize("day", ["1970-01-01", "1900-01-01", "0001-01-01"])
def test_days_that_stand_for_an_unknown_one(day: str) -> None:
    shop = project({"purchases": purchases(("a", day, 1), ("b", "2026-11-16", 1), ("c", "1970-01-02", 1))})
    assert found(shop, "early_rows") == [
        (
            *("warning", "purchases", "occurred_at", 1),
            "Table purchases: 1 of 3 rows are dated 1970-01-01 or earlier, which often stands for an unknown day. "
            "Leave such rows out in the query, or date them.",
        )
    ]


def test_what_comes_later_and_is_dated_earlier() -> None:
    tickets = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a"],
            "occurred_at": ["2026-11-16"] * 3,
            "resolved_at": ["2026-11-15", "2026-11-16", None],
        }
    )
    shop = project({"purchases": large(2), "complaints": tickets.assign(customer_id="c00000")})
    assert found(shop, "out_of_order") == [
        (
            *("warning", "complaints", "resolved_at", 1),
            "Table complaints: in 1 of 3 rows resolved_at is before occurred_at. "
            "Check that the two columns are not exchanged, and their zones.",
        )
    ]


def test_kinds_and_scores_that_nothing_reads() -> None:
    answers = pd.DataFrame(
        {
            "customer_id": "c00000",
            "occurred_at": "2026-11-16",
            "kind": ["NPS ", "nps", "npss", "csat", "csat", "Survey"],
            "score": [10, 11, 5, 7, 3, None],
            "scale_min": [None, None, None, 1, 1, None],
            "scale_max": [None, None, None, 5, 5, None],
        }
    )
    shop = project({"purchases": large(2), "surveys": answers})
    assert found(shop, "unknown_kinds") == [
        (
            *("warning", "surveys", "kind", 2),
            "Table surveys: 2 of 6 rows have a kind that nothing reads, such as 'npss', 'survey'. "
            "Kinds are nps, csat, ces, intent, suggestion; rename them in the query.",
        )
    ]
    assert found(shop, "off_scale") == [
        (
            *("warning", "surveys", "score", 2),
            "Table surveys: 2 of 6 scores lie outside their scale, such as 7, 11. "
            "Name the scale with scale_min and scale_max, or mend the scores.",
        )
    ]
