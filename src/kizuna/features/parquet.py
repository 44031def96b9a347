"""One day's feature frame as a Parquet file, written block by block: memory holds a few blocks, not the shop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.blocks import Block
from kizuna.data.store import Store
from kizuna.features.families import families_for
from kizuna.features.frame import Select, block_values, days_to_dates, selected_rows
from kizuna.features.plan import FeaturePlan

if TYPE_CHECKING:
    import pyarrow as pa


def write_features(store: Store, plan: FeaturePlan, as_of: int, select: Select, path: Path) -> int:
    """Writes customer_id, as_of and the plan's columns, sorted by customer id; comes back with the number of rows.

    The file is there when it is complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    families = families_for(plan, store.config)
    keys = [pa.field("customer_id", pa.string()), pa.field("as_of", pa.timestamp("s"))]
    schema = pa.schema([*keys, *(pa.field(name, pa.float64()) for name in plan.names)])

    def table(block: Block) -> pa.Table:
        rows = selected_rows(block, [as_of], select)
        values = block_values(block.tables, rows, plan, families)
        ids = pa.array(block.ids()[rows.customer], pa.string())
        columns = [np.ascontiguousarray(values[:, column]) for column in range(len(plan.names))]
        # A null is a null in Parquet; NaN would be a number to other readers.
        arrays = [pa.array(column, from_pandas=True) for column in columns]
        return pa.table([ids, pa.array(days_to_dates(rows.as_of)), *arrays], schema=schema)

    part, count = path.with_name(path.name + ".part"), 0
    try:
        with pq.ParquetWriter(part, schema) as writer:
            for found in store.map_tables(table, "features"):
                writer.write_table(found)
                count += found.num_rows
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
