"""The shop's raw tables as Spark DataFrames: Parquet and catalog tables read by Spark, everything else by the local loader."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.config import Config, TableSource
from kizuna.data.cleaning import install_macros
from kizuna.data.columns import match_columns
from kizuna.data.contract import CONTRACTS
from kizuna.data.sources import connect, files_of, is_parquet, load_raw, quote, say_unreadable
from kizuna.engines.session import reason
from kizuna.errors import ConfigError, DataMissing

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame, SparkSession

_LARGEST_EXACT = 2**53
_PATTERN = re.compile(r"[*?\[=]")


@dataclass(frozen=True)
class RawTable:
    """One table as it is in its source: its rows, a table of none of them, and the columns that are read, the id first."""

    name: str
    frame: DataFrame
    none: pa.Table
    read: list[str]

    def packed(self) -> dict[str, str]:
        """The source's columns by their places in the rows of all tables, which share places of a kind: rows stay short."""
        seen: Counter[str] = Counter()
        out = {}
        for column in self.none.column_names:
            kind = self.frame.schema[column].dataType.simpleString()
            out[f"{kind} {seen[kind]}"] = column
            seen[kind] += 1
        return out


def stripped(config: Config, names: list[str]) -> Config:
    """The config of these tables as rows already read: how they are called and when they arrive, not where they lie."""
    nowhere = {"path": None, "uri": None, "table": None, "query": None}
    sources = config.data.tables
    tables = {name: sources.get(name, TableSource()).model_copy(update=nowhere) for name in names}
    engine = config.engine.model_copy(update={"kind": "local", "threads": 1})
    return config.model_copy(update={"data": config.data.model_copy(update={"tables": tables}), "engine": engine})


def raw_table(session: SparkSession, config: Config, name: str, frame: Any = None) -> RawTable:
    """A configured table, or the frame handed in for it, with the columns that are read.

    Errors are those of the local engine: ConfigError, DataMissing, ContractError.
    """
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql.functions import col

    source = config.data.tables.get(name) or TableSource()
    try:
        found = _read(session, config, name, source, frame)
        none = found.limit(0).toArrow()
    except (AnalysisException, ParseException) as error:
        raise _say(name, source, error) from None
    connection = connect(1, config.engine.memory_gb)
    connection.register("raw", none)
    columns, _ = match_columns(connection, CONTRACTS[name], stripped(config, [name]).data.tables[name], "raw")
    read = list(dict.fromkeys(columns.values()))
    # What is set aside is shown as it was, whole.
    if config.data.on_bad_rows == "fail":
        none = none.select(read)
        found = found.select([col(_quoted(column)) for column in none.column_names])
    return RawTable(name, found, none, read)


def united(tables: list[RawTable], blocks: int) -> DataFrame:
    """The rows of all tables as one frame: ``block``, which all rows of a customer share, ``table`` by number, columns."""
    from pyspark.sql.functions import col, hash, lit, lower, ltrim, pmod, trim, when

    parts = []
    for number, table in enumerate(tables):
        columns = [col(_quoted(theirs)).alias(ours) for ours, theirs in table.packed().items()]
        # Rows without an id are nobody's and may lie anywhere; together they could fill a block.
        anywhere = hash(*(col(_quoted(column)) for column in table.read))
        customer = spelled_id(table.frame, table.read[0])
        # Ids that differ in case, blanks or leading zeros alone meet in one block, where they are reported.
        alike = ltrim(lower(trim(customer)), lit("0"))
        dealt = when(customer.isNull(), anywhere).otherwise(hash(alike))
        block = pmod(dealt, lit(blocks)).cast("long").alias("block")
        parts.append(table.frame.select(block, lit(number).alias("table"), *columns))
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)


def spelled_id(frame: DataFrame, column: str) -> Column:
    """The id as loading will spell it, null where there is none: the number 7 and the text 7 are one customer."""
    from pyspark.sql import functions as f
    from pyspark.sql.types import DecimalType, DoubleType, FloatType, StringType

    kind, value = frame.schema[column].dataType, f.col(_quoted(column))
    if isinstance(kind, StringType):
        return f.when(f.trim(value) != "", value)
    if isinstance(kind, (FloatType, DoubleType)):
        number = value.cast("double")
        exact = (f.abs(number) < _LARGEST_EXACT) & (number == f.floor(number))
        return f.when(exact, number.cast("long").cast("string"))
    if isinstance(kind, DecimalType):
        whole = value == f.floor(value)
        return f.when(whole, value.cast("decimal(38,0)").cast("string"))
    return value.cast("string")


def for_spark(schema: pa.Schema) -> pa.Schema:
    """The same columns without the types that Spark does not have."""
    import pyarrow as pa

    instead = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.decimal128(20, 0),
        pa.float16(): pa.float32(),
        pa.date64(): pa.date32(),
        pa.string_view(): pa.string(),
        pa.null(): pa.string(),
    }
    kinds = [pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else kind for kind in schema.types]
    return pa.schema([(name, instead.get(kind, kind)) for name, kind in zip(schema.names, kinds, strict=True)])


def _read(session: SparkSession, config: Config, name: str, source: TableSource, frame: Any) -> DataFrame:
    """The table's rows: read by Spark where it can, else by the local loader into the driver's memory."""
    from pyspark.sql import DataFrame

    rows = frame if isinstance(frame, DataFrame) else None
    if frame is None:
        rows = _in_spark(session, config, name, source)
    if rows is None:
        return _read_here(session, config, name, source, frame)
    if source.query is None or (frame is None and source.path is None and source.table is None):
        return rows
    rows.createOrReplaceTempView("source")
    return rows.sparkSession.sql(source.query.strip().rstrip(";"))


def _in_spark(session: SparkSession, config: Config, name: str, source: TableSource) -> DataFrame | None:
    """Parquet, a catalog table, or a query over the catalog; None where the source is none of these."""
    if source.uri is not None:
        return None
    if source.path is None:
        if source.table is not None:
            return session.table(source.table)
        if source.query is not None:
            return session.sql(source.query.strip().rstrip(";"))
        raise ConfigError(
            f"Table {name} names neither path, uri, table nor query, and no frame was handed in. "
            f"Add data.tables.{name}.path."
        )
    reader = session.read.option("mergeSchema", "true")
    if re.match(r"[a-z][a-z0-9]+://", source.path):
        return reader.parquet(source.path)
    path = config.resolve(source.path)
    files = files_of(name, path, source.path)
    if not all(is_parquet(file) for file in files):
        return None
    parts = list(takewhile(lambda part: not _PATTERN.search(part), Path(source.path).parts))
    above = config.resolve(str(Path(*parts)))
    if above.is_dir():
        # Folders below it that are called name=value are columns.
        reader = reader.option("basePath", above.as_uri())
    return reader.parquet(*(file.as_uri() for file in files))


def _read_here(session: SparkSession, config: Config, name: str, source: TableSource, frame: Any) -> DataFrame:
    """Rows that Spark does not read itself, by way of the local loader; what a CSV's cells are is seen before it is left."""
    import duckdb

    connection = connect(config.engine.threads, config.engine.memory_gb)
    install_macros(connection, config.data.timezone)
    raw = load_raw(connection, config, name, frame)
    try:
        columns, types = match_columns(connection, CONTRACTS[name], source, raw)
        numbers = [t for item, t in columns.items() if item not in CONTRACTS[name].fields and item.kind == "number"]
        casts = ", ".join(
            f"CAST(nullif(trim({quote(column)}), '') AS DOUBLE) AS {quote(column)}"
            for column in numbers
            if types[column] == "VARCHAR"
        )
        replaced = f" REPLACE ({casts})" if casts else ""
        arrow = connection.sql(f"SELECT *{replaced} FROM {raw}").to_arrow_table()
    except duckdb.Error as error:
        raise say_unreadable(name, source, error) from None
    return session.createDataFrame(arrow.cast(for_spark(arrow.schema)))


def _say(name: str, source: TableSource, error: Any) -> ConfigError | DataMissing:
    """Spark's refusal in the terms of the config: a table that is not there, or a query that fails."""
    condition = str(error.getCondition())
    if condition.startswith(("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA")):
        return DataMissing(
            f"Table {name} is to be read from {source.path}, but no Parquet file is there. Mend data.tables.{name}.path."
        )
    if condition.startswith("TABLE_OR_VIEW_NOT_FOUND") and source.table is not None:
        return DataMissing(
            f"Table {name} asks for '{source.table}', which Spark's catalog does not have. Mend data.tables.{name}.table."
        )
    if source.query is not None:
        return ConfigError(f"The query of table {name} fails: {reason(error)} Its input is called source.")
    return ConfigError(f"Table {name} cannot be read by Spark: {reason(error)} Mend data.tables.{name}.")


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"
