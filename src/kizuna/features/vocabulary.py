"""Text columns as 0/1 columns: which levels have one is fixed when the plan is made, and travels with the model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import CONTRACTS
from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

MAX_LEVELS = 12
MIN_ROWS = 20
# What fewer customers hold may be about one of them, and a model would carry it along.
MIN_CUSTOMERS = 5


def choose_levels(counts: dict[str, int], holders: dict[str, int]) -> tuple[str, ...]:
    """The levels that get a column: the most frequent ones, at most 12, each of at least 20 rows and 5 customers.

    ``counts``: rows per level, ``holders``: customers per level. Ties go by name, so that the order of rows does not matter.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    many = (level for level, count in ranked[:MAX_LEVELS] if count >= MIN_ROWS)
    return tuple(sorted(level for level in many if holders.get(level, 0) >= MIN_CUSTOMERS))


def current_codes(h: History, table: str, column: str) -> NDArray[np.float64]:
    """The code of the text in force on each row (NaN or −1: null or no row).

    In a table of versions (one row per customer and day) it is that of the last row. In a table of events, where few rows
    name it, it is that of the last day that does, null where this day names several.
    """
    codes = h.texts(column).codes.astype(np.float64)
    if CONTRACTS[table].key:
        return h.current(codes)
    named = codes >= 0
    code = h.last(codes, named)
    return np.where(h.last(codes * codes, named) == code * code, code, np.nan)


def level_columns(h: History, table: str, column: str, driver: str, settings: Settings) -> Iterator[Feature]:
    """One 0/1 column per level of the vocabulary, ``market=JP``; null where the text itself is null."""
    codes, levels = current_codes(h, table, column), h.texts(column).levels
    known = ~np.isnan(codes) & (codes >= 0)
    for level in settings.vocabularies.get(f"{table}.{column}", ()):
        code = levels.index(level) if level in levels else -2
        yield Feature(f"{column}={level}", driver, "flag", np.where(known, (codes == code).astype(np.float64), np.nan))
