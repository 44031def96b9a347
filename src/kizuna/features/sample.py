"""Some of the customers, whole: drawn the same way from day to day, whoever else there is, or listed by id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuna.data.few import customers_alone
from kizuna.data.store import Store

# Of more customers all rows are read sooner than theirs are found.
_FEW = 0.3


@dataclass(frozen=True)
class Sample:
    """Customers drawn with probability ``share`` by a hash of the seed and their id."""

    seed: int
    share: float

    def draws(self, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which of the customers are drawn."""
        return np.array([self._uniform(name) < self.share for name in ids], dtype=np.bool_)

    def _uniform(self, customer_id: str) -> float:
        digest = hashlib.sha256(f"{self.seed}|{customer_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


@dataclass(frozen=True)
class Listed:
    """Customers by their ids."""

    wanted: frozenset[str]

    def draws(self, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which of the customers are listed."""
        return np.array([name in self.wanted for name in ids], dtype=np.bool_)


@contextmanager
def narrowed(store: Store, sample: Sample | Listed | None) -> Iterator[tuple[Store, Sample | Listed | None]]:
    """A store of the customers that are drawn alone, where that is less to read, and what is still to be drawn from it."""
    if type(store) is not Store or sample is None or (isinstance(sample, Sample) and sample.share > _FEW):
        yield store, sample
        return
    everybody = store.ids()
    with customers_alone(store, everybody[sample.draws(everybody)].tolist()) as few:
        yield few, None
