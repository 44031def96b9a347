"""The shop's tables, checked, renamed and dated: everything later reads blocks of whole customers from here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.bad_rows import BadRows
from kizuna.data.blocks import Block, run_in_order
from kizuna.data.contract import FILLS_IN_LATER, Field, Finding
from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.data.forgotten import Forgotten
from kizuna.data.sources import literal, quote
from kizuna.data.ties import in_one_order
from kizuna.errors import ConfigError, ContractError, DataMissing
from kizuna.progress import track

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

Result = TypeVar("Result")

# A text column with more levels, such as an order id, stays text.
_MOST_LISTED_LEVELS = 1_000
_FEW_LEVELS = 32
_RESTING_MB = 256


@dataclass(frozen=True)
class TableInfo:
    """What was found in one table. Days are None where no row is dated; ``columns`` are ours, sorted by the contract.

    ``lag_days``: how long after its day every row is known, None where each row says so itself (``known_at``).
    """

    name: str
    rows: int
    columns: tuple[Field, ...]
    first_day: int | None
    last_day: int | None
    future_rows: int
    bad_rows: int
    orphan_rows: int
    lag_days: int | None = None


@dataclass
class Store:
    """Clean tables in a private DuckDB, customers numbered in the order of their ids.

    ``forgotten``: whose rows were left out; ``forgotten_rows``: how many those were. ``ids_ascend``: whether blocks
    follow one another in the order of ids (an engine may deal customers otherwise).
    """

    connection: DuckDBPyConnection
    config: Config
    today: int
    tables: dict[str, TableInfo] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    bad_rows: dict[str, list[BadRows]] = field(default_factory=dict)
    customers: int = 0
    forgotten: Forgotten = field(default_factory=Forgotten)
    forgotten_rows: int = 0
    prefix: str = "clean_"
    ids_ascend: ClassVar[bool] = True

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table (or a column of it) is there."""
        if table not in self.tables:
            return False
        return column is None or any(item.name == column for item in self.tables[table].columns)

    def ids(self, low: int = 0, high: int | None = None) -> NDArray[np.object_]:
        """Customer ids of the positions ``[low, high)``, in ascending order of their UTF-8 bytes."""
        high = self.customers if high is None else high
        query = f"SELECT customer_id FROM customer_ids WHERE customer >= {low} AND customer < {high} ORDER BY customer"
        arrow = self.connection.cursor().sql(query).to_arrow_table()
        return np.asarray(arrow["customer_id"].to_numpy(), dtype=object)

    def relation(self, table: str) -> str:
        """The quoted name of the DuckDB table that holds a table's clean rows, by customer, day and known day."""
        return quote(self.prefix + table)

    def write_table(self, table: str, select: str, texts_from: str | None = None) -> None:
        """Writes a table's clean rows from a SELECT of customer, day, known and the contract's columns.

        Rows lie by customer, day and known day; what then ties is put in order when it is read, which is faster. Texts of few
        levels become ENUMs (``list_levels``). ``texts_from``: a relation that holds the same texts, to look there.
        """
        info = self.tables[table]
        columns = {item.name: quote(item.name) for item in info.columns if item.name != "customer_id"}
        types = {row[0]: row[1] for row in self.connection.execute(f"DESCRIBE {select}").fetchall()}
        for item in info.columns:
            if item.kind in ("text", "code") and types[item.name] == "VARCHAR":
                found = self.list_levels(table, item.name, quote(item.name), texts_from or f"({select})")
                columns[item.name] = f"{found or quote(item.name)} AS {quote(item.name)}"
        keys = ["customer", "day", *(["known"] if info.lag_days is None else [])]
        rows = f"SELECT {', '.join([*keys, *columns.values()])} FROM ({select}) ORDER BY {', '.join(keys)}"
        if info.lag_days is not None:
            # What follows from the day need not be carried through the sort.
            rows = f"SELECT *, day + {info.lag_days} AS known FROM ({rows})"
        self.connection.execute(f"CREATE OR REPLACE TABLE {self.relation(table)} AS {rows}")

    def list_levels(self, table: str, column: str, text: str, relation: str, coded: bool = False) -> str | None:
        """A text expression over a relation as an ENUM of its sorted levels, made here; None where there are too many.

        An ENUM reads ten times faster than text. ``coded``: the relation holds codes of texts, as Parquet does.
        """
        query = (
            f"SELECT DISTINCT {text} AS level FROM {relation} WHERE {text} IS NOT NULL LIMIT {_MOST_LISTED_LEVELS + 1}"
        )
        found = [row[0] for row in self.connection.execute(query).fetchall()]
        if len(found) > _MOST_LISTED_LEVELS:
            return None
        kind = quote(f"{self.prefix}{table}.{column}")
        levels = [literal(level) for level in sorted(found, key=str.encode)]
        self.connection.execute(f"DROP TYPE IF EXISTS {kind}")
        self.connection.execute(f"CREATE TYPE {kind} AS ENUM ({', '.join(levels)})")
        if coded and 0 < len(levels) <= _FEW_LEVELS:
            # Worked out once for each code; a cast would be once for each row.
            return f"CASE {text} {' '.join(f'WHEN {level} THEN CAST({level} AS {kind})' for level in levels)} END"
        return f"CAST({text} AS {kind})"

    @property
    def missing(self) -> tuple[str, ...]:
        """Tables that are not there and, as the config says, may be missing."""
        return tuple(sorted(finding.table for finding in self.findings if finding.name == "missing_table"))

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(info.rows for info in self.tables.values())

    def ranges(self) -> list[tuple[int, int]]:
        """Customers ``[low, high)`` whose tables together hold about ``engine.rows_per_block`` rows, all customers once."""
        count = max(1, -(-self.rows // self.config.engine.rows_per_block))
        step = max(1, -(-self.customers // count))
        return [(low, min(low + step, self.customers)) for low in range(0, self.customers, step)]

    def block(self, low: int, high: int) -> Block:
        """The customers ``low`` … ``high − 1``."""
        return Block(self, low, high, low)

    def map(self, function: Callable[[Block], Result], what: str) -> Iterator[Result]:
        """``function(block)`` of all blocks, in their order; ``what`` names the work where progress is shown."""
        ranges = self.ranges()
        # Each block holds what it has read: it is made when its turn comes, and kept by nobody.
        blocks = (self.block(low, high) for low, high in ranges)
        results = run_in_order(function, blocks, self.config.engine.threads)
        return track(results, what, self.rows, len(ranges))

    def map_tables(self, function: Callable[[Block], pa.Table], what: str) -> Iterator[pa.Table]:
        """The rows of ``function(block)`` of all blocks, table after table, sorted by their first column, the customer's id.

        The function gives rows in the order of customers, and columns that are the same for a block of nobody.
        """
        return self.map(function, what)

    def rest(self) -> None:
        """Lets large tables go to disk until they are next read: memory is for what comes now."""
        import duckdb

        # Where pages are in use it stays as it is.
        with contextlib.suppress(duckdb.Error):
            self.connection.execute(f"SET memory_limit = '{_RESTING_MB}MB'")
        self.connection.execute(f"SET memory_limit = '{self.config.engine.memory_gb}GB'")

    def events(self, table: str, low: int, high: int) -> Events:
        """One table's rows of the customers ``[low, high)``."""
        info = self.tables[table]
        columns = [item for item in info.columns if item.name not in ("customer_id", "known_at")]
        select = ", ".join(["customer", "day", "known", *(quote(item.name) for item in columns)])
        query = f"SELECT {select} FROM {self.relation(table)} WHERE customer >= {low} AND customer < {high}"
        return events_of(info, self.connection.cursor().sql(query).to_arrow_table(), low, high)

    def select(self, *statements: str) -> list[list[tuple[Any, ...]]]:
        """The rows of each SELECT over clean tables; where an engine holds the shop in parts, those of one part after another.

        What is counted or grouped by customer then adds up, for a customer lies in one part; so do customers whose ids
        differ in case, blanks or leading zeros alone.
        """
        return [self.connection.execute(statement).fetchall() for statement in statements]

    def dated_rows(self, table: str) -> tuple[int, int]:
        """How many rows of a table have a day, and how many have none."""
        counts = f"count(*) FILTER (WHERE day > {UNDATED}), count(*) FILTER (WHERE day = {UNDATED})"
        dated, undated = added(*self.select(f"SELECT {counts} FROM {self.relation(table)}"))
        return dated, undated

    def first_known_day(self, table: str, before: int) -> int | None:
        """The first day of a table's rows that were known before a day; None where there is none."""
        (found,) = self.select(
            f"SELECT min(day) FROM {self.relation(table)} WHERE day > {UNDATED} AND day < {before} AND known < {before}"
        )
        return min((int(day) for (day,) in found if day is not None), default=None)

    @property
    def label_table(self) -> str:
        """The table that dates training by default: purchases, else subscriptions, else labels."""
        for name in ("purchases", "subscriptions", "labels"):
            if name in self.tables:
                return name
        raise ConfigError(
            "Training needs a table purchases, or subscriptions, or labels; found "
            f"{', '.join(self.tables) or 'none'}. Add one under data.tables."
        )

    def require_sound(self) -> None:
        """Raises the errors found while opening, worst first: ContractError (11) before DataMissing (10)."""
        errors = sorted((item for item in self.findings if item.state == "error"), key=lambda item: -item.exit_code)
        if not errors:
            return
        lines = [item.details for item in errors[:3]]
        if len(errors) > 3:
            lines[-1] += f" ({len(errors) - 3} more: run kizuna check.)"
        kind = {2: ConfigError, 10: DataMissing, 11: ContractError}[errors[0].exit_code]
        raise kind("\n".join(lines))


def events_of(info: TableInfo, arrow: pa.Table, low: int, high: int) -> Events:
    """A table's rows of the customers ``[low, high)`` as arrays, from its clean rows by customer, day and known day."""
    columns = [item for item in info.columns if item.name not in ("customer_id", "known_at")]
    customer = _numpy(arrow["customer"]) - np.int32(low)
    events = Events(
        customer=customer,
        day=_numpy(arrow["day"]),
        known=_numpy(arrow["known"]),
        starts=starts_of(customer, high - low),
        numbers={i.name: _floats(arrow[i.name]) for i in columns if i.kind in ("number", "flag")},
        days={i.name: _numpy(arrow[i.name].fill_null(NEVER)) for i in columns if i.kind == "time"},
        texts={i.name: _coded(arrow[i.name]) for i in columns if i.kind in ("text", "code", "id")},
        lag_days=info.lag_days,
    )
    return in_one_order(events, sorted((i.name for i in columns), key=lambda name: name in FILLS_IN_LATER))


def added(rows: list[tuple[int | None, ...]]) -> tuple[int, ...]:
    """The sums of each column of counts; null counts as 0."""
    return tuple(sum(int(value or 0) for value in column) for column in zip(*rows, strict=True))


def _numpy(column: Any) -> NDArray[Any]:
    values: NDArray[Any] = column.to_numpy()
    return values


def _floats(column: Any) -> NDArray[np.float64]:
    return _numpy(column.cast("float64")).astype(np.float64, copy=False)


def _coded(column: Any) -> Coded:
    """A text column as codes into its levels; those of an ENUM are sorted."""
    encoded = column.combine_chunks()
    listed = hasattr(encoded, "dictionary")
    if not listed:
        encoded = encoded.dictionary_encode()
    codes = encoded.indices.cast("int32").fill_null(-1)
    return Coded(codes.to_numpy(zero_copy_only=False), encoded.dictionary, ascending=listed)
