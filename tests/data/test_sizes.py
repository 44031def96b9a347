from __future__ import annotations

from typing import Any

import pandas as pd
from tests.data.reported import events, found, large, project, purchases


def test_few_customers_and_few_repeat_buyers() -> None:
    small = large(customers=400)
    small.loc[10:, "customer_id"] = [f"x{index}" for index in range(len(small) - 10)]
    returned = small.assign(is_return=small["customer_id"] == "x0")
    assert found(project({"purchases": small}), "few_repeat_buyers")[0][-1] == (
        "5 of 795 customers ordered twice or more; under 20% the rhythm is hard to learn."
    )
    assert found(project({"purchases": small}), "few_customers")[0] == (
        *("recommendation", "purchases", "customer_id", 795),
        "795 customers bought; with 1,000 or more the model's figures become steadier.",
    )
    assert found(project({"purchases": returned}), "few_customers")[0][3] == 794  # a return is no purchase
    assert found(project({"purchases": large(499)}), "few_customers")[0][-1] == (
        "499 customers bought; 500 or more make a model dependable. Simple rules may serve better until then."
    )
    one_order = large().assign(order_id="o1")
    assert found(project({"purchases": one_order}), "few_repeat_buyers")[0][3] == 0


def test_history_against_what_training_needs() -> None:
    tables = {"complaints": events(), "engagement": events()}

    def history(span_days: int, **config: Any) -> list[tuple[str, str]]:
        shop = project(tables | {"purchases": large(span_days=span_days)}, **config)
        report = shop.check()
        return [
            (row["name"], row["details"])
            for row in report.to_dict("records")
            if "history" in row["name"] or "snap" in row["name"]
        ]

    assert history(179) == [
        (
            "no_snapshot",
            "Table purchases spans 179 days; the first snapshot needs 180 (snapshots.min_history_days 90 + label 90). "
            "Training will find no matured snapshot: load more history, or shorten the horizon.",
        )
    ]
    assert history(180) == [
        ("short_history", "Table purchases spans 180 days; from 270 days on look-back and label fit in once.")
    ]
    assert history(300) == [
        ("short_history", "Table purchases spans 300 days; from 540 days on the model is tested on other seasons.")
    ]
    assert history(540) == []
    assert history(540, cltv={"horizon_days": 500}) == [
        (
            "short_value_history",
            "Table purchases spans 540 days; a value over 500 days needs 590 to be learned. "
            "Shorten cltv.horizon_days, or set it to auto.",
        )
    ]


def test_old_data_is_said_unless_the_config_has_limits() -> None:
    old = large()
    old["occurred_at"] -= pd.Timedelta(days=40)
    assert found(project({"purchases": old}), "old_data") == [
        (
            *("recommendation", "purchases", "", 41),
            "The newest row of table purchases is of 2026-10-21, 41 days ago. "
            "If it is loaded regularly, set data.tables.purchases.warn_after_days and error_after_days.",
        )
    ]
    limited = project({"purchases": old}, {"purchases": {"path": "x", "warn_after_days": 5}})
    assert found(limited, "old_data") == []
    assert found(limited, "stale")[0][:4] == ("warning", "purchases", "", 41)


def test_profiles_that_do_not_meet_their_purchases() -> None:
    bought = purchases(*[(name, "2026-11-16", 1) for name in ("7", "8", "A1", "zz")])
    profiles = pd.DataFrame({"customer_id": ["007", "8", "a1 ", "new"]})
    shop = project({"purchases": bought, "customers": profiles})
    assert found(shop, "unknown_customers")[0] == (
        *("warning", "customers", "customer_id", 3),
        "3 of 4 customers with purchases are not in table customers. 2 of them are there when case, blanks and leading zeros "
        "are left aside: spell ids alike in both tables.",
    )
    assert found(shop, "prospects")[0] == (
        *("recommendation", "customers", "customer_id", 3),
        "3 customers have never bought: prospects, counted here and not scored.",
    )
    assert found(shop, "similar_ids")[0] == (
        *("warning", "customers", "customer_id", 1),
        "Customer ids that differ only in case or blanks: 1. "
        "They stay different customers; mend the source if they are one.",
    )


def test_thin_activity_and_few_sources() -> None:
    once = purchases(("a", "2026-11-16", 1), ("b", "2026-11-16", 1), ("b", "2026-11-17", 1), ("c", "2026-11-16", 1))
    assert found(project({"purchases": once}), "thin_activity")[0][-1] == (
        "1 of 3 customers have two rows or more in purchases; from 50% on there is enough to compare."
    )
    visited = pd.DataFrame({"customer_id": ["a", "c"], "occurred_at": "2026-11-16"})
    shop = project({"purchases": once, "engagement": visited})
    assert found(shop, "thin_activity") == []
    assert found(shop, "few_sources")[0][-1] == (
        "Beside purchases only engagement is configured; complaints, engagement, outreach or surveys often tell earlier "
        "who is leaving."
    )
    assert found(project({"purchases": once}), "few_sources")[0][3] == 0
