from __future__ import annotations

from datetime import date

import pandas as pd
from tests.data.reported import events, found, large, project, purchases

from kizuna.data.report import check_tables, contract_errors, findings_frame, freshness
from kizuna.timeline import day_of


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
            "Table customers must hold one row per customer; found 2 with more. "
            "Keep one row each, or name the column that dates them: valid_from.",
        )
    ]
    dated = ids.assign(valid_from=["2026-01-01", "2026-01-01", "2026-02-01", "2026-01-01", "2026-01-01", "2026-02-01"])
    shop = project({"purchases": purchases(("a", "2026-11-16", 1)), "customers": dated})
    assert found(shop, "duplicate_customers")[0][-1] == (
        "Table customers must hold one row per customer and valid_from; found 1 with more. Keep one row each."
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
            "Add it under data.tables, or choose another definition.",
        )
    ]
    assert [item.exit_code for item in contract_errors(shop.opened, shop.config)] == [11]
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


def test_findings_are_ordered_by_gravity_then_table_then_name() -> None:
    shop = project({"purchases": purchases(("a", "2026-11-16", 1), ("a", "2027-01-01", 1), currency=["JPY", "USD"])})
    report = findings_frame(check_tables(shop.opened, shop.config))
    assert report["state"].tolist() == sorted(report["state"], key=["error", "warning", "recommendation"].index)
    assert report["name"].tolist()[:3] == ["two_currencies", "few_customers", "future_rows"]
    assert report.loc[0, "examples"] == "JPY; USD"
    assert set(report["step"]) == {"load", "train"}
