"""The shop on Spark: blocks of whole customers on executors, each opened and worked on by the very code of the local engine."""

from __future__ import annotations

import pickle
import sys
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import accumulate
from operator import add
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kizuna.config import TABLES, Config
from kizuna.data.bad_rows import BadRows, quarantine_file, set_aside
from kizuna.data.blocks import Block
from kizuna.data.contract import Finding
from kizuna.data.events import Events
from kizuna.data.forgotten import Forgotten
from kizuna.data.loading import open_store
from kizuna.data.store import Store, TableInfo
from kizuna.data.verdicts import orphan_findings, refusal, table_findings
from kizuna.engines import parts
from kizuna.engines.session import knowing_pandas, open_session, rows_of, said
from kizuna.engines.staging import staging_folder
from kizuna.engines.tables import RawTable, for_spark, raw_table, stripped, united
from kizuna.errors import ConfigError, ContractError, DataMissing, KizunaError, nearest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Result = TypeVar("Result")
_AT_HAND = (
    "This needs the rows of customers at hand, and with engine.kind spark they lie on the executors. "
    "Use engine.kind: local on some of the customers."
)


@dataclass
class SparkStore(Store):
    """The whole shop, whose rows lie on executors. ``connection`` holds its tables without rows, for what needs columns only.

    ``prepared``: one row per block, its number and its clean tables. ``firsts``: customers before each block, by its number.
    """

    ids_ascend: ClassVar[bool] = False

    prepared: DataFrame = field(kw_only=True)
    firsts: dict[int, int] = field(default_factory=dict)

    def map(self, function: Callable[[Block], Result], what: str) -> Iterator[Result]:
        """``function(block)`` of all blocks, computed on the executors before the first one comes back.

        Results stay on the executors' disks and come to the driver a few at a time.
        """
        from pyspark.storagelevel import StorageLevel

        run = parts.answerer(_pickled(function), self._inside, self.today, self.firsts)
        with knowing_pandas():
            answers = self.prepared.select("block", "held").mapInArrow(run, parts.ANSWER_SCHEMA)
        answers = answers.persist(StorageLevel.DISK_ONLY)
        try:
            for row in rows_of(answers, what, "answer"):
                yield _unpickled(row["answer"])
        finally:
            answers.unpersist()

    def map_tables(self, function: Callable[[Block], pa.Table], what: str) -> Iterator[pa.Table]:
        """The rows of ``function(block)`` of all blocks, sorted by their first column.

        Executors write them as Parquet to the staging folder, from where they are read a batch at a time.
        """
        from pyspark.storagelevel import StorageLevel

        schema = function(self.block(0, 0)).schema
        wire = for_spark(schema)
        run = parts.tabulator(_pickled(function), self._inside, self.today, self.firsts, wire)
        kinds = self.prepared.sparkSession.createDataFrame(wire.empty_table()).schema
        with knowing_pandas():
            rows = self.prepared.select("block", "held").mapInArrow(run, kinds.add(parts.REFUSED, "binary"))
        # To sort is to look at the rows twice.
        rows = rows.persist(StorageLevel.DISK_ONLY)
        try:
            with staging_folder(self.config.staging) as folder:
                with said(what):
                    rows.orderBy(schema.names[0]).write.parquet(folder.uri)
                for batch in folder.batches():
                    for refused in batch[parts.REFUSED].drop_null():
                        raise pickle.loads(refused.as_buffer())
                    yield pa.Table.from_batches([batch]).drop_columns([parts.REFUSED]).cast(schema)
        finally:
            rows.unpersist()

    def select(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """The rows of each SELECT over clean tables, those of one block after another."""
        if not statements:
            return []
        found = self.map(lambda block: block.store.select(*statements), "counts")
        return [[row for rows in some for row in rows] for some in zip(*found, strict=True)]

    def ids(self, low: int = 0, high: int | None = None) -> NDArray[np.object_]:
        """Customer ids of the positions ``[low, high)``, in ascending order of their UTF-8 bytes."""
        found = [name for names in self.map(lambda block: block.ids(), "ids") for name in names]
        return np.array(sorted(found, key=str.encode)[low:high], dtype=object)

    def events(self, table: str, low: int, high: int) -> Events:
        """A table without rows: those of customers lie on the executors."""
        if low < high:
            raise ConfigError(_AT_HAND)
        return super().events(table, low, high)

    def write_table(self, table: str, select: str, texts_from: str | None = None) -> None:
        """ConfigError: clean tables are written by executors only, so that nothing can be proved by rewriting them."""
        raise ConfigError(_AT_HAND)

    @property
    def _inside(self) -> Config:
        """The config as an executor needs it."""
        return stripped(self.config, list(self.tables))


def open_spark_store(config: Config, today: int, frames: Mapping[str, Any] | None = None) -> SparkStore:
    """All configured tables, loaded and cleaned on the executors; what is wrong stands in ``findings``.

    ``frames``: tables handed in from Python, as Spark DataFrames or as the local engine takes them.
    """
    frames = frames or {}
    for name in frames:
        if name not in TABLES:
            raise ConfigError(f"There is no table '{name}'.{nearest(name, TABLES)} Tables are {', '.join(TABLES)}.")
    session = open_session(config)
    tables: dict[str, RawTable] = {}
    told: dict[str, list[Finding]] = {name: [] for name in TABLES if name in config.data.tables or name in frames}
    for name in told:
        try:
            tables[name] = raw_table(session, config, name, frames.get(name))
        except (DataMissing, ContractError) as error:
            told[name] = [refusal(config, name, error)]
    while True:
        store, bad = _opened(session, config, today, list(tables.values()))
        ruled_out = {}
        for name, info in store.tables.items():
            try:
                told[name] = table_findings(config, today, info, bad.get(name, []))
            except (DataMissing, ContractError) as error:
                ruled_out[name] = refusal(config, name, error)
        if not ruled_out:
            break
        # Who is a customer depends on which tables there are, so the others are opened again.
        told |= {name: [finding] for name, finding in ruled_out.items()}
        tables = {name: table for name, table in tables.items() if name not in ruled_out}
    in_parts = list(dict.fromkeys(store.findings))
    orphans = [finding for info in store.tables.values() for finding in orphan_findings(info)]
    store.findings = [finding for some in told.values() for finding in some] + in_parts + orphans
    return store


def _opened(
    session: SparkSession, config: Config, today: int, tables: list[RawTable]
) -> tuple[SparkStore, dict[str, list[BadRows]]]:
    """The store of these tables with the findings of its parts, and the bad rows of each table."""
    inside = stripped(config, [table.name for table in tables])
    bare = open_store(inside, today, {table.name: table.none for table in tables}, part=True)
    with said("counting rows"):
        rows = sum(table.frame.count() for table in tables)
    prepared = session.createDataFrame([], parts.OPENED_SCHEMA)
    if rows:
        how = (inside, today, bare.forgotten)
        prepared = _prepared(how, tables, -(-rows // config.engine.rows_per_block))
    rows_opened = rows_of(prepared, "opening the tables", "opened")
    found = {row["block"]: _unpickled(row["opened"]) for row in rows_opened}
    opened: list[parts.Opened] = [found[block] for block in sorted(found)]
    store = SparkStore(
        bare.connection,
        config,
        today,
        tables={
            name: _whole(info, [part.tables[name] for part in opened if name in part.tables])
            for name, info in bare.tables.items()
        },
        findings=[finding for part in opened for finding in part.findings],
        customers=sum(part.customers for part in opened),
        forgotten=bare.forgotten,
        prepared=prepared,
        firsts=dict(zip(sorted(found), accumulate((part.customers for part in opened), initial=0), strict=False)),
    )
    weakref.finalize(store, _let_go, prepared).atexit = False
    bad = {}
    for name in bare.tables:
        rules = [part.bad_rows[name] for part in opened if name in part.bad_rows]
        bad[name] = [reduce(add, some) for some in zip(*rules, strict=True)]
        if config.data.on_bad_rows == "quarantine":
            aside = [part.set_aside[name] for part in opened if name in part.set_aside]
            if aside:
                bare.connection.register("aside", pa.concat_tables(aside))
            set_aside(bare.connection, quarantine_file(config, name), "SELECT * FROM aside" if aside else None)
    return store, bad


def _prepared(how: tuple[Config, int, Forgotten], tables: list[RawTable], blocks: int) -> DataFrame:
    """One row per block that holds a customer: its number, what was found there, and its clean tables."""
    from pyspark.sql.functions import lit
    from pyspark.storagelevel import StorageLevel

    # Executors do not see the output folder, where the record of the forgotten lies.
    run = parts.opener([(table.name, table.packed()) for table in tables], *how)
    with knowing_pandas():
        grouped = united(tables, blocks).repartition(blocks, "block").groupBy("block")
        opened = grouped.applyInArrow(run, parts.OPENED_SCHEMA)
    # Spark keeps what is equal once, and would let go of it for all: this store's blocks are its own.
    return opened.withColumn("store", lit(uuid.uuid4().hex)).persist(StorageLevel.DISK_ONLY)


def _let_go(prepared: DataFrame) -> None:
    """Frees the executors' disks, where Spark still runs."""
    with suppress(Exception):
        prepared.unpersist()


def _whole(bare: TableInfo, some: list[TableInfo]) -> TableInfo:
    """What was found in a table, from what was found in its parts."""
    first = [info.first_day for info in some if info.first_day is not None]
    last = [info.last_day for info in some if info.last_day is not None]
    return replace(
        bare,
        rows=sum(info.rows for info in some),
        first_day=min(first, default=None),
        last_day=max(last, default=None),
        future_rows=sum(info.future_rows for info in some),
        bad_rows=sum(info.bad_rows for info in some),
        orphan_rows=sum(info.orphan_rows for info in some),
    )


def _pickled(function: Callable[..., Any]) -> bytes:
    """A function as bytes, with the code of modules that no import finds: the shop's own families."""
    from pyspark import cloudpickle

    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and module.__spec__ is None and name != "__main__":
            cloudpickle.register_pickle_by_value(module)
    payload: bytes = cloudpickle.dumps(function)
    return payload


def _unpickled(answer: bytes) -> Any:
    """A block's result; its refusal is raised as the shop's."""
    found = pickle.loads(answer)
    if isinstance(found, KizunaError):
        raise found
    return found
