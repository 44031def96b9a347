"""What a day is scored from: rows that came too late for it are counted."""

from __future__ import annotations

import pandas as pd

from kizuna.project import Project
from kizuna.scoring.inputs import inputs_of, late_line


def test_rows_used_and_late_and_the_newest_day() -> None:
    purchases = pd.DataFrame(
        [
            ("a", "2026-01-01", "2026-01-01", 1.0),
            ("a", "2026-01-03", "2026-01-05", 1.0),
            ("b", "2026-01-04", "2026-01-04", 1.0),
            # Of the day before, and known on the day itself; then of the day itself, which nobody counts as late.
            ("b", "2026-01-09", "2026-01-10", 1.0),
            ("c", "2026-01-08", "2026-02-01", 1.0),
            ("c", "2026-01-10", "2026-02-01", 1.0),
        ],
        columns=["customer_id", "occurred_at", "known_at", "amount"],
    )
    customers = pd.DataFrame({"customer_id": ["a", "b"], "market": ["JP", "US"]})
    config = {"name": "shop", "data": {"tables": {}}}
    tables = {"purchases": purchases, "customers": customers}
    project = Project(config, tables=tables, today=pd.Timestamp("2026-03-01").date())
    inputs = inputs_of(project.store, project.day("2026-01-10"))
    assert inputs == [
        {"table": "customers", "rows": 2, "rows_used": 2, "late_rows": 0, "newest": None},
        {"table": "purchases", "rows": 6, "rows_used": 3, "late_rows": 2, "newest": "2026-01-04"},
    ]
    assert late_line(inputs) == "rows not known yet on the day, and not used: 2 of purchases"
    assert late_line(inputs[:1]) == ""
