"""The model's worth while there is still time, against plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.evaluation.assessment import ChurnRows, ListRanking
from kizuna.evaluation.folds import Folds
from kizuna.evaluation.headline import first_listing, headline_metrics, on_the_list
from kizuna.models.learners.splits import Split


def rows_of(silence: list[float], churned: list[int], ids: list[str], days: tuple[int | None, ...]) -> ChurnRows:
    """Tested rows, as many on each day, the newest first; nothing is trained on."""
    each = len(silence) // len(days)
    nothing = np.zeros(0, dtype=np.intp)
    splits = tuple(Split(nothing, np.arange(k * each, (k + 1) * each), ()) for k in range(len(days)))
    how = "in_time" if days[0] is None else "out_of_time"
    features = pd.DataFrame({"days_since_order": silence})
    customer = np.unique(ids, return_inverse=True)[1].astype(np.int32)
    return ChurnRows(features, np.array(churned, float), customer, Folds(splits, len(days), how, days))


def by_risk(rows: ChurnRows, p: np.ndarray, horizon_days: int, capacity: int) -> dict[str, float]:
    return headline_metrics(rows, p, ListRanking("churn_probability", p), horizon_days, capacity)


def test_ten_rows_of_two_days() -> None:
    rows = rows_of(
        [10, 80, 95, 30, 40, 5, 75, 90, 25, 35],
        [0, 1, 1, 1, 0, 0, 1, 1, 0, 1],
        ["a", "b", "c", "d", "e"] * 2,
        (200, 100),
    )
    p = np.array([0.1, 0.6, 0.9, 0.5, 0.55, 0.2, 0.7, 0.8, 0.3, 0.4])
    found = by_risk(rows, p, 90, 2)
    # Newest day: b .6 yes, e .55 no, d .5 yes, a .1 no. Older day: b .7 yes, e .4 yes, d .3 no, a .2 no; c is long silent.
    assert found["auc_silent_below_horizon"] == pytest.approx((3 / 4 + 1) / 2)
    assert found["precision_at_capacity_silent_below_horizon"] == pytest.approx((1 / 2 + 1) / 2)
    # The list of two holds the long silent c on both days; beside c stands b, who left, of two and of two who did.
    assert found["recall_at_capacity_silent_below_horizon"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert found["lift_at_capacity_silent_below_horizon"] == pytest.approx((1 + 2) / 2)
    assert found["share_silent_below_horizon"] == 0.8
    # First named on the older day: c at 90 days, b at 75; the newer day's two are the same.
    assert found["median_silence_days_at_first_listing"] == 82.5
    # Ranked by value the lists hold a and d, then d and e; a metric of the order alone stays as it is.
    by_value = ListRanking("value_at_risk", np.array([9.0, 1, 0, 8, 7, 0, 1, 2, 8, 9]))
    valued = headline_metrics(rows, p, by_value, 90, 2)
    assert valued["recall_at_capacity_silent_below_horizon"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    # First named on the older day: e at 35 days, d at 25; on the newer a at 10.
    assert valued["median_silence_days_at_first_listing"] == 25
    assert valued["auc_silent_below_horizon"] == found["auc_silent_below_horizon"]


def test_without_days_there_is_no_warning_and_without_silence_nothing() -> None:
    rows = rows_of([1, 2, 3, 4], [0, 1, 0, 1], ["a", "b", "c", "d"], (None,))
    found = by_risk(rows, np.array([0.1, 0.9, 0.2, 0.8]), 90, 1)
    assert found["auc_silent_below_horizon"] == 1
    assert np.isnan(found["median_silence_days_at_first_listing"])
    blind = ChurnRows(pd.DataFrame({"orders": [1.0] * 4}), rows.churned, rows.customer, rows.folds)
    assert by_risk(blind, np.full(4, 0.5), 90, 1) == {}


def test_nobody_is_silent_for_so_little() -> None:
    rows = rows_of([100, 200], [0, 1], ["a", "b"], (50,))
    found = by_risk(rows, np.array([0.1, 0.9]), 90, 1)
    assert np.isnan(found["auc_silent_below_horizon"])
    assert np.isnan(found["recall_at_capacity_silent_below_horizon"])
    assert (found["share_silent_below_horizon"], found["median_silence_days_at_first_listing"]) == (0, 200)


def test_a_list_longer_than_half_of_a_day_is_cut_as_the_real_one_is() -> None:
    # Four customers, so that two are named whatever was asked for: the two long silent ones, and nobody in time.
    rows = rows_of([100, 200, 10, 20], [1, 1, 1, 1], ["a", "b", "c", "d"], (50,))
    p = np.array([0.9, 0.8, 0.7, 0.6])
    assert by_risk(rows, p, 90, 300)["recall_at_capacity_silent_below_horizon"] == 0.0
    assert by_risk(rows, p[::-1], 90, 300)["recall_at_capacity_silent_below_horizon"] == 1.0
    assert on_the_list(np.full(5, 0.5), np.array([4, 3, 0, 1, 2]), 2).tolist() == [False, False, True, True, False]


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 7), st.sampled_from([0.2, 0.5, 0.8]), st.integers(1, 99)),
        min_size=1,
        max_size=24,
        unique_by=lambda row: row[:2],
    ),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_first_listing_equals_a_loop_in_any_order_of_rows(rows, capacity, random) -> None:
    silent = {}
    for today in sorted({row[0] for row in rows}):
        listed = sorted((row for row in rows if row[0] == today), key=lambda row: (-row[2], row[1]))
        for row in listed[: min(capacity, max(len(listed) // 2, 1))]:
            silent.setdefault(row[1], row[3])
    random.shuffle(rows)
    frame = pd.DataFrame(rows, columns=["day", "customer", "probability", "silence_days"])
    named = np.zeros(len(frame), dtype=bool)
    for day in frame["day"].unique():
        at = np.flatnonzero(frame["day"] == day)
        named[at] = on_the_list(frame["probability"].to_numpy()[at], frame["customer"].to_numpy()[at], capacity)
    assert first_listing(frame[named]) == np.median(list(silent.values()))
