"""Rows of one table from a database, as Arrow: SQLite, PostgreSQL, or whatever has an ADBC driver installed.

The text of a connection error is never repeated: it may hold the password that the uri holds.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kizuna.config import TableSource
from kizuna.data.examples import without_values
from kizuna.errors import ConfigError, ContractError, DataMissing, Transient, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

# Takes the rows as they come, so that a table larger than memory passes through.
Keep: TypeAlias = "Callable[[pa.RecordBatchReader], None]"
_DRIVERS = {"postgres": "postgresql", "grpc": "flightsql", "grpc+tls": "flightsql", "grpc+tcp": "flightsql"}
_REFUSED = ("password", "authentication", "no pg_hba", "does not exist", "permission denied")


def quote(name: str) -> str:
    """A column or table name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_sqlite(name: str, path: Path, table: str | None, query: str | None, keep: Keep) -> None:
    """Hands the rows of a table of a SQLite file, or of a query that runs in it, to ``keep``.

    Errors: DataMissing for a table that is not there; ContractError for a file that is none; ConfigError for a query
    that fails or a source that names neither.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        try:
            listed = (
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            )
            tables = [row[0] for row in connection.execute(listed)]
            select = _sqlite_select(connection, name, tables, table, query)
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error) or "malformed" in str(error):
                raise ContractError(f"Table {name}: {path.name} is no SQLite database. Check the path.") from None
            raise ConfigError(f"The query of table {name} fails: {error}. It runs inside {path.name}.") from None
    import adbc_driver_sqlite.dbapi as driver

    with driver.connect(uri) as opened, opened.cursor() as cursor:
        _run(name, cursor, select, keep)


def read_uri(name: str, source: TableSource, resolved_sqlite: Path | None, keep: Keep) -> None:
    """Hands the rows of the source's query (or table) in the database of its uri to ``keep``.

    ``resolved_sqlite``: the file of a sqlite uri, made absolute. Errors: ConfigError for an unknown driver, a refused
    log-in or a query that fails; Transient for a server that does not answer.
    """
    if resolved_sqlite is not None:
        if not resolved_sqlite.is_file():
            raise DataMissing(
                f"Table {name} is to be read from {source.uri}, but there is no such file (looked at {resolved_sqlite}). "
                f"Mend data.tables.{name}.uri; relative paths start at the config's folder."
            )
        return read_sqlite(name, resolved_sqlite, source.table, source.query, keep)
    scheme = str(source.uri).split(":", 1)[0].lower()
    driver = _driver(name, scheme)
    query = source.query or "SELECT * FROM " + ".".join(quote(part) for part in str(source.table).split("."))
    try:
        connection = driver.connect(str(source.uri))
    except Exception as error:
        raise _say_connection(name, scheme, error) from None
    with connection, connection.cursor() as cursor:
        _run(name, cursor, query, keep)


def _sqlite_select(
    connection: sqlite3.Connection, name: str, tables: list[str], table: str | None, query: str | None
) -> str:
    """SQL with one type per column: SQLite lets every cell have its own, and Arrow does not."""
    if table is None and query is None:
        raise ConfigError(
            f"Table {name} is in a database file; say which one with table:. It holds {', '.join(tables)}."
        )
    if table is not None and table not in tables:
        raise DataMissing(
            f"Table {name} asks for '{table}', but the file holds {', '.join(tables) or 'no table'}."
            f"{nearest(table, tables)} Mend data.tables.{name}.table."
        )
    rows = quote(table) if table is not None else f"({str(query).strip().rstrip(';')}\n)"
    columns = [item[0] for item in connection.execute(f"SELECT * FROM {rows} LIMIT 0").description]
    kinds = ", ".join(
        f"coalesce(max(CASE typeof({quote(column)}) WHEN 'blob' THEN 3 WHEN 'text' THEN 3 WHEN 'real' THEN 2 END), 0)"
        for column in columns
    )
    found = connection.execute(f"SELECT {kinds} FROM {rows}").fetchone()
    casts = [
        f"CAST({quote(column)} AS {'TEXT' if kind == 3 else 'REAL'}) AS {quote(column)}" if kind else quote(column)
        for column, kind in zip(columns, found, strict=True)
    ]
    return f"SELECT {', '.join(casts)} FROM {rows}"


def _driver(name: str, scheme: str) -> Any:
    driver = _DRIVERS.get(scheme, scheme)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", driver):
        raise ConfigError(
            f"Table {name}: the uri has no scheme such as postgresql:// or sqlite:///. Mend data.tables.{name}.uri."
        )
    try:
        return importlib.import_module(f"adbc_driver_{driver}.dbapi")
    except ImportError:
        how = "pip install 'kizuna[postgres]'" if driver == "postgresql" else f"pip install adbc-driver-{driver}"
        raise ConfigError(
            f"Table {name} is read from {scheme}, whose driver adbc-driver-{driver} is not installed. Install it: {how}."
        ) from None


def _say_connection(name: str, scheme: str, error: Exception) -> ConfigError | Transient:
    text = str(error).lower()
    if any(word in text for word in _REFUSED):
        return ConfigError(
            f"Table {name}: the {scheme} server answers and refuses the log-in. "
            "Check the user, the password and the database name of the uri."
        )
    return Transient(
        f"Table {name}: the {scheme} server did not answer ({type(error).__name__}). "
        "Check its address, or try again later."
    )


def _run(name: str, cursor: Any, query: str, keep: Keep) -> None:
    streaming = False
    try:
        cursor.execute(query)
        rows, streaming = cursor.fetch_record_batch(), True
        keep(rows)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = " ".join(lines[:2])[:400].rstrip(".")
        if "connection" in text.lower() and (streaming or type(error).__name__ == "OperationalError"):
            raise Transient(f"Table {name}: the server broke off while answering. Try again later.") from None
        # What breaks the stream is told by the reader of the stream, after its own words.
        text = text.rsplit("Execution error ", 1)[-1].rsplit("IOError: ", 1)[-1]
        raise ConfigError(
            f"The query of table {name} fails: {without_values(text)}. It runs inside the database."
        ) from None
