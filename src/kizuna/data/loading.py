"""Opening a store: every configured table loaded, renamed, typed, dated, and its customers numbered.

What is wrong becomes a finding; ``Store.require_sound`` turns errors into exceptions. Rows that cannot be read are
never dropped in silence: they are errors, or, with ``on_bad_rows: quarantine``, go to a file and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kizuna.config import TABLES, Config, TableSource
from kizuna.data.bad_rows import bad_row_findings, quarantine_file, rules_of, set_aside
from kizuna.data.cleaning import clean_sql, install_macros
from kizuna.data.columns import match_columns
from kizuna.data.contract import CONTRACTS, Field, Finding, State, TableContract
from kizuna.data.events import UNDATED
from kizuna.data.sources import connect, drop_raw, load_raw, quote, say_unreadable
from kizuna.data.store import Store, TableInfo
from kizuna.errors import ConfigError, ContractError, DataMissing, KizunaError, nearest
from kizuna.timeline import date_of

_ID_TABLES = ("purchases", "subscriptions", "customers", "labels", "features")
_NOT_ACTIVE = ("outreach", "suppressions")


def open_store(config: Config, today: int, frames: Mapping[str, Any] | None = None) -> Store:
    """All configured tables, loaded and cleaned; what is wrong stands in ``findings`` (see ``require_sound``).

    ``today``: rows dated after it are counted as future rows. ``frames``: tables handed in from Python.
    """
    frames = frames or {}
    for name in frames:
        if name not in TABLES:
            raise ConfigError(f"There is no table '{name}'.{nearest(name, TABLES)} Tables are {', '.join(TABLES)}.")
    store = Store(connect(config.engine.threads), config, today)
    install_macros(store.connection, config.data.timezone)
    names = [name for name in TABLES if name in config.data.tables or name in frames]
    for name in names:
        try:
            _clean(store, CONTRACTS[name], load_raw(store.connection, config, name, frames.get(name)))
        except DataMissing as error:
            if name in config.data.tables and config.data.tables[name].on_missing == "degrade":
                store.findings.append(_finding("missing_table", "warning", name, "", 0, str(error)))
            else:
                _add_error(store, error, name)
        except ContractError as error:
            _add_error(store, error, name)
        finally:
            drop_raw(store.connection, name)
    _number_customers(store)
    return store


def _add_error(store: Store, error: KizunaError, table: str) -> None:
    name = "missing_table" if isinstance(error, DataMissing) else "broken_contract"
    store.findings.append(_finding(name, "error", table, "", 0, str(error), error.exit_code))


def _finding(name: str, state: State, table: str, column: str, count: int, details: str, exit_code: int = 0) -> Finding:
    return Finding(name, state, "load", table, column, count, details, (), exit_code)


def _clean(store: Store, contract: TableContract, raw: str) -> None:
    """Creates ``typed_<table>``: ours columns, days, known days; bad rows found, refused or set aside."""
    import duckdb

    name, connection, config = contract.name, store.connection, store.config
    source, zone = config.data.tables.get(name) or TableSource(), config.data.timezone
    typed = quote("typed_" + name)
    try:
        columns, types = match_columns(connection, contract, source, raw)
        rules = rules_of(name, columns, types, zone)
        any_bad = " OR ".join(f"({rule.condition})" for rule in rules)
        ours = ", ".join(
            f"{clean_sql(item.kind, theirs, types[theirs], zone)} AS {quote(item.name)}"
            for item, theirs in columns.items()
        )
        day, known = _day_expressions(contract, columns, source.arrives_after_days)
        # One pass over the source; it is read again only where rows are bad.
        connection.execute(
            f"CREATE OR REPLACE TABLE {typed} AS SELECT *, {day} AS day, {known} AS known "
            f"FROM (SELECT {ours}, ({any_bad}) AS unreadable FROM {raw})"
        )
    except duckdb.Error as error:
        raise say_unreadable(name, source, error) from None
    total, bad = connection.execute(f"SELECT count(*), count(*) FILTER (WHERE unreadable) FROM {typed}").fetchall()[0]
    if total == 0:
        raise DataMissing(f"Table {name} is empty: 0 rows. Load it, or take data.tables.{name} out of the config.")
    if config.data.on_bad_rows == "quarantine":
        set_aside(connection, quarantine_file(config, name), f"SELECT * FROM {raw} WHERE {any_bad}" if bad else None)
    if bad:
        findings = bad_row_findings(connection, config, raw, total, rules)
        if bad == total:
            raise ContractError(f"Table {name}: none of its {total:,} rows can be read. {findings[0].details}")
        store.findings.extend(findings)
        connection.execute(f"DELETE FROM {typed} WHERE unreadable")
    connection.execute(f"ALTER TABLE {typed} DROP COLUMN unreadable")
    _note_table(store, contract, tuple(columns), int(bad))


def _day_expressions(contract: TableContract, columns: Mapping[Field, str], arrives_after_days: int) -> tuple[str, str]:
    """SQL of the day of a row and of the day it was known, over our columns."""
    present = {item.name for item in columns}
    dated_by = "valid_from" if contract.name == "customers" else contract.dated_by
    day = f"coalesce({quote(dated_by)}, {UNDATED})" if dated_by in present else str(UNDATED)
    if contract.name == "features" and dated_by in present:
        # A row of supplied features may be used on its own day: features.as_of <= as_of.
        day = f"{day} - 1"
    if "known_at" in present:
        return day, f"greatest({day}, coalesce(known_at, {day}))"
    return day, f"{day} + {arrives_after_days}"


def _note_table(store: Store, contract: TableContract, columns: tuple[Field, ...], bad_rows: int) -> None:
    name = contract.name
    rows, first, last, future = store.connection.execute(
        f"SELECT count(*), min(day) FILTER (WHERE day > {UNDATED} AND day <= {store.today}), "
        f"max(day) FILTER (WHERE day > {UNDATED} AND day <= {store.today}), count(*) FILTER (WHERE day > {store.today}) "
        f"FROM {quote('typed_' + name)}"
    ).fetchall()[0]
    if future and future == rows and contract.dated_by in ("occurred_at", "started_at"):
        raise DataMissing(
            f"Table {name} holds only future rows: all {rows:,} are dated after {date_of(store.today)}. "
            "Check the clock, the zone and the mapping of its date column."
        )
    if future:
        details = f"Table {name}: {future:,} of {rows:,} rows are dated after {date_of(store.today)} and are ignored."
        store.findings.append(_finding("future_rows", "warning", name, contract.dated_by or "", int(future), details))
    store.tables[name] = TableInfo(name, int(rows), columns, first, last, int(future), bad_rows, 0)


def _number_customers(store: Store) -> None:
    """Gives every customer a number in the order of ids, and creates ``clean_<table>`` with it."""
    connection = store.connection
    # Without purchases or contracts, whoever did anything is a customer; else a visitor who never bought is none.
    sold = "purchases" in store.tables or "subscriptions" in store.tables
    listed = [name for name in store.tables if (name in _ID_TABLES if sold else name not in _NOT_ACTIVE)]
    parts = [f"SELECT customer_id FROM {quote('typed_' + name)}" for name in listed]
    union = " UNION ALL ".join(parts) or "SELECT CAST(NULL AS VARCHAR) AS customer_id WHERE false"
    connection.execute(
        "CREATE OR REPLACE TABLE customer_ids AS "
        "SELECT CAST(row_number() OVER (ORDER BY customer_id) - 1 AS INTEGER) AS customer, customer_id "
        f"FROM (SELECT DISTINCT customer_id FROM ({union}))"
    )
    store.customers = int(connection.execute("SELECT count(*) FROM customer_ids").fetchall()[0][0])
    for name, info in list(store.tables.items()):
        connection.execute(
            f"CREATE OR REPLACE TABLE {quote('clean_' + name)} AS SELECT ids.customer, typed.* EXCLUDE (customer_id) "
            f"FROM {quote('typed_' + name)} AS typed JOIN customer_ids AS ids USING (customer_id) ORDER BY ids.customer, day"
        )
        connection.execute(f"DROP TABLE {quote('typed_' + name)}")
        rows = int(connection.execute(f"SELECT count(*) FROM {quote('clean_' + name)}").fetchall()[0][0])
        if rows < info.rows:
            orphans = info.rows - rows
            details = f"Table {name}: {orphans:,} of {info.rows:,} rows belong to customers that no other table knows; not used."
            state: State = "warning" if orphans > 0.01 * info.rows else "recommendation"
            store.findings.append(_finding("orphan_rows", state, name, "customer_id", orphans, details))
            store.tables[name] = replace(info, rows=rows, orphan_rows=orphans)
