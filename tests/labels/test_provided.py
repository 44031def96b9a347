"""Labels that somebody else recorded: dated or not, used once they could be known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.features.small import project_of, table
from tests.labels.oracle import every_row
from tests.labels.small import day, labels_of

from kizuna.labels.definition import definition_of

PROVIDED = {"definition": "provided", "horizon_days": 30}
FEATURES = table("customer_id usage", "a 1", "b 2", "c 3")


def test_yes_and_no_in_many_words() -> None:
    words = {"a": "Yes", "b": "no", "c": "TRUE", "d": "false", "e": "1", "f": "0", "g": "True"}
    labels = table("customer_id churned", *(f"{name} {word}" for name, word in words.items()))
    found = labels_of("2025-03-01", "2025-03-01", {"labels": labels}, **PROVIDED)
    assert found["churned"].tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_a_dated_label_belongs_to_its_day_alone_and_matures_after_its_window() -> None:
    labels = table("customer_id as_of churned", "a 2025-03-01 yes", "b 2025-03-02 yes")
    for train_day, a in (("2025-03-30", np.nan), ("2025-03-31", 1.0), ("2025-12-01", 1.0)):
        found = labels_of("2025-03-01", train_day, {"labels": labels, "features": FEATURES}, **PROVIDED)
        np.testing.assert_array_equal(found["churned"], [a, np.nan, np.nan])


def test_a_label_is_used_once_its_window_has_passed_and_it_was_known() -> None:
    """Churners are often known before their window ends: used alone, they would make everybody a churner."""
    labels = table("customer_id as_of churned known_at", "a 2025-03-01 yes 2025-03-10", "b 2025-03-01 no 2025-05-10")
    tables = {"labels": labels, "features": FEATURES}
    for train_day, wanted in (
        ("2025-03-11", [np.nan, np.nan, np.nan]),
        ("2025-03-31", [1, np.nan, np.nan]),
        ("2025-05-10", [1, np.nan, np.nan]),
        ("2025-05-11", [1, 0, np.nan]),
    ):
        np.testing.assert_array_equal(labels_of("2025-03-01", train_day, tables, **PROVIDED)["churned"], wanted)


def test_labels_that_arrive_late_mature_after_their_window_and_the_delay() -> None:
    labels = table("customer_id as_of churned", "a 2025-03-01 yes", "b 2025-03-01 no")
    project = project_of(
        {"labels": labels, "features": FEATURES},
        data={"tables": {"labels": {"arrives_after_days": 5}, "features": {}}},
        churn=PROVIDED,
    )

    definition, (tables, rows) = definition_of(project.config), every_row(project.opened, [day("2025-03-01")])
    for train_day, wanted in (
        ("2025-03-10", [np.nan] * 3),
        ("2025-04-04", [np.nan] * 3),
        ("2025-04-05", [1, 0, np.nan]),
    ):
        np.testing.assert_array_equal(definition.churned(tables, rows, day(train_day)), wanted)


def test_everyone_with_supplied_features_is_eligible_else_everyone_with_an_event() -> None:
    labels = table("customer_id churned", "a yes", "b no", "x no")
    found = labels_of("2025-03-01", "2025-03-01", {"labels": labels, "features": FEATURES}, **PROVIDED)
    assert found["eligible"].to_dict() == {"a": True, "b": True, "c": True, "x": False}
    visits = table("customer_id occurred_at", "a 2025-01-01", "b 2025-03-01")
    found = labels_of("2025-03-01", "2025-03-01", {"labels": labels, "engagement": visits}, **PROVIDED)
    assert found["eligible"].to_dict() == {"a": True, "b": False, "x": False}


def many(days: list[str]) -> dict[str, pd.DataFrame]:
    ids = [f"c{i}" for i in range(6)]
    labels = pd.DataFrame(
        [(i, d, n % 2) for d in days for n, i in enumerate(ids)], columns=["customer_id", "as_of", "churned"]
    )
    return {"labels": labels, "features": pd.DataFrame({"customer_id": ids, "usage": np.arange(6) / 7})}


def test_undated_labels_are_one_snapshot_outside_time() -> None:
    tables = many(["2025-01-01"])
    tables["labels"] = tables["labels"].drop(columns="as_of")
    training = project_of(tables, churn=PROVIDED).training_set("2025-06-01")
    assert not training.dated
    assert training.days == [day("2025-06-01")]
    assert training.churned.tolist() == [0, 1, 0, 1, 0, 1]
    assert training.no_value == "no table purchases, and no labels with a value"


def test_dated_labels_give_their_own_snapshots_once_matured() -> None:
    tables = many(["2025-01-01", "2025-02-01", "2025-05-20"])
    training = project_of(tables, churn=PROVIDED).training_set("2025-06-01")
    assert training.dated
    assert training.days == [day("2025-02-01"), day("2025-01-01")]


def test_snapshots_that_have_not_matured_do_not_use_up_max_count() -> None:
    tables = many(["2025-01-01", "2025-02-01", "2025-05-20"])
    training = project_of(tables, churn=PROVIDED, snapshots={"max_count": 1}).training_set("2025-06-01")
    assert training.days == [day("2025-02-01")]


def test_a_value_beside_the_label_is_what_value_learns_from() -> None:
    tables = many(["2025-01-01"])
    tables["labels"]["value"] = [10.0, 0.0, 20.0, 0.0, np.nan, 0.0]
    project = project_of(tables, churn=PROVIDED, cltv={"margin": 0.5})
    np.testing.assert_array_equal(project.training_set("2025-06-01").value, [5, 0, 10, 0, np.nan, 0])


@pytest.mark.parametrize("as_of", ["2025-06-01", None])
def test_the_default_day_is_the_first_on_which_the_newest_label_has_matured(as_of: str | None) -> None:
    tables = many(["2025-01-01", "2025-05-02"])
    training = project_of(tables, churn=PROVIDED).training_set(as_of)
    assert training.train_day == day("2025-06-01")
    assert training.days == [day("2025-05-02"), day("2025-01-01")]


def test_who_is_known_to_have_left_is_no_longer_eligible_until_seen_again() -> None:
    """a left, b stayed, c left and has newer features, d's leaving is not yet known, e's window has not passed."""
    labels = table(
        "customer_id as_of churned known_at",
        *("a 2025-03-01 yes 2025-03-20", "b 2025-03-01 no 2025-04-01", "c 2025-03-01 yes 2025-03-20"),
        *("d 2025-03-01 yes 2025-06-01", "e 2025-04-15 yes 2025-04-16", "a 2024-12-01 no 2025-01-02"),
    )
    features = table(
        "customer_id as_of usage", *(f"{name} 2025-02-01 1" for name in "abcde"), "c 2025-04-02 2", "a 2025-03-10 1"
    )
    project = project_of({"labels": labels, "features": features}, churn=PROVIDED)
    definition = definition_of(project.config)
    for when, wanted in (
        ("2025-03-30", [True, True, True, True, True]),
        ("2025-03-31", [False, True, False, True, True]),
        ("2025-05-01", [False, True, True, True, True]),
        ("2025-07-01", [False, True, True, False, False]),
    ):
        tables, rows = every_row(project.opened, [day(when)])
        assert definition.eligible(tables, rows).tolist() == wanted, when


def test_undated_labels_leave_everybody_eligible() -> None:
    project = project_of(
        {"labels": table("customer_id churned", "a yes", "b no"), "features": FEATURES}, churn=PROVIDED
    )
    tables, rows = every_row(project.opened, [day("2025-03-01")])
    assert definition_of(project.config).eligible(tables, rows).tolist() == [True, True, True]
