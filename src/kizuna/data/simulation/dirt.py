"""A shop as it comes: duplicates, late rows, mixed date forms, missing ids and test accounts, for ``dirty``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.simulation.keyed import Bools, Keys, Purpose, keys_of, uniform

if TYPE_CHECKING:
    import pyarrow as pa

TEST_ACCOUNT = "TEST"
_DUPLICATE, _NO_ID, _LATE, _DELAY, _SLASHES = range(5)
_SPOILT = ("purchases", "engagement")


@dataclass(frozen=True)
class Dirt:
    """What is spoilt where ``dirty`` is set."""

    duplicate_share: float = 0.01
    null_id_share: float = 0.003
    slash_date_share: float = 0.3
    very_late_share: float = 0.02
    very_late_max_days: int = 60
    test_accounts: int = 3
    test_orders: int = 200


def spoil(name: str, table: pa.Table, dirt: Dirt, seed: int) -> pa.Table:
    """The table with its share of dirt. Purchases get all kinds of it, engagement duplicates, late rows and null ids."""
    if name not in _SPOILT or not len(table):
        return table
    import pyarrow as pa

    def hit(purpose: int, share: float) -> Bools:
        return uniform(_keys(seed, name, len(table)), Purpose.DIRT, purpose) < share

    if name == "purchases":
        table = pa.concat_tables([table, _test_orders(table, dirt)])
    again = np.flatnonzero(hit(_DUPLICATE, dirt.duplicate_share))
    table = table.take(pa.array(np.sort(np.concatenate([np.arange(len(table)), again]))))
    table = _delay(table, dirt, hit(_LATE, dirt.very_late_share), _keys(seed, name, len(table)))
    ids = table["customer_id"].to_numpy(zero_copy_only=False)
    table = _replace(table, "customer_id", pa.array(ids, pa.string(), mask=hit(_NO_ID, dirt.null_id_share)))
    if name == "purchases":
        iso = np.datetime_as_string(table["occurred_at"].to_numpy(), unit="s")
        slashes = np.char.replace(np.char.replace(iso, "-", "/"), "T", " ")
        table = _replace(table, "occurred_at", pa.array(np.where(hit(_SLASHES, dirt.slash_date_share), slashes, iso)))
    return table


def _test_orders(table: pa.Table, dirt: Dirt) -> pa.Table:
    """Orders of one unit of money by test accounts, at moments of real ones."""
    import pyarrow as pa

    count = min(dirt.test_orders, len(table))
    copies = table.take(pa.array(np.linspace(0, len(table) - 1, count).astype(np.int64)))
    copies = _replace(
        copies, "customer_id", pa.array([f"{TEST_ACCOUNT}{k % dirt.test_accounts + 1:04d}" for k in range(count)])
    )
    copies = _replace(copies, "order_id", pa.array([f"T{k:09d}" for k in range(count)]))
    copies = _replace(copies, "amount", pa.array(np.ones(count)))
    return _replace(copies, "is_return", pa.array(np.zeros(count, dtype=bool)))


def _delay(table: pa.Table, dirt: Dirt, late: Bools, keys: Keys) -> pa.Table:
    """Rows that arrive weeks late, but none after the newest row that has arrived."""
    import pyarrow as pa

    known = table["known_at"].to_numpy().copy()
    days = np.floor(uniform(keys, Purpose.DIRT, _DELAY) * dirt.very_late_max_days).astype("timedelta64[D]")
    known[late] = np.minimum(known[late] + days[late], known.max())
    return _replace(table, "known_at", pa.array(known))


def _keys(seed: int, name: str, count: int) -> Keys:
    return keys_of(seed * len(_SPOILT) + _SPOILT.index(name), count)


def _replace(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, values)
