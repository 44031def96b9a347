"""Blocks of whole customers on this machine, in threads over one DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run_blocks(function: Callable[[int, int], Result], blocks: Iterable[tuple[int, int]], threads: int) -> list[Result]:
    """``function(low, high)`` of every block, in the order of the blocks, whatever the number of threads."""
    ranges = list(blocks)
    if threads == 1 or len(ranges) == 1:
        return [function(low, high) for low, high in ranges]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(lambda block: function(*block), ranges))
