from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kizuna.config_file import parse_config
from kizuna.data.loading import open_store
from kizuna.data.sources import quote
from kizuna.data.store import Store
from kizuna.timeline import day_of

OpenShop = Callable[..., Store]
RowsOf = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def open_shop(tmp_path: Path) -> OpenShop:
    """A store of tables whose paths start at tmp_path; today is 2026-12-01."""

    def call(
        tables: dict[str, Any], frames: dict[str, Any] | None = None, today: date = date(2026, 12, 1), **data: Any
    ) -> Store:
        tree = {"name": "shop", "data": {"tables": tables, **data}, "output": {"dir": "out"}}
        return open_store(parse_config(tree, tmp_path), day_of(today), frames)

    return call


@pytest.fixture
def rows_of() -> RowsOf:
    """Rows of a clean table as (customer_id, date, further columns …), ordered by all of them."""

    def call(store: Store, table: str, *columns: str) -> list[tuple[Any, ...]]:
        further = "".join(f", {quote(column)}" for column in columns)
        query = (
            f"SELECT customer_id, CAST(DATE '1970-01-01' + day AS VARCHAR){further} "
            f"FROM {quote('clean_' + table)} JOIN customer_ids USING (customer) ORDER BY ALL"
        )
        return store.connection.execute(query).fetchall()

    return call
