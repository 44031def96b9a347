"""The rows of one table for a block of whole customers, as arrays sorted by customer and day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNDATED = -1_000_000
"""The day of a row that has always been there (a customer's profile without ``valid_from``)."""
NEVER = 2_000_000_000
"""The day of what has not happened yet (an unresolved complaint's resolution)."""


@dataclass(frozen=True)
class Coded:
    """A text column: ``levels[codes]``, code −1 where it is null. ``dictionary``: the levels as an Arrow array of strings.

    ``ascending``: whether the levels ascend by their UTF-8 bytes.
    """

    codes: NDArray[np.int32]
    dictionary: Any
    ascending: bool = False

    @property
    def size(self) -> int:
        """How many levels there are, held by these rows or not."""
        return len(self.dictionary)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The texts by code."""
        return tuple(self.dictionary.to_pylist())


@dataclass(frozen=True)
class Events:
    """Rows sorted by customer, day, known day and then every other column, so that ties have one order.

    ``customer``: position in the block, 0 … customers−1. ``day``: when it happened. ``known``: when we could know
    it, at least ``day``. ``starts``: first row of each customer, length customers + 1. ``numbers``: float64, NaN where
    null. ``days``: int32, NEVER where null. ``texts``: coded. ``lag_days``: known − day where that is the same for every
    row that the table can ever have, else None.
    """

    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    known: NDArray[np.int32]
    starts: NDArray[np.int64]
    numbers: Mapping[str, NDArray[np.float64]]
    days: Mapping[str, NDArray[np.int32]]
    texts: Mapping[str, Coded]
    lag_days: int | None = None

    @property
    def customers(self) -> int:
        """Number of customers in the block, those without rows included."""
        return len(self.starts) - 1


def starts_of(customer: NDArray[np.int32], customers: int) -> NDArray[np.int64]:
    """First row of each customer in a sorted customer column, with the total appended."""
    return np.concatenate([[0], np.cumsum(np.bincount(customer, minlength=customers))]).astype(np.int64)
