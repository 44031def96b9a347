"""Opening a store: every configured table loaded, renamed, typed, dated, and its customers numbered.

What is wrong becomes a finding; ``Store.require_sound`` turns errors into exceptions. Rows that cannot be read are
never dropped in silence: they are errors, or, with ``on_bad_rows: quarantine``, go to a file and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kizuna.config import TABLES, Config
from kizuna.data.cleaning import ERA_PATTERN, KIND_WORDS, clean_sql, install_macros, present_sql
from kizuna.data.contract import CONTRACTS, OPTIONAL_VALUES, Field, Finding, State, TableContract
from kizuna.data.events import UNDATED
from kizuna.data.sources import connect, literal, load_raw, quote
from kizuna.data.store import Store, TableInfo
from kizuna.errors import ConfigError, ContractError, DataMissing, KizunaError, nearest
from kizuna.timeline import date_of

_ID_TABLES = ("purchases", "subscriptions", "customers", "labels", "features")


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
            raw = load_raw(store.connection, config, name, frames.get(name))
            _clean(store, CONTRACTS[name], raw)
            store.connection.execute(f"DROP TABLE {raw}")
        except DataMissing as error:
            if name in config.data.tables and config.data.tables[name].on_missing == "degrade":
                store.findings.append(_finding("missing_table", "warning", name, "", 0, str(error)))
            else:
                _add_error(store, error, name)
        except ContractError as error:
            _add_error(store, error, name)
    _number_customers(store, names)
    return store


def _add_error(store: Store, error: KizunaError, table: str) -> None:
    name = "missing_table" if isinstance(error, DataMissing) else "broken_contract"
    store.findings.append(_finding(name, "error", table, "", 0, str(error), exit_code=error.exit_code))


def _finding(
    name: str,
    state: State,
    table: str,
    column: str,
    count: int,
    details: str,
    *,
    exit_code: int = 0,
    examples: tuple[str, ...] = (),
) -> Finding:
    return Finding(name, state, "load", table, column, count, details, examples, exit_code)


def _clean(store: Store, contract: TableContract, raw: str) -> None:
    """Creates ``typed_<table>``: ours columns, days, known days; bad rows found, refused or set aside."""
    name, connection = contract.name, store.connection
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {raw}").fetchall()}
    columns = _match_columns(store, contract, types)
    total = int(connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0])
    if total == 0:
        raise DataMissing(f"Table {name} is empty: 0 rows. Load it, or take data.tables.{name} out of the config.")
    zone = store.config.data.timezone
    select, bad = [], []
    for item, theirs in columns.items():
        expression = clean_sql(item.kind, theirs, types[theirs], zone)
        select.append(f"{expression} AS {quote(item.name)}")
        unreadable = f"({expression}) IS NULL"
        optional = not item.required or (name, item.name) in OPTIONAL_VALUES
        bad.append((item, theirs, f"{present_sql(theirs, types[theirs])} AND {unreadable}" if optional else unreadable))
    if name == "purchases":
        bad.extend(_return_rules(columns, types, zone))
    conditions = [condition for _, _, condition in bad]
    flags = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    counts = connection.execute(f"SELECT {flags} FROM {raw}").fetchall()[0]
    bad_rows = 0
    if any(counts):
        any_bad = " OR ".join(f"({condition})" for condition in conditions)
        bad_rows = int(connection.execute(f"SELECT count(*) FROM {raw} WHERE {any_bad}").fetchall()[0][0])
        _report_bad_rows(
            store, name, raw, total, [(*item, int(count)) for item, count in zip(bad, counts, strict=True)]
        )
        if store.config.data.on_bad_rows == "quarantine":
            _quarantine(store, name, f"SELECT * FROM {raw} WHERE {any_bad}")
        if bad_rows == total:
            raise ContractError(f"Table {name}: none of its {total:,} rows can be read. See the lines above.")
        connection.execute(f"DELETE FROM {raw} WHERE {any_bad}")
    arrives = store.config.data.tables[name].arrives_after_days if name in store.config.data.tables else 0
    day = _day_expression(contract, columns)
    has_known = any(item.name == "known_at" for item in columns)
    known = f"greatest({day}, coalesce(known_at, {day}))" if has_known else f"{day} + {arrives}"
    if day == str(UNDATED) and has_known:
        known = f"coalesce(known_at, {UNDATED})"
    inner = f"SELECT {', '.join(select)} FROM {raw}"
    connection.execute(
        f"CREATE OR REPLACE TABLE {quote('typed_' + name)} AS SELECT *, {day} AS day, {known} AS known FROM ({inner})"
    )
    _note_table(store, contract, tuple(columns), bad_rows)


def _match_columns(store: Store, contract: TableContract, types: dict[str, str]) -> dict[Field, str]:
    """Our fields to their column names; ContractError for a required one that is not there."""
    source = store.config.data.tables.get(contract.name)
    renames = source.columns if source else {}
    known = [item.name for item in contract.fields]
    attributes = source.attributes if source else []
    fields = list(contract.fields)
    for ours in renames:
        if ours not in known and ours not in attributes and not contract.open_columns:
            raise ConfigError(
                f"data.tables.{contract.name}.columns: there is no column '{ours}'.{nearest(ours, known)}"
            )
    for attribute in attributes if contract.name == "customers" else ():
        theirs = renames.get(attribute, attribute)
        if theirs not in types:
            raise _no_column(contract.name, attribute, theirs, types)
        if attribute not in known:
            fields.append(Field(attribute, "number" if _is_numeric(types[theirs]) else "text"))
    matched: dict[Field, str] = {}
    for item in fields:
        theirs = renames.get(item.name, item.name)
        if theirs in types:
            matched[item] = theirs
        elif item.required or item.name in renames:
            raise _no_column(contract.name, item.name, theirs, types)
    if contract.open_columns:
        used = set(matched.values())
        backwards = {theirs: ours for ours, theirs in renames.items()}
        for theirs, raw_type in types.items():
            if theirs not in used:
                kind = "number" if _is_numeric(raw_type) or raw_type == "BOOLEAN" else "text"
                if raw_type == "BOOLEAN":
                    kind = "flag"
                matched[Field(backwards.get(theirs, theirs), kind)] = theirs  # type: ignore[arg-type]
    return matched


def _is_numeric(raw_type: str) -> bool:
    return (
        raw_type.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL"))
        and raw_type != "UUID"
    )


def _no_column(table: str, ours: str, theirs: str, types: dict[str, str]) -> ContractError:
    renamed = f" (looked for '{theirs}')" if theirs != ours else ""
    return ContractError(
        f"Table {table} needs a column {ours}{renamed}; found {', '.join(types)}.{nearest(theirs, types)} "
        f"Map it: data.tables.{table}.columns: {{{ours}: …}}."
    )


def _return_rules(columns: dict[Field, str], types: dict[str, str], zone: str) -> list[tuple[Field, str, str]]:
    by_name = {item.name: item for item in columns}
    if "is_return" not in by_name:
        return []
    theirs = columns[by_name["is_return"]]
    flag = clean_sql("flag", theirs, types[theirs], zone)
    amount_column = columns[by_name["amount"]]
    amount = clean_sql("number", amount_column, types[amount_column], zone)
    return [(Field("is_return", "number"), amount_column, f"({flag}) = false AND ({amount}) < 0")]


def _day_expression(contract: TableContract, columns: dict[Field, str]) -> str:
    present = {item.name for item in columns}
    if contract.name == "customers":
        return "coalesce(valid_from, " + str(UNDATED) + ")" if "valid_from" in present else str(UNDATED)
    if contract.dated_by not in present:
        return str(UNDATED)
    day = f"coalesce({quote(str(contract.dated_by))}, {UNDATED})"
    # A row of supplied features may be used on its own day: features.as_of <= as_of.
    return f"{day} - 1" if contract.name == "features" else day


def _report_bad_rows(store: Store, table: str, raw: str, total: int, bad: list[tuple[Field, str, str, int]]) -> None:
    quarantined = store.config.data.on_bad_rows == "quarantine"
    for item, theirs, condition, count in bad:
        if not count:
            continue
        rows = store.connection.execute(
            f"SELECT DISTINCT CAST({quote(theirs)} AS VARCHAR) AS example FROM {raw} WHERE {condition} "
            "ORDER BY 1 NULLS FIRST LIMIT 3"
        ).fetchall()
        examples = tuple("(empty)" if row[0] is None or row[0] == "" else str(row[0]) for row in rows)
        what = "cannot be read as " + KIND_WORDS[item.kind]
        if item.name == "is_return":
            what = "have is_return false and a negative amount"
        elif all(example == "(empty)" for example in examples):
            what = "are empty"
        shown = ", ".join(repr(example) for example in examples)
        column = f"{table}.{item.name}" + (f" (their {theirs})" if theirs != item.name else "")
        details = f"{column}: {count:,} of {total:,} rows {what}, such as {shown}."
        if item.kind == "time" and any(_is_era(store, example) for example in examples):
            details += " Japanese era dates are not read; write the year as 2026."
        details += (
            " They were set aside in quarantine." if quarantined else " Mend them, or set data.on_bad_rows: quarantine."
        )
        state: State = "warning" if quarantined else "error"
        store.findings.append(
            _finding(
                "bad_rows",
                state,
                table,
                item.name,
                count,
                details,
                exit_code=0 if quarantined else 11,
                examples=examples,
            )
        )


def _is_era(store: Store, text: str) -> bool:
    return bool(store.connection.execute("SELECT regexp_matches(?, ?)", [text, ERA_PATTERN]).fetchall()[0][0])


def _quarantine(store: Store, table: str, select: str) -> None:
    folder = store.config.output_dir / "check" / "quarantine"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target: Path = folder / f"{table}.parquet"
    store.connection.execute(f"COPY ({select}) TO {literal(str(target))} (FORMAT parquet)")


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


def _number_customers(store: Store, names: list[str]) -> None:
    """Gives every customer a number in the order of ids, and creates ``clean_<table>`` with it."""
    connection = store.connection
    parts = [f"SELECT customer_id FROM {quote('typed_' + name)}" for name in _ID_TABLES if name in store.tables]
    union = " UNION ALL ".join(parts) or "SELECT CAST(NULL AS VARCHAR) AS customer_id WHERE false"
    connection.execute(
        "CREATE OR REPLACE TABLE customer_ids AS "
        "SELECT CAST(row_number() OVER (ORDER BY customer_id) - 1 AS INTEGER) AS customer, customer_id "
        f"FROM (SELECT DISTINCT customer_id FROM ({union}))"
    )
    store.customers = int(connection.execute("SELECT count(*) FROM customer_ids").fetchall()[0][0])
    for name in [name for name in names if name in store.tables]:
        info = store.tables[name]
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
            store.tables[name] = TableInfo(
                name, rows, info.columns, info.first_day, info.last_day, info.future_rows, info.bad_rows, orphans
            )
