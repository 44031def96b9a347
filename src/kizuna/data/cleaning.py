"""SQL that turns one raw column into its contract kind: ids to the letter, local days, numbers, flags.

Each expression gives null for what it cannot read, so that a row is bad where the raw value is there and the result
is not. Nothing is guessed: ``1,234`` is no number and ``R8/11/16`` no date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.data.contract import Kind
from kizuna.data.sources import literal, quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KIND_WORDS: dict[Kind, str] = {
    "id": "an id",
    "time": "a day (ISO 8601 or YYYY/MM/DD)",
    "number": "a number",
    "flag": "yes or no (true/false, yes/no, 1/0)",
    "text": "text",
    "code": "text",
}
ERA_PATTERN = r"^\s*(明治|大正|昭和|平成|令和|[MTSHR])\s*(\d{1,2}|元)\s*[年./-].*"
_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_CLOCK = r"[T ]\s?\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?"
_OFFSET = r"\s*(Z|[+-]\d{2}(:?\d{2})?)"


def install_macros(connection: DuckDBPyConnection, timezone: str) -> None:
    """Defines ``local_day(text)`` and ``as_flag(text)`` in the connection; a day is a DATE in the shop's zone."""
    zone = literal(timezone)
    connection.execute(
        f"""CREATE OR REPLACE MACRO local_day(t) AS CASE
            WHEN regexp_full_match(t, '{_DATE}({_CLOCK})?') THEN CAST(TRY_CAST(t AS TIMESTAMP) AS DATE)
            WHEN regexp_full_match(t, '{_DATE}{_CLOCK}{_OFFSET}')
                THEN CAST(timezone({zone}, TRY_CAST(replace(t, '/', '-') AS TIMESTAMPTZ)) AS DATE)
            WHEN regexp_full_match(t, '\\d{{8}}') THEN CAST(try_strptime(t, '%Y%m%d') AS DATE)
            WHEN regexp_full_match(t, '\\d{{8}}T\\d{{6}}') THEN CAST(try_strptime(t, '%Y%m%dT%H%M%S') AS DATE)
            END"""
    )
    connection.execute(
        """CREATE OR REPLACE MACRO as_flag(t) AS CASE lower(trim(t))
            WHEN 'true' THEN true WHEN 'yes' THEN true WHEN '1' THEN true WHEN 'y' THEN true WHEN 't' THEN true
            WHEN '1.0' THEN true WHEN 'false' THEN false WHEN 'no' THEN false WHEN '0' THEN false
            WHEN 'n' THEN false WHEN 'f' THEN false WHEN '0.0' THEN false END"""
    )


def clean_sql(kind: Kind, column: str, raw_type: str, timezone: str) -> str:
    """The SQL expression that reads one raw column as ``kind``; days come back as whole days since 1970-01-01."""
    name = quote(column)
    if kind == "time":
        return f"CAST({_day_sql(name, raw_type, timezone)} - DATE '1970-01-01' AS INTEGER)"
    if kind == "number":
        if raw_type == "VARCHAR":
            number = f"TRY_CAST(trim({name}) AS DOUBLE)"
        elif raw_type.startswith(("DATE", "TIME", "BLOB", "STRUCT", "MAP")) or raw_type.endswith("]"):
            number = "CAST(NULL AS DOUBLE)"
        else:
            number = f"CAST({name} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if kind == "flag":
        return f"as_flag(CAST({name} AS VARCHAR))"
    if kind == "code":
        return f"nullif(lower(trim(CAST({name} AS VARCHAR))), '')"
    if raw_type in ("DOUBLE", "FLOAT"):
        # A nullable integer column often arrives as floats; only whole numbers have a spelling as an id.
        whole = f"CASE WHEN isfinite({name}) AND {name} = floor({name}) AND abs({name}) < 9007199254740992 THEN "
        return f"{whole}CAST(CAST({name} AS BIGINT) AS VARCHAR) END"
    return f"nullif(CAST({name} AS VARCHAR), '')"


def present_sql(column: str, raw_type: str) -> str:
    """The SQL condition under which a raw cell holds something (an empty text or a NaN does not)."""
    name = quote(column)
    if raw_type == "VARCHAR":
        return f"({name} IS NOT NULL AND trim({name}) <> '')"
    if raw_type in ("DOUBLE", "FLOAT"):
        return f"({name} IS NOT NULL AND NOT isnan({name}))"
    return f"({name} IS NOT NULL)"


def _day_sql(name: str, raw_type: str, timezone: str) -> str:
    if raw_type == "DATE":
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    if raw_type == "TIMESTAMP WITH TIME ZONE":
        return f"CASE WHEN isfinite({name}) THEN CAST(timezone({literal(timezone)}, {name}) AS DATE) END"
    if raw_type.startswith("TIMESTAMP"):
        return f"CASE WHEN isfinite(CAST({name} AS TIMESTAMP)) THEN CAST(CAST({name} AS TIMESTAMP) AS DATE) END"
    if raw_type == "VARCHAR":
        return f"local_day(trim({name}))"
    if raw_type in ("INTEGER", "BIGINT", "UINTEGER", "UBIGINT", "HUGEINT"):
        return f"local_day(CAST({name} AS VARCHAR))"
    return "CAST(NULL AS DATE)"
