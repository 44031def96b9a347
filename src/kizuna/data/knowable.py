"""A fingerprint of what a day could know: rows that came later, and values that filled in later, do not change it."""

from __future__ import annotations

import hashlib

from kizuna.data.contract import COMES_WITH, FILLS_IN_LATER
from kizuna.data.sources import quote
from kizuna.data.store import Store, added


def knowable_fingerprints(store: Store, as_of: int) -> dict[str, str]:
    """For each table a short text that changes when a row or value that was known before ``as_of`` changes.

    The order of rows plays no part.
    """
    found = store.select(*(_totals(store, name, as_of) for name in store.tables))
    return {f"table {name}": _fingerprint(store, name, rows) for name, rows in zip(store.tables, found, strict=True)}


def _fingerprint(store: Store, table: str, totals: list[tuple[int | None, ...]]) -> str:
    count, total = added(totals)
    columns = ",".join(item.name for item in store.tables[table].columns)
    return hashlib.sha256(f"{columns}|{count}|{total}".encode()).hexdigest()[:16]


def _totals(store: Store, table: str, as_of: int) -> str:
    """SQL of how many rows there are, and of the sum of a number that each row makes."""
    cells = [_spelled("ids.customer_id"), "CAST(day AS VARCHAR)"]
    for item in store.tables[table].columns:
        column = quote(item.name)
        if item.name in ("customer_id", "known_at"):
            continue
        if item.name in COMES_WITH:
            comes = COMES_WITH[item.name]
            column = f"CASE WHEN {comes} < {as_of} THEN {column} END" if store.has(table, comes) else "NULL"
        elif item.name in FILLS_IN_LATER:
            column = f"CASE WHEN {column} < {as_of} THEN {column} END"
        text = item.kind in ("text", "code")
        cells.append(_spelled(column) if text else f"coalesce(CAST({column} AS VARCHAR), '-')")
    return (
        f"SELECT count(*), sum(CAST(md5_number_lower(concat_ws(chr(31), {', '.join(cells)})) AS HUGEINT)) "
        f"FROM {store.relation(table)} AS clean JOIN customer_ids AS ids ON ids.customer = clean.customer "
        # A suppression is in force from its own day on.
        f"WHERE day < {as_of} AND known < {as_of}" + (f" OR day = {as_of}" if table == "suppressions" else "")
    )


def _spelled(text: str) -> str:
    """SQL of a text with its length before it, so that no two rows of cells are spelled alike; null is a dash."""
    return f"coalesce(strlen({text}) || ':' || {text}, '-')"
