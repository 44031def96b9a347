"""Some of the customers, whole: drawn the same way from day to day, whoever else there is, or listed by id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
