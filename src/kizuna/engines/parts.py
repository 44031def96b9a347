"""What runs on an executor: some whole customers' raw rows, opened by the local engine, kept as Arrow, and worked on."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.bad_rows import BadRows, quarantine_file
from kizuna.data.blocks import Block
from kizuna.data.contract import Finding
from kizuna.data.events import Events
from kizuna.data.forgotten import Forgotten
from kizuna.data.loading import open_store
from kizuna.data.sources import connect
from kizuna.data.store import Store, TableInfo, events_of
from kizuna.errors import KizunaError
from kizuna.scratch import scratch_folder

Batches = Iterator[pa.RecordBatch]
OPENED_SCHEMA = "block long, opened binary, held binary"
ANSWER_SCHEMA = "block long, answer binary"
REFUSED = "refused"


@dataclass(frozen=True)
class Opened:
    """What one part tells of the whole shop. ``set_aside``: its rows that cannot be read, as they were in the source."""

    customers: int
    tables: dict[str, TableInfo]
    findings: list[Finding]
    bad_rows: dict[str, list[BadRows]]
    set_aside: dict[str, pa.Table]


@dataclass(frozen=True)
class Held:
    """One part's clean tables, and its customers' ids in ascending order of their UTF-8 bytes."""

    tables: dict[str, TableInfo]
    rows: dict[str, pa.Table]
    ids: pa.Array


@dataclass
class PartStore(Store):
    """One part, opened before: what a store gives, from tables that lie in memory."""

    rows_of: dict[str, pa.Table] = field(default_factory=dict)
    names: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))

    def ids(self, low: int = 0, high: int | None = None) -> NDArray[np.object_]:
        """Customer ids of the positions ``[low, high)``."""
        return self.names[low:high]

    def events(self, table: str, low: int, high: int) -> Events:
        """One table's rows of the customers ``[low, high)``."""
        rows = self.rows_of[table]
        begin, end = np.searchsorted(rows["customer"].to_numpy(), [low, high])
        return events_of(self.tables[table], rows.slice(begin, end - begin), low, high)

    def select(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """The rows of each SELECT over this part's clean tables."""
        with connect(1, self.config.engine.memory_gb) as connection:
            for name, rows in self.rows_of.items():
                connection.register(self.prefix + name, rows)
            numbers = pa.array(np.arange(self.customers, dtype=np.int32))
            ids = pa.array(self.names, pa.string())
            connection.register("customer_ids", pa.table({"customer": numbers, "customer_id": ids}))
            return [connection.execute(statement).fetchall() for statement in statements]


def opener(
    packed: list[tuple[str, dict[str, str]]], config: Config, today: int, forgotten: Forgotten
) -> Callable[[pa.Table], pa.Table]:
    """The function that opens one block's rows. ``packed``: for each table by number its name and the names of its columns."""

    def run(rows: pa.Table) -> pa.Table:
        opened, held = _answered(lambda: _open(rows, packed, (config, today, forgotten))), b""
        found = pickle.loads(opened)
        if not isinstance(found, KizunaError):
            opened, held = pickle.dumps(found[0]), pickle.dumps(found[1])
        block = rows["block"][0].as_py()
        binary = pa.binary()
        return pa.table({"block": [block], "opened": pa.array([opened], binary), "held": pa.array([held], binary)})

    return run


def answerer(payload: bytes, config: Config, today: int, firsts: dict[int, int]) -> Callable[[Batches], Batches]:
    """The function that runs a pickled block function on held parts and gives its pickled results."""

    def run(batches: Batches) -> Batches:
        function = pickle.loads(payload)
        for number, block in _blocks(batches, config, today, firsts):
            answer = _answered(lambda block=block: function(block))  # type: ignore[misc]
            yield pa.record_batch({"block": pa.array([number]), "answer": pa.array([answer], pa.binary())})

    return run


def tabulator(
    payload: bytes, config: Config, today: int, firsts: dict[int, int], schema: pa.Schema
) -> Callable[[Batches], Batches]:
    """The function that runs a pickled block function on held parts and gives the rows of its tables.

    A refusal is a row of its own: pickled in the last column, which is null elsewhere.
    """

    def run(batches: Batches) -> Batches:
        function = pickle.loads(payload)
        for _, block in _blocks(batches, config, today, firsts):
            found = pickle.loads(_answered(lambda block=block: function(block)))  # type: ignore[misc]
            if isinstance(found, KizunaError):
                arrays = [pa.nulls(1, kind) for kind in schema.types]
                rows = pa.table([*arrays, pa.array([pickle.dumps(found)], pa.binary())], [*schema.names, REFUSED])
            else:
                rows = found.cast(schema).append_column(REFUSED, pa.nulls(len(found), pa.binary()))
            yield from rows.to_batches()

    return run


def _blocks(batches: Batches, config: Config, today: int, firsts: dict[int, int]) -> Iterator[tuple[int, Block]]:
    for batch in batches:
        for number, binary in zip(batch["block"].to_pylist(), batch["held"], strict=True):
            held: Held = pickle.loads(binary.as_buffer())
            names = np.asarray(held.ids.to_numpy(zero_copy_only=False), dtype=object)
            # Its SQL runs in a database of its own, opened when there is some to run.
            store = PartStore(
                cast(Any, None), config, today, held.tables, customers=len(names), rows_of=held.rows, names=names
            )
            yield number, Block(store, 0, len(names), firsts[number])


def _answered(call: Callable[[], Any]) -> bytes:
    """The pickled result of a call, or the KizunaError that it raised: refusals travel as themselves."""
    try:
        return pickle.dumps(call())
    except KizunaError as error:
        return pickle.dumps(error)


def _open(
    rows: pa.Table, packed: list[tuple[str, dict[str, str]]], how: tuple[Config, int, Forgotten]
) -> tuple[Opened, Held]:
    frames, (config, today, forgotten) = {}, how
    for number, (name, columns) in enumerate(packed):
        mine = rows.filter(pc.equal(rows["table"], number)).select(list(columns))
        frames[name] = mine.rename_columns(list(columns.values()))
    with scratch_folder() as folder:
        placed = config.model_copy(update={"output": config.output.model_copy(update={"dir": str(folder)})})
        store = open_store(placed, today, frames, part=True, forgotten=forgotten)
        files = {name: quarantine_file(placed, name) for name in frames}
        aside = {name: pq.read_table(file, partitioning=None) for name, file in files.items() if file.is_file()}
    opened = Opened(store.customers, store.tables, store.findings, store.bad_rows, aside)
    clean = {
        name: store.connection.sql(f"SELECT * FROM {store.relation(name)}").to_arrow_table().combine_chunks()
        for name in store.tables
    }
    return opened, Held(store.tables, clean, pa.array(store.ids(), pa.string()))
