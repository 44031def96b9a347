"""SQL that turns one raw column into its contract kind: ids to the letter, local days, numbers, flags.

Each expression gives null for what it cannot read, so that a row is bad where the raw value is there and the result
is not. Nothing is guessed: ``1,234`` is no number and ``R8/11/16`` no date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.data.contract import Kind
from kizuna.data.sources import literal, quote
from kizuna.errors import ConfigError

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
ERA_PATTERN = (
    r"^\s*(明治|大正|昭和|平成|令和|[㍾㍽㍼㍻㋿]|[MTSHRmtshrＭＴＳＨＲ])\s*([0-9０-９]{1,2}|元)\s*[-年./．／－].*"
)
PLAIN_NUMBER_PATTERN = r"\s*(-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)?\s*"
"""A number that loses nothing when it is read as one (a code such as ``007`` would), or an empty cell."""

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATING = ("FLOAT", "DOUBLE")
_LARGEST_EXACT = 2**53
_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_USUAL_CLOCK = r"[T ]\s?\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?"
_CLOCK = r"[Tt ]\s?\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?"
_OFFSET = r"\s*([Zz]|UTC|[-+](0\d|1[0-4])(:?[0-5]\d)?)"


def install_macros(connection: DuckDBPyConnection, timezone: str) -> None:
    """Defines ``local_day(text)`` and ``as_flag(text)`` in the connection; a day is a DATE in the shop's zone.

    Queries run in that zone too. ConfigError for a zone that the database does not know.
    """
    import duckdb

    zone = literal(timezone)
    try:
        connection.execute(f"SET TimeZone = {zone}")
    except duckdb.Error:
        raise ConfigError(
            f"data.timezone asks for {timezone}, which the database does not know. "
            "Use a zone of the form Region/City, such as Asia/Tokyo."
        ) from None
    usual = "replace(replace(upper(t), '/', '-'), ',', '.')"
    joined = f"regexp_replace({usual}, '\\s+([-+])', '\\1')"
    spelled = r"regexp_replace(t, '(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})', '\1-\2-\3 \4:\5:\6')"
    # The first form is what nearly every row has: one pattern and one cast for it.
    connection.execute(
        f"""CREATE OR REPLACE MACRO local_day(t) AS CASE
            WHEN regexp_full_match(t, '{_DATE}({_USUAL_CLOCK})?') THEN CAST(TRY_CAST(t AS TIMESTAMP) AS DATE)
            WHEN regexp_full_match(t, '{_DATE}{_CLOCK}') THEN CAST(TRY_CAST({usual} AS TIMESTAMP) AS DATE)
            WHEN regexp_full_match(t, '{_DATE}{_CLOCK}{_OFFSET}')
                THEN CAST(timezone({zone}, TRY_CAST({joined} AS TIMESTAMPTZ)) AS DATE)
            WHEN regexp_full_match(t, '\\d{{8}}') THEN CAST(try_strptime(t, '%Y%m%d') AS DATE)
            WHEN regexp_full_match(t, '\\d{{8}}T\\d{{6}}') THEN CAST(TRY_CAST({spelled} AS TIMESTAMP) AS DATE)
            WHEN regexp_full_match(t, '\\d{{8}}T\\d{{6}}{_OFFSET}')
                THEN CAST(timezone({zone}, TRY_CAST({spelled} AS TIMESTAMPTZ)) AS DATE)
            END"""
    )
    connection.execute(
        """CREATE OR REPLACE MACRO as_flag(t) AS CASE lower(trim(t))
            WHEN 'true' THEN true WHEN 'yes' THEN true WHEN '1' THEN true WHEN 'y' THEN true WHEN 't' THEN true
            WHEN '1.0' THEN true WHEN 'false' THEN false WHEN 'no' THEN false WHEN '0' THEN false
            WHEN 'n' THEN false WHEN 'f' THEN false WHEN '0.0' THEN false END"""
    )


def is_numeric(raw_type: str) -> bool:
    """Whether a DuckDB type holds numbers."""
    return raw_type in _WHOLE or raw_type in _FLOATING or raw_type == "UHUGEINT" or raw_type.startswith("DECIMAL")


def clean_sql(kind: Kind, column: str, raw_type: str, timezone: str) -> str:
    """The SQL expression that reads one raw column as ``kind``; days come back as whole days since 1970-01-01."""
    name, raw_type = _plain(column, raw_type)
    if kind == "time":
        return f"CAST({_day_sql(name, raw_type, timezone)} - DATE '1970-01-01' AS INTEGER)"
    if kind == "number":
        return _number_sql(name, raw_type)
    if kind == "flag":
        return f"as_flag(CAST({name} AS VARCHAR))"
    if kind == "code":
        return f"nullif(lower(trim(CAST({name} AS VARCHAR))), '')"
    return _text_sql(name, raw_type, kind)


def present_sql(column: str, raw_type: str) -> str:
    """The SQL condition under which a raw cell holds something (a blank text or a NaN does not)."""
    name, raw_type = _plain(column, raw_type)
    if raw_type == "VARCHAR":
        return f"({name} IS NOT NULL AND trim({name}) <> '')"
    if raw_type in _FLOATING:
        return f"({name} IS NOT NULL AND NOT isnan({name}))"
    return f"({name} IS NOT NULL)"


def _plain(column: str, raw_type: str) -> tuple[str, str]:
    """The column as one of DuckDB's everyday types: what is listed (ENUM) is text, nanoseconds are dropped."""
    name = quote(column)
    if raw_type.startswith("ENUM"):
        return f"CAST({name} AS VARCHAR)", "VARCHAR"
    if raw_type in ("TIMESTAMPTZ_NS", "TIMESTAMP_NS WITH TIME ZONE"):
        return f"CAST({name} AS TIMESTAMPTZ)", "TIMESTAMP WITH TIME ZONE"
    return name, raw_type


def _number_sql(name: str, raw_type: str) -> str:
    if raw_type == "VARCHAR":
        # The cast would read 1_000 as a thousand.
        number = f"CASE WHEN NOT contains({name}, '_') THEN TRY_CAST(trim({name}) AS DOUBLE) END"
    elif is_numeric(raw_type) or raw_type == "BOOLEAN":
        number = f"CAST({name} AS DOUBLE)"
    else:
        number = "CAST(NULL AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _text_sql(name: str, raw_type: str, kind: Kind) -> str:
    text = f"CAST({name} AS VARCHAR)"
    if raw_type == "VARCHAR":
        # A text that begins with a plain character is not blank, and need not be trimmed to see it.
        return f"CASE WHEN {name} >= '!' AND {name} < '\x7f' THEN {name} WHEN trim({name}) <> '' THEN {name} END"
    # A nullable integer column often arrives as floats; only a whole number has a spelling as an id.
    if raw_type in _FLOATING:
        exact = f"isfinite({name}) AND {name} = floor({name}) AND abs({name}) < {_LARGEST_EXACT}"
        otherwise = "" if kind == "id" else f"WHEN NOT isnan({name}) THEN {text} "
        return f"CASE WHEN {exact} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) {otherwise}END"
    if raw_type.startswith("DECIMAL"):
        otherwise = "" if kind == "id" else f"ELSE {text} "
        return f"CASE WHEN {name} = floor({name}) THEN CAST(CAST({name} AS HUGEINT) AS VARCHAR) {otherwise}END"
    return text


def _day_sql(name: str, raw_type: str, timezone: str) -> str:
    if raw_type == "DATE":
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    if raw_type == "TIMESTAMP WITH TIME ZONE":
        return f"CASE WHEN isfinite({name}) THEN CAST(timezone({literal(timezone)}, {name}) AS DATE) END"
    if raw_type.startswith("TIMESTAMP"):
        return f"CASE WHEN isfinite(CAST({name} AS TIMESTAMP)) THEN CAST(CAST({name} AS TIMESTAMP) AS DATE) END"
    if raw_type == "VARCHAR":
        return f"local_day(trim({name}))"
    if is_numeric(raw_type):
        # 20261116, whole, is ISO's basic form; any other number is no day.
        whole = f"{name} BETWEEN 10000101 AND 99991231 AND {name} = floor({name})"
        return f"CASE WHEN {whole} THEN local_day(CAST(CAST({name} AS BIGINT) AS VARCHAR)) END"
    return "CAST(NULL AS DATE)"
