from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.config_file import parse_config
from kizuna.data.knowable import knowable_fingerprints, known_rows
from kizuna.data.loading import open_store
from kizuna.timeline import day_of

AS_OF = date(2026, 6, 1)
COLUMNS = ["customer_id", "occurred_at", "known_at", "resolved_at", "first_response_at", "category", "kind"]


def fingerprints(**tables: pd.DataFrame) -> dict[str, str]:
    bought = pd.DataFrame({"customer_id": list("abc"), "occurred_at": "2026-01-01", "amount": 1.0})
    config = parse_config({"name": "shop", "data": {"tables": {}}})
    store = open_store(config, day_of(date(2030, 1, 1)), {"purchases": bought} | tables)
    store.require_sound()
    return knowable_fingerprints(store, day_of(AS_OF))


def complaints(rows: list[dict[str, Any]]) -> str:
    return fingerprints(complaints=pd.DataFrame(rows, columns=COLUMNS))["table complaints"]


DAYS = st.integers(-40, 40).map(lambda offset: (AS_OF + timedelta(days=offset)).isoformat())
LATER = st.integers(0, 40).map(lambda offset: (AS_OF + timedelta(days=offset)).isoformat())
EARLIER = st.integers(-60, -1).map(lambda offset: (AS_OF + timedelta(days=offset)).isoformat())
ROW = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from("abc"),
        "occurred_at": DAYS,
        "known_at": st.none() | DAYS,
        "resolved_at": st.none() | DAYS,
        "first_response_at": st.none() | DAYS,
        "category": st.none() | st.sampled_from(["", "late", "rude", "x|y", "-"]),
        "kind": st.none() | st.sampled_from(["complaint", "inquiry"]),
    }
)
KNOWN_ROW = {
    "customer_id": "a",
    "occurred_at": "2026-05-01",
    "known_at": "2026-05-02",
    "resolved_at": "2026-05-09",
    "first_response_at": None,
    "category": "late",
    "kind": "complaint",
}


@settings(max_examples=10)
@given(rows=st.lists(ROW, min_size=1, max_size=8), data=st.data())
def test_equal_under_shuffles_and_whatever_could_not_be_known(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    rows = [KNOWN_ROW, *rows]
    changed = []
    for row in rows:
        copy = dict(row)
        for column in ("resolved_at", "first_response_at"):
            if copy[column] is None or copy[column] >= AS_OF.isoformat():
                copy[column] = data.draw(st.none() | LATER)
        late = copy["occurred_at"] >= AS_OF.isoformat() or (copy["known_at"] or "") >= AS_OF.isoformat()
        if late and data.draw(st.booleans()):
            continue
        changed.append(copy | {"category": data.draw(st.text(max_size=3))} if late else copy)
    future = data.draw(st.lists(ROW, max_size=3))
    changed += [row | {"occurred_at": data.draw(LATER)} for row in future]
    changed += [row | {"known_at": data.draw(LATER)} for row in future]
    assert complaints(data.draw(st.permutations(changed))) == complaints(rows)


@settings(max_examples=10)
@given(rows=st.lists(ROW, max_size=5), data=st.data())
def test_different_when_a_knowable_cell_changes(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    column = data.draw(
        st.sampled_from(["customer_id", "occurred_at", "resolved_at", "first_response_at", "category", "kind"])
    )
    values = {
        "customer_id": st.sampled_from("bc"),
        "category": st.none() | st.text("xyz", min_size=1),
        "kind": st.just("praise"),
    }
    new = data.draw(values.get(column, EARLIER).filter(lambda value: value != KNOWN_ROW[column]))
    assert complaints([KNOWN_ROW | {column: new}, *rows]) != complaints([KNOWN_ROW, *rows])
    assert complaints([KNOWN_ROW, KNOWN_ROW, *rows]) != complaints([KNOWN_ROW, *rows])


@dataclass(frozen=True)
class Case:
    """Two tables, and whether a day could tell them apart."""

    table: str
    before: dict[str, list[Any]]
    after: dict[str, list[Any]]
    differs: bool


IDS = {"customer_id": ["a", "b"]}
CASES = {
    "known_at moves within what was known": Case(
        "loyalty",
        IDS | {"occurred_at": ["2026-05-01"] * 2, "kind": ["earn"] * 2, "known_at": ["2026-05-03", None]},
        IDS | {"occurred_at": ["2026-05-01"] * 2, "kind": ["EARN "] * 2, "known_at": ["2026-05-30", None]},
        False,
    ),
    "a contract ends later": Case(
        "subscriptions",
        IDS | {"started_at": ["2026-01-01"] * 2, "ended_at": [None, None], "voluntary": [None, None]},
        IDS | {"started_at": ["2026-01-01"] * 2, "ended_at": ["2026-06-01", None], "voluntary": [True, None]},
        False,
    ),
    "a contract ended before": Case(
        "subscriptions",
        IDS | {"started_at": ["2026-01-01"] * 2, "ended_at": [None, None], "voluntary": [None, None]},
        IDS | {"started_at": ["2026-01-01"] * 2, "ended_at": ["2026-05-31", None], "voluntary": [True, None]},
        True,
    ),
    "a supplied row of the day itself": Case(
        "features",
        IDS | {"as_of": ["2026-06-01", "2026-06-02"], "x": [1.0, 1.0]},
        IDS | {"as_of": ["2026-06-01", "2026-06-02"], "x": [2.0, 1.0]},
        True,
    ),
    "a supplied row of a later day": Case(
        "features",
        IDS | {"as_of": ["2026-06-01", "2026-06-02"], "x": [1.0, 1.0]},
        IDS | {"as_of": ["2026-06-01", "2026-06-02"], "x": [1.0, 2.0]},
        False,
    ),
    "a profile without dates": Case("customers", IDS | {"market": ["JP", "US"]}, IDS | {"market": ["JP", "FR"]}, True),
    "null is no text": Case("customers", IDS | {"market": [None, "US"]}, IDS | {"market": ["-", "US"]}, True),
    "cells do not run into each other": Case(
        "customers",
        IDS | {"language": ["x\x1f1:y", "z"], "market": ["w", "z"]},
        IDS | {"language": ["x", "z"], "market": ["y\x1f1:w", "z"]},
        True,
    ),
    "another spelling of the same value": Case(
        "purchases",
        IDS | {"occurred_at": ["2026-05-01"] * 2, "amount": ["5", "7.0"], "is_return": ["no", "0"]},
        IDS | {"occurred_at": ["2026/05/01 10:00"] * 2, "amount": ["5.00", "7"], "is_return": ["FALSE", "f"]},
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    case = CASES[name]
    before, after = (
        fingerprints(**{case.table: pd.DataFrame(case.before)}),
        fingerprints(**{case.table: pd.DataFrame(case.after)}),
    )
    assert (before[f"table {case.table}"] != after[f"table {case.table}"]) == case.differs
    others = [key for key in before if key != f"table {case.table}"]
    assert [before[key] for key in others] == [after[key] for key in others]


def test_a_new_column_is_a_change() -> None:
    plain = pd.DataFrame({"customer_id": ["a"]})
    assert fingerprints(customers=plain) != fingerprints(customers=plain.assign(market=None))


def test_rows_are_counted_that_were_known_by_the_day_and_suppressions_of_the_day_itself() -> None:
    bought = pd.DataFrame(
        {
            "customer_id": list("aabc"),
            "occurred_at": ["2026-05-30", "2026-05-31", "2026-05-31", "2026-06-01"],
            "known_at": ["2026-05-30", "2026-06-01", "2026-05-31", "2026-06-01"],
            "amount": 1.0,
        }
    )
    stopped = pd.DataFrame({"customer_id": list("abc"), "from": ["2026-05-31", "2026-06-01", "2026-06-02"]})
    config = parse_config({"name": "shop", "data": {"tables": {}}})
    store = open_store(config, day_of(date(2030, 1, 1)), {"purchases": bought, "suppressions": stopped})
    assert known_rows(store, day_of(AS_OF)) == {"purchases": 2, "suppressions": 2}
