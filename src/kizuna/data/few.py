"""Some customers of a store, as a store of their own: what is asked of a few need not read everybody's rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import count

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kizuna.data.events import Events
from kizuna.data.sources import quote
from kizuna.data.store import Store, events_of

_numbers = count()


@dataclass
class FewCustomers(Store):
    """The customers of ``few``, a table of customer (their number in the whole) and place (their number here)."""

    few: str = ""
    whole_customers: int = 0

    @property
    def rows(self) -> int:
        """About how many rows of all tables are theirs."""
        return -(-super().rows * self.customers // max(self.whole_customers, 1))

    def ids(self, low: int = 0, high: int | None = None) -> NDArray[np.object_]:
        """Customer ids of the positions ``[low, high)``, in ascending order of their UTF-8 bytes."""
        high = self.customers if high is None else high
        query = (
            f"SELECT customer_id FROM {self.few} JOIN customer_ids USING (customer) "
            f"WHERE place >= {low} AND place < {high} ORDER BY place"
        )
        arrow = self.connection.cursor().sql(query).to_arrow_table()
        return np.asarray(arrow["customer_id"].to_numpy(), dtype=object)

    def events(self, table: str, low: int, high: int) -> Events:
        """One table's rows of the customers ``[low, high)``."""
        info = self.tables[table]
        columns = [quote(item.name) for item in info.columns if item.name not in ("customer_id", "known_at")]
        query = (
            f"SELECT {', '.join(['place AS customer', 'day', 'known', *columns])} "
            f"FROM {self.relation(table)} JOIN {self.few} USING (customer) "
            f"WHERE place >= {low} AND place < {high} ORDER BY place, day, known"
        )
        return events_of(info, self.connection.cursor().sql(query).to_arrow_table(), low, high)


@contextmanager
def customers_alone(store: Store, ids: Collection[str]) -> Iterator[Store]:
    """A store that holds the customers of these ids alone, within this; ids that the shop does not know are left out.

    An engine that holds the shop in parts gives the whole store back.
    """
    if type(store) is not Store:
        yield store
        return
    name = quote(f"few_{next(_numbers)}")
    wanted = pa.table({"customer_id": pa.array(sorted(set(ids)), pa.string())})
    store.connection.register("wanted_ids", wanted)
    store.connection.execute(
        f"CREATE TABLE {name} AS SELECT customer, CAST(row_number() OVER (ORDER BY customer) - 1 AS INTEGER) AS place "
        "FROM customer_ids SEMI JOIN wanted_ids USING (customer_id)"
    )
    store.connection.unregister("wanted_ids")
    found = int(store.connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
    mine = {field.name: getattr(store, field.name) for field in fields(Store)} | {"customers": found}
    try:
        yield FewCustomers(**mine, few=name, whole_customers=store.customers)
    finally:
        store.connection.execute(f"DROP TABLE {name}")
