"""A forgotten customer's rows in a real PostgreSQL: gone of every day, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

import adbc_driver_postgresql.dbapi as driver
import pytest

from kizuna.config_exports import DatabaseExport
from kizuna.errors import DestinationFailed
from kizuna.privacy.databases import rows_in_table
from servers import postgresql_server, select

pytestmark = pytest.mark.slow

IDS = ["7", "1007", "'; DROP TABLE at_risk; --", "a\nb", "山田"]


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with postgresql_server() as address:
        yield address


@pytest.fixture
def asked(uri: str) -> DatabaseExport:
    """A table with every customer on two days."""
    with driver.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute('DROP TABLE IF EXISTS "at_risk"')
        cursor.execute("CREATE TABLE at_risk (as_of date, customer_id text)")
        for name in IDS:
            for day in ("2026-01-05", "2026-01-12"):
                cursor.execute(f"INSERT INTO at_risk VALUES (DATE '{day}', $1)", (name,))
        connection.commit()
    return DatabaseExport(to="database", uri=uri)


def held(uri: str) -> list[str]:
    return [row[0] for row in select(uri, "SELECT customer_id FROM at_risk ORDER BY 1")]


@pytest.mark.parametrize("who", IDS)
def test_rows_are_counted_and_then_gone(who: str, asked: DatabaseExport) -> None:
    assert rows_in_table(asked, who, delete=False) == 2
    assert len(held(asked.uri)) == 2 * len(IDS)
    assert rows_in_table(asked, who, delete=True) == 2
    assert sorted(set(held(asked.uri))) == sorted(set(IDS) - {who})
    assert rows_in_table(asked, who, delete=True) == 0


def test_a_table_that_is_not_there_and_an_id_that_cannot_be_there_have_none(asked: DatabaseExport) -> None:
    assert rows_in_table(asked.model_copy(update={"table": "crm.none"}), "7", delete=True) == 0
    assert rows_in_table(asked, "7\0", delete=True) == 0


def test_a_server_that_does_not_answer_is_said_without_password_or_customer() -> None:
    closed = DatabaseExport(to="database", uri="postgresql://shop:secret@127.0.0.1:1/postgres")
    with pytest.raises(DestinationFailed) as said:
        rows_in_table(closed, "kanarie", delete=True)
    assert str(said.value) == (
        "the database did not let the customer's rows be seen or deleted (OperationalError). "
        "Check its address, the user and the password"
    )
