"""The words of documents and screens in one language, and how dates, money and shares are written in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from kizuna.wording.catalog import catalog

_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF"})


@dataclass(frozen=True)
class Words:
    """Every text of one language by its dotted key, such as ``report.effect``, and how its money is written."""

    language: str
    texts: Mapping[str, str]
    currencies: Mapping[str, str]

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
        text = self(
            "format.day" if year else "format.day_short",
            year=when.year,
            month=self.texts[f"months.m{when.month}"],
            number=when.month,
            day=when.day,
        )
        return self("format.weekday", day=text, name=self.texts[f"weekdays.d{when.weekday()}"]) if weekday else text

    def span(self, first: date, last: date) -> str:
        """Two days as a span; the year is said once, or not at all where it stands beside a dated title."""
        key = "format.span_in_year" if first.year == last.year else "format.span"
        days = {f"{name}_short": self.day(day, year=False) for name, day in (("first", first), ("last", last))}
        return self(key, first=self.day(first), last=self.day(last), **days)

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
        return sign + self._currency(currency).format(number=number, currency=currency)

    def money_format(self, largest: float, currency: str | None) -> str:
        """The spreadsheet number format of a money column whose largest absolute amount is ``largest``."""
        number = "#,##0.00" if money_decimals(largest, currency) else "#,##0"
        before, after = (part.format(currency=currency) for part in self._currency(currency).split("{number}"))
        return "".join((f'"{before}"' if before else "", number, f'"{after}"' if after else ""))

    def _currency(self, currency: str | None) -> str:
        return self.currencies.get(currency or "none", self.currencies["other"])

    def _compact(self, size: float) -> str:
        key = "format.compact_huge" if size >= float(self.texts["format.huge_from"]) else "format.compact"
        units = {"ten_thousands": 1e4, "millions": 1e6, "hundred_millions": 1e8, "billions": 1e9}
        return self(key, **{name: size / unit for name, unit in units.items()})


def share_text(share: float, decimals: int = 0) -> str:
    """A share as percent: ``78%``."""
    return f"{100 * share:.{decimals}f}%"


def money_decimals(largest: float, currency: str | None) -> int:
    """Decimals that people want to see: none in currencies without cents or from 1,000 on, else two."""
    return 0 if currency in _WITHOUT_DECIMALS or abs(largest) >= 1000 else 2


@cache
def load_words(language: str) -> Words:
    """The words of a language's documents; ConfigError where there is no catalog of it."""
    tree = catalog(language)
    return Words(language, dict(_flatten(tree["documents"], "")), tree["reasons"]["currencies"])


def _flatten(tree: dict[str, Any], path: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        pairs += _flatten(value, f"{path}{key}.") if isinstance(value, dict) else [(f"{path}{key}", str(value))]
    return pairs
