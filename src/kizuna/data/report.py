"""The data report: what ``kizuna check`` finds in the tables beside what loading them found.

Errors are what the contract calls errors; sizes and shares that products in the field ask for are warnings here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from kizuna.data.contract import CONTRACTS, Finding, State
from kizuna.data.events import UNDATED
from kizuna.data.rows import row_findings
from kizuna.data.sizes import size_findings
from kizuna.data.store import Store, added
from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.config import Config

_ORDER = {"error": 0, "warning": 1, "recommendation": 2}


def check_tables(store: Store, config: Config) -> list[Finding]:
    """Everything found, loading included: errors first, then by table and name."""
    found = [
        *store.findings,
        *(
            f
            for f in dict.fromkeys([*_needed(store, config), *contract_errors(store, config)])
            if f not in store.findings
        ),
        *freshness(store, store.today),
        *row_findings(store),
        *size_findings(store, config),
    ]
    order = list(CONTRACTS)
    return sorted(
        found, key=lambda f: (_ORDER[f.state], order.index(f.table) if f.table in order else -1, f.name, f.column)
    )


def contract_errors(store: Store, config: Config) -> list[Finding]:
    """The errors that stop training and scoring beside unreadable tables.

    No table to see churn in, two rows of one customer, two currencies. Scoring does without provided labels.
    """
    needed = [] if config.churn.definition == "provided" else _needed(store, config)
    return [*needed, *_keys(store), *_currencies(store, config)]


def freshness(store: Store, as_of: int) -> list[Finding]:
    """Tables whose newest row before ``as_of`` is older than ``warn_after_days`` or ``error_after_days``."""
    limited = {
        name: source
        for name, source in store.config.data.tables.items()
        if name in store.tables and (source.warn_after_days is not None or source.error_after_days is not None)
    }
    known = f"day < {as_of} AND known < {as_of} AND day > {UNDATED}"
    days = store.select(*(f"SELECT max(day) FROM {store.relation(name)} WHERE {known}" for name in limited))
    found = []
    for (name, source), last_days in zip(limited.items(), days, strict=True):
        newest = max((day for (day,) in last_days if day is not None), default=None)
        age = None if newest is None else as_of - newest
        last = (
            "no row" if newest is None else f"its newest row on {date_of(newest)}, {age} days before {date_of(as_of)}"
        )
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


def _needed(store: Store, config: Config) -> Iterator[Finding]:
    """The table that the churn definition looks at, where it is neither there nor reported already."""
    kind = config.churn.definition
    needed = {"inactivity": "purchases", "cancellation": "subscriptions", "provided": "labels"}[kind]
    reported = any(item.table == needed and item.state == "error" for item in store.findings)
    if needed not in store.tables and not reported:
        details = (
            f"churn.definition {kind} needs the table {needed}; found {', '.join(store.tables) or 'no table'}. "
            "Add it under data.tables, or choose another definition."
        )
        yield Finding("needed_table", "error", "train", needed, "", 0, details, (), 11)
    beside = [name for name in store.tables if name not in ("labels", "customers", "suppressions")]
    if kind == "provided" and needed in store.tables and not beside:
        details = (
            "Labels alone cannot be learned from: they need features or a table of events; "
            f"found {', '.join(store.tables)}. Add data.tables.features."
        )
        yield Finding("needed_table", "error", "train", "features", "", 0, details, (), 11)


def _keys(store: Store) -> Iterator[Finding]:
    names = [name for name in ("customers", "labels", "features") if name in store.tables]
    found = store.select(
        *(
            "SELECT count(*) FROM ("
            f"SELECT customer, count(*) AS n FROM {store.relation(name)} GROUP BY customer, day HAVING n > 1)"
            for name in names
        )
    )
    for name, rows in zip(names, found, strict=True):
        (count,) = added(rows)
        if count:
            column = CONTRACTS[name].key[1]
            dated = store.has(name, column)
            per = f"customer and {column}" if dated else "customer"
            otherwise = "" if dated else f", or name the column that dates them: {column}"
            details = (
                f"Table {name} must hold one row per {per}; found {count:,} with more. Keep one row each{otherwise}."
            )
            yield Finding(
                f"duplicate_{name}",
                "error",
                "load",
                name,
                "customer_id",
                count,
                details,
                (),
                11,
            )


def _code(currency: str) -> str:
    """A currency as messages show it; what is no code may be anything."""
    return currency if re.fullmatch("[A-Z]{3}", currency) else "something that is no code"


def _currencies(store: Store, config: Config) -> Iterator[Finding]:
    if not store.has("purchases", "currency"):
        return
    (rows,) = store.select(
        f"SELECT DISTINCT upper(trim(currency)) FROM {store.relation('purchases')} WHERE currency IS NOT NULL"
    )
    found = sorted({_code(code) for (code,) in rows}, key=str.encode)
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
