"""Which raw column is which of ours: by name, by the config's renames, and, where a table is open, by being there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna.config import TableSource
from kizuna.data.cleaning import PLAIN_NUMBER_PATTERN, is_numeric
from kizuna.data.contract import Field, Kind, TableContract
from kizuna.data.sources import is_csv, literal, quote
from kizuna.errors import ConfigError, ContractError, nearest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Columns that loading adds to every table.
_OURS = ("customer", "day", "known", "unreadable")
_NAMES_SHOWN = 20


def match_columns(
    connection: DuckDBPyConnection, contract: TableContract, source: TableSource, raw: str
) -> tuple[dict[Field, str], dict[str, str]]:
    """Our fields to the source's column names, and the DuckDB type of each of those columns.

    Columns of a table that is open (``features``) and customers' ``attributes`` are numbers where their type is one;
    in a plain CSV, which has no types, where every cell is one. Errors: ContractError for a required column that is
    not there; ConfigError for a rename of a column that kizuna does not have.
    """
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {raw}").fetchall()}
    attributes = source.attributes if contract.name == "customers" else []
    known = [item.name for item in contract.fields]
    for ours in source.columns:
        if ours not in known and ours not in attributes and not contract.open_columns:
            raise ConfigError(
                f"data.tables.{contract.name}.columns: there is no column '{ours}'.{nearest(ours, known)} "
                f"Columns of {contract.name} are {', '.join(known)}."
            )
    matched: dict[Field, str] = {}
    for item in contract.fields:
        theirs = source.columns.get(item.name, item.name)
        if theirs in types:
            matched[item] = theirs
        elif item.required or item.name in source.columns:
            raise _no_column(contract.name, item.name, theirs, types)
    named = {attribute: source.columns.get(attribute, attribute) for attribute in attributes if attribute not in known}
    for attribute, theirs in named.items():
        if theirs not in types:
            raise _no_column(contract.name, attribute, theirs, types)
    if contract.open_columns:
        backwards = {theirs: ours for ours, theirs in source.columns.items()}
        used = set(matched.values())
        named = {backwards.get(theirs, theirs): theirs for theirs in types if theirs not in used}
    _refuse_clashes(contract.name, [*named, *(item.name for item in matched)])
    numbers = _plain_numbers(
        connection, raw, [column for column in named.values() if types[column] == "VARCHAR"], source
    )
    for ours, theirs in named.items():
        matched[Field(ours, _kind(types[theirs], theirs in numbers))] = theirs
    return matched, types


def _kind(raw_type: str, all_numbers: bool) -> Kind:
    if raw_type == "BOOLEAN":
        return "flag"
    return "number" if all_numbers or is_numeric(raw_type) else "text"


def _plain_numbers(connection: DuckDBPyConnection, raw: str, columns: list[str], source: TableSource) -> set[str]:
    """Text columns of a plain CSV whose every cell is a number or empty, and not all are empty."""
    if not columns or not is_csv(source):
        return set()
    tests = ", ".join(
        f"bool_and(regexp_full_match({quote(column)}, {literal(PLAIN_NUMBER_PATTERN)})) AND count({quote(column)}) > 0"
        for column in columns
    )
    found = connection.execute(f"SELECT {tests} FROM {raw}").fetchall()[0]
    return {column for column, all_numbers in zip(columns, found, strict=True) if all_numbers}


def _refuse_clashes(table: str, names: list[str]) -> None:
    """ContractError for a column of the shop's own that bears one of our names, or that only case tells from another."""
    folded = [name.lower() for name in names]
    for name, key in zip(names, folded, strict=True):
        if key in _OURS or folded.count(key) > 1:
            why = "is a name that kizuna keeps for itself" if key in _OURS else "is there more than once (case aside)"
            raise ContractError(
                f"Table {table}: the column '{name}' {why}. "
                f"Rename it, data.tables.{table}.columns: {{my_{key}: {name}}}, or leave it out in the query."
            )


def _no_column(table: str, ours: str, theirs: str, types: dict[str, str]) -> ContractError:
    renamed = f" (looked for '{theirs}')" if theirs != ours else ""
    names = list(types)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ContractError(
        f"Table {table} needs a column {ours}{renamed}; found {', '.join(names[:_NAMES_SHOWN])}{more}."
        f"{nearest(theirs, types)} Map it: data.tables.{table}.columns: {{{ours}: …}}."
    )
