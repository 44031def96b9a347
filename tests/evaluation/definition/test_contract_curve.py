"""Contract survival, by hand and against brute force."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from tests.features.shops import FIRST, LAST, random_shop
from tests.features.small import project_of, table

from kizuna.evaluation.definition.contract_curve import contract_curves, renewals
from kizuna.timeline import day_of

DAY = day_of(date(2025, 3, 2))


def counted(curve) -> tuple[list[int], list[int]]:
    pair = (curve.ended, curve.still_open)
    return tuple([length for length, number in enumerate(counts) for _ in range(number)] for counts in pair)


def test_lengths_by_plan_and_period_as_known_on_the_day() -> None:
    contracts = table(
        "customer_id started_at ended_at plan period_days known_at",
        "a 2025-01-01 2025-01-31 basic 30 -",
        "a 2025-02-01 - plus 30 -",
        "b 2025-01-01 2025-03-02 basic 30 -",
        "c 2025-01-01 2025-03-01 basic - -",
        "d 2025-03-01 - - 365 -",
        "e 2025-01-01 - plus 365 2025-03-02",
        "f 2025-03-02 - plus 365 -",
    )
    found = contract_curves(project_of({"subscriptions": contracts}).opened, DAY)
    by_name = {kind: {curve.segment: counted(curve) for curve in group} for kind, group in found.items()}
    assert by_name == {
        "all": {"all contracts": ([30, 59], [0, 28, 59])},
        "plan": {"basic": ([30, 59], [59]), "plus": ([], [28])},
        "period": {"30 days": ([30], [28, 59]), "365 days": ([], [0])},
    }


def test_without_ends_plans_or_periods_all_are_open() -> None:
    contracts = table("customer_id started_at", "a 2025-01-01", "b 2025-02-01")
    found = contract_curves(project_of({"subscriptions": contracts}).opened, DAY)
    assert counted(found["all"][0]) == ([], [28, 59])
    assert (found["plan"], found["period"], renewals(found)) == ([], [], [])


def test_half_end_at_the_second_renewal() -> None:
    """100 contracts of 30 days: 10 end on day 30, 45 on day 60, the rest run on to day 100."""
    ends = [date(2025, 1, 31)] * 10 + [date(2025, 3, 2)] * 45 + [None] * 45
    contracts = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(100)],
            "started_at": date(2025, 1, 1),
            "ended_at": ends,
            "period_days": 30,
        }
    )
    found = contract_curves(project_of({"subscriptions": contracts}).opened, day_of(date(2025, 4, 12)))
    rows = renewals(found)
    assert [(row["period_days"], row["renewal"], row["contracts"]) for row in rows] == [
        (30, 1, 100),
        (30, 2, 90),
    ]
    assert [row["ended_share"] for row in rows] == pytest.approx([0.1, 0.5])
    assert rows[1]["low"] < 0.5 < rows[1]["high"]


@pytest.mark.parametrize("case", [(1, "full"), (2, "mixed"), (7, "full")], ids=str)
@pytest.mark.parametrize("day", [FIRST + 520, LAST + 90])
def test_hostile_shops_equal_a_walk_over_every_contract(case: tuple[int, str], day: int) -> None:
    shop = random_shop(*case).only("subscriptions")
    columns = shop.columns["subscriptions"]
    ended, still_open = [], []
    for row in shop.rows["subscriptions"]:
        begun = row["started_at"]
        known = max(begun, row.get("known_at") or begun) if "known_at" in columns else begun
        if begun < day and known < day:
            end = row.get("ended_at") if "ended_at" in columns else None
            over = end is not None and end < day
            (ended if over else still_open).append(max((end if over else day - 1) - begun, 0))
    (found,) = contract_curves(shop.project().opened, day)["all"]
    assert counted(found) == (sorted(ended), sorted(still_open))
