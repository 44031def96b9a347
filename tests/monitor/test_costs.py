"""What contacting cost, counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from kizuna.config_file import parse_config
from kizuna.labels.definition import Definition
from kizuna.monitor.costs import basis_of, net_of_costs

MONTH = Definition("inactivity", 30, 0, 180)
# a is contacted twice within the window of the first list and once on the day after it; A06 gives something away.
LISTS = pd.DataFrame(
    [
        ("a", "2026-01-05", "target", "A01", True),
        ("b", "2026-01-05", "control", "A06", True),
        ("c", "2026-01-05", "target", "A06", False),
        ("d", "2026-01-05", "target", "A06", True),
        ("a", "2026-02-03", "target", "A06", True),
        ("a", "2026-02-04", "target", "A01", True),
    ],
    columns=["customer_id", "as_of", "arm", "action", "contact_allowed"],
).assign(as_of=lambda rows: rows["as_of"].astype("datetime64[s]"))
OUTCOMES = pd.DataFrame(
    {
        "customer_id": ["d", "a", "b", "c", "a"],
        "as_of": pd.to_datetime(["2026-01-05"] * 4 + ["2026-02-04"]).astype("datetime64[s]"),
        "net_value": [1000.0, 1000.0, 1000.0, 1000.0, float("nan")],
    }
)


def shop(**economics: float):
    return parse_config({"name": "shop", "data": {"tables": {}}, "economics": economics})


def test_only_what_was_done_within_the_window_is_taken_off() -> None:
    found = net_of_costs(OUTCOMES, LISTS, None, MONTH, shop(contact_cost=10, offer_cost=100))
    assert found["net_value"].fillna(-1).tolist() == [890.0, 880.0, 1000.0, 1000.0, -1]
    carried_out = pd.DataFrame({"customer_id": ["a"], "list_as_of": pd.to_datetime(["2026-01-05"])})
    carried_out["list_as_of"] = carried_out["list_as_of"].astype("datetime64[s]")
    found = net_of_costs(OUTCOMES, LISTS, carried_out, MONTH, shop(contact_cost=10, offer_cost=100))
    assert found["net_value"].fillna(-1).tolist() == [1000.0, 990.0, 1000.0, 1000.0, -1]


def test_without_costs_nothing_is_taken_off() -> None:
    pd.testing.assert_frame_equal(net_of_costs(OUTCOMES, LISTS, None, MONTH, shop()), OUTCOMES)


@pytest.mark.parametrize(
    ("tree", "basis"),
    [
        ({}, "revenue"),
        ({"cltv": {"margin": 0.4}}, "margin"),
        ({"economics": {"contact_cost": 5}}, "revenue"),
        ({"economics": {"contact_cost": 5, "offer_cost": 0}}, "net"),
    ],
)
def test_what_the_money_is(tree: dict[str, object], basis: str) -> None:
    assert basis_of(parse_config({"name": "shop", "data": {"tables": {}}, **tree})) == basis
