"""The list in a table of PostgreSQL: one row for each day and customer, a whole day in one transaction.

Readers see the day as it was or as it is. Rows that differ are written over by (as_of, customer_id), and rows of that day
that the list no longer has go; rows that are right already, the table itself, its grants and other days are not touched.
The text of a connection error is never repeated: it may hold the password that the uri holds.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.config_exports import DatabaseExport
from kizuna.data.sources import literal, quote
from kizuna.errors import DestinationFailed

if TYPE_CHECKING:
    import pyarrow as pa

KEY = ("as_of", "customer_id")
# Columns of at_risk.csv that are no text.
KINDS: dict[str, tuple[str, ...]] = {
    "date": ("as_of", "last_purchase", "expected_next_purchase", "act_by"),
    "bigint": ("list_rank", "horizon_days", "weeks_on_list", "cltv_horizon_days", "risk_percentile"),
    "double precision": (
        *("churn_probability", "churn_probability_prev", "days_since_purchase", "usual_gap_days", "overdue_ratio"),
        *("orders_365d", "revenue_365d", "cltv", "cltv_formula", "value_if_kept", "value_if_churned", "value_at_risk"),
        "offer_max_cost",
    ),
    "boolean": ("contact_allowed",),
}
_STAGING = "kizuna_list"


def read_list(path: Path) -> pa.Table:
    """A published at_risk.csv as Arrow, each column of its own type; null is null and an empty text a text."""
    import pyarrow as pa
    from pyarrow import csv

    arrow = {"date": pa.date32(), "bigint": pa.int64(), "double precision": pa.float64(), "boolean": pa.bool_()}
    with path.open(encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split(",")
    types = {name: arrow.get(sql_type(name), pa.string()) for name in header}
    options = csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    return csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options)


def sql_type(column: str) -> str:
    """The type that a column of the list has in the table."""
    return next((kind for kind, names in KINDS.items() if column in names), "text")


def upsert_list(rows: pa.Table, as_of: date, asked: DatabaseExport) -> None:
    """Writes a day's list, as ``read_list`` gives it, into the table.

    DestinationFailed where the server does not let us in, or the table is not there, lacks columns or refuses the rows.
    """
    driver = postgresql_driver()
    try:
        connection = driver.connect(asked.uri)
    except Exception as error:
        raise DestinationFailed(
            f"the server did not let us in ({type(error).__name__}). Check its address, the user and the password"
        ) from None
    try:
        with connection, connection.cursor() as cursor:
            _make_ready(cursor, rows.column_names, asked)
            _write(cursor, rows, as_of, asked)
            connection.commit()
    except DestinationFailed:
        raise
    except Exception as error:
        raise DestinationFailed(f"the database refused the list: {_reason(error)}") from None


def postgresql_driver() -> Any:
    """The module that connects; DestinationFailed where it is not installed."""
    try:
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise DestinationFailed(
            "its driver adbc-driver-postgresql is not installed. Install it: pip install 'kizuna[postgres]'"
        ) from None
    return driver


def _reason(error: Exception) -> str:
    """What the server says is wrong, in one line. What it adds may repeat a customer's row."""
    said = re.search(r"ERROR:\s+(.+)", str(error))
    return said[1][:300].strip().rstrip(".") if said else type(error).__name__


def _make_ready(cursor: Any, names: list[str], asked: DatabaseExport) -> None:
    """Makes the table, or the columns that it lacks, where that is asked for; else DestinationFailed names them."""
    table = quoted_table(asked.table)
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
        f"AND attrelid = to_regclass({literal(table)})"
    )
    held = [row[0] for row in cursor.fetchall()]
    lacking = [name for name in names if name not in held]
    if lacking and not asked.create:
        what = f"columns {', '.join(lacking)} are missing in" if held else "there is no table"
        raise DestinationFailed(f"{what} {asked.table}. Make it, or set create: true in this export")
    columns = [f"{quote(name)} {sql_type(name)}{' NOT NULL' if name in KEY else ''}" for name in lacking]
    if lacking and held:
        cursor.execute(f"ALTER TABLE {table} {', '.join(f'ADD COLUMN {column}' for column in columns)}")
    elif lacking:
        cursor.execute(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY ({', '.join(KEY)}))")


def _write(cursor: Any, rows: pa.Table, as_of: date, asked: DatabaseExport) -> None:
    table, names = quoted_table(asked.table), rows.column_names
    columns = ", ".join(quote(name) for name in names)
    values = [quote(name) for name in names if name not in KEY]
    newer = ", ".join(f"{name} = EXCLUDED.{name}" for name in values)
    held, given = (", ".join(f"{place}.{name}" for name in values) for place in ("held", "EXCLUDED"))
    cursor.adbc_ingest(_STAGING, rows, mode="create", temporary=True)
    cursor.execute(
        f"INSERT INTO {table} AS held ({columns}) SELECT {columns} FROM pg_temp.{_STAGING} "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {newer} WHERE ({held}) IS DISTINCT FROM ({given})"
    )
    cursor.execute(
        f"DELETE FROM {table} WHERE as_of = DATE '{as_of.isoformat()}' "
        f"AND customer_id NOT IN (SELECT customer_id FROM pg_temp.{_STAGING})"
    )


def quoted_table(table: str) -> str:
    """The name of a table, of its schema too if it has one, for SQL."""
    return ".".join(quote(part) for part in table.split("."))
