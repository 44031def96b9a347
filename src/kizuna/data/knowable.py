"""A fingerprint of what a day could know: rows that came later, and values that filled in later, do not change it."""

from __future__ import annotations

import hashlib

from kizuna.data.contract import COMES_WITH, FILLS_IN_LATER
from kizuna.data.sources import quote
from kizuna.data.store import Store, added

_TYPES = {"text": "VARCHAR", "code": "VARCHAR", "id": "VARCHAR", "time": "INTEGER"}


def knowable_fingerprints(store: Store, as_of: int) -> dict[str, str]:
    """For each table a short text that changes when a row or value that was known before ``as_of`` changes.

    The order of rows plays no part.
    """
    found = store.select(*(_totals(store, name, as_of) for name in store.tables))
    return {f"table {name}": _fingerprint(store, name, rows) for name, rows in zip(store.tables, found, strict=True)}


def known_rows(store: Store, as_of: int) -> dict[str, int]:
    """For each table how many of its rows were known before ``as_of``."""
    found = store.select(
        *(f"SELECT count(*) FROM {store.relation(name)} WHERE {_known(name, as_of)}" for name in store.tables)
    )
    return {name: added(rows)[0] if rows else 0 for name, rows in zip(store.tables, found, strict=True)}


def rows_by_period(store: Store, as_of: int, days: int, periods: int) -> dict[str, list[int]]:
    """For each table how many of its rows known before ``as_of`` are of the last ``days``, of those before, and so on."""
    period = f"({as_of - 1} - day) // {days}"
    counts = ", ".join(f"count(*) FILTER (WHERE {period} = {number})" for number in range(periods))
    recent = f"day >= {as_of - days * periods} AND day < {as_of} AND known < {as_of}"
    found = store.select(*(f"SELECT {counts} FROM {store.relation(name)} WHERE {recent}" for name in store.tables))
    return {name: list(added(rows)) if rows else [0] * periods for name, rows in zip(store.tables, found, strict=True)}


def _known(table: str, as_of: int) -> str:
    """SQL of whether a row was known."""
    # A suppression is in force from its own day on.
    return f"day < {as_of} AND known < {as_of}" + (f" OR day = {as_of}" if table == "suppressions" else "")


def _fingerprint(store: Store, table: str, totals: list[tuple[int | None, ...]]) -> str:
    count, total = added(totals)
    columns = ",".join(item.name for item in store.tables[table].columns)
    return hashlib.sha256(f"{columns}|{count}|{total}".encode()).hexdigest()[:16]


def _totals(store: Store, table: str, as_of: int) -> str:
    """SQL of how many rows there are, and of the sum of a number that each row makes."""
    cells = ["day"]
    for item in store.tables[table].columns:
        column = quote(item.name)
        if item.name in ("customer_id", "known_at"):
            continue
        if item.name in COMES_WITH:
            comes = COMES_WITH[item.name]
            column = f"CASE WHEN {comes} < {as_of} THEN {column} END" if store.has(table, comes) else "NULL"
        elif item.name in FILLS_IN_LATER:
            column = f"CASE WHEN {column} < {as_of} THEN {column} END"
        # The same value is the same number whatever type it was read as, and a listed text whatever else is listed.
        cells.append(f"CAST({column} AS {_TYPES.get(item.kind, 'DOUBLE')})")
    return (
        f"SELECT count(*), sum(CAST(hash(id_hash, {', '.join(cells)}) AS HUGEINT)) FROM {store.relation(table)} "
        "JOIN (SELECT customer, hash(customer_id) AS id_hash FROM customer_ids) USING (customer) "
        f"WHERE {_known(table, as_of)}"
    )
