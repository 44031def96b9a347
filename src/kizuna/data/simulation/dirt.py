"""A shop as it comes: duplicates, late rows, mixed date forms, missing ids and test accounts, for ``dirty``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kizuna.data.simulation.keyed import Floats, Purpose, keys_of, uniform
from kizuna.data.simulation.parameters import Parameters

if TYPE_CHECKING:
    import pyarrow as pa

_DUPLICATES, _IDS, _LATE, _DELAY, _SLASHES = range(5)


def spoil(name: str, table: pa.Table, parameters: Parameters, seed: int) -> pa.Table:
    """The table with its share of dirt: purchases get all of it, engagement all but test accounts and date forms."""
    if name not in ("purchases", "engagement") or not len(table):
        return table
    import pyarrow as pa

    dirt = parameters.dirt
    frame = table.to_pandas()
    if name == "purchases":
        tests = frame.iloc[:: max(1, len(frame) // max(1, dirt.test_orders))].head(dirt.test_orders).copy()
        tests["customer_id"] = [f"TEST{k % dirt.test_accounts + 1:04d}" for k in range(len(tests))]
        tests["order_id"] = [f"T{k:08d}" for k in range(len(tests))]
        tests[["amount", "is_return"]] = [1.0, False]
        frame = frame.merge(tests, how="outer")[list(frame.columns)]
    again = frame[_draws(seed, name, _DUPLICATES, len(frame)) < dirt.duplicate_share]
    frame = type(frame)(np.concatenate([frame, again])) if False else frame._append(again)
    return pa.Table.from_pandas(frame)


def _draws(seed: int, name: str, purpose: int, count: int) -> Floats:
    return uniform(keys_of(seed, count), Purpose.DIRT, purpose * 100 + len(name))
