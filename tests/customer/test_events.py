from __future__ import annotations

from datetime import date

import pandas as pd

from kizuna.customer.events import known_events
from kizuna.data.store import Store
from kizuna.project import Project
from kizuna.timeline import day_of

TABLES = {
    "purchases": pd.DataFrame(
        [("a", "2026-01-02", 40.0), ("a", "2026-01-10", 5.0), ("b", "2026-01-03", 7.0)],
        columns=["customer_id", "occurred_at", "amount"],
    ),
    "complaints": pd.DataFrame(
        [
            ("a", "2026-01-02", "2026-01-09", None, "2026-01-02"),
            ("a", "2026-01-04", "2026-01-10", "late", "2026-01-04"),
            ("a", "2026-01-05", None, "lost", "2026-01-11"),
        ],
        columns=["customer_id", "occurred_at", "resolved_at", "category", "known_at"],
    ),
    "customers": pd.DataFrame({"customer_id": ["a", "b"], "market": ["jp", "us"]}),
}


def store() -> Store:
    config = {"name": "shop", "data": {"tables": {}}}
    return Project(config, tables=TABLES, today=date(2026, 2, 1)).store


def test_the_newest_comes_first_and_nothing_of_later() -> None:
    found = known_events(store(), "a", day_of(date(2026, 1, 10)))
    assert found is not None
    told = [(event.table, event.day and event.day.isoformat(), dict(event.values)) for event in found]
    assert told == [
        # Solved on the day itself: not known yet. The third complaint became known on the 11th.
        ("complaints", "2026-01-04", {"category": "late"}),
        ("complaints", "2026-01-02", {"resolved_at": date(2026, 1, 9)}),
        ("purchases", "2026-01-02", {"amount": 40.0}),
        ("customers", None, {"market": "jp"}),
    ]


def test_every_row_of_a_later_day_is_there() -> None:
    found = known_events(store(), "a", day_of(date(2026, 1, 12)))
    assert found is not None
    assert [(event.table, event.day) for event in found][:3] == [
        ("purchases", date(2026, 1, 10)),
        ("complaints", date(2026, 1, 5)),
        ("complaints", date(2026, 1, 4)),
    ]
    assert found[2].values["resolved_at"] == date(2026, 1, 10)


def test_an_id_is_kept_to_the_letter() -> None:
    assert known_events(store(), "A", day_of(date(2026, 1, 10))) is None
    early = known_events(store(), "b", day_of(date(2025, 1, 1)))
    assert early is not None
    assert [event.table for event in early] == ["customers"]
