"""Text columns as 0/1 columns: which levels have one is fixed when the plan is made, and travels with the model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings

MAX_LEVELS = 12
MIN_CUSTOMERS = 20


def choose_levels(counts: dict[str, int]) -> tuple[str, ...]:
    """The levels that get a column: the most frequent ones, at most 12, each held by at least 20 rows.

    ``counts``: rows per level. Ties go by name, so that the order of rows does not matter.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(sorted(level for level, count in ranked[:MAX_LEVELS] if count >= MIN_CUSTOMERS))


def current_codes(h: History, column: str) -> NDArray[np.float64]:
    """The code of the last row's text on each row (NaN: null or no row); a null text is −1."""
    codes = h.texts(column).codes.astype(np.float64)
    return h.current(codes)


def level_columns(h: History, table: str, column: str, driver: str, settings: Settings) -> Iterator[Feature]:
    """One 0/1 column per level of the vocabulary, ``market=JP``; null where the text itself is null."""
    codes, levels = current_codes(h, column), h.texts(column).levels
    known = ~np.isnan(codes) & (codes >= 0)
    for level in settings.vocabularies.get(f"{table}.{column}", ()):
        code = levels.index(level) if level in levels else -2
        yield Feature(f"{column}={level}", driver, "flag", np.where(known, (codes == code).astype(np.float64), np.nan))
