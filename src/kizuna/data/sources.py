"""One table of any source as a DuckDB relation: files, databases, frames, each with an optional query over ``source``.

What comes back is raw: renamed and checked in ``loading.py``. In a CSV every column is text and only the empty cell is
null, so that ``007`` and ``NA`` stay what they are.
"""

from __future__ import annotations

import glob
import re
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.config import Config, TableSource
from kizuna.data.csv_file import CSV_NAME, say_csv_error, select_csv
from kizuna.data.database import quote, read_sqlite, read_uri
from kizuna.data.examples import without_values
from kizuna.data.frames import as_arrow
from kizuna.errors import ConfigError, ContractError, DataMissing, KizunaError, Transient, nearest
from kizuna.scratch import new_scratch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["connect", "drop_raw", "files_of", "is_csv", "is_parquet", "literal", "load_raw", "quote", "say_unreadable"]

_PARQUET = re.compile(r"\.(parquet|pq)$", re.IGNORECASE)
_DUCKDB = re.compile(r"\.(duckdb|ddb)$", re.IGNORECASE)
_SQLITE = re.compile(r"\.(sqlite3?|db3?)$", re.IGNORECASE)


def connect(threads: int, memory_gb: float) -> DuckDBPyConnection:
    """A private DuckDB that fetches no extension; what does not fit into memory goes to a folder that only we may read."""
    import duckdb

    scratch = new_scratch()
    settings: dict[str, Any] = {
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        "temp_directory": str(scratch.folder),
        "memory_limit": f"{memory_gb}GB",
    }
    connection = duckdb.connect(config=settings)
    weakref.finalize(connection, scratch.remove)
    return connection


def literal(text: str) -> str:
    """A text as a quoted SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_parquet(file: Path) -> bool:
    """Whether a file is Parquet by its name."""
    return _PARQUET.search(file.name) is not None


def is_csv(source: TableSource) -> bool:
    """Whether a table comes straight from CSV files, where every column is text."""
    return source.path is not None and source.query is None and CSV_NAME.search(source.path) is not None


def load_raw(connection: DuckDBPyConnection, config: Config, name: str, frame: Any = None) -> str:
    """The name of a DuckDB view of the raw rows of one configured table (or of the frame handed in).

    Files are read when the view is, the result of a query is kept; ``drop_raw`` lets go of both.

    Errors: DataMissing for a file that is not there; ContractError for one that cannot be read, or whose rows a query
    cannot convert; ConfigError for a query that fails or a source that names nothing; Transient for a database that
    does not answer.
    """
    import duckdb

    source = config.data.tables.get(name) or TableSource()
    drop_raw(connection, name)
    try:
        select = _select(connection, config, name, source, frame)
        query = None if _query_runs_inside(source) else source.query
        if query is None:
            connection.execute(f"CREATE VIEW raw_{name} AS {select}")
            return f"raw_{name}"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW source AS {select}")
    except duckdb.Error as error:
        raise say_unreadable(name, source, error) from None
    _run_query(connection, name, source, query)
    connection.execute(f"CREATE VIEW raw_{name} AS SELECT * FROM queried_{name}")
    return f"raw_{name}"


def drop_raw(connection: DuckDBPyConnection, name: str) -> None:
    """Lets go of a table's raw rows: views, kept results, frames and attached files."""
    connection.execute(f"DROP VIEW IF EXISTS raw_{name}")
    connection.execute("DROP VIEW IF EXISTS source")
    connection.execute(f"DROP TABLE IF EXISTS queried_{name}")
    connection.execute(f"DROP TABLE IF EXISTS read_{name}")
    connection.unregister(f"frame_{name}")
    connection.execute(f"DETACH DATABASE IF EXISTS attached_{name}")


def say_unreadable(name: str, source: TableSource, error: Exception) -> KizunaError:
    """The error to raise where DuckDB cannot read a source: what is wrong with the file, in the owner's words."""
    path = Path(source.path or "").name
    if "Could not set lock" in str(error) or "already open" in str(error):
        return Transient(f"Table {name}: {path} is in use by another program. Close it there, or try again later.")
    if source.path is not None and CSV_NAME.search(source.path):
        return ContractError(f"Table {name} cannot be read: {say_csv_error(error, path)}")
    return ContractError(
        f"Table {name} cannot be read: {_reason(error)} Mend {path or 'the source'}, or export it again."
    )


def _query_runs_inside(source: TableSource) -> bool:
    """Whether the query is for the database itself and not over the rows of a file or table."""
    if source.uri is not None:
        return True
    return source.table is None and source.path is not None and _SQLITE.search(source.path) is not None


def _select(connection: DuckDBPyConnection, config: Config, name: str, source: TableSource, frame: Any) -> str:
    """SQL that reads the source's own rows; frames are registered and rows from databases kept first."""

    def keep(rows: Any) -> None:
        connection.register(f"frame_{name}", rows)
        connection.execute(f"CREATE OR REPLACE TABLE read_{name} AS SELECT * FROM frame_{name}")

    if frame is not None:
        connection.register(f"frame_{name}", as_arrow(name, frame))
        return f"SELECT * FROM frame_{name}"
    if source.uri is not None:
        # sqlite:///shop.db is relative to the config, sqlite:////data/shop.db is not.
        match = re.fullmatch(r"sqlite:(?:///)?(.+)", source.uri)
        read_uri(name, source, config.resolve(match[1]) if match else None, keep)
    elif source.path is not None:
        files = files_of(name, config.resolve(source.path), source.path)
        if not _SQLITE.search(files[0].name) or _is_duckdb(files[0]):
            return _select_files(connection, name, files, source)
        read_sqlite(name, files[0], source.table, None if source.table else source.query, keep)
    else:
        raise ConfigError(
            f"Table {name} names neither path nor uri, and no frame was handed in. Add data.tables.{name}.path."
        )
    return f"SELECT * FROM read_{name}"


def _is_duckdb(file: Path) -> bool:
    """Whether a file is DuckDB's whatever it is called: both kinds of database like to end in .db."""
    with file.open("rb") as stream:
        return stream.read(12)[8:] == b"DUCK"


def files_of(name: str, path: Path, written: str) -> list[Path]:
    """The files that a path stands for: itself, the Parquet files of a folder, or those a pattern finds; sorted."""
    if path.is_dir():
        if (path / "_delta_log").is_dir():
            raise ConfigError(
                f"Table {name}: {written} is a Delta table, whose folder also holds rows deleted since. "
                "Export it as plain Parquet."
            )
        inside = [file for file in path.rglob("*") if file.is_file()]
        # A name that begins with _ or . is a writer's own: a marker, or a file not finished.
        files = sorted(file for file in inside if not any(part[0] in "_." for part in file.relative_to(path).parts))
        parquet = [file for file in files if is_parquet(file)]
        if not parquet:
            raise DataMissing(
                f"Table {name} is to be read from the folder {written}, but it holds no .parquet file "
                f"({len(files):,} other files). Mend data.tables.{name}.path; several CSV files need a pattern: {written}/*.csv."
            )
        return parquet
    files = [path] if path.is_file() else sorted(Path(found) for found in glob.glob(str(path), recursive=True))
    if not files:
        raise DataMissing(
            f"Table {name} is to be read from {written}, but there is no such file (looked at {path}). "
            f"Mend data.tables.{name}.path; relative paths start at the config's folder."
        )
    return files


def _select_files(connection: DuckDBPyConnection, name: str, files: list[Path], source: TableSource) -> str:
    literals = [literal(glob.escape(str(file))) for file in files]
    if all(is_parquet(file) for file in files):
        # Only folders that the config names are partitions: /data/env=live/orders.parquet has no column env.
        partitioned = str(len(files) > 1 or "=" in str(source.path)).lower()
        return (
            f"SELECT * FROM read_parquet([{', '.join(literals)}], union_by_name = true, "
            f"hive_partitioning = {partitioned}, hive_types_autocast = false)"
        )
    if all(CSV_NAME.search(file.name) for file in files):
        try:
            return select_csv(files, literals)
        except KizunaError as error:
            raise type(error)(f"Table {name} cannot be read: {error}") from None
    if len(files) == 1 and (_DUCKDB.search(files[0].name) or _is_duckdb(files[0])):
        connection.execute(f"ATTACH {literal(str(files[0]))} AS attached_{name} (READ_ONLY)")
        return _select_attached(connection, name, source)
    raise ConfigError(
        f"Table {name}: {source.path} is none of .parquet, .csv, .tsv (also .gz), .duckdb, .sqlite, .db. "
        "Export it as one of these."
    )


def _select_attached(connection: DuckDBPyConnection, name: str, source: TableSource) -> str:
    listed = (
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'main' UNION ALL "
        "SELECT view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal AND schema_name = 'main' ORDER BY 1"
    )
    tables = [row[0] for row in connection.execute(listed, [f"attached_{name}"] * 2).fetchall()]
    if source.table is None:
        raise ConfigError(
            f"Table {name} is in a database file; say which one with table:. It holds {', '.join(tables)}."
        )
    if source.table not in tables:
        raise DataMissing(
            f"Table {name} asks for '{source.table}', but the file holds {', '.join(tables) or 'no table'}."
            f"{nearest(source.table, tables)} Mend data.tables.{name}.table."
        )
    return f"SELECT * FROM attached_{name}.{quote(source.table)}"


def _run_query(connection: DuckDBPyConnection, name: str, source: TableSource, query: str) -> None:
    """Keeps the rows of a query over ``source``. Its mistakes are the config's; what it cannot convert is the data's."""
    import duckdb

    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConfigError(
                f"The query of table {name} must be one SELECT over source. Mend data.tables.{name}.query."
            )
        connection.execute(f"CREATE TABLE queried_{name} AS\n{query.strip().rstrip(';')}")
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise ConfigError(f"The query of table {name} fails: {_reason(error)} Its input is called source.") from None
    except duckdb.ConversionException as error:
        raise ContractError(
            f"The query of table {name} meets rows that it cannot convert: {_reason(error)} "
            "Mend them, or use try_cast in the query."
        ) from None
    except duckdb.Error as error:
        raise say_unreadable(name, source, error) from None


def _reason(error: Exception) -> str:
    """What DuckDB says is wrong, in one sentence, without its advice on options that kizuna does not have."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    converting = [line for line in lines if "ould not convert" in line]
    reason = (converting or lines)[0].split(" Error: ", 1)[-1]
    return without_values(reason)[:300].rstrip(".!") + "."
