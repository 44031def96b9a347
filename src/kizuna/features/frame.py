"""The feature frame: families × snapshots in blocks of whole customers. Training, backtest and scoring use this alone."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.events import Events
from kizuna.data.store import Store
from kizuna.errors import ModelError
from kizuna.features import sweep
from kizuna.features.families import families_for
from kizuna.features.family import Family
from kizuna.features.history import History
from kizuna.features.plan import IS_TREATED, Feature, FeaturePlan
from kizuna.features.rows import Rows, every_pair
from kizuna.features.sample import Listed, Sample, narrowed

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, Events]
Select = Callable[[Tables, Rows], NDArray[np.bool_]]
Columns = Mapping[str, NDArray[Any]]
Also = Callable[[Tables, Rows], Columns]
"""Further columns of the same rows, such as labels: arrays by name, one value per row."""


@dataclass(frozen=True)
class Frame:
    """Keys and values: ``customer`` (position in ``ids``), ``as_of`` (day), ``values`` (rows, columns) float64.

    Sorted by as_of and customer, one row per pair. ``ids`` ascend by their UTF-8 bytes; ``also`` holds further columns
    that were asked for, one value per row.
    """

    customer: NDArray[np.int32]
    as_of: NDArray[np.int32]
    values: NDArray[np.float64]
    plan: FeaturePlan
    ids: NDArray[np.object_]
    also: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def customer_ids(self) -> NDArray[np.object_]:
        """The id of each row's customer."""
        return np.asarray(self.ids[self.customer], dtype=object)

    def to_pandas(self) -> pd.DataFrame:
        """customer_id, as_of (datetime64[s]), then the plan's columns."""
        import pandas as pd

        keys = pd.DataFrame(
            {"customer_id": pd.array(self.customer_ids, dtype="str"), "as_of": days_to_dates(self.as_of)}
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
        return replace(self, values=self.values[:, keep], plan=plan)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Frame:
        """The rows that a mask keeps, or that stand at these places."""
        also = {name: values[keep] for name, values in self.also.items()}
        return replace(self, customer=self.customer[keep], as_of=self.as_of[keep], values=self.values[keep], also=also)


@dataclass(frozen=True)
class Part:
    """The rows of one block, with the ids of its customers."""

    ids: NDArray[np.object_]
    rows: Rows
    values: NDArray[np.float64]
    also: Columns


def days_to_dates(days: NDArray[np.int32]) -> NDArray[np.datetime64]:
    """Day numbers as datetime64[s]."""
    return days.astype("datetime64[D]").astype("datetime64[s]")


def build_frame(
    store: Store,
    plan: FeaturePlan,
    days: Sequence[int],
    select: Select,
    sample: Sample | Listed | None = None,
    also: Also | None = None,
) -> Frame:
    """The plan's columns for every selected (customer, day) pair; ModelError if the tables no longer give them.

    ``sample``: only the customers that it draws. ``also``: further columns of the same rows, from the same pass.
    """
    with narrowed(store, sample) as (few, left):
        return _build(few, plan, days, select, left, also)


def _build(
    store: Store,
    plan: FeaturePlan,
    days: Sequence[int],
    select: Select,
    sample: Sample | Listed | None,
    also: Also | None,
) -> Frame:
    families = families_for(plan, store.config)
    if store.ids_ascend:
        return _build_in_place(store, plan, families, lambda block: selected_rows(block, days, select, sample), also)

    def part(block: Block) -> Part:
        rows = selected_rows(block, days, select, sample)
        values = block_values(block.tables, rows, plan, families)
        return Part(block.ids(), rows, values, also(block.tables, rows) if also else {})

    return _assemble(list(store.map(part, "features")), plan)


def selected_rows(block: Block, days: Sequence[int], select: Select, sample: Sample | Listed | None = None) -> Rows:
    """The pairs of a block's customers and the days that are selected, of the customers that are drawn."""
    rows = every_pair(block.customers, days)
    chosen = select(block.tables, rows)
    if sample is not None:
        chosen = chosen & sample.draws(block.ids())[rows.customer]
    return rows.where(chosen)


def count_rows(store: Store, days: Sequence[int], select: Select) -> int:
    """How many pairs a frame would have, without building it."""
    return sum(store.map(lambda block: len(selected_rows(block, days, select)), "rows"))


def block_values(tables: Tables, rows: Rows, plan: FeaturePlan, families: Sequence[Family]) -> NDArray[np.float64]:
    """(rows, columns) of one block, in the plan's order."""
    out = np.empty((len(rows), len(plan.columns)), dtype=np.float64, order="F")
    _write_values(tables, rows, plan, families, out, np.arange(len(rows), dtype=np.int64))
    return out


def _write_values(
    tables: Tables,
    rows: Rows,
    plan: FeaturePlan,
    families: Sequence[Family],
    out: NDArray[np.float64],
    position: NDArray[np.int64],
) -> None:
    """Writes each row's features to the row of ``out`` that ``position`` names; ModelError where a column is not given."""
    columns = {(column.name, column.family): index for index, column in enumerate(plan.columns)}
    for family, feature in features_of(tables, rows, plan, families):
        index = columns.pop((feature.name, family), None)
        if index is not None:
            sweep.place(out[:, index], position, np.asarray(feature.values, dtype=np.float64))
    if (treated := columns.pop((IS_TREATED.name, IS_TREATED.family), None)) is not None:
        sweep.place(out[:, treated], position, np.zeros(len(rows)))
    if columns:
        missing = [name for name, _ in columns]
        raise ModelError(
            f"The model asks for {len(plan.columns)} features, but today's tables do not give {', '.join(missing[:5])}"
            f"{' and others' if len(missing) > 5 else ''}. Bring the table or column back, or train again."
        )


def features_of(
    tables: Tables, rows: Rows, plan: FeaturePlan, families: Sequence[Family]
) -> Iterator[tuple[str, Feature]]:
    """Every feature of the families on the rows, with its family's name."""
    pasts: dict[str, History] = {}
    others: WeakValueDictionary[str, History] = WeakValueDictionary()
    for family in families:
        if family.table in tables:
            if family.table not in pasts:
                others[family.table] = pasts[family.table] = History(tables[family.table], rows, tables, others=others)
            for feature in family.features(pasts[family.table], plan.settings):
                yield family.name, feature


def _build_in_place(
    store: Store, plan: FeaturePlan, families: Sequence[Family], choose: Callable[[Block], Rows], also: Also | None
) -> Frame:
    """The frame of blocks that follow one another by id: rows first, then every value written once, where it stays."""
    chosen = list(store.map(lambda block: (block.first, choose(block)), "rows"))
    begins = np.concatenate([[0], np.cumsum([len(rows) for _, rows in chosen], dtype=np.int64)])
    place = {first: (begins[index], rows) for index, (first, rows) in enumerate(chosen)}
    customer = np.concatenate([*(rows.customer + np.int32(first) for first, rows in chosen), np.empty(0, np.int32)])
    as_of = np.concatenate([*(rows.as_of for _, rows in chosen), np.empty(0, np.int32)])
    order, position = _sorted_by_day(customer, as_of, customers_ascend=True)
    values = _matrix(len(order), len(plan.columns))

    def fill(block: Block) -> Columns:
        begin, rows = place[block.first]
        _write_values(block.tables, rows, plan, families, values, position[begin : begin + len(rows)])
        return also(block.tables, rows) if also else {}

    further = list(store.map(fill, "features"))
    return Frame(customer[order], as_of[order], values, plan, store.ids(), _joined(further, order))


def _assemble(parts: list[Part], plan: FeaturePlan) -> Frame:
    """One frame of parts whose customers come in any order."""
    held = [np.unique(part.rows.customer) for part in parts]
    names: NDArray[Any] = np.concatenate(
        [*(p.ids[mine] for p, mine in zip(parts, held, strict=True)), np.empty(0, object)]
    )
    by_id = np.array(sorted(range(len(names)), key=lambda index: str(names[index]).encode()), dtype=np.int64)
    number = np.empty(len(by_id), np.int32)
    number[by_id] = np.arange(len(by_id), dtype=np.int32)
    begins = np.concatenate([[0], np.cumsum([len(mine) for mine in held], dtype=np.int64)])
    customers = [
        number[begin + np.searchsorted(mine, part.rows.customer)]
        for begin, mine, part in zip(begins, held, parts, strict=False)
    ]
    customer = np.concatenate([*customers, np.empty(0, np.int32)])
    as_of = np.concatenate([*(part.rows.as_of for part in parts), np.empty(0, np.int32)])
    order, position = _sorted_by_day(customer, as_of, customers_ascend=False)
    values = _matrix(len(order), len(plan.columns))
    begin = 0
    for part in parts:
        for column in range(len(plan.columns)):
            sweep.place(values[:, column], position[begin : begin + len(part.rows)], part.values[:, column])
        begin += len(part.rows)
    return Frame(customer[order], as_of[order], values, plan, names[by_id], _joined([p.also for p in parts], order))


def _matrix(rows: int, columns: int) -> NDArray[np.float64]:
    """An empty matrix, columns contiguous, in memory of its own.

    numpy would ask for huge pages; on a virtual machine whose host takes free memory back these cost seconds a gigabyte.
    """
    if not rows or not columns:
        return np.empty((rows, columns), dtype=np.float64, order="F")
    memory = mmap.mmap(-1, rows * columns * 8, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.ndarray((rows, columns), dtype=np.float64, buffer=memory, order="F")


def _sorted_by_day(
    customer: NDArray[np.int32], day: NDArray[np.int32], customers_ascend: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order of rows by day and customer, and the place of each row in it."""
    if not customers_ascend:
        order = np.lexsort((customer, day))
    elif len(day) and day.max() - day.min() < 2**16:
        # Keys of 16 bits are sorted by counting, many times faster.
        order = np.argsort((day - day.min()).astype(np.uint16), kind="stable")
    else:
        order = np.argsort(day, kind="stable")
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    return order, position


def _joined(columns: Sequence[Columns], order: NDArray[np.int64]) -> Columns:
    """The columns of all blocks as one, in this order."""
    names = columns[0] if columns else {}
    return {name: np.concatenate([some[name] for some in columns])[order] for name in names}
