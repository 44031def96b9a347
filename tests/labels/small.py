"""Labels of ten rows: who is eligible, who churned, what they were worth."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from tests.features.small import project_of
from tests.labels.oracle import every_row

from kizuna.features.history import History
from kizuna.labels.definition import definition_of
from kizuna.labels.outcome import Outcome
from kizuna.labels.value import value
from kizuna.timeline import LabelWindow, day_of


def day(text: str) -> int:
    """The day number of an ISO date."""
    return day_of(date.fromisoformat(text))


def labels_of(as_of: str, train_day: str, tables: dict[str, pd.DataFrame], **churn: Any) -> pd.DataFrame:
    """eligible and churned of every customer on one day, as training on its day could know them."""
    project = project_of(tables, churn=churn)
    definition = definition_of(project.config)
    events, rows = every_row(project.opened, [day(as_of)])
    churned = definition.churned(events, rows, day(train_day))
    return pd.DataFrame({"eligible": definition.eligible(events, rows), "churned": churned}, index=project.opened.ids())


def worth_of(
    as_of: str, train_day: str, purchases: pd.DataFrame, window: LabelWindow, margin: float = 1.0
) -> dict[str, float]:
    """The value of every customer's window."""
    store = project_of({"purchases": purchases}).opened
    tables, rows = every_row(store, [day(as_of)])
    outcome = Outcome(tables["purchases"], rows, window, day(train_day))
    found = value(History(tables["purchases"], rows, tables), outcome, margin)
    return dict(zip(store.ids(), found.tolist(), strict=True))
