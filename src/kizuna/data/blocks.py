"""Blocks of whole customers: memory is bounded by the block and not by the shop, and any engine can run them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import Events

if TYPE_CHECKING:
    from kizuna.data.store import Store

Result = TypeVar("Result")


@dataclass(frozen=True)
class Block:
    """The customers ``low`` … ``high − 1`` of a store. ``first``: the number of its first customer in the whole shop."""

    store: Store
    low: int
    high: int
    first: int

    @property
    def customers(self) -> int:
        """How many customers."""
        return self.high - self.low

    @cached_property
    def tables(self) -> Mapping[str, Events]:
        """Every table's rows, each table read when it is first asked for."""
        return _Tables(self.store, self.low, self.high)

    def ids(self) -> NDArray[np.object_]:
        """The customers' ids, in ascending order of their UTF-8 bytes."""
        return self.store.ids(self.low, self.high)


@dataclass(frozen=True)
class _Tables(Mapping[str, Events]):
    store: Store
    low: int
    high: int
    read: dict[str, Events] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Events:
        if name not in self.store.tables:
            raise KeyError(name)
        if name not in self.read:
            self.read[name] = self.store.events(name, self.low, self.high)
        return self.read[name]

    def __contains__(self, name: object) -> bool:
        return name in self.store.tables

    def __iter__(self) -> Iterator[str]:
        return iter(self.store.tables)

    def __len__(self) -> int:
        return len(self.store.tables)


def run_in_order(function: Callable[[Block], Result], blocks: Iterable[Block], threads: int) -> Iterator[Result]:
    """``function(block)`` of every block, in the order of the blocks, at most one finished result ahead per thread."""
    if threads == 1:
        yield from map(function, blocks)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            for block in blocks:
                waiting.append(pool.submit(function, block))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
