"""The keys of a feature frame in one block: which customer on which day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import starts_of


@dataclass(frozen=True)
class Rows:
    """Keys of a feature frame in one block: ``customer`` (position in the block) and ``as_of``, sorted by both."""

    customer: NDArray[np.int32]
    as_of: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.customer)

    def where(self, keep: NDArray[np.bool_]) -> Rows:
        """The rows that a mask keeps."""
        return rows_of(self.customer[keep], self.as_of[keep], len(self.starts) - 1)


def rows_of(customer: NDArray[np.int32], as_of: NDArray[np.int32], customers: int) -> Rows:
    """Rows from sorted keys of a block with ``customers`` customers."""
    return Rows(customer, as_of, starts_of(customer, customers))


def every_pair(customers: int, days: Sequence[int]) -> Rows:
    """Each customer of a block on each day."""
    ascending = np.array(sorted(days), dtype=np.int32)
    customer = np.repeat(np.arange(customers, dtype=np.int32), len(ascending))
    return rows_of(customer, np.tile(ascending, customers), customers)
