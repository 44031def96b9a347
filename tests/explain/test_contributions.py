"""Sums by driver and the long table, by hand and against a loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.errors import ModelError
from kizuna.explain.contributions import by_driver, explanations
from kizuna.features.plan import Column

COLUMNS = [
    Column("days_since_order", "purchases", "RECENCY", "days"),
    Column("orders_90d", "purchases", "FREQ_DOWN", "count"),
    Column("overdue_ratio", "purchases", "RECENCY", "ratio"),
    Column("tenure_days", "purchases", "TENURE", "days"),
]
ADDED = np.array([[0.5, -0.25, 0.25, 0.0, -1.0], [-0.5, 0.25, -0.5, 0.25, -1.0]])
ROWS = pd.DataFrame(
    {
        "customer_id": ["007", 'a,"b"\n🙂'],
        "overdue_ratio": [3.4, np.nan],
        "days_since_order": [62.0, 5.0],
        "orders_90d": [0.0, 4.0],
        "tenure_days": [100.0, 200.0],
    }
)


def test_by_driver_sums_and_leaves_out_the_bias():
    names, sums = by_driver(ADDED, COLUMNS)
    assert names == ["FREQ_DOWN", "RECENCY", "TENURE"]
    assert sums.tolist() == [[-0.25, 0.75, 0.0], [0.25, -1.0, 0.25]]


def test_explanations_ranks_drivers_and_sorts_features_by_size():
    table = explanations(ROWS, ADDED, COLUMNS)
    assert table.columns.tolist() == ["customer_id", "driver", "feature", "value", "contribution", "rank"]
    assert table.drop(columns="customer_id").replace({np.nan: None}).values.tolist() == [
        ["RECENCY", "days_since_order", 62.0, 0.5, 1],
        ["RECENCY", "overdue_ratio", 3.4, 0.25, 1],
        ["TENURE", "tenure_days", 100.0, 0.0, 2],
        ["FREQ_DOWN", "orders_90d", 0.0, -0.25, 3],
        # Equal sums: FREQ_DOWN before TENURE; equal sizes: days_since_order before overdue_ratio.
        ["FREQ_DOWN", "orders_90d", 4.0, 0.25, 1],
        ["TENURE", "tenure_days", 200.0, 0.25, 2],
        ["RECENCY", "days_since_order", 5.0, -0.5, 3],
        ["RECENCY", "overdue_ratio", None, -0.5, 3],
    ]
    assert table["customer_id"].tolist() == ["007"] * 4 + ['a,"b"\n🙂'] * 4


def test_nobody_to_explain():
    table = explanations(ROWS.iloc[:0], ADDED[:0], COLUMNS)
    assert table.empty
    assert table.columns.tolist() == ["customer_id", "driver", "feature", "value", "contribution", "rank"]


def test_contributions_of_another_plan_are_refused():
    with pytest.raises(ModelError) as caught:
        by_driver(ADDED[:, :-1], COLUMNS)
    assert str(caught.value) == (
        "Contributions of 4 features and a bias were asked for; found 4 columns. "
        "The model and its feature plan do not belong together: train again."
    )


@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=5, max_size=5), min_size=1, max_size=6),
    st.permutations(range(4)),
)
def test_sums_are_whole_and_do_not_depend_on_column_or_row_order(rows, order):
    added = np.array(rows)
    names, sums = by_driver(added, COLUMNS)
    np.testing.assert_allclose(sums.sum(axis=1) + added[:, -1], added.sum(axis=1), atol=1e-12)
    shuffled_names, shuffled = by_driver(added[:, [*order, 4]], [COLUMNS[i] for i in order])
    assert shuffled_names == names
    np.testing.assert_allclose(shuffled, sums, atol=1e-12)
    frame = pd.concat([ROWS.iloc[:1]] * len(added), ignore_index=True).assign(
        customer_id=[f"c{k}" for k in range(len(added))]
    )
    table = explanations(frame, added, COLUMNS)
    one = explanations(frame.iloc[-1:], added[-1:], COLUMNS)
    pd.testing.assert_frame_equal(
        table[table["customer_id"] == frame["customer_id"].iloc[-1]].reset_index(drop=True), one
    )
    for k, row in enumerate(sums):
        mine = table[table["customer_id"] == f"c{k}"]
        expected = [name for _, name in sorted(zip(-row, names, strict=True))]
        assert mine.drop_duplicates("driver")["driver"].tolist() == expected
        assert mine.drop_duplicates("driver")["rank"].tolist() == [1, 2, 3]
