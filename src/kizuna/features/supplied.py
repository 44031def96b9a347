"""Supplied: features that were made elsewhere, the latest row that as_of may see; numbers as they are, texts by level."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings
from kizuna.features.vocabulary import level_columns

TABLE = "features"


def text_columns(h: History) -> list[str]:
    """Text columns that get level columns: all."""
    return sorted(h.events.texts)


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """One column per number, one per level of each text."""
    for name in sorted(h.events.numbers):
        yield Feature(name, "SUPPLIED", "number", h.current(h.numbers(name)))
    for name in text_columns(h):
        yield from level_columns(h, TABLE, name, "SUPPLIED", settings)
