"""What exports may say of a customer beside the list: market, language and attributes, as they were known on its day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.frames import arrow_table, numpy_columns
from kizuna.data.store import Store
from kizuna.features.context import current_text
from kizuna.features.history import History
from kizuna.features.rows import every_pair

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = "customers"
# What holds of a customer whether listed or not.
PROFILE = ("market", "language")


def profile_names(config: Config) -> list[str]:
    """The columns of customers that exports may name."""
    source = config.data.tables.get(_TABLE)
    return [*PROFILE, *(source.attributes if source else [])]


def profile_of(store: Store, as_of: int, names: list[str]) -> pd.DataFrame:
    """customer_id, then the named columns as text (null where unknown), of every customer, sorted by id."""
    import pyarrow as pa

    def known(block: Block) -> pa.Table:
        columns: dict[str, NDArray[Any]] = {"customer_id": block.ids()}
        if _TABLE in block.tables:
            history = History(block.tables[_TABLE], every_pair(block.customers, [as_of]), block.tables)
            columns |= {name: _texts(history, name) for name in names if history.has(name)}
        return arrow_table(columns)

    found = numpy_columns(pa.concat_tables([known(store.block(0, 0)), *store.map_tables(known, "profile")]))
    frame = pd.DataFrame({name: pd.array(values, dtype="str") for name, values in found.items()})
    return frame.reindex(columns=["customer_id", *names]).astype("str")


def _texts(history: History, name: str) -> NDArray[Any]:
    """A column's texts in force; numbers without trailing zeros."""
    if name not in history.events.numbers:
        return current_text(history, name)
    numbers = history.current(history.numbers(name)).tolist()
    return np.array([None if number != number else f"{number:.15g}" for number in numbers], dtype=object)
