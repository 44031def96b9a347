"""Profile: who the customer is. Without ``valid_from`` only columns that do not change are used."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.data.contract import CONSENTS, CONTRACTS
from kizuna.data.events import NEVER
from kizuna.features.history import Floats, History
from kizuna.features.plan import Feature, Settings
from kizuna.features.vocabulary import level_columns

TABLE = "customers"
_CONTRACT_COLUMNS = {item.name for item in CONTRACTS["customers"].fields}
_COMPLETE = ("birth_date", "market", "language")


def text_columns(h: History) -> list[str]:
    """Text columns that get level columns: market, language and the config's attributes; more where rows are dated."""
    steady = {"market", "language"} | ({"acquisition_channel"} if h.has("valid_from") else set())
    return [name for name in sorted(h.events.texts) if name in steady or name not in _CONTRACT_COLUMNS]


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of age, time since first seen, market, language and attributes."""
    if h.has("birth_date"):
        yield Feature("age_years", "PROFILE", "years", h.days_since_date("birth_date") / 365.25)
    if h.has("first_seen_at"):
        yield Feature("days_since_first_seen", "PROFILE", "days", h.days_since_date("first_seen_at"))
    if any(h.has(name) for name in _COMPLETE):
        yield Feature("profile_completeness", "PROFILE", "share", _completeness(h))
    for name in sorted(h.events.numbers):
        if name not in CONSENTS:
            yield Feature(name, "PROFILE", "number", h.current(h.numbers(name)))
    for name in text_columns(h):
        yield from level_columns(h, TABLE, name, "PROFILE", settings)


def _completeness(h: History) -> Floats:
    """Share of what the table can say of birth date, market and language that the row in force says."""
    said = [
        h.days(name) != NEVER if name == "birth_date" else h.texts(name).codes >= 0 for name in _COMPLETE if h.has(name)
    ]
    return h.current(np.mean(said, axis=0))
