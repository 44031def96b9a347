"""Everybody who ever bought, eligible or not, as known on each day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.features.small import project_of, table
from tests.labels.small import day

from kizuna.labels.everybody import HISTORY_COLUMNS, everybody_on
from kizuna.labels.training_set import build_training_set

PURCHASES = table(
    "customer_id occurred_at amount is_return",
    *("a 2024-01-01 10 false", "a 2024-03-01 20 false", "b 2024-02-01 5 false", "c 2025-01-10 7 false"),
    *("d 2024-12-01 9 false", "d 2025-02-01 9 false", "e 2024-05-01 -4 true", "b 2024-04-01 -2 true"),
)


def everybody(days: list[str], **sections: object) -> pd.DataFrame | None:
    project = project_of({"purchases": PURCHASES}, churn={"active_within_days": 60, "horizon_days": 30}, **sections)
    training = build_training_set(project.opened, project.config, day("2025-03-01"))
    found = everybody_on(project.opened, training.frame.plan, [day(text) for text in days])
    return None if found is None else found.to_pandas().set_index(["as_of", "customer_id"])


def test_who_has_long_been_silent_is_there_and_who_only_returned_is_not() -> None:
    found = everybody(["2025-01-15", "2024-02-01"])
    assert found is not None
    assert list(found.columns) == [name for name in found.columns if name in HISTORY_COLUMNS]
    assert [customer for _, customer in found.index] == ["a", "a", "b", "c", "d"]
    first = found.loc[(pd.Timestamp("2024-02-01"), "a")]
    assert (first["orders"], first["tenure_days"], first["days_since_order"], first["revenue"]) == (1, 31, 31, 10)
    silent = found.loc[(pd.Timestamp("2025-01-15"), "a")]
    assert (silent["orders"], silent["tenure_days"], silent["days_since_order"]) == (2, 380, 320)
    np.testing.assert_array_equal(found["revenue"].to_numpy(), [10, 30, 3, 7, 9])


def test_without_its_columns_or_days_there_is_nothing() -> None:
    assert everybody(["2025-01-15"], features={"exclude": ["tenure_days"]}) is None
    assert everybody([]) is None
