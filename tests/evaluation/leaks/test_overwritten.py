"""Attributes written over by the present tell newer outcomes too well; those that were so all along are kept."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.evaluation.leaks.overwritten import _slope, overwritten
from kizuna.timeline import day_of

TODAY = day_of(date(2025, 3, 1))
HORIZON, ACTIVE = 30, 60


def a_shop(customers=1500, seed=3, bad_share=0.4, bad_from=0):
    """Rows of eligible customers on eight snapshots, their outcomes, who is of the bad kind, and when each bought last."""
    draw = np.random.default_rng(seed)
    bad = draw.random(customers) < bad_share
    joined = draw.integers(0, 400, customers)
    joined[bad] = draw.integers(bad_from, 400, bad.sum())
    rate, leaving = draw.gamma(3, 1 / 50, customers), np.where(bad, 0.15, 0.02)
    bought = []
    for customer in range(customers):
        day = int(joined[customer])
        while day < 400:
            bought.append((customer, day - 400 + TODAY))
            if draw.random() < leaving[customer]:
                break
            day += 1 + int(draw.exponential(1 / max(rate[customer], 0.005)))
    orders = pd.DataFrame(bought, columns=["customer", "day"])
    parts = []
    for day in range(TODAY - HORIZON, TODAY - HORIZON - 8 * 28, -28):
        eligible = orders[(orders["day"] < day) & (orders["day"] >= day - ACTIVE)]["customer"].unique()
        back = orders[(orders["day"] >= day) & (orders["day"] < day + HORIZON)]["customer"]
        parts.append(pd.DataFrame({"customer": eligible, "day": day, "churned": ~np.isin(eligible, back) * 1.0}))
    rows = pd.concat(parts, ignore_index=True)
    last = orders.groupby("customer")["day"].max().reindex(range(customers)).to_numpy()
    return rows, bad, last


def found_in(rows, **columns):
    features = pd.DataFrame({name: np.asarray(values)[rows["customer"]] * 1.0 for name, values in columns.items()})
    return overwritten(features, rows["churned"].to_numpy(), rows["day"].to_numpy(), set(features))


@pytest.mark.parametrize(("silent_days", "wrong"), [(30, 0), (60, 0), (90, 0), (30, 0.15), (60, 0.15)])
def test_a_status_of_today_is_found_with_all_its_levels_and_a_kind_is_kept(silent_days, wrong):
    rows, bad, last = a_shop()
    draw = np.random.default_rng(5)
    closed = (last < TODAY - silent_days) ^ (draw.random(last.size) < wrong)
    columns = {
        "kind=bad": bad,
        "kind=good": ~bad,
        "status=closed": closed,
        "status=open": ~closed,
        "noise": bad * 0 + 1,
    }
    (found,) = found_in(rows, **columns)
    assert (found.attribute, found.columns) == ("status", ("status=closed", "status=open"))
    assert TODAY - HORIZON - 3 * 28 <= found.day <= TODAY - HORIZON
    assert found.auc >= found.older_auc + 0.05


def test_the_words_name_the_day():
    rows, _, last = a_shop()
    (found,) = found_in(rows, status=last < TODAY - HORIZON)
    assert found.text == f"status (AUC 1.000 on 2025-01-30, .{found.older_auc * 1000:.0f} before)"
    assert found.older_auc < 0.8


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(0.5, 0), (0.2, 0), (0.3, 250), (0.3, 330)]))
def test_what_was_so_all_along_is_kept(seed, kind):
    """Even where it tells a lot, and where a campaign brings only bad customers in the last months."""
    rows, bad, _ = a_shop(700, seed, *kind)
    draw = np.random.default_rng(seed)
    assert found_in(rows, kind=bad, market=draw.integers(0, 3, bad.size), joined=draw.normal(size=bad.size)) == ()


def test_with_one_day_or_without_columns_to_look_at_nothing_is_found():
    rows, _, last = a_shop()
    newest = rows[rows["day"] == rows["day"].max()].reset_index(drop=True)
    assert found_in(newest, status=last < TODAY - HORIZON) == ()
    assert found_in(rows) == ()


def test_row_order_and_missing_values_change_nothing():
    rows, _, last = a_shop()
    status = np.where(last < TODAY - HORIZON, np.nan, 1.0)
    mixed = rows.sample(frac=1, random_state=1).reset_index(drop=True)
    assert found_in(rows, status=status) == found_in(mixed, status=status) != ()


def test_the_slope_is_the_log_odds_ratio():
    """Half a row at both ends: (20 + 1/2) (60 + 1/2) / ((40 + 1/2) (10 + 1/2))."""
    slope, error = _slope(np.array([60.0, 70.0]), np.array([20.0, 60.0]) * 1.0, np.array([0.0, 1.0]))
    cells = np.array([20.5, 40.5, 60.5, 10.5])
    assert slope == pytest.approx(np.log(cells[2] * cells[1] / (cells[3] * cells[0])))
    assert error == pytest.approx(np.sqrt((1 / cells).sum()))
