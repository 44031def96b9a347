from __future__ import annotations

import numpy as np
import pandas as pd

from kizuna.labels.definition import Definition
from kizuna.monitor.outcomes import Asked, drawn, messages_of_lists, outcomes_of
from kizuna.project import Project
from kizuna.timeline import day_of

MONTH = Definition("inactivity", 30, 0, 180)
LIST = day_of(pd.Timestamp("2026-01-05").date())
PURCHASES = pd.DataFrame(
    [
        ("a", "2025-12-20", 100.0),
        ("a", "2026-01-05", 40.0),
        ("a", "2026-02-03", 2.5),
        ("b", "2025-12-20", 100.0),
        ("b", "2026-02-04", 70.0),
        ("c", "2025-12-01", 10.0),
        ("c", "2026-01-10", -4.0),
        ("d", "2026-01-10", 9.0),
    ],
    columns=["customer_id", "occurred_at", "amount"],
)
PROFILES = pd.DataFrame(
    [("a", "2025-01-01", "jp"), ("a", "2026-01-06", "us"), ("b", "2025-01-01", None)],
    columns=["customer_id", "valid_from", "market"],
)


def shop(**tables: pd.DataFrame) -> Project:
    config = {"name": "shop", "data": {"tables": {}}}
    return Project(config, tables={"purchases": PURCHASES, **tables}, today=pd.Timestamp("2026-03-01").date())


def test_the_first_day_counts_and_the_day_after_the_last_does_not() -> None:
    known = day_of(pd.Timestamp("2026-03-01").date())
    store = shop(customers=PROFILES).store
    found = outcomes_of(store, MONTH, 0.5, {LIST: Asked(frozenset("abcz"))}, known)
    assert found["customer_id"].tolist() == ["a", "b", "c"]
    assert found["kept"].tolist() == [1.0, 0.0, 0.0]
    assert found["net_value"].tolist() == [21.25, 0.0, -2.0]
    # On the list's day: what changed on the day after it is not looked at.
    assert found["market"].fillna("-").tolist() == ["jp", "-", "-"]
    assert set(found["as_of"]) == {pd.Timestamp("2026-01-05")}
    early = outcomes_of(store, MONTH, 1.0, {LIST: Asked(frozenset("a"))}, day_of(pd.Timestamp("2026-02-03").date()))
    assert early["net_value"].tolist() == [40.0]


def test_days_are_looked_at_in_one_pass_each_with_its_own_customers() -> None:
    """``share`` 1: all who were eligible on that day; d bought for the first time after it."""
    store, later = shop().store, LIST + 30
    known = day_of(pd.Timestamp("2026-03-20").date())
    asked = {later: Asked(frozenset("d")), LIST: Asked(frozenset("d"), share=1)}
    found = outcomes_of(store, MONTH, 1.0, asked, known)
    told = [tuple(row) for row in found[["customer_id", "as_of", "kept", "net_value"]].astype(str).to_numpy()]
    assert told == [
        ("a", "2026-01-05", "1.0", "42.5"),
        ("b", "2026-01-05", "0.0", "0.0"),
        ("c", "2026-01-05", "0.0", "-4.0"),
        ("d", "2026-01-05", "1.0", "9.0"),
        ("d", "2026-02-04", "0.0", "0.0"),
    ]


def test_a_share_of_the_eligible_is_the_same_customers_on_every_day() -> None:
    ids = np.array([f"C{number:05d}" for number in range(20_000)], dtype=object)
    some = drawn(ids, 0.1)
    assert abs(some.mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / len(ids))
    assert drawn(ids[5:900], 0.1).tolist() == some[5:900].tolist()
    assert (drawn(ids, 0.3) >= some).all()
    assert drawn(ids, 1).all()
    share = 0.5
    everybody, mine = np.array(["a", "b", "c"], dtype=object), {"d"}
    known = day_of(pd.Timestamp("2026-03-20").date())
    found = outcomes_of(shop().store, MONTH, 1.0, {LIST: Asked(frozenset(mine), share)}, known)
    assert set(found["customer_id"]) == set(everybody[drawn(everybody, share)]) | mine


def test_nobody_gives_no_row() -> None:
    found = outcomes_of(shop().store, MONTH, 1.0, {LIST: Asked(frozenset())}, LIST + 100)
    assert list(found.columns) == ["customer_id", "as_of", "kept", "net_value", "market"]
    assert found.empty


def test_only_messages_that_name_a_list_and_were_known_count() -> None:
    outreach = pd.DataFrame(
        [
            ("a", "2026-01-06", "call", "2026-01-05"),
            ("b", "2026-01-06", "newsletter", None),
            ("c", "2026-02-20", "call", "2026-01-05"),
        ],
        columns=["customer_id", "occurred_at", "kind", "list_as_of"],
    )
    store = shop(outreach=outreach).store
    found = messages_of_lists(store, day_of(pd.Timestamp("2026-02-20").date()))
    assert found is not None
    assert found.astype(str).values.tolist() == [["a", "2026-01-05"]]
    assert messages_of_lists(store, LIST) is None
    assert messages_of_lists(shop().store, LIST + 100) is None
