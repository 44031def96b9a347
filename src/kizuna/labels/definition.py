"""What churn means for one shop, as one value that the model carries: who is eligible, and who churned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.events import Events
from kizuna.features.history import History
from kizuna.features.rows import Rows
from kizuna.labels import cancellation, inactivity, provided
from kizuna.labels.outcome import Outcome
from kizuna.timeline import LabelWindow


@dataclass(frozen=True)
class Rule:
    """One way to see churn in a table: who is eligible on a day, and who churned afterwards."""

    table: str
    eligible: Callable[[History, int], NDArray[np.bool_]]
    churned: Callable[[History, Outcome], NDArray[np.float64]]


DEFINITIONS = {
    "inactivity": Rule(inactivity.TABLE, inactivity.eligible, inactivity.churned),
    "cancellation": Rule(cancellation.TABLE, cancellation.eligible, cancellation.churned),
}


@dataclass(frozen=True)
class Definition:
    """The churn definition: ``kind`` is inactivity, cancellation or provided; all lengths in days."""

    kind: str
    horizon_days: int
    gap_days: int
    active_within_days: int
    arrives_after_days: int = 0

    @property
    def table(self) -> str:
        """The table whose rows decide."""
        return provided.TABLE if self.kind == "provided" else DEFINITIONS[self.kind].table

    @property
    def window(self) -> LabelWindow:
        """The label window."""
        return LabelWindow(self.horizon_days, self.gap_days, self.arrives_after_days)

    def to_json(self) -> dict[str, Any]:
        """A JSON tree for the model's folder."""
        return asdict(self)

    def eligible(self, tables: Mapping[str, Events], rows: Rows) -> NDArray[np.bool_]:
        """Rows whose customer may still be lost on that day.

        For provided labels: every customer with a row of supplied features, or, without such a table, with any event,
        who has not churned by a dated label that was known and matured by then, or was seen again since.
        """
        if self.kind == "provided":
            dated = [name for name in tables if name not in ("labels", "customers", "suppressions")]
            names = ["features"] if "features" in tables else dated
            seen = [History(tables[name], rows, tables) for name in names]
            there = [history.count() > 0 for history in seen]
            left = provided.has_left(History(tables["labels"], rows, tables), seen, self.window)
            return np.asarray(np.logical_or.reduce([np.zeros(len(rows), dtype=np.bool_), *there]) & ~left)
        return DEFINITIONS[self.kind].eligible(History(tables[self.table], rows, tables), self.active_within_days)

    def churned(self, tables: Mapping[str, Events], rows: Rows, train_day: int) -> NDArray[np.float64]:
        """1 churned, 0 kept, NaN where no label says so."""
        if self.kind == "provided":
            return provided.labels_of(tables["labels"], rows, self.window, train_day)[0]
        events = tables[self.table]
        outcome = Outcome(events, rows, self.window, train_day)
        return DEFINITIONS[self.kind].churned(History(events, rows, tables), outcome)


def definition_of(config: Config) -> Definition:
    """The definition that a config asks for."""
    churn = config.churn
    table = provided.TABLE if churn.definition == "provided" else DEFINITIONS[churn.definition].table
    source = config.data.tables.get(table)
    return Definition(
        kind=churn.definition,
        horizon_days=churn.horizon_days,
        gap_days=churn.gap_days,
        active_within_days=churn.active_within_days,
        arrives_after_days=source.arrives_after_days if source else 0,
    )
