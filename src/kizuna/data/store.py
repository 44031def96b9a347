"""The shop's tables, checked, renamed and dated: everything later reads blocks of whole customers from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.contract import FILLS_IN_LATER, Field, Finding
from kizuna.data.events import NEVER, UNDATED, Coded, Events, starts_of
from kizuna.data.sources import quote
from kizuna.errors import ConfigError, ContractError, DataMissing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class TableInfo:
    """What was found in one table. Days are None where no row is dated; ``columns`` are ours, sorted by the contract."""

    name: str
    rows: int
    columns: tuple[Field, ...]
    first_day: int | None
    last_day: int | None
    future_rows: int
    bad_rows: int
    orphan_rows: int


@dataclass
class Store:
    """Clean tables in a private DuckDB, customers numbered in the order of their ids."""

    connection: DuckDBPyConnection
    config: Config
    today: int
    tables: dict[str, TableInfo] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    customers: int = 0

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table (or a column of it) is there."""
        if table not in self.tables:
            return False
        return column is None or any(item.name == column for item in self.tables[table].columns)

    def ids(self, low: int = 0, high: int | None = None) -> NDArray[np.object_]:
        """Customer ids of the positions ``[low, high)``, in ascending order of their UTF-8 bytes."""
        high = self.customers if high is None else high
        query = "SELECT customer_id FROM customer_ids WHERE customer >= ? AND customer < ? ORDER BY customer"
        return np.array([row[0] for row in self.connection.execute(query, [low, high]).fetchall()], dtype=object)

    def blocks(self, rows_per_block: int = 2_000_000) -> Iterator[tuple[int, int]]:
        """Ranges ``[low, high)`` of customers whose tables together hold about ``rows_per_block`` rows."""
        total = sum(info.rows for info in self.tables.values())
        count = max(1, -(-total // rows_per_block))
        step = max(1, -(-self.customers // count))
        for low in range(0, self.customers, step):
            yield low, min(low + step, self.customers)

    def events(self, table: str, low: int, high: int) -> Events:
        """One table's rows of the customers ``[low, high)``."""
        info = self.tables[table]
        names = [item.name for item in info.columns if item.name not in ("customer_id", "known_at")]
        # Values that fill in later come last, so that the order of equal rows never tells the future.
        names.sort(key=lambda name: name in FILLS_IN_LATER)
        select = ", ".join(["customer", "day", "known", *(quote(name) for name in names)])
        order = ", ".join(["customer", "day", "known", *(f"{quote(name)} NULLS FIRST" for name in names)])
        query = f"SELECT {select} FROM {quote('clean_' + table)} WHERE customer >= {low} AND customer < {high} ORDER BY {order}"
        arrow = self.connection.cursor().sql(query).to_arrow_table()
        customer = _numpy(arrow["customer"]).astype(np.int32) - np.int32(low)
        numbers: dict[str, NDArray[np.float64]] = {}
        days: dict[str, NDArray[np.int32]] = {}
        texts: dict[str, Coded] = {}
        for item in info.columns:
            if item.name in ("customer_id", "known_at"):
                continue
            column = arrow[item.name]
            if item.kind in ("number", "flag"):
                numbers[item.name] = _numpy(column.cast("float64")).astype(np.float64)
            elif item.kind == "time":
                days[item.name] = _numpy(column.fill_null(NEVER)).astype(np.int32)
            else:
                texts[item.name] = _coded(column)
        return Events(
            customer=customer,
            day=_numpy(arrow["day"]).astype(np.int32),
            known=_numpy(arrow["known"]).astype(np.int32),
            starts=starts_of(customer, high - low),
            numbers=numbers,
            days=days,
            texts=texts,
        )

    def dated_rows(self, table: str) -> tuple[int, int]:
        """How many rows of a table have a day, and how many have none."""
        counts = f"count(*) FILTER (WHERE day > {UNDATED}), count(*) FILTER (WHERE day = {UNDATED})"
        dated, undated = self.connection.execute(f"SELECT {counts} FROM {quote('clean_' + table)}").fetchall()[0]
        return int(dated), int(undated)

    def first_known_day(self, table: str, before: int) -> int | None:
        """The first day of a table's rows that were known before a day; None where there is none."""
        found = self.connection.execute(
            f"SELECT min(day) FROM {quote('clean_' + table)} WHERE day > {UNDATED} AND day < {before} AND known < {before}"
        ).fetchall()[0][0]
        return None if found is None else int(found)

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


def _numpy(column: Any) -> NDArray[Any]:
    values: NDArray[Any] = column.to_numpy()
    return values


def _coded(column: Any) -> Coded:
    """A text column as codes into its sorted levels."""
    encoded = column.combine_chunks().dictionary_encode()
    levels = encoded.dictionary.to_pylist()
    order = sorted(range(len(levels)), key=lambda index: levels[index].encode())
    rank = np.empty(len(levels) + 1, dtype=np.int32)
    rank[order] = np.arange(len(levels), dtype=np.int32)
    rank[-1] = -1
    codes = encoded.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    return Coded(rank[codes], tuple(levels[index] for index in order))
