"""What the report says about the rows of each table: repeated, half empty, out of order, of a kind nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kizuna.data.contract import CONTRACTS, EMPTY_BY_NATURE, KINDS, Finding, State
from kizuna.data.events import UNDATED
from kizuna.data.examples import shown_value
from kizuna.data.sources import literal, quote
from kizuna.data.store import Store, TableInfo, added
from kizuna.timeline import date_of

_MANY = 0.01
_MOSTLY_EMPTY = 0.2
_COMES_LATER = ("resolved_at", "first_response_at", "followed_up_at", "delivered_at", "ended_at", "notice_at", "until")
_UNREPEATED = ("labels", "features", "suppressions", "customers")


def row_findings(store: Store) -> Iterator[Finding]:
    """Findings about every table's rows, from one pass over each."""
    wanted = [_wanted(info) for info in store.tables.values()]
    found = store.select(
        *(
            f"SELECT {', '.join(columns.values())} FROM {store.relation(name)}"
            for name, columns in zip(store.tables, wanted, strict=True)
        )
    )
    for (name, info), columns, rows in zip(store.tables.items(), wanted, found, strict=True):
        counts = dict(zip(columns, added(rows), strict=True))
        yield from _empty(info, counts)
        yield from _repeated(info, counts)
        yield from _early(info, counts)
        yield from _out_of_order(info, counts)
        if name in KINDS and store.has(name, "kind"):
            yield from _unknown_kinds(store, name)
        if store.has(name, "score"):
            yield from _off_scale(store, name)


def _wanted(info: TableInfo) -> dict[str, str]:
    """SQL of counts by name, for a single scan: ``full:<column>``, ``early``, ``before:<column>`` and ``distinct``."""
    wanted = {"early": f"count(*) FILTER (WHERE day > {UNDATED} AND day <= 0)"}
    for item in info.columns:
        column = quote(item.name)
        wanted[f"full:{item.name}"] = f"count({column})"
        if item.name in _COMES_LATER:
            wanted[f"before:{item.name}"] = f"count(*) FILTER (WHERE day > {UNDATED} AND {column} < day)"
    if info.name not in _UNREPEATED:
        columns = ", ".join(["customer", "day", *(quote(c.name) for c in info.columns if c.name != "customer_id")])
        wanted["distinct"] = f"count(DISTINCT hash({columns}))"
    del wanted["full:customer_id"]
    return wanted


def _empty(info: TableInfo, counts: dict[str, int]) -> Iterator[Finding]:
    for item in info.columns:
        if item.required or item.kind == "time" or item.name == "customer_id":
            continue
        empty = info.rows - counts[f"full:{item.name}"]
        if empty == info.rows:
            details = f"Column {info.name}.{item.name} is empty in all {info.rows:,} rows. Fill it, or do not map it."
            yield _finding("empty_column", "recommendation", info.name, item.name, empty, details)
        elif empty >= _MOSTLY_EMPTY * info.rows and (info.name, item.name) not in EMPTY_BY_NATURE:
            details = (
                f"Column {info.name}.{item.name} is empty in {empty:,} of {info.rows:,} rows ({empty / info.rows:.0%}). "
                "What it says then rests on the others."
            )
            yield _finding("missing_cells", "recommendation", info.name, item.name, empty, details)


def _repeated(info: TableInfo, counts: dict[str, int]) -> Iterator[Finding]:
    count = info.rows - counts.get("distinct", info.rows)
    if count:
        details = f"Table {info.name}: {count:,} of {info.rows:,} rows repeat another row in every mapped column. They are kept."
        yield _finding("duplicate_rows", _by_share(count, info.rows), info.name, "", count, details)


def _early(info: TableInfo, counts: dict[str, int]) -> Iterator[Finding]:
    count = counts["early"]
    if count:
        column = "valid_from" if info.name == "customers" else CONTRACTS[info.name].dated_by or ""
        details = (
            f"Table {info.name}: {count:,} of {info.rows:,} rows are dated {date_of(0)} or earlier, which often stands for "
            "an unknown day. Leave such rows out in the query, or date them."
        )
        yield _finding("early_rows", "warning", info.name, column, count, details)


def _out_of_order(info: TableInfo, counts: dict[str, int]) -> Iterator[Finding]:
    dated_by = CONTRACTS[info.name].dated_by
    for column in _COMES_LATER:
        count = counts.get(f"before:{column}", 0)
        if count:
            details = (
                f"Table {info.name}: in {count:,} of {info.rows:,} rows {column} is before {dated_by}. "
                "Check that the two columns are not exchanged, and their zones."
            )
            yield _finding("out_of_order", _by_share(count, info.rows), info.name, column, count, details)


def _unknown_kinds(store: Store, name: str) -> Iterator[Finding]:
    known = ", ".join(literal(kind) for kind in KINDS[name])
    (found,) = store.select(
        f"SELECT kind, count(*) FROM {store.relation(name)} WHERE kind NOT IN ({known}) GROUP BY kind"
    )
    if found:
        kinds = sorted({row[0] for row in found}, key=str.encode)
        count, examples = sum(row[1] for row in found), tuple(dict.fromkeys(map(_kind, kinds)))[:3]
        details = (
            f"Table {name}: {count:,} of {store.tables[name].rows:,} rows have a kind that nothing reads, such as "
            f"{', '.join(map(repr, examples))}. Kinds are {', '.join(KINDS[name])}; rename them in the query."
        )
        yield replace(_finding("unknown_kinds", "warning", name, "kind", count, details), examples=examples)


def _kind(text: str) -> str:
    """A kind as messages show it: a word, or how long it is where it may be anything."""
    return text if re.fullmatch(r"[a-z][a-z_ -]{0,29}", text) else shown_value(text)


def _off_scale(store: Store, name: str) -> Iterator[Finding]:
    """Scores outside the scale that their row names; an NPS that names none is on 0 to 10."""
    low, high = (
        f"coalesce({column}, {usual})" if store.has(name, column) else usual
        for column, usual in (
            ("scale_min", "CASE WHEN kind = 'nps' THEN 0 END"),
            ("scale_max", "CASE WHEN kind = 'nps' THEN 10 END"),
        )
    )
    (rows,) = store.select(
        f"SELECT score, count(*) FROM {store.relation(name)} WHERE score < {low} OR score > {high} GROUP BY score"
    )
    if rows:
        count, examples = sum(row[1] for row in rows), tuple(f"{score:g}" for score in sorted({r[0] for r in rows})[:3])
        details = (
            f"Table {name}: {count:,} of {store.tables[name].rows:,} scores lie outside their scale, such as "
            f"{', '.join(examples)}. Name the scale with scale_min and scale_max, or mend the scores."
        )
        yield replace(_finding("off_scale", "warning", name, "score", count, details), examples=examples)


def _by_share(count: int, rows: int) -> State:
    return "warning" if count > _MANY * rows else "recommendation"


def _finding(name: str, state: State, table: str, column: str, count: int, details: str) -> Finding:
    return Finding(name, state, "train", table, column, count, details)
