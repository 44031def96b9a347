"""Who takes a place on the list: limits by hand, against a plain loop, and nobody in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.config_at_risk import STAGES
from kizuna.lists.selection import LEFT_OUT, ListPlan, select
from kizuna.lists.walk import BEYOND, LISTED, Limits, left_out

MARKET, SILENT, SIZE = BEYOND


def walk(rows):
    """(takes a place, market, stage, silent) of each customer, the most urgent first."""
    return pd.DataFrame(rows, columns=["takes_place", "market", "lifecycle_stage", "is_silent"])


def said(rows, **limits):
    return left_out(walk(rows), Limits(**limits)).tolist()


YES, NO = True, False


def test_until_all_places_are_taken():
    rows = [
        (NO, "JP", None, NO),
        (YES, "JP", None, NO),
        (NO, "US", None, NO),
        (YES, None, None, NO),
        (NO, "JP", None, NO),
    ]
    # Whoever is met before the last place is listed; nobody after it.
    assert said(rows, size=2) == [LISTED, LISTED, LISTED, LISTED, SIZE]
    assert said(rows, size=3) == [LISTED] * 5
    assert said([], size=3) == []


def test_a_market_that_is_full_is_full_for_both_arms():
    rows = [
        (YES, "JP", None, NO),
        (NO, "JP", None, NO),
        (YES, "JP", None, NO),
        (YES, "US", None, NO),
        (NO, "JP", None, NO),
        (YES, None, None, NO),
    ]
    assert said(rows, size=9, per_market={"JP": 1}) == [LISTED, MARKET, MARKET, LISTED, MARKET, LISTED]
    assert said(rows, size=9, per_market={" jp": 1}) == said(rows, size=9, per_market={"JP": 1})
    assert said(rows, size=9, per_market={"JP": 2, "US": 0}) == [LISTED, LISTED, LISTED, MARKET, MARKET, LISTED]


def test_a_quota_goes_first_and_the_rest_by_rank():
    rows = [(YES, None, "regular", NO)] * 3 + [
        (NO, None, "first", NO),
        (YES, None, "first", NO),
        (YES, None, "first", NO),
    ]
    assert said(rows, size=3) == [LISTED] * 3 + [SIZE] * 3
    assert said(rows, size=3, quota={"first": 1}) == [LISTED, LISTED, SIZE, LISTED, LISTED, SIZE]
    # There are fewer than asked for: the others have the places.
    assert said(rows, size=4, quota={"first": 3}) == [LISTED, LISTED, SIZE, LISTED, LISTED, LISTED]
    # Where rank alone gives as many, a quota changes nothing.
    assert said(rows[::-1], size=3, quota={"first": 1}) == said(rows[::-1], size=3)


def test_those_already_silent_have_so_many_places_and_no_more():
    rows = [(YES, None, None, YES), (YES, None, None, YES), (NO, None, None, YES), (YES, None, None, NO)]
    assert said(rows, size=9, silent_places=1) == [LISTED, SILENT, SILENT, LISTED]
    assert said(rows, size=9, silent_places=0) == [SILENT, SILENT, SILENT, LISTED]
    assert said(rows, size=9, silent_places=None) == [LISTED] * 4
    # Limits hold for quotas, too.
    mixed = [(YES, "JP", "first", YES), (YES, "JP", "first", NO), (YES, "JP", "first", NO), (YES, "US", None, NO)]
    assert said(mixed, size=2, quota={"first": 2}, silent_places=0, per_market={"JP": 1}) == [
        SILENT,
        LISTED,
        MARKET,
        LISTED,
    ]


ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["JP", "US", None]), st.sampled_from([*STAGES[:2], None]), st.booleans()),
    max_size=30,
)
LIMITS = st.builds(
    Limits,
    size=st.integers(1, 9),
    per_market=st.dictionaries(st.sampled_from(["JP", "US", "XX"]), st.integers(0, 4)),
    quota=st.dictionaries(st.sampled_from(STAGES[:2]), st.integers(0, 4)),
    silent_places=st.none() | st.integers(0, 4),
)


@settings(deadline=None, max_examples=200)
@given(ROWS, LIMITS)
def test_no_limit_is_passed_and_a_place_is_left_only_for_a_reason(rows, limits):
    frame = walk(rows)
    found = left_out(frame, limits)
    assert set(found) <= {LISTED, *BEYOND}
    taken = frame[(found == LISTED) & frame["takes_place"].astype(bool)]
    assert len(taken) <= limits.size
    for market, most in limits.per_market.items():
        count = int((taken["market"] == market).sum())
        assert count <= most
        if (found[frame["market"] == market] == MARKET).any():
            assert count == most
    silent = int(taken["is_silent"].astype(bool).sum())
    assert limits.silent_places is None or silent <= limits.silent_places
    assert not (found == SILENT).any() or silent == limits.silent_places
    # Places are left over only where nobody is beyond capacity.
    assert not (found == SIZE).any() or len(taken) == limits.size
    # A quota is short only where its stage has nobody left whom only the size, or nothing, keeps away.
    room = limits.size
    for stage in STAGES:
        wanted = min(limits.quota.get(stage, 0), room)
        mine = frame["lifecycle_stage"] == stage
        count = int((taken["lifecycle_stage"] == stage).sum())
        room -= min(wanted, count)
        assert count >= wanted or not ((found == SIZE) & mine & frame["takes_place"].astype(bool)).any()


@settings(deadline=None, max_examples=200)
@given(ROWS, st.integers(1, 9))
def test_without_limits_the_walk_is_a_plain_one(rows, size):
    places, expected = 0, []
    for takes_place, *_ in rows:
        expected.append(LISTED if places < size else SIZE)
        places += takes_place
    assert said(rows, size=size) == expected


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.randoms())
def test_nobody_is_left_out_in_silence_and_row_order_does_not_matter(seed, random):
    drawn = np.random.default_rng(seed)
    n = int(drawn.integers(1, 60))
    scores = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "churn_probability": drawn.choice([0.1, 0.4, 0.8], n),
            "value_at_risk": drawn.choice([1.0, 2.0, 3.0], n),
        }
    )
    context = pd.DataFrame(
        {
            "customer_id": scores["customer_id"],
            "market": pd.Series(drawn.choice(["JP", "US"], n), dtype="str").mask(drawn.random(n) < 0.2),
            "orders": drawn.integers(1, 4, n),
            "days_since_purchase": drawn.choice([10.0, 90.0, 91.0, np.nan], n),
            "consent": drawn.choice([0.0, 1.0, np.nan], n),
            "suppressed_reason": pd.Series(drawn.choice(["staff", ""], n), dtype="str").replace("", None),
        }
    )
    plan = ListPlan(
        date(2026, 1, 5),
        "shop",
        size=10,
        min_probability=0.3,
        per_market={"JP": 4},
        quota={"first": 3},
        max_silent_share=0.2,
    )
    selection = select(scores, context, plan, pd.DataFrame())
    counts = selection.counts
    assert counts["eligible"] == n == counts["listed"] + sum(counts[reason] for reason in LEFT_OUT)
    listed = selection.listed
    places = listed[(listed["arm"] == "target") & listed["contact_allowed"].fillna(True).astype(bool)]
    assert len(places) <= 10
    assert (places["market"] == "JP").sum() <= 4
    assert (places["days_since_purchase"] > 90).sum() <= 2
    order = random.sample(range(n), n)
    again = select(scores.iloc[order], context.iloc[order[::-1]], plan, pd.DataFrame())
    pd.testing.assert_frame_equal(again.listed, listed)
    assert again.counts == counts


def test_a_limit_for_a_market_of_nobody_is_told():
    scores = pd.DataFrame({"customer_id": ["a"], "churn_probability": [0.5], "value_at_risk": [1.0]})
    context = pd.DataFrame({"customer_id": ["a"], "market": ["jp"]})
    plan = ListPlan(date(2026, 1, 5), "shop", per_market={"JP": 4, "USA": 2})
    assert select(scores, context, plan, pd.DataFrame()).unknown_markets == ("USA",)


@pytest.mark.parametrize(("size", "share", "places"), [(100, 0.29, 29), (10, 0.25, 2), (10, 0.0, 0), (10, 1.0, 10)])
def test_a_share_in_places(size, share, places):
    plan = ListPlan(date(2026, 1, 5), "shop", size=size)
    assert plan.limits == Limits(size)
    assert replace(plan, max_silent_share=share).limits.silent_places == places
