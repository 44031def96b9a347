"""One table of any source as a DuckDB relation: files, databases, frames, each with an optional query over ``source``.

What comes back is raw: renamed and checked in ``store.py``. In a CSV every column is text and only the empty cell is
null, so that ``007`` and ``NA`` stay what they are.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.config import Config, TableSource
from kizuna.errors import ConfigError, ContractError, DataMissing, Transient

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CSV = re.compile(r"\.(csv|tsv|txt)(\.gz|\.zst)?$", re.IGNORECASE)
_PARQUET = re.compile(r"\.(parquet|pq)$", re.IGNORECASE)
_DUCKDB = re.compile(r"\.(duckdb|ddb)$", re.IGNORECASE)
_SQLITE = re.compile(r"\.(sqlite3?|db3?)$", re.IGNORECASE)


def connect(threads: int) -> DuckDBPyConnection:
    """A private DuckDB that fetches no extension and keeps the order of nothing it is not told to."""
    import duckdb

    settings: dict[str, Any] = {
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        "temp_directory": str(Path(tempfile.gettempdir()) / f"kizuna-duckdb-{os.getpid()}"),
    }
    return duckdb.connect(config=settings)


def quote(name: str) -> str:
    """A column or table name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a quoted SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def load_raw(connection: DuckDBPyConnection, config: Config, name: str, frame: Any = None) -> str:
    """The name of a DuckDB table that holds the raw rows of one configured table (or of the frame handed in).

    Errors: DataMissing for a file that is not there; ContractError for one that cannot be read; ConfigError for a
    query that fails or a source that names nothing.
    """
    source = config.data.tables.get(name) or TableSource()
    raw = f"raw_{name}"
    connection.execute("DROP VIEW IF EXISTS source")
    if frame is not None:
        connection.register("frame_in", _as_arrow(name, frame))
        _materialise(connection, name, raw, "SELECT * FROM frame_in", source.query)
        connection.unregister("frame_in")
    elif source.uri is not None:
        connection.register("frame_in", _from_database(name, source))
        _materialise(connection, name, raw, "SELECT * FROM frame_in", None)
        connection.unregister("frame_in")
    elif source.path is not None:
        _load_path(connection, name, raw, config.resolve(source.path), source)
    else:
        raise ConfigError(
            f"Table {name} names neither path nor uri, and no frame was handed in. Add data.tables.{name}.path."
        )
    return raw


def _load_path(connection: DuckDBPyConnection, name: str, raw: str, path: Path, source: TableSource) -> None:
    text = str(path)
    if not (path.exists() or ("*" in text and any(Path(path.anchor).glob(text[len(path.anchor) :])))):
        raise DataMissing(
            f"Table {name} is to be read from {source.path}, but there is no such file (looked at {path}). "
            f"Mend data.tables.{name}.path; relative paths start at the config's folder."
        )
    if _DUCKDB.search(text):
        connection.execute(f"ATTACH {literal(text)} AS attached (READ_ONLY)")
        try:
            _materialise(connection, name, raw, _database_select(connection, name, source, "attached"), source.query)
        finally:
            connection.execute("DETACH attached")
    elif _SQLITE.search(text):
        connection.register("frame_in", _from_sqlite(name, path, source))
        _materialise(connection, name, raw, "SELECT * FROM frame_in", None if source.table is None else source.query)
        connection.unregister("frame_in")
    elif path.is_dir():
        select = f"SELECT * FROM read_parquet({literal(text + '/**/*.parquet')}, hive_partitioning = true)"
        _materialise(connection, name, raw, select, source.query)
    elif _PARQUET.search(text):
        _materialise(connection, name, raw, f"SELECT * FROM read_parquet({literal(text)})", source.query)
    elif _CSV.search(text):
        select = (
            f"SELECT * FROM read_csv({literal(text)}, all_varchar = true, header = true, nullstr = '', "
            "quote = '\"', escape = '\"', comment = '', skip = 0)"
        )
        _materialise(connection, name, raw, select, source.query)
    else:
        raise ConfigError(
            f"Table {name}: {source.path} is none of .parquet, .csv, .tsv (also .gz), .duckdb, .sqlite, .db. "
            "Export it as one of these."
        )


def _materialise(connection: DuckDBPyConnection, name: str, raw: str, select: str, query: str | None) -> None:
    import duckdb

    try:
        if query is None:
            connection.execute(f"CREATE OR REPLACE TABLE {raw} AS {select}")
            return
        connection.execute(f"CREATE OR REPLACE TEMP VIEW source AS {select}")
        connection.execute("SELECT 1 FROM source LIMIT 1")
    except duckdb.Error as error:
        raise ContractError(
            f"Table {name} cannot be read: {_first_lines(error)} Mend the file, or export it again as UTF-8."
        ) from None
    try:
        connection.execute(f"CREATE OR REPLACE TABLE {raw} AS {query.strip().rstrip(';')}")
    except duckdb.Error as error:
        raise ConfigError(
            f"The query of table {name} fails: {_first_lines(error)} Its input is called source."
        ) from None


def _database_select(connection: DuckDBPyConnection, name: str, source: TableSource, schema: str) -> str:
    tables = [
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ? "
            "UNION ALL SELECT view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal",
            [schema, schema],
        ).fetchall()
    ]
    if source.table is None:
        raise ConfigError(
            f"Table {name} is in a database file; say which one with table:. It holds {', '.join(tables)}."
        )
    if source.table not in tables:
        raise DataMissing(
            f"Table {name} asks for '{source.table}', but the file holds {', '.join(tables) or 'no table'}."
        )
    return f"SELECT * FROM {schema}.{quote(source.table)}"


def _from_sqlite(name: str, path: Path, source: TableSource) -> Any:
    import adbc_driver_sqlite.dbapi as sqlite

    if source.table is None and source.query is None:
        raise ConfigError(f"Table {name} is in a database file; say which one with table: or write a query:.")
    with sqlite.connect(path.resolve().as_uri() + "?mode=ro") as connection, connection.cursor() as cursor:
        if source.table is None:
            return _run(name, cursor, str(source.query))
        return _run(name, cursor, f"SELECT * FROM {quote(source.table)}")


def _from_database(name: str, source: TableSource) -> Any:
    uri = str(source.uri)
    scheme = uri.split(":", 1)[0].lower()
    query = source.query or f"SELECT * FROM {quote(str(source.table))}"
    if scheme in ("postgres", "postgresql"):
        try:
            import adbc_driver_postgresql.dbapi as driver
        except ImportError:
            raise ConfigError(
                f"Table {name} is read from PostgreSQL, whose driver is not installed. "
                "Install it: pip install 'kizuna[postgres]'."
            ) from None
    elif scheme == "sqlite":
        import adbc_driver_sqlite.dbapi as driver

        uri = uri.removeprefix("sqlite:///").removeprefix("sqlite:")
    else:
        raise ConfigError(f"Table {name}: the uri's scheme '{scheme}' is not known. Known are postgresql and sqlite.")
    try:
        connection = driver.connect(uri)
    except Exception as error:
        raise Transient(
            f"Table {name}: the {scheme} server did not answer ({type(error).__name__}). Try again."
        ) from None
    with connection, connection.cursor() as cursor:
        return _run(name, cursor, query)


def _run(name: str, cursor: Any, query: str) -> Any:
    try:
        cursor.execute(query)
        return cursor.fetch_arrow_table()
    except Exception as error:
        raise ConfigError(f"The query of table {name} fails: {_first_lines(error)}") from None


def _as_arrow(name: str, frame: Any) -> Any:
    import pyarrow as pa

    if isinstance(frame, (pa.Table, pa.RecordBatchReader)):
        return frame
    try:
        if hasattr(frame, "to_arrow"):
            return frame.to_arrow()
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, AttributeError) as error:
        raise ContractError(
            f"The frame for table {name} cannot be read: {_first_lines(error)} "
            "Hand in a pandas, Arrow or Polars frame with one type per column."
        ) from None


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:400].rstrip(".") + "."
