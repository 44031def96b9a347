"""What a family is: a named group of features of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings


@dataclass(frozen=True)
class Family:
    """A group of features of one table.

    ``features``: yields the columns; which ones depends on the table's columns and the settings, never on its rows.
    ``text_columns``: names the text columns whose frequent levels stand in ``settings.vocabularies``.
    """

    name: str
    table: str
    features: Callable[[History, Settings], Iterator[Feature]]
    text_columns: Callable[[History], list[str]] | None = None
