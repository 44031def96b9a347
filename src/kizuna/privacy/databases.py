"""A customer's rows in the tables that exports fill: deleted, every day of them."""

from __future__ import annotations

from typing import Any

from kizuna.config_exports import DatabaseExport
from kizuna.errors import DestinationFailed
from kizuna.exports.database import postgresql_driver, quoted_table


def rows_in_table(asked: DatabaseExport, customer_id: str, delete: bool) -> int:
    """How many rows of the table are the customer's; gone afterwards where ``delete`` says so. A table not there has none.

    DestinationFailed where the database cannot be asked.
    """
    if "\0" in customer_id:
        # PostgreSQL holds no such text.
        return 0
    driver, table = postgresql_driver(), quoted_table(asked.table)
    try:
        with driver.connect(asked.uri) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass($1) IS NOT NULL", (table,))
            if not _first(cursor):
                return 0
            cursor.execute(f"SELECT count(*) FROM {table} WHERE customer_id = $1", (customer_id,))
            count = int(_first(cursor))
            if count and delete:
                cursor.execute(f"DELETE FROM {table} WHERE customer_id = $1", (customer_id,))
                connection.commit()
            return count
    except Exception as error:
        # What a server says may repeat the address with its password, or the customer.
        raise DestinationFailed(
            f"the database did not let the customer's rows be seen or deleted ({type(error).__name__}). "
            "Check its address, the user and the password"
        ) from None


def _first(cursor: Any) -> int:
    return int(cursor.fetchone()[0])
