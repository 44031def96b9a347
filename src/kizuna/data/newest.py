"""The newest day of each table, read without the rest: how far the shop's rows reach, in seconds on any shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna.config import TABLES, Config, TableSource
from kizuna.data.cleaning import clean_sql, install_macros
from kizuna.data.columns import match_columns
from kizuna.data.contract import CONTRACTS
from kizuna.data.events import UNDATED
from kizuna.data.loading import day_expressions
from kizuna.data.sources import connect, drop_raw, load_raw, quote, say_unreadable
from kizuna.errors import KizunaError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Newest:
    """One table: ``last_day`` of the rows known before today, None where none is dated; ``problem`` why it cannot be read.

    ``rows`` in all, as the source holds them.
    """

    table: str
    rows: int = 0
    last_day: int | None = None
    problem: str = ""


def newest_days(config: Config, today: int) -> list[Newest]:
    """Every configured table, in the order of the contract. Rows of ``today`` and later are not known yet."""
    connection = connect(config.engine.threads, config.engine.memory_gb)
    try:
        install_macros(connection, config.data.timezone)
        return [_newest(connection, config, name, today) for name in TABLES if name in config.data.tables]
    finally:
        connection.close()


def _newest(connection: DuckDBPyConnection, config: Config, name: str, today: int) -> Newest:
    import duckdb

    source = config.data.tables[name]
    try:
        rows, last = connection.execute(_select(connection, config, name, source, today)).fetchall()[0]
        if not rows and name != "suppressions":
            return Newest(name, problem=f"Table {name} is empty: 0 rows.")
        return Newest(name, int(rows), None if last is None else int(last))
    except duckdb.Error as error:
        return Newest(name, problem=str(say_unreadable(name, source, error)))
    except KizunaError as error:
        return Newest(name, problem=str(error))
    finally:
        drop_raw(connection, name)


def _select(connection: DuckDBPyConnection, config: Config, name: str, source: TableSource, today: int) -> str:
    """SQL of the number of rows, and of the newest day known before today."""
    raw = load_raw(connection, config, name)
    columns, types = match_columns(connection, CONTRACTS[name], source, raw)
    dates = {item: theirs for item, theirs in columns.items() if item.kind == "time"}
    lag_days = None if any(item.name == "known_at" for item in dates) else source.arrives_after_days
    day, known = day_expressions(CONTRACTS[name], dates, lag_days)
    ours = [
        f"{clean_sql(item.kind, theirs, types[theirs], config.data.timezone)} AS {quote(item.name)}"
        for item, theirs in dates.items()
    ]
    return (
        f"SELECT count(*), max(day) FILTER (WHERE day > {UNDATED} AND day < {today} AND known < {today}) "
        f"FROM (SELECT {day} AS day, {known} AS known FROM (SELECT {', '.join([*ours, '1 AS one'])} FROM {raw}))"
    )
