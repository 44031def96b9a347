"""Candidate definitions against the labels' own oracle, and the rule that proposes one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.features.shops import FIRST, LAST, random_shop
from tests.labels import oracle

from kizuna.evaluation.definition.definitions import Candidate, candidates, propose
from kizuna.evaluation.definition.return_curve import Curve, return_curves
from kizuna.timeline import LabelWindow

NOBODY = np.zeros(400, dtype=np.int64)
GOOD = Candidate(
    horizon_days=90,
    active_within_days=90,
    snapshots=5,
    matures_after_days=90,
    first_label_in_days=0,
    eligible=100,
    rows=400,
    churned=160,
    followed=100,
    came_back=10,
    late_gap_share=0.1,
    configured=False,
)


def curve_lost_after(days: int) -> Curve:
    """A thousand return on each of so many days, and five hundred never do."""
    ended, still_open = NOBODY.copy(), NOBODY.copy()
    ended[1 : days + 1], still_open[399] = 1000, 500
    return Curve("x", ended, still_open)


@pytest.mark.parametrize("case", [(1, "full"), (2, "mixed"), (3, "lean")], ids=str)
@pytest.mark.parametrize(
    "churn", [{"horizon_days": 45, "active_within_days": 70}, {"horizon_days": 100, "gap_days": 14}]
)
def test_counts_equal_the_oracle(case: tuple[int, str], churn: dict[str, int]) -> None:
    shop = random_shop(*case).only("customers", "purchases")
    snapshots = {"every_days": 21, "min_history_days": 30, "max_count": 9}
    project = shop.project(churn=churn, snapshots=snapshots)
    store, train_day = project.opened, LAST + 40
    first = store.first_known_day("purchases", train_day)
    assert first is not None
    found = candidates(store, project.config, train_day, return_curves(store, train_day)["all"][0])
    gap, customers = project.config.churn.gap_days, store.ids().tolist()
    assert [c.configured for c in found].count(True) == 1
    assert sorted({c.horizon_days for c in found}) == sorted({30, 45, 60, 90, 120, 180, 365, churn["horizon_days"]})
    for candidate in found:
        horizon, active = candidate.horizon_days, candidate.active_within_days
        grid = [train_day - gap - horizon - 21 * k for k in range(9)]
        matured = [day for day in grid if day >= first + 30]
        assert candidate.snapshots == len(matured)
        assert candidate.matures_after_days == gap + horizon
        window, later = LabelWindow(horizon, gap), LabelWindow(90, gap + horizon)
        old = [day for day in matured if day + gap + horizon + 90 <= train_day][:4]
        rows = {
            day: [c for c in customers if oracle.has_bought_lately(shop, c, day, active)]
            for day in {*matured[:4], *old}
        }
        lost = {day: [c for c in rows[day] if oracle.fell_silent(shop, c, day, window, train_day)] for day in rows}
        back = [c for day in old for c in lost[day] if not oracle.fell_silent(shop, c, day, later, train_day)]
        assert candidate.eligible == (len(rows[matured[0]]) if matured else 0)
        assert candidate.rows == sum(len(rows[day]) for day in matured[:4])
        assert candidate.churned == sum(len(lost[day]) for day in matured[:4])
        assert candidate.followed == sum(len(lost[day]) for day in old)
        assert candidate.came_back == len(back)


def test_longer_activity_is_tried_only_where_history_reaches_so_far_back() -> None:
    project = random_shop(1, "full").only("customers", "purchases").project()
    store = project.opened
    train_day = FIRST + 400
    first = store.first_known_day("purchases", train_day)
    assert first is not None
    found = candidates(store, project.config, train_day, Curve("x", NOBODY, NOBODY))
    for candidate in found:
        before = train_day - candidate.horizon_days - first
        own = candidate.configured or candidate.active_within_days == candidate.horizon_days
        assert own or candidate.active_within_days <= before
    assert {c.active_within_days for c in found if c.horizon_days == 30} == {30, 60, 90}
    assert {c.active_within_days for c in found if c.horizon_days == 180} == {180}
    assert [(c.active_within_days, c.snapshots, c.fault) for c in found if c.horizon_days == 365] == [
        (365, 0, f"no label before {first + 90 + 365 - train_day} more days")
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"snapshots": 0, "first_label_in_days": 12}, "no label before 12 more days"),
        ({"snapshots": 2}, "2 matured snapshots, 3 needed"),
        ({"churned": 29}, "fewer than 30 churned or kept"),
        ({"churned": 371}, "fewer than 30 churned or kept"),
        ({"rows": 4000, "churned": 199}, "under 5 % churn"),
        ({"rows": 4000, "churned": 200}, ""),
        ({"churned": 280}, ""),
        ({"churned": 281}, "over 70 % churn"),
        ({"followed": 29, "came_back": 0}, "too short a history to see who comes back"),
        ({"came_back": 20}, ""),
        ({"came_back": 21}, "over 20 % of them come back"),
    ],
)
def test_why_a_candidate_is_passed_over(change: dict[str, int], fault: str) -> None:
    from kizuna.evaluation.definition.definitions import _fault

    assert _fault(replace(GOOD, **change)) == fault


def test_the_shortest_horizon_that_qualifies_and_the_activity_that_reaches_the_lost() -> None:
    found = [
        replace(GOOD, horizon_days=60, active_within_days=60, fault="over 20 % of them come back"),
        GOOD,
        replace(GOOD, active_within_days=180),
        replace(GOOD, active_within_days=270),
        replace(GOOD, horizon_days=120, active_within_days=120),
    ]
    chosen, reason = propose(found, curve_lost_after(150))
    assert chosen == found[2]
    assert reason == (
        "90 days is the shortest horizon at which at most 20 % of those called churned buy within the 90 days after "
        "(10 % do), and 40 % of the eligible churn. Eligibility: after 150 silent days fewer than 10 % buy within 90 days, "
        "and active within 180 days covers those before."
    )
    chosen, reason = propose(found, curve_lost_after(300))
    assert chosen == found[3]
    assert reason.endswith("Eligibility: the longest that qualifies is 270 days.")
    assert propose(found[::-1], curve_lost_after(150))[0] == found[2]


def test_where_all_come_back_the_horizon_with_the_fewest_is_taken_and_said() -> None:
    fault = "over 20 % of them come back"
    found = [
        replace(GOOD, came_back=40, fault=fault),
        replace(GOOD, horizon_days=120, came_back=30, fault=fault),
        replace(GOOD, horizon_days=180, came_back=0, followed=0, fault="too short a history to see who comes back"),
    ]
    chosen, reason = propose(found, Curve("x", NOBODY, NOBODY))
    assert chosen == found[1]
    assert reason == (
        "At every horizon that can be measured more than 20 % of those called churned buy within the 90 days after; at 120 "
        "days the fewest do (30 %). Silence alone says little here, or the history is short: look again when there is more."
    )


def test_too_little_data_is_said() -> None:
    waiting = [
        replace(GOOD, snapshots=0, first_label_in_days=days, fault=f"no label before {days}") for days in (40, 12)
    ]
    assert propose(waiting, Curve("x", NOBODY, NOBODY)) == (
        None,
        "Too little data: no label has matured yet; the first will in 12 days.",
    )
    thin = [replace(GOOD, fault="under 5 % churn"), waiting[0], replace(GOOD, fault="over 70 % churn")]
    assert propose(thin, Curve("x", NOBODY, NOBODY)) == (
        None,
        "No candidate qualifies: under 5 % churn; over 70 % churn.",
    )
