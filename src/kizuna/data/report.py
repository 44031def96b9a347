"""The data report: what ``kizuna check`` finds in the tables beside what loading them found.

Errors are what the contract calls errors; sizes and shares that products in the field ask for are warnings here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from kizuna.data.contract import CONTRACTS, Finding, State
from kizuna.data.events import UNDATED
from kizuna.data.sources import quote
from kizuna.data.store import Store
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.config import Config

_ORDER = {"error": 0, "warning": 1, "recommendation": 2}


def check_tables(store: Store, config: Config) -> list[Finding]:
    """Everything found, loading included: errors first, then by table and name."""
    findings = [
        *store.findings,
        *_keys(store),
        *_currencies(store, config),
        *_duplicates(store),
        *_sizes(store, config),
    ]
    findings += _coverage(store)
    table_order = list(CONTRACTS)
    return sorted(
        findings, key=lambda f: (_ORDER[f.state], table_order.index(f.table) if f.table in table_order else -1, f.name)
    )


def contract_errors(store: Store, config: Config) -> list[Finding]:
    """The errors that stop training and scoring beside unreadable tables: duplicate customers, two currencies."""
    return [*_keys(store), *_currencies(store, config)]


def freshness(store: Store, as_of: int) -> list[Finding]:
    """Tables whose newest row before ``as_of`` is older than ``warn_after_days`` or ``error_after_days``."""
    found = []
    for name, source in store.config.data.tables.items():
        if name not in store.tables or (source.warn_after_days is None and source.error_after_days is None):
            continue
        newest = store.connection.execute(
            f"SELECT max(day) FROM {quote('clean_' + name)} WHERE day < {as_of} AND known < {as_of} AND day > {UNDATED}"
        ).fetchall()[0][0]
        age = as_of - newest if newest is not None else None
        last = "no row" if age is None else f"its newest row on {date_of(newest)}, {age} days before {date_of(as_of)}"
        limits: list[tuple[int | None, State, str, int]] = [
            (source.error_after_days, "error", "error_after_days", 10),
            (source.warn_after_days, "warning", "warn_after_days", 0),
        ]
        for limit, state, key, code in limits:
            if limit is not None and (age is None or age > limit):
                details = (
                    f"Table {name} has {last}; {limit} days are allowed. Load it, or raise data.tables.{name}.{key}."
                )
                found.append(Finding("stale", state, "score", name, "", age or 0, details, (), code))
                break
    return found


def findings_frame(findings: list[Finding]) -> pd.DataFrame:
    """name, state, step, table, column, count, details, examples: one row per finding."""
    rows = [(f.name, f.state, f.step, f.table, f.column, f.count, f.details, "; ".join(f.examples)) for f in findings]
    columns = ["name", "state", "step", "table", "column", "count", "details", "examples"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns, "str") | {"count": "int64"})


def _finding(name: str, state: State, table: str, column: str, count: int, details: str) -> Finding:
    return Finding(name, state, "train", table, column, count, details, (), 11 if state == "error" else 0)


def _keys(store: Store) -> Iterator[Finding]:
    for name in ("customers", "labels", "features"):
        if name not in store.tables:
            continue
        rows = store.connection.execute(
            f"SELECT ids.customer_id, count(*) AS n FROM {quote('clean_' + name)} AS clean "
            "JOIN customer_ids AS ids ON ids.customer = clean.customer GROUP BY ids.customer_id, day HAVING n > 1 ORDER BY 1"
        ).fetchall()
        if rows:
            examples = ", ".join(row[0] for row in rows[:3])
            dated = (
                "customer and day"
                if CONTRACTS[name].dated_by and store.tables[name].first_day is not None
                else "customer"
            )
            details = (
                f"Table {name} must hold one row per {dated}; {len(rows):,} have more, such as {examples}. "
                "Keep one row each"
                + (", or name the column that dates them: valid_from." if name == "customers" else ".")
            )
            yield Finding(
                f"duplicate_{name}",
                "error",
                "load",
                name,
                "customer_id",
                len(rows),
                details,
                tuple(row[0] for row in rows[:3]),
                11,
            )


def _currencies(store: Store, config: Config) -> Iterator[Finding]:
    if not store.has("purchases", "currency"):
        return
    found = [
        row[0]
        for row in store.connection.execute(
            "SELECT DISTINCT upper(trim(currency)) AS c FROM clean_purchases WHERE currency IS NOT NULL ORDER BY c"
        ).fetchall()
    ]
    asked = config.data.currency
    everything = sorted({*found, *([asked.upper()] if asked else [])})
    if len(everything) > 1:
        said = f" and data.currency says {asked}" if asked and asked.upper() not in found else ""
        details = (
            f"Money must be in one currency; table purchases holds {', '.join(found)}{said}. "
            "Convert the amounts, or select one currency in the query."
        )
        yield Finding(
            "two_currencies", "error", "load", "purchases", "currency", len(everything), details, tuple(everything), 11
        )


def _duplicates(store: Store) -> Iterator[Finding]:
    for name, info in store.tables.items():
        if CONTRACTS[name].dated_by is None or name in ("labels", "features", "suppressions"):
            continue
        columns = ", ".join(
            ["customer", "day", *(quote(item.name) for item in info.columns if item.name != "customer_id")]
        )
        distinct = store.connection.execute(
            f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {quote('clean_' + name)})"
        )
        count = info.rows - int(distinct.fetchall()[0][0])
        if count:
            details = f"Table {name}: {count:,} of {info.rows:,} rows repeat another row in every mapped column. They are kept."
            yield _finding(
                "duplicate_rows", "warning" if count > 0.01 * info.rows else "recommendation", name, "", count, details
            )


def _sizes(store: Store, config: Config) -> Iterator[Finding]:
    """The minimum sizes of products in the field, as warnings."""
    if "purchases" not in store.tables:
        return
    buyers, repeat = store.connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE days > 1) FROM "
        "(SELECT customer, count(DISTINCT day) AS days FROM clean_purchases GROUP BY customer)"
    ).fetchall()[0]
    if buyers < 500:
        details = f"{buyers:,} customers bought; 500 or more make a model dependable. Simple rules may serve better until then."
        yield _finding("few_customers", "warning", "purchases", "customer_id", int(buyers), details)
    elif buyers < 1000:
        details = f"{buyers:,} customers bought; with 1,000 or more the model's figures become steadier."
        yield _finding("few_customers", "recommendation", "purchases", "customer_id", int(buyers), details)
    if buyers and repeat < 0.2 * buyers:
        details = (
            f"{repeat:,} of {buyers:,} customers bought on two days or more; under 20 % the rhythm is hard to learn."
        )
        yield _finding("few_repeat_buyers", "warning", "purchases", "occurred_at", int(repeat), details)
    info = store.tables["purchases"]
    if info.first_day is None or info.last_day is None:
        return
    history, needed = info.last_day - info.first_day + 1, config.churn.active_within_days + config.churn.horizon_days
    if history < 2 * needed or history < 365:
        details = (
            f"Purchases span {history:,} days ({date_of(info.first_day)} to {date_of(info.last_day)}); "
            f"{max(2 * needed, 365):,} days let the model be tested on other seasons."
        )
        yield _finding(
            "short_history",
            "warning" if history < needed + 90 else "recommendation",
            "purchases",
            "occurred_at",
            history,
            details,
        )


def _coverage(store: Store) -> Iterator[Finding]:
    """Columns that are mapped but often empty, and customers without any event."""
    for name, info in store.tables.items():
        for item in info.columns:
            if item.required or item.name in ("known_at", "customer_id") or item.kind == "time":
                continue
            empty = int(
                store.connection.execute(
                    f"SELECT count(*) FROM {quote('clean_' + name)} WHERE {quote(item.name)} IS NULL"
                ).fetchall()[0][0]
            )
            if empty == info.rows and info.rows:
                details = f"Column {name}.{item.name} is empty in all {info.rows:,} rows. Fill it, or do not map it."
                yield _finding("empty_column", "recommendation", name, item.name, empty, details)
    if "purchases" in store.tables and "customers" in store.tables:
        prospects = int(
            store.connection.execute(
                "SELECT count(*) FROM (SELECT DISTINCT customer FROM clean_customers) "
                "WHERE customer NOT IN (SELECT customer FROM clean_purchases)"
            ).fetchall()[0][0]
        )
        if prospects:
            details = f"{prospects:,} customers have never bought: prospects, counted here and not scored."
            yield _finding("prospects", "recommendation", "customers", "customer_id", prospects, details)
