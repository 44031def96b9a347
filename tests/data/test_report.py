from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kizuna import Project
from kizuna.data.report import check_tables, contract_errors, findings_frame, freshness
from kizuna.timeline import day_of

TODAY = date(2026, 12, 1)


def purchases(*rows: tuple[str, str, float], **columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"]).assign(**columns)


def project(tables: dict[str, pd.DataFrame], sources: dict[str, Any] | None = None, **config: Any) -> Project:
    data = {"tables": sources or {}} | config.pop("data", {})
    return Project({"name": "shop", "data": data} | config, tables=tables, today=TODAY)


def found(shop: Project, name: str) -> list[tuple[str, str, str, int, str]]:
    """(state, table, column, count, details) of the findings of one name."""
    report = shop.check()
    report = report[report["name"] == name]
    columns = ["state", "table", "column", "count", "details"]
    return [tuple(row) for row in report[columns].itertuples(index=False)]


def large(customers: int = 1200, orders: int = 2, span_days: int = 800) -> pd.DataFrame:
    """A shop whose size nobody complains about: everybody buys, the last on the day before today."""
    ids = np.repeat([f"c{index:05}" for index in range(customers)], orders)
    back = np.tile(np.linspace(1, span_days, orders).astype(int), customers)
    days = pd.to_datetime([TODAY - timedelta(days=int(day)) for day in back])
    return pd.DataFrame({"customer_id": ids, "occurred_at": days, "amount": 1.0 + np.arange(len(ids))})


def events(customers: int = 1200) -> pd.DataFrame:
    ids = [f"c{index:05}" for index in range(customers)]
    return pd.DataFrame({"customer_id": ids, "occurred_at": pd.Timestamp("2026-11-16")})


def test_a_large_shop_has_nothing_to_report() -> None:
    shop = project({"purchases": large(), "complaints": events(), "engagement": events()})
    assert shop.check().empty
    assert list(shop.check().columns) == ["name", "state", "step", "table", "column", "count", "details", "examples"]


def test_duplicate_customers_are_an_error_with_what_to_do() -> None:
    ids = pd.DataFrame({"customer_id": ["a", "b", "b", "c", "c", "c"]})
    shop = project({"purchases": purchases(("a", "2026-11-16", 1)), "customers": ids})
    assert found(shop, "duplicate_customers") == [
        (
            *("error", "customers", "customer_id", 2),
            "Table customers must hold one row per customer; found 2 with more, such as b, c. "
            "Keep one row each, or name the column that dates them: valid_from.",
        )
    ]
    dated = ids.assign(valid_from=["2026-01-01", "2026-01-01", "2026-02-01", "2026-01-01", "2026-01-01", "2026-02-01"])
    shop = project({"purchases": purchases(("a", "2026-11-16", 1)), "customers": dated})
    assert found(shop, "duplicate_customers")[0][-1] == (
        "Table customers must hold one row per customer and valid_from; found 1 with more, such as c. Keep one row each."
    )


def test_duplicate_labels_and_features_are_errors() -> None:
    rows = pd.DataFrame({"customer_id": ["a", "a"], "as_of": ["2026-01-01", "2026-01-01"], "churned": [0, 1]})
    config = {"churn": {"definition": "provided"}}
    shop = project({"labels": rows, "features": rows.drop(columns="churned").assign(x=1.0)}, **config)
    assert [row[:4] for row in found(shop, "duplicate_labels")] == [("error", "labels", "customer_id", 1)]
    assert [row[:4] for row in found(shop, "duplicate_features")] == [("error", "features", "customer_id", 1)]
    rows["as_of"] = ["2026-01-01", "2026-02-01"]
    shop = project({"labels": rows, "features": rows.drop(columns="churned").assign(x=1.0)}, **config)
    assert "error" not in set(shop.check()["state"])


def test_money_is_in_one_currency() -> None:
    two = purchases(("a", "2026-11-16", 1), ("a", "2026-11-17", 1), currency=["JPY", " usd"])
    said = "Money must be in one currency; table purchases holds JPY, USD. "
    mend = "Convert the amounts, or select one currency in the query."
    assert found(project({"purchases": two}), "two_currencies")[0][-1] == said + mend
    one = two.assign(currency=["JPY", None])
    assert found(project({"purchases": one}), "two_currencies") == []
    assert found(project({"purchases": one}, data={"currency": "jpy"}), "two_currencies") == []
    assert found(project({"purchases": one}, data={"currency": "EUR"}), "two_currencies")[0][-1] == (
        f"Money must be in one currency; table purchases holds JPY and data.currency says EUR. {mend}"
    )


def test_the_definition_needs_its_table() -> None:
    visits = events(3)
    shop = project({"engagement": visits})
    assert found(shop, "needed_table") == [
        (
            *("error", "purchases", "", 0),
            "churn.definition inactivity needs the table purchases; found engagement. "
            "Add data.tables.purchases, or choose another definition.",
        )
    ]
    assert [item.exit_code for item in contract_errors(shop.opened, shop.config)] == [10]
    shop = project({"purchases": large(2)}, churn={"definition": "cancellation"})
    assert [row[1] for row in found(shop, "needed_table")] == ["subscriptions"]
    labels = pd.DataFrame({"customer_id": ["a"], "churned": ["yes"]})
    shop = project({"labels": labels}, churn={"definition": "provided"})
    assert found(shop, "needed_table")[0][-1] == (
        "Labels alone cannot be learned from: they need features or a table of events; found labels. "
        "Add data.tables.features."
    )
    shop = project({"engagement": visits}, churn={"definition": "provided"})
    assert contract_errors(shop.opened, shop.config) == []  # a day can be scored without labels
    assert [row[1] for row in found(shop, "needed_table")] == ["labels"]


def test_freshness_counts_what_was_known_before_the_day() -> None:
    rows = purchases(("a", "2026-11-20", 1), ("b", "2026-11-28", 1), known_at=["2026-11-20", "2026-12-01"])
    sources = {"purchases": {"path": "x", "warn_after_days": 3, "error_after_days": 11}}
    store = project({"purchases": rows}, sources).opened
    day = day_of(date(2026, 12, 1))
    [warning] = freshness(store, day)
    assert (warning.state, warning.count, warning.exit_code) == ("warning", 11, 0)
    assert warning.details == (
        "Table purchases has its newest row on 2026-11-20, 11 days before 2026-12-01; 3 days are allowed. "
        "Load it, or raise data.tables.purchases.warn_after_days."
    )
    assert [(item.state, item.count) for item in freshness(store, day + 1)] == [("warning", 4)]
    assert freshness(store, day_of(date(2026, 11, 21))) == []
    [error] = freshness(store, day_of(date(2026, 11, 19)))
    assert (error.state, error.exit_code) == ("error", 10)
    assert error.details.startswith("Table purchases has no row; 11 days are allowed.")


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
        return [(row["name"], row["details"]) for row in report.to_dict("records") if "history" in row["name"] or "snap" in row["name"]]

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
        "Customer ids that differ only in case or blanks: 1, such as 'A1' and 'a1 '. "
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


def test_findings_are_ordered_by_gravity_then_table_then_name() -> None:
    shop = project({"purchases": purchases(("a", "2026-11-16", 1), ("a", "2027-01-01", 1), currency=["JPY", "USD"])})
    report = findings_frame(check_tables(shop.opened, shop.config))
    assert report["state"].tolist() == sorted(report["state"], key=["error", "warning", "recommendation"].index)
    assert report["name"].tolist()[:3] == ["two_currencies", "few_customers", "future_rows"]
    assert report.loc[0, "examples"] == "JPY; USD"
    assert set(report["step"]) == {"load", "train"}
