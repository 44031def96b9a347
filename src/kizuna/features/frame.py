"""The feature frame: families × snapshots in blocks of whole customers. Training, backtest and scoring use this alone."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.events import UNDATED, Events
from kizuna.data.store import Store
from kizuna.engines.local import run_blocks
from kizuna.errors import ModelError
from kizuna.features.families import FAMILIES
from kizuna.features.history import History, Rows, every_pair
from kizuna.features.plan import Column, Feature, FeaturePlan, Settings
from kizuna.features.vocabulary import choose_levels, current_codes
from kizuna.timeline import date_of

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, Events]
Select = Callable[[Tables, Rows], NDArray[np.bool_]]
_MAX_DISTINCT_LEVELS = 200


@dataclass(frozen=True)
class Frame:
    """Keys and values: ``customer`` (number in the store), ``as_of`` (day), ``values`` (rows, columns) float64.

    Sorted by as_of and customer, one row per pair.
    """

    customer: NDArray[np.int32]
    as_of: NDArray[np.int32]
    values: NDArray[np.float64]
    plan: FeaturePlan

    def __len__(self) -> int:
        return len(self.customer)

    def to_pandas(self, store: Store) -> pd.DataFrame:
        """customer_id, as_of (datetime64[s]), then the plan's columns."""
        import pandas as pd

        keys = pd.DataFrame(
            {"customer_id": pd.array(store.ids()[self.customer], dtype="str"), "as_of": days_to_dates(self.as_of)}
        )
        return pd.concat([keys, self.columns()], axis=1)

    def columns(self) -> pd.DataFrame:
        """The plan's columns alone."""
        import pandas as pd

        return pd.DataFrame(self.values, columns=self.plan.names, copy=False)

    def without(self, names: Sequence[str], why: str) -> Frame:
        """The same rows without some columns, the reason noted in the plan."""
        keep = [index for index, name in enumerate(self.plan.names) if name not in names]
        columns = tuple(self.plan.columns[index] for index in keep)
        left_out = (*self.plan.left_out, *(f"{name}: {why}" for name in names))
        plan = replace(self.plan, columns=columns, left_out=left_out)
        return replace(self, values=np.ascontiguousarray(self.values[:, keep]), plan=plan)

    def where(self, keep: NDArray[np.bool_]) -> Frame:
        """The rows that a mask keeps."""
        return replace(self, customer=self.customer[keep], as_of=self.as_of[keep], values=self.values[keep])


def days_to_dates(days: NDArray[np.int32]) -> NDArray[np.datetime64]:
    """Day numbers as datetime64[s]."""
    return days.astype("datetime64[D]").astype("datetime64[s]")


def tables_of(store: Store, low: int, high: int) -> dict[str, Events]:
    """All event tables of a block."""
    return {name: store.events(name, low, high) for name in store.tables}


def make_plan(store: Store, config: Config, days: list[int], select: Select) -> FeaturePlan:
    """The columns that this shop can have on these days: windows that its history fills, levels that its rows hold.

    Only what was known on those days is looked at, so that rows of a later time change nothing.
    """
    asked = config.features.families
    families = [f for f in FAMILIES if f.table in store.tables and (asked == "all" or f.name in asked)]
    history_days = _history_days(store, max(days)) if days else None
    windows = [w for w in config.features.windows_days if history_days is None or w <= history_days]
    left_out = [
        f"windows of {w} days: longer than the {history_days} days of history at {date_of(max(days))}"
        for w in config.features.windows_days
        if w not in windows
    ]
    plan = FeaturePlan(tuple(windows), tuple(family.name for family in families))
    vocabularies, unlike = _vocabularies(store, plan, days, select)
    plan = replace(plan, vocabularies=vocabularies)
    columns = _columns_of(store, plan)
    kept = [c for c in columns if not any(fnmatch.fnmatchcase(c.name, pattern) for pattern in config.features.exclude)]
    left_out += unlike + [f"{column.name}: features.exclude" for column in columns if column not in kept]
    return replace(plan, columns=tuple(kept), left_out=tuple(left_out))


def build_frame(
    store: Store, plan: FeaturePlan, days: list[int], select: Select, sample: NDArray[np.bool_] | None = None
) -> Frame:
    """The plan's columns for every selected (customer, day) pair; ModelError if the tables no longer give them.

    ``sample``: one bool per customer of the store; the others are left out.
    """

    def block(low: int, high: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        tables = tables_of(store, low, high)
        rows = every_pair(high - low, days)
        chosen = select(tables, rows)
        rows = rows.where(chosen if sample is None else chosen & sample[rows.customer + low])
        return rows.customer + np.int32(low), rows.as_of, block_values(tables, rows, plan)

    parts = run_blocks(block, store.blocks(), store.config.engine.threads)
    customer = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.int32)
    as_of = np.concatenate([part[1] for part in parts]) if parts else np.empty(0, np.int32)
    values = np.concatenate([part[2] for part in parts]) if parts else np.empty((0, len(plan.columns)))
    order = np.lexsort((customer, as_of))
    return Frame(customer[order], as_of[order], values[order], plan)


def count_rows(store: Store, days: list[int], select: Select) -> int:
    """How many pairs a frame would have, without building it."""

    def block(low: int, high: int) -> int:
        return int(np.sum(select(tables_of(store, low, high), every_pair(high - low, days))))

    return sum(run_blocks(block, store.blocks(), store.config.engine.threads))


def block_values(tables: Tables, rows: Rows, plan: FeaturePlan) -> NDArray[np.float64]:
    """(rows, columns) of one block, in the plan's order."""
    position = {name: index for index, name in enumerate(plan.names)}
    out = np.empty((len(rows), len(position)), dtype=np.float64, order="F")
    seen = set()
    for _, feature in _features(tables, rows, plan):
        index = position.get(feature.name)
        if index is not None and feature.name not in seen:
            out[:, index] = feature.values
            seen.add(feature.name)
    missing = [name for name in plan.names if name not in seen]
    if missing:
        raise ModelError(
            f"The model asks for {len(position)} features, but today's tables do not give {', '.join(missing[:5])}"
            f"{' and others' if len(missing) > 5 else ''}. Bring the table or column back, or train again."
        )
    return np.ascontiguousarray(out)


def _features(tables: Tables, rows: Rows, plan: FeaturePlan) -> list[tuple[str, Feature]]:
    settings = Settings(plan.windows_days, plan.vocabularies)
    found: list[tuple[str, Feature]] = []
    for family in FAMILIES:
        if family.name in plan.families and family.table in tables:
            history = History(tables[family.table], rows, tables)
            found.extend((family.name, feature) for feature in family.features(history, settings))
    return found


def _columns_of(store: Store, plan: FeaturePlan) -> list[Column]:
    """Columns by name, from a block without customers: what a family yields depends on tables, never on rows."""
    tables = tables_of(store, 0, 0)
    columns = [Column(f.name, family, f.driver, f.unit) for family, f in _features(tables, every_pair(0, [0]), plan)]
    # A column of the shop's own making may bear the name of one of ours; ours comes first and keeps it.
    return list({column.name: column for column in reversed(columns)}.values())[::-1]


def _history_days(store: Store, as_of: int) -> int | None:
    """Days from the shop's first row, of those known by then, to ``as_of``; None where nothing is dated."""
    names: list[str] = [name for name in ("purchases", "subscriptions") if name in store.tables]
    names = names or list(store.tables)
    first = [day for name in names if (day := store.first_known_day(name, as_of)) is not None]
    return as_of - min(first) if first else None


def _vocabularies(
    store: Store, plan: FeaturePlan, days: list[int], select: Select
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Levels of each text column on the selected rows, and the columns with too many, with the reason."""
    families = [f for f in FAMILIES if f.name in plan.families and f.text_columns is not None]
    if not families or not days:
        return {}, []

    def block(low: int, high: int) -> dict[str, Counter[str]]:
        tables = tables_of(store, low, high)
        rows = every_pair(high - low, days)
        rows = rows.where(select(tables, rows))
        counts: dict[str, Counter[str]] = {}
        for family in families:
            history = History(tables[family.table], rows, tables)
            for column in family.text_columns(history) if family.text_columns else []:
                codes, levels = current_codes(history, column), history.texts(column).levels
                found = np.bincount(codes[codes >= 0].astype(np.int64), minlength=len(levels))
                counts[f"{family.table}.{column}"] = Counter(
                    {level: int(n) for level, n in zip(levels, found, strict=True) if n}
                )
        return counts

    counts: dict[str, Counter[str]] = {}
    for part in run_blocks(block, store.blocks(), store.config.engine.threads):
        for column, counter in part.items():
            counts.setdefault(column, Counter()).update(counter)
    many = {column: len(counter) for column, counter in counts.items() if len(counter) > _MAX_DISTINCT_LEVELS}
    unlike = [f"{column}: {number:,} different texts, like an identifier" for column, number in sorted(many.items())]
    chosen = {column: () if column in many else choose_levels(dict(counter)) for column, counter in counts.items()}
    return chosen, unlike


def earliest_day(store: Store) -> int | None:
    """The first day on which anything is dated; None where nothing is."""
    days = [info.first_day for info in store.tables.values() if info.first_day is not None and info.first_day > UNDATED]
    return min(days) if days else None
