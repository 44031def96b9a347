"""Opening a store: every configured table loaded, renamed, typed, dated, and its customers numbered.

What is wrong becomes a finding; ``Store.require_sound`` turns errors into exceptions. Rows that cannot be read are
never dropped in silence: they are errors, or, with ``on_bad_rows: quarantine``, go to a file and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kizuna.config import TABLES, Config, TableSource
from kizuna.data.bad_rows import count_bad_rows, quarantine_file, rules_of, set_aside
from kizuna.data.cleaning import clean_sql, install_macros
from kizuna.data.columns import match_columns
from kizuna.data.contract import CONTRACTS, Field, TableContract
from kizuna.data.events import UNDATED
from kizuna.data.forgotten import Forgotten, read_forgotten
from kizuna.data.sources import connect, drop_raw, is_parquet, load_raw, quote, say_unreadable
from kizuna.data.store import Store, TableInfo
from kizuna.data.verdicts import orphan_findings, refusal, table_findings
from kizuna.errors import ConfigError, ContractError, DataMissing, nearest

_ID_TABLES = ("purchases", "subscriptions", "customers", "labels", "features")
_NOT_ACTIVE = ("outreach", "suppressions")


def open_store(
    config: Config,
    today: int,
    frames: Mapping[str, Any] | None = None,
    part: bool = False,
    forgotten: Forgotten | None = None,
) -> Store:
    """All configured tables, loaded and cleaned; what is wrong stands in ``findings`` (see ``require_sound``).

    ``today``: rows dated after it are counted as future rows. ``frames``: tables handed in from Python. ``part``: these
    are some customers of a larger shop, on whose tables the whole has to judge; here rows are cleaned and counted.
    ``forgotten``: whose rows are left out (default: those of the record below ``output.dir``).
    """
    forgotten = read_forgotten(config.output_dir) if forgotten is None else forgotten
    frames = frames or {}
    for name in frames:
        if name not in TABLES:
            raise ConfigError(f"There is no table '{name}'.{nearest(name, TABLES)} Tables are {', '.join(TABLES)}.")
    store = Store(connect(config.engine.threads, config.engine.memory_gb), config, today, forgotten=forgotten)
    install_macros(store.connection, config.data.timezone)
    names = [name for name in TABLES if name in config.data.tables or name in frames]
    for name in names:
        try:
            _clean(store, CONTRACTS[name], load_raw(store.connection, config, name, frames.get(name)), forgotten)
            if not part:
                store.findings += table_findings(config, today, store.tables[name], store.bad_rows.get(name, []))
        except (DataMissing, ContractError) as error:
            store.tables.pop(name, None)
            store.findings.append(refusal(config, name, error))
        finally:
            drop_raw(store.connection, name)
    _number_customers(store)
    if not part:
        store.findings += [finding for info in store.tables.values() for finding in orphan_findings(info)]
    return store


def _clean(store: Store, contract: TableContract, raw: str, forgotten: Forgotten) -> None:
    """Creates ``typed_<table>``: ours columns, days, known days; bad rows found, refused or set aside."""
    import duckdb

    name, connection, config = contract.name, store.connection, store.config
    source, zone = config.data.tables.get(name) or TableSource(), config.data.timezone
    typed = quote("typed_" + name)
    try:
        columns, types = match_columns(connection, contract, source, raw)
        rules = rules_of(name, columns, types, zone)
        any_bad = " OR ".join(f"({rule.condition})" for rule in rules)
        clean = {item: clean_sql(item.kind, theirs, types[theirs], zone) for item, theirs in columns.items()}
        if source.query is None and source.path is not None and _is_parquet(config.resolve(source.path)):
            # Parquet holds each text once beside its codes: a look at the levels beforehand costs little.
            for item in columns:
                if item.kind in ("text", "code"):
                    clean[item] = store.list_levels(name, item.name, clean[item], raw, coded=True) or clean[item]
        ours = ", ".join(f"{value} AS {quote(item.name)}" for item, value in clean.items())
        lag_days = None if any(item.name == "known_at" for item in columns) else source.arrives_after_days
        day, known = day_expressions(contract, columns, lag_days)
        # One pass over the source; it is read again only where rows are bad.
        connection.execute(
            f"CREATE OR REPLACE TABLE {typed} AS SELECT *, {day} AS day, {known} AS known "
            f"FROM (SELECT {ours}, ({any_bad}) AS unreadable FROM {raw})"
        )
    except duckdb.Error as error:
        raise say_unreadable(name, source, error) from None
    if left_out := _leave_out(store, typed, forgotten):
        # What is wrong with their rows is neither told nor set aside.
        theirs = next(value for item, value in clean.items() if item.name == "customer_id")
        raw = f"(SELECT * FROM {raw} WHERE NOT {forgotten.condition(theirs)})"
    bad = int(connection.execute(f"SELECT count(*) FROM {typed} WHERE unreadable").fetchall()[0][0])
    if config.data.on_bad_rows == "quarantine":
        set_aside(connection, quarantine_file(config, name), f"SELECT * FROM {raw} WHERE {any_bad}" if bad else None)
    if bad:
        store.bad_rows[name] = count_bad_rows(connection, raw, rules)
        connection.execute(f"DELETE FROM {typed} WHERE unreadable")
    connection.execute(f"ALTER TABLE {typed} DROP COLUMN unreadable")
    _note_table(store, contract, tuple(columns), bad, lag_days)
    store.forgotten_rows += left_out


def _leave_out(store: Store, typed: str, forgotten: Forgotten) -> int:
    """How many rows of forgotten customers were taken out; each id is looked at once, and none where nobody is forgotten."""
    if not forgotten.hashes:
        return 0
    ids = (
        f"SELECT customer_id FROM (SELECT DISTINCT customer_id FROM {typed}) WHERE {forgotten.condition('customer_id')}"
    )
    found = [row[0] for row in store.connection.execute(ids).fetchall()]
    if not found:
        return 0
    gone = f"DELETE FROM {typed} WHERE customer_id IN (SELECT unnest(?))"
    return int(store.connection.execute(gone, [found]).fetchall()[0][0])


def _is_parquet(path: Path) -> bool:
    """Whether a table's path stands for Parquet files: a folder can hold nothing else."""
    return is_parquet(path) or path.is_dir()


def day_expressions(contract: TableContract, columns: Mapping[Field, str], lag_days: int | None) -> tuple[str, str]:
    """SQL of the day of a row and of the day it was known, over our columns."""
    present = {item.name for item in columns}
    dated_by = "valid_from" if contract.name == "customers" else contract.dated_by
    day = f"coalesce({quote(dated_by)}, {UNDATED})" if dated_by in present else str(UNDATED)
    if contract.name == "features" and dated_by in present:
        # A row of supplied features may be used on its own day: features.as_of <= as_of.
        day = f"{day} - 1"
    if lag_days is None:
        return day, f"greatest({day}, coalesce(known_at, {day}))"
    return day, f"{day} + {lag_days}"


def _note_table(
    store: Store, contract: TableContract, columns: tuple[Field, ...], bad_rows: int, lag_days: int | None
) -> None:
    name = contract.name
    rows, first, last, future = store.connection.execute(
        f"SELECT count(*), min(day) FILTER (WHERE day > {UNDATED} AND day <= {store.today}), "
        f"max(day) FILTER (WHERE day > {UNDATED} AND day <= {store.today}), count(*) FILTER (WHERE day > {store.today}) "
        f"FROM {quote('typed_' + name)}"
    ).fetchall()[0]
    store.tables[name] = TableInfo(name, int(rows), columns, first, last, int(future), bad_rows, 0, lag_days)


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
        store.write_table(
            name,
            f"SELECT ids.customer, typed.* EXCLUDE (customer_id) FROM {quote('typed_' + name)} AS typed "
            "JOIN customer_ids AS ids USING (customer_id)",
            quote("typed_" + name),
        )
        connection.execute(f"DROP TABLE {quote('typed_' + name)}")
        rows = int(connection.execute(f"SELECT count(*) FROM {store.relation(name)}").fetchall()[0][0])
        if rows < info.rows:
            store.tables[name] = replace(info, rows=rows, orphan_rows=info.rows - rows)
