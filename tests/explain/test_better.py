"""Getting better in a driver, by hand: towards low risk, towards one's own usual, and what the model says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kizuna.explain.better import Model, better_versions, in_order, is_worse
from kizuna.explain.reasons import Telling, reasons
from kizuna.features.plan import Column

NAN = float("nan")


def columns_of(driver, *names):
    return [Column(name, "any", driver, "number") for name in names]


def test_only_features_on_their_worse_side_move_to_what_is_typical():
    columns = [*columns_of("FREQ_DOWN", "orders_90d", "orders"), *columns_of("RECENCY", "days_since_order")]
    values = np.array([[1.0, 9.0, 80.0], [4.0, 2.0, 5.0], [NAN, 1.0, 5.0]])
    towards, usual = better_versions(values, "FREQ_DOWN", columns, np.array([3.0, 5.0, 20.0]))
    np.testing.assert_array_equal(towards, [[3.0, 9.0, 80.0], [4.0, 5.0, 5.0], [NAN, 5.0, 5.0]])
    np.testing.assert_array_equal(usual, values)
    unknown, _ = better_versions(values, "FREQ_DOWN", columns, np.array([NAN, NAN, NAN]))
    np.testing.assert_array_equal(unknown, values)


@pytest.mark.parametrize(
    ("driver", "row", "usual"),
    [
        (
            "RECENCY",
            {"days_since_order": 62.0, "usual_gap_days": 18.0, "overdue_ratio": 62 / 18, "gap_cv": 0.4},
            {"days_since_order": 18.0, "usual_gap_days": 18.0, "overdue_ratio": 1.0, "gap_cv": 0.4},
        ),
        (
            "RECENCY",
            {"days_since_order": 9.0, "usual_gap_days": 18.0, "overdue_ratio": 0.5},
            {"days_since_order": 9.0, "usual_gap_days": 18.0, "overdue_ratio": 0.5},
        ),
        ("RECENCY", {"days_since_order": 9.0, "usual_gap_days": NAN}, {"days_since_order": 9.0, "usual_gap_days": NAN}),
        (
            "FREQ_DOWN",
            {"orders_90d": 2.0, "orders_change_90d": -3.0, "orders_180d": 7.0, "orders_change_180d": 1.0},
            {"orders_90d": 5.0, "orders_change_90d": 0.0, "orders_180d": 7.0, "orders_change_180d": 1.0},
        ),
        (
            "CSAT_DOWN",
            {"csat_last": 0.5, "csat_change": -0.25, "csat_vs_usual": -0.3},
            {"csat_last": 0.8, "csat_change": -0.25, "csat_vs_usual": 0.0},
        ),
        (
            "CONTACT_GAP",
            {"days_since_contact": 42.0, "contact_gap_ratio": 3.0},
            {"days_since_contact": 14.0, "contact_gap_ratio": 1.0},
        ),
        (
            "CONTACT_GAP",
            {"days_since_contact": 42.0, "contact_gap_ratio": NAN},
            {"days_since_contact": 42.0, "contact_gap_ratio": NAN},
        ),
    ],
)
def test_a_customer_s_own_usual(driver, row, usual):
    columns = columns_of(driver, *row)
    found = better_versions(np.array([[*row.values()]]), driver, columns, np.full(len(row), NAN))[-1]
    np.testing.assert_allclose(found, [[*usual.values()]])


def test_where_no_side_is_better_all_moves_to_what_is_typical():
    columns = columns_of("SUPPLIED", "orders", "fee")
    (found,) = better_versions(np.array([[9.0, NAN]]), "SUPPLIED", columns, np.array([3.0, 5.0]))
    np.testing.assert_array_equal(found, [[3.0, NAN]])
    (found,) = better_versions(
        np.array([[40.0]]), "CONTRACT", columns_of("CONTRACT", "contract_price"), np.array([30.0])
    )
    np.testing.assert_array_equal(found, [[30.0]])


def test_nothing_is_said_of_what_leaves_nothing_to_better():
    columns = columns_of("RETURN_DELIVERY", "late_deliveries_90d", "returns_90d")
    names = [column.name for column in columns]
    model = Model(lambda frame: frame["late_deliveries_90d"].to_numpy() / 10, np.array([0.0, 3.0]))
    values, added = pd.DataFrame([[1.0, 2.0]], columns=names), np.array([[0.1, 0.9, 0.0]])
    assert in_order(values.to_numpy(), columns, model.typical).tolist() == [[False, True]]
    assert reasons(values, added, columns, Telling()).at[0, "reason_1_text"] == "1 late delivery in the last 90 days"
    raised = np.array([[-0.1, 0.9, 0.0]])
    assert reasons(values, raised, columns, Telling()).at[0, "reason_1_text"] == "2 returns in the last 90 days"
    assert (
        reasons(values, raised, columns, Telling(), model).at[0, "reason_1_text"]
        == "1 late delivery in the last 90 days"
    )
    own = [replace(column, driver="SUPPLIED") for column in columns]
    assert not in_order(values.to_numpy(), own, model.typical).any()
    # Fewer than in the window before: not in order, though as many as others have.
    frequency = columns_of("FREQ_DOWN", "orders_90d", "orders_change_90d")
    assert in_order(np.array([[4.0, -2.0], [4.0, 0.0]]), frequency, np.array([3.0, -2.0])).tolist() == [
        [False, False],
        [True, True],
    ]
    assert not in_order(np.array([[NAN, 4.0]]), frequency, np.array([3.0, NAN])).any()


def test_a_driver_is_named_only_where_getting_better_lowers_the_probability():
    columns = [*columns_of("RECENCY", "days_since_order"), *columns_of("FREQ_DOWN", "orders_365d")]

    def probability(frame):
        # More orders raise this probability: a habit of the model, not a reason.
        return 1 / (1 + np.exp(-(0.01 * frame["days_since_order"] + 0.05 * frame["orders_365d"]))).to_numpy()

    model = Model(probability, np.array([30.0, 6.0]))
    values = pd.DataFrame(
        [[90.0, 2.0], [20.0, 2.0], [90.0, 9.0], [NAN, 2.0]], columns=["days_since_order", "orders_365d"]
    )
    asked = np.ones((4, 2), dtype=bool)
    names = ["FREQ_DOWN", "RECENCY"]
    found = is_worse(values.to_numpy(), asked, names, columns, model)
    assert found.tolist() == [[False, True], [False, False], [False, True], [False, False]]
    assert not is_worse(values.to_numpy(), ~asked, names, columns, model).any()
    added = np.array([[0.2, 0.8, -1.0]] * 4)
    assert reasons(values, added, columns, Telling())["reason_1"].tolist() == ["FREQ_DOWN"] * 4
    said = reasons(values, added, columns, Telling(), model)["reason_1"]
    assert said.astype(object).where(said.notna(), None).tolist() == ["RECENCY", None, "RECENCY", None]
    nobody = reasons(values.iloc[:0], added[:0], columns, Telling(), model)
    assert nobody.empty


def test_where_nothing_is_unusual_a_driver_stands_beside_what_is_typical():
    """Silent for longer than those who stay, though not for this customer: 100 days where 180 are usual."""
    columns = [Column("days_since_order", "any", "RECENCY", "days"), Column("usual_gap_days", "any", "RECENCY", "days")]
    model = Model(lambda frame: frame["days_since_order"].to_numpy() / 1000, np.array([26.0, 30.0]))
    values = pd.DataFrame([[100.0, 180.0], [20.0, 180.0], [26.3, 180.0]], columns=[c.name for c in columns])
    added = np.array([[0.3, 0.0, 0.0]] * 3)
    said = reasons(values, added, columns, Telling("en", 3, "JPY"), model)
    assert said.at[0, "reason_1"] == "RECENCY"
    assert said.at[0, "reason_1_text"] == "Days since the last purchase: 100; about 26 with customers who stay"
    assert said.at[0, "reason_1_strength"] == "large"
    # Better than typical, or the same once rounded: nothing to say.
    assert said["reason_1"].isna().tolist() == [False, True, True]
    in_japanese = reasons(values, added, columns, Telling("ja", 3, "JPY"), model)
    assert in_japanese.at[0, "reason_1_text"] == "最終購入からの日数：100(離反しにくい顧客は26前後)"


def test_a_sentence_of_one_figure_is_told_beside_what_is_typical():
    columns = [
        Column("orders_365d", "any", "FREQ_DOWN", "count"),
        Column("returns_90d", "any", "RETURN_DELIVERY", "count"),
    ]
    model = Model(
        lambda frame: -frame["orders_365d"].to_numpy() / 100 + frame["returns_90d"] / 100, np.array([7.0, 0.0])
    )
    values = pd.DataFrame([[2.0, 3.0], [7.4, 3.0]], columns=[column.name for column in columns])
    added = np.array([[0.3, 0.2, 0.0]] * 2)
    said = reasons(values, added, columns, Telling(), model)
    assert said.at[0, "reason_1_text"] == "2 orders in the last 365 days; about 7 with customers who stay"
    in_japanese = reasons(values, added, columns, Telling("ja"), model)
    assert in_japanese.at[0, "reason_1_text"] == "直近365日の注文2回(離反しにくい顧客は7回前後)"
    # That those who stay return nothing goes without saying.
    assert said.at[0, "reason_2_text"] == "3 returns in the last 90 days"
    assert said.at[1, "reason_1_text"] == "3 returns in the last 90 days"
    assert reasons(values, added, columns, Telling()).at[0, "reason_1_text"] == "2 orders in the last 365 days"
