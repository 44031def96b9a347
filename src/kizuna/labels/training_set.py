"""The training set: features of every eligible customer on every matured snapshot, and what happened afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.store import Store
from kizuna.errors import ContractError, DataMissing
from kizuna.features.frame import Frame, Select, Tables, build_frame, count_rows, days_to_dates
from kizuna.features.history import History
from kizuna.features.planning import make_plan
from kizuna.features.rows import Rows
from kizuna.features.sample import Sample
from kizuna.labels import provided
from kizuna.labels.definition import Definition, definition_of
from kizuna.labels.outcome import Outcome
from kizuna.labels.value import value as net_value
from kizuna.timeline import LabelWindow, date_of, snapshot_days

if TYPE_CHECKING:
    import pandas as pd

BlockColumn = Callable[[Tables, Rows], NDArray[np.float64]]
AUTO_HORIZONS_DAYS = (365, 180, 90)


@dataclass(frozen=True)
class TrainingSet:
    """One row per eligible customer and matured snapshot, sorted by as_of and customer id.

    ``y`` is 1 for churned, else 0. ``worth``: net money of the value window, NaN on snapshots whose value has not matured.
    ``value_window`` is None where no value can be learned; ``no_value`` then says why. ``dated`` is False for provided
    labels without ``as_of``: one snapshot outside time. ``beside_lists``: how many rows earlier lists have changed, where
    they are looked at (``training.treated``).
    """

    frame: Frame
    y: NDArray[np.float64]
    worth: NDArray[np.float64]
    definition: Definition
    value_window: LabelWindow | None
    no_value: str
    train_day: int
    dated: bool
    sampled_share: float
    beside_lists: Mapping[str, int] = field(default_factory=dict)

    @property
    def days(self) -> list[int]:
        """Snapshot days, newest first."""
        return sorted({int(day) for day in np.unique(self.frame.as_of)}, reverse=True)

    @property
    def features(self) -> pd.DataFrame:
        """Feature columns, float64."""
        return self.frame.columns()

    @property
    def customer_ids(self) -> NDArray[np.object_]:
        """Each row's customer id."""
        return self.frame.customer_ids

    @property
    def customer_id(self) -> pd.Series[str]:
        """Customer ids."""
        import pandas as pd

        return pd.Series(pd.array(self.customer_ids, dtype="str"), name="customer_id")

    @property
    def as_of(self) -> pd.Series[pd.Timestamp]:
        """Snapshot days as datetime64[s]."""
        import pandas as pd

        return pd.Series(days_to_dates(self.frame.as_of), name="as_of")

    @property
    def churned(self) -> pd.Series[float]:
        """1.0 churned, 0.0 kept."""
        import pandas as pd

        return pd.Series(self.y, name="churned")

    @property
    def value(self) -> pd.Series[float]:
        """Net money of the value window, NaN where it has not matured."""
        import pandas as pd

        return pd.Series(self.worth, name="value")


def default_train_day(store: Store, definition: Definition) -> int:
    """The day after the newest usable row of the label table: purchases, else subscriptions, else dated labels.

    Undated labels alone leave the store's own today.
    """
    name = store.label_table
    last = store.tables[name].last_day
    if name != "labels" or last is None:
        return store.today if last is None else last + 1
    return definition.window.matured_on(last)


def build_training_set(store: Store, config: Config, train_day: int) -> TrainingSet:
    """The training set that stands on ``train_day``: nothing known on or after it is used.

    Errors: DataMissing before the data begins; ContractError for no matured snapshot, one customer or one class.
    """
    definition = definition_of(config)
    days, dated = label_days(store, config, definition, train_day)
    days = days[: config.snapshots.max_count]

    def labelled(tables: Tables, rows: Rows) -> NDArray[np.bool_]:
        chosen = definition.eligible(tables, rows)
        if definition.kind == "provided":
            chosen = chosen & ~np.isnan(definition.churned(tables, rows, train_day))
        return chosen

    sample = _sample(store, config, days, labelled)
    plan = make_plan(store, config, days, labelled)
    window, no_value = _value_window(store, config, definition, days, train_day)
    worth = None if window is None else _worth(config, definition, window, train_day)

    def outcomes(tables: Tables, rows: Rows) -> dict[str, NDArray[np.float64]]:
        unknown = np.full(len(rows), np.nan)
        return {
            "churned": definition.churned(tables, rows, train_day),
            "worth": unknown if worth is None else worth(tables, rows),
        }

    frame = build_frame(store, plan, days, labelled, sample, outcomes)
    churned, value = frame.also["churned"], frame.also["worth"]
    share = 1.0 if sample is None else sample.share
    training = TrainingSet(frame, churned, value, definition, window, no_value, train_day, dated, share)
    require_learnable(training)
    return training


def label_days(store: Store, config: Config, definition: Definition, train_day: int) -> tuple[list[int], bool]:
    """Snapshot days whose churn label had matured by ``train_day``, newest first, and whether they are dated at all."""
    if definition.table not in store.tables:
        raise ContractError(
            f"churn.definition {definition.kind} needs the table {definition.table}; found {', '.join(store.tables)}. "
            "Add it under data.tables, or choose another definition."
        )
    info, window = store.tables[definition.table], definition.window
    if definition.kind == "provided":
        _require_all_dated_or_none(store)
        if info.first_day is None:
            return [train_day], False
    first_day = store.first_known_day(definition.table, train_day)
    if first_day is None:
        first = "nothing usable" if info.first_day is None else f"its first row on {date_of(info.first_day)}"
        raise DataMissing(
            f"Training was asked to stand on {date_of(train_day)}, but table {definition.table} has {first}. "
            "Choose a later --as-of, or load older rows."
        )
    if definition.kind == "provided":
        found = store.map(lambda block: provided.matured_days(block.tables["labels"], window, train_day), "labels")
        labelled = sorted({day for days in found for day in days}, reverse=True)
        if not labelled:
            raise ContractError(
                f"No label has matured by {date_of(train_day)}: the first is of {date_of(first_day)}, and its outcome takes "
                f"{window.matured_on(0)} days. Load older labels, choose a later --as-of, or shorten churn.horizon_days."
            )
        return labelled, True
    earliest = first_day + config.snapshots.min_history_days
    grid = snapshot_days(train_day, window, earliest, config.snapshots.every_days, config.snapshots.max_count)
    matured = [day for day in grid if window.is_matured(day, train_day)]
    if not matured:
        needed = config.snapshots.min_history_days + window.matured_on(0)
        raise ContractError(
            f"No snapshot has matured by {date_of(train_day)}: the first row is of {date_of(first_day)}, and a snapshot "
            f"needs {config.snapshots.min_history_days} days before it and {window.matured_on(0)} after it, {needed} in all, "
            f"of which there are {train_day - first_day}. Load older rows, or shorten churn.horizon_days or "
            "snapshots.min_history_days."
        )
    return matured, True


def _require_all_dated_or_none(store: Store) -> None:
    dated, undated = store.dated_rows("labels")
    if dated and undated:
        raise ContractError(
            f"Labels are dated by as_of or not dated at all; {dated:,} rows of table labels have an as_of and {undated:,} "
            "have none. Fill it, or leave the column out."
        )


def _sample(store: Store, config: Config, days: list[int], select: Select) -> Sample | None:
    """Whole customers, drawn so that about ``training.max_rows`` rows are kept; None where all rows are."""
    limit = config.training.max_rows
    if store.customers * len(days) <= limit:
        return None
    total = count_rows(store, days, select)
    return None if total <= limit else Sample(config.model.seed, limit / total)


def _value_window(
    store: Store, config: Config, definition: Definition, days: list[int], train_day: int
) -> tuple[LabelWindow | None, str]:
    """The window that value is learned over, or None with the reason."""
    churn = definition.window
    if definition.kind == "provided" and store.has("labels", "value"):
        return churn, ""
    if "purchases" not in store.tables:
        return None, "no table purchases, and no labels with a value"
    if definition.kind == "provided" and store.tables["labels"].first_day is None:
        return None, "the provided labels are undated and have no value"
    arrives = config.data.tables["purchases"].arrives_after_days if "purchases" in config.data.tables else 0
    asked = config.cltv.horizon_days
    horizons = sorted({*AUTO_HORIZONS_DAYS, churn.horizon_days}, reverse=True) if asked == "auto" else [asked]
    for horizon in horizons:
        window = LabelWindow(horizon, churn.gap_days, arrives)
        if any(window.is_matured(day, train_day) for day in days):
            return window, ""
    return None, f"no snapshot's value of {horizons[-1]} days has matured by {date_of(train_day)}"


def _worth(config: Config, definition: Definition, window: LabelWindow, train_day: int) -> BlockColumn:
    def column(tables: Tables, rows: Rows) -> NDArray[np.float64]:
        if definition.kind == "provided" and "value" in tables["labels"].numbers:
            return config.cltv.margin * provided.labels_of(tables["labels"], rows, definition.window, train_day)[1]
        events = tables["purchases"]
        outcome = Outcome(events, rows, window, train_day)
        worth = net_value(History(events, rows, tables), outcome, config.cltv.margin)
        return np.where(rows.as_of <= train_day - window.matured_on(0), worth, np.nan)

    return column


def require_learnable(training: TrainingSet) -> None:
    """ContractError for one customer, or one class."""
    customers, churners = len(np.unique(training.frame.customer)), int(np.sum(training.y))
    what = f"{len(training.y):,} rows of {customers:,} customers on {len(training.days)} snapshots"
    if customers < 2:
        raise ContractError(
            f"A churn model needs at least two eligible customers; found {customers}. "
            "Check churn.active_within_days, the mapping of customer_id, and the days of the data."
        )
    if churners in (0, len(training.y)):
        who = "nobody" if churners == 0 else "everybody"
        raise ContractError(
            f"A churn model needs customers who left and customers who stayed; {who} churned in {what}. "
            "Look at churn.definition, churn.horizon_days and churn.active_within_days."
        )
