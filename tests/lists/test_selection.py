"""Who is listed: ten customers by hand, the walk against a loop, and what holds for any shop."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.config_file import parse_config
from kizuna.errors import ResultError
from kizuna.lists.selection import (
    LIST_COLUMNS,
    SCORE_COLUMNS,
    ListPlan,
    arm_of,
    lifecycle_stage,
    list_plan,
    plan_for_one,
    risk_percentile,
    select,
)

NAN = float("nan")
PLAN = ListPlan(date(2026, 1, 5), "shop", size=3, min_probability=0.3, control_share=0.2)
NOBODY = pd.DataFrame()


def arms(*wanted):
    """Customer ids that the hash puts into these arms, in the order of the alphabet."""
    found = []
    for arm in wanted:
        found.append(
            next(i for i in (f"C{k:03d}" for k in range(1000)) if arm_of(i, "shop", 0.2) == arm and i not in found)
        )
    return found


def shop(rows, **context):
    """Scores and context of customers given as (id, probability, value at risk)."""
    scores = pd.DataFrame(rows, columns=["customer_id", "churn_probability", "value_at_risk"])
    return scores, pd.DataFrame({"customer_id": scores["customer_id"], **context})


def test_ten_customers():
    target_1, target_2, target_3, target_4, target_5, control = arms(*["target"] * 5, "control")
    rows = [
        ("low", 0.29, 9999.0),
        (target_1, 0.5, 100.0),
        (target_2, 0.4, 300.0),
        (target_3, 0.9, 200.0),
        (target_4, 0.6, 200.0),
        (target_5, 0.7, 50.0),
        (control, 0.8, 250.0),
        ("complains", 0.3, 240.0),
        ("staff", 0.95, 5000.0),
        ("refuses", 0.5, 400.0),
    ]
    scores, context = shop(
        rows,
        open_complaints=[0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
        suppressed_reason=[None] * 8 + ["staff", None],
        consent=[1, 1, NAN, 1, 1, 1, 1, 1, 1, 0],
    )
    selection = select(scores, context, PLAN, NOBODY)
    marks = ["list_rank", "customer_id", "arm", "contact_allowed", "suppressed_reason", "risk_band", "facts"]
    shown = selection.listed[marks].astype(object)
    assert shown.where(shown.notna(), None).values.tolist() == [
        [1, "refuses", arm_of("refuses", "shop", 0.2), False, "no_consent", "medium", None],
        [2, target_2, "target", None, None, "medium", None],  # unknown consent counts
        [3, control, "control", True, None, "high", None],
        [4, "complains", "exempt", True, None, "medium", "OPEN_COMPLAINT"],
        [5, target_3, "target", True, None, "high", None],  # same value as the next: the higher probability first
        [6, target_4, "target", True, None, "high", None],
    ]
    assert selection.counts == {
        "eligible": 10,
        "listed": 6,
        "suppressed": 1,
        "below_min_probability": 1,
        "beyond_market_capacity": 0,
        "beyond_silent_share": 0,
        "beyond_capacity": 2,
    }
    assert selection.removed is None
    assert selection.listed.columns.tolist() == LIST_COLUMNS
    assert selection.listed["list_status"].tolist() == ["new"] * 6
    assert selection.scores["customer_id"].tolist() == sorted(row[0] for row in rows)
    scored = selection.scores.set_index("customer_id")
    assert scored.at["complains", "arm"] == "exempt"
    assert selection.scores.columns.tolist() == [*scores.columns, *SCORE_COLUMNS]
    assert {
        name: count for name, count in selection.counts.items() if count and name not in ("eligible", "listed")
    } == (scored.loc[scored["left_out"] != "", "left_out"].value_counts().to_dict())
    # Contact is known of everybody, listed or not.
    beyond = scored.index[scored["left_out"] == "beyond_capacity"]
    assert scored.loc[["staff", "refuses", target_2], "contact"].tolist() == ["refused", "refused", "unknown"]
    assert scored.loc[beyond, "contact"].tolist() == ["allowed", "allowed"]
    assert scored.at["refuses", "left_out"] == ""


def test_the_next_weeks():
    first, second, third = arms("target", "target", "target")
    scores, context = shop([(first, 0.9, 300.0), (second, 0.8, 200.0), (third, 0.7, 100.0)])
    plan = replace(PLAN, size=1, contact_pause_days=14)
    one = select(scores, context, plan, NOBODY)
    assert one.listed["customer_id"].tolist() == [first]

    week_2 = replace(plan, as_of=date(2026, 1, 12))
    two = select(scores, context, week_2, one.listed)
    marks = ["customer_id", "contact_allowed", "suppressed_reason", "list_status", "weeks_on_list"]
    shown = two.listed[marks].astype(object)
    assert shown.where(shown.notna(), None).values.tolist() == [
        [first, False, "paused", "continuing", 2],  # her row stays, and the next one takes the place
        [second, None, None, "new", 1],
    ]
    assert two.listed["churn_probability_prev"].tolist()[0] == 0.9
    assert two.removed.empty

    # Customer 1 bought and is safe; customer 2 is out of her pause two weeks after first listing.
    later = scores.assign(churn_probability=[0.1, 0.8, 0.7])
    bought = context.assign(last_purchase=pd.to_datetime(["2026-01-20", None, None]))
    three = select(later, bought, replace(plan, as_of=date(2026, 1, 26)), pd.concat([one.listed, two.listed]))
    assert three.listed[["customer_id", "list_status"]].values.tolist() == [[second, "continuing"]]
    assert three.listed["contact_allowed"].isna().all()
    assert three.removed.values.tolist() == [[first, pd.Timestamp("2026-01-12"), "purchased"]]


def test_other_contact_pauses_both_arms_alike():
    target, control = arms("target", "control")
    scores, context = shop([(target, 0.9, 2.0), (control, 0.9, 1.0)], days_since_pause_contact=[13.0, 13.0])
    listed = select(scores, context, PLAN, NOBODY).listed
    assert listed["contact_allowed"].tolist() == [False, False]
    assert listed["list_status"].tolist() == ["continuing", "continuing"]
    over = context.assign(days_since_pause_contact=14.0, consent=1)
    assert select(scores, over, PLAN, NOBODY).listed["contact_allowed"].tolist() == [True, True]


def test_ranking_falls_back_to_probability_where_no_value_is_known():
    scores, context = shop([("a", 0.5, NAN), ("b", 0.9, NAN), ("c", 0.9, NAN)])
    for frame in (scores, scores.drop(columns="value_at_risk")):
        selection = select(frame, context, PLAN, NOBODY)
        assert selection.rank_by == "churn_probability"
        assert selection.listed["customer_id"].tolist() == ["b", "c", "a"]
        assert selection.listed["value_at_risk"].isna().all()
    partly = select(scores.assign(value_at_risk=[1.0, NAN, NAN]), context, PLAN, NOBODY)
    assert partly.rank_by == "value_at_risk"
    assert partly.listed["customer_id"].tolist() == ["a", "b", "c"]


def test_auto_takes_the_eligible_mean_and_equals_are_all_listed():
    plan = replace(PLAN, min_probability=None)
    scores, context = shop([("a", 0.2, 1.0), ("b", 0.4, 1.0), ("c", 0.6, 1.0)])
    selection = select(scores, context, plan, NOBODY)
    assert selection.min_probability == pytest.approx(0.4)
    assert selection.counts["below_min_probability"] == 1
    equal = select(*shop([(f"c{k}", 0.1, 1.0) for k in range(7)]), plan, NOBODY)
    assert equal.counts["below_min_probability"] == 0


def test_nobody_is_eligible():
    scores, context = shop([("a", 0.5, 1.0)])
    selection = select(scores.iloc[:0], context.iloc[:0], replace(PLAN, min_probability=None), NOBODY)
    assert selection.counts == dict.fromkeys(selection.counts, 0)
    assert selection.listed.columns.tolist() == LIST_COLUMNS


def test_hostile_values():
    ids = ["007", "7", "NA", "a,b", 'q"uote', "🙂", "=1+1", "鈴木;太郎"]
    scores, context = shop([(customer, 0.5, NAN) for customer in ids])
    nothing = dict.fromkeys(
        ["orders", "overdue_ratio", "tenure_days", "consent", "days_since_pause_contact", "nps_last"], NAN
    )
    selection = select(scores, context.assign(**nothing, last_purchase=pd.NaT), replace(PLAN, size=99), NOBODY)
    assert selection.listed["customer_id"].tolist() == sorted(ids)
    assert selection.listed["contact_allowed"].isna().all()
    assert selection.listed["lifecycle_stage"].isna().all()
    unknown = select(scores, context.iloc[:0], replace(PLAN, size=99), NOBODY)
    assert unknown.counts == selection.counts


@pytest.mark.parametrize("wrong", [NAN, -0.1, 1.1])
def test_wrong_scores_are_refused(wrong):
    scores, context = shop([("a", 0.5, 1.0), ("b", wrong, 1.0), ("a", 0.5, 1.0)])
    with pytest.raises(ResultError) as caught:
        select(scores, context.iloc[:2], PLAN, NOBODY)
    assert str(caught.value) == (
        "A probability between 0 and 1 was asked for every eligible customer, once; of 3 rows 1 have none and "
        "1 repeat a customer. Run 'kizuna check', and train again."
    )


def walk(rows, plan):
    """The list by a plain loop over (id, probability, value, suppressed, arm, allowed)."""
    best_first = sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))
    listed, places = [], 0
    for customer, probability, _, suppressed, arm, allowed in best_first:
        if places == plan.size:
            break
        if suppressed or probability < plan.min_probability:
            continue
        listed.append(customer)
        places += arm == "target" and allowed is not False
    return listed


CUSTOMERS = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=4),
        st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5000001, 1.0]),
        st.sampled_from([-5.0, 0.0, 10.0, 10.5]),
        st.booleans(),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([0.0, 1.0, NAN]),
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)


@settings(deadline=None, max_examples=30)
@given(CUSTOMERS, st.integers(1, 8), st.sampled_from([0.0, 0.2, 0.7]), st.randoms())
def test_the_walk_equals_a_loop_and_nothing_depends_on_row_order(customers, size, control_share, random):
    plan = replace(PLAN, size=size, control_share=control_share)
    columns = ["customer_id", "churn_probability", "value_at_risk", "staff", "open_complaints", "consent"]
    frame = pd.DataFrame(customers, columns=columns).astype({"customer_id": "str"})
    frame["suppressed_reason"] = pd.Series(["staff" if staff else None for staff in frame["staff"]], dtype="str")
    rows = [
        (c, p, v, s, "exempt" if o else arm_of(c, "shop", control_share), None if k != k else bool(k))
        for c, p, v, s, o, k in customers
    ]
    selection = select(frame[columns[:3]], frame.drop(columns=columns[1:4]), plan, NOBODY)
    listed = selection.listed
    assert listed["customer_id"].tolist() == walk(rows, plan)
    assert listed["list_rank"].tolist() == list(range(1, len(listed) + 1))
    assert not listed["customer_id"].duplicated().any()
    assert ((listed["arm"] == "target") & listed["contact_allowed"].fillna(True)).sum() <= size
    counts = dict(selection.counts)
    assert counts.pop("eligible") == sum(counts.values()) == len(customers)
    assert {row[0]: row[4] for row in rows} == dict(
        zip(*(selection.scores[c] for c in ("customer_id", "arm")), strict=True)
    )

    order = random.sample(range(len(frame)), len(frame))
    shuffled = frame.iloc[order]
    again = select(shuffled[columns[:3]], frame.drop(columns=columns[1:4]), plan, NOBODY)
    pd.testing.assert_frame_equal(again.listed, listed)
    pd.testing.assert_frame_equal(again.scores, selection.scores)


def test_the_arm_is_the_hash_of_experiment_and_id():
    digest = hashlib.sha256("shop|🙂,007".encode()).hexdigest()
    share = int(digest[:16], 16) / 2**64
    assert arm_of("🙂,007", "shop", share) == "target"
    assert arm_of("🙂,007", "shop", share + 1e-9) == "control"
    assert arm_of("anyone", "shop", 0.0) == "target"


def test_arms_share_near_control_share_and_differ_between_experiments():
    drawn = [(arm_of(f"C{k}", "a", 0.2), arm_of(f"C{k}", "b", 0.2)) for k in range(20_000)]
    share = np.mean([a == "control" for a, _ in drawn])
    both = np.mean([a == b == "control" for a, b in drawn])
    assert share == pytest.approx(0.2, abs=0.009)  # three standard errors
    assert both == pytest.approx(0.04, abs=0.0045)


def test_risk_percentile_by_hand():
    assert risk_percentile(pd.Series([0.1, 0.9, 0.5, 0.3])).tolist() == [25, 100, 75, 50]
    # Ties share the mean rank: 2.5 of 4 is 62.5.
    assert risk_percentile(pd.Series([0.1, 0.5, 0.5, 0.9])).tolist() == [25, 63, 63, 100]
    assert risk_percentile(pd.Series([0.5])).tolist() == [100]
    assert risk_percentile(pd.Series(np.linspace(0, 1, 1000)))[[0, 9, 10, 999]].tolist() == [1, 1, 2, 100]


def test_lifecycle_stages():
    rows = [
        (1, NAN, 10, "first"),
        (1, NAN, NAN, "first"),
        (2, 1.9, 50, "second"),
        (2, 2.0, 50, "lapsing"),
        (9, 3.0, 900, "lapsing"),
        (5, 1.0, 365, "loyal"),
        (5, 1.0, 364, "regular"),
        (4, NAN, 900, "regular"),
        (0, NAN, NAN, None),
        (NAN, NAN, NAN, None),
    ]
    frame = pd.DataFrame(rows, columns=["orders", "overdue_ratio", "tenure_days", "stage"])
    stages = lifecycle_stage(frame).astype(object)
    assert stages.where(stages.notna(), None).tolist() == [row[3] for row in rows]


def test_plan_of_a_config():
    config = parse_config(
        {
            "name": "shop",
            "data": {"tables": {"purchases": {"path": "p.csv"}}},
            "cltv": {"margin": 0.5},
            "at_risk": {
                "size": 7,
                "min_probability": 0.25,
                "bands": {"high": 0.7, "medium": 0.2},
                "control_share": 0.1,
                "per_market": {"JP": 3},
                "quota": {"first": 2},
                "max_silent_share": 0.25,
            },
        }
    )
    day = date(2026, 1, 5)
    assert list_plan(config, day, 180) == ListPlan(
        day,
        "shop",
        size=7,
        min_probability=0.25,
        high=0.7,
        medium=0.2,
        control_share=0.1,
        cltv_horizon_days=180,
        margin=0.5,
        per_market={"JP": 3},
        quota={"first": 2},
        max_silent_share=0.25,
        silent_after_days=90,
    )
    default = parse_config({"name": "shop", "data": {"tables": {"purchases": {"path": "p.csv"}}}})
    assert list_plan(default, day, None) == ListPlan(day, "shop")


@pytest.mark.parametrize(
    "limits", [{"max_silent_share": 0.3}, {"per_market": {"JP": 0}}, {"quota": {"loyal": 3}}, {"min_probability": 0.9}]
)
def test_one_customer_alone_needs_no_place_of_others(limits):
    (target,) = arms("target")
    scores, context = shop([(target, 0.5, 100.0)], days_since_purchase=[120.0], market=["JP"])
    plan = plan_for_one(replace(PLAN, **limits))
    assert select(scores, context, plan, NOBODY).listed["customer_id"].tolist() == [target]
    suppressed = context.assign(suppressed_reason="staff")
    assert select(scores, suppressed, plan, NOBODY).listed.empty
