"""The words of both documents in one language, and how dates, money and shares are written in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from kizuna.errors import ConfigError, nearest

LANGUAGES = ("en", "ja")

_SYMBOLS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF"})


@dataclass(frozen=True)
class Words:
    """Every text of one language by its dotted key, such as ``report.effect``."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its places filled."""
        return self.texts[key].format(**values)

    def code(self, group: str, code: object) -> str:
        """The word for a code found in the data, or the code itself where the catalog has none; "" for null."""
        if code is None or code != code:
            return ""
        return self.texts.get(f"{group}.{code}", str(code))

    def knows(self, group: str, code: object) -> bool:
        """Whether the catalog has a word for a code."""
        return f"{group}.{code}" in self.texts

    def day(self, when: date, *, weekday: bool = False, year: bool = True) -> str:
        """``2026/01/01(木)`` or ``Thu 1 Jan 2026``; without weekday or year where the place is narrow."""
        month, name = self.texts[f"months.m{when.month}"], self.texts[f"weekdays.d{when.weekday()}"]
        if self.language == "ja":
            text = f"{when.year}/{when.month:02d}/{when.day:02d}" if year else f"{when.month}/{when.day}"
            return f"{text}({name})" if weekday else text
        text = f"{when.day} {month} {when.year}" if year else f"{when.day} {month}"
        return f"{name} {text}" if weekday else text

    def span(self, first: date, last: date) -> str:
        """Two days as a span; in Japanese the year is left out where both lie in one year, as beside a dated title."""
        if self.language == "ja":
            year = first.year != last.year
            return f"{self.day(first, year=year)}〜{self.day(last, year=year)}"
        return f"{self.day(first, year=first.year != last.year)} – {self.day(last)}"

    def money(
        self, amount: float | None, currency: str | None, *, compact: bool = False, decimals: int | None = None
    ) -> str:
        """An amount with its currency: ``48,200円``, ``¥48,200``, ``$12.50``; ``compact`` from a million: ``¥1.93 M``.

        ``decimals``: those of a whole column; by default what suits the amount alone. A dash where there is none.
        """
        if amount is None or not math.isfinite(amount):
            return self.texts["none"]
        sign, size = ("−", -amount) if amount < 0 else ("", amount)
        places = money_decimals(size, currency) if decimals is None else decimals
        number = self._compact(size) if compact and size >= 1_000_000 else f"{size:,.{places}f}"
        if self.language == "ja" and currency == "JPY":
            return f"{sign}{number}円"
        symbol = _SYMBOLS.get(currency or "", f"{currency} " if currency else "")
        return f"{sign}{symbol}{number}"

    def _compact(self, size: float) -> str:
        if self.language == "ja":
            return f"{size / 1e8:,.2f}億" if size >= 1e8 else f"{size / 1e4:,.0f}万"
        return f"{size / 1e9:,.2f} bn" if size >= 1e9 else f"{size / 1e6:,.2f} M"

    def money_format(self, largest: float, currency: str | None) -> str:
        """The spreadsheet number format of a money column whose largest absolute amount is ``largest``."""
        number = "#,##0.00" if money_decimals(largest, currency) else "#,##0"
        if self.language == "ja" and currency == "JPY":
            return f'{number}"円"'
        symbol = _SYMBOLS.get(currency or "", f"{currency} " if currency else "")
        return f'"{symbol}"{number}' if symbol else number


def share_text(share: float, decimals: int = 0) -> str:
    """A share as percent: ``78%``."""
    return f"{100 * share:.{decimals}f}%"


def money_decimals(largest: float, currency: str | None) -> int:
    """Decimals that people want to see: none in currencies without cents or from 1,000 on, else two."""
    return 0 if currency in _WITHOUT_DECIMALS or abs(largest) >= 1000 else 2


@lru_cache(maxsize=len(LANGUAGES))
def load_words(language: str) -> Words:
    """The catalog of a language; ConfigError where there is none."""
    if language not in LANGUAGES:
        raise ConfigError(
            f"Documents in '{language}' were asked for; there are words for {', '.join(LANGUAGES)}."
            f"{nearest(language, LANGUAGES)} Set at_risk.language to one of them."
        )
    text = (resources.files("kizuna.exports") / "wording" / f"{language}.yaml").read_text(encoding="utf-8")
    return Words(language, dict(_flatten(yaml.safe_load(text), "")))


def _flatten(tree: dict[str, Any], path: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        pairs += _flatten(value, f"{path}{key}.") if isinstance(value, dict) else [(f"{path}{key}", str(value))]
    return pairs
