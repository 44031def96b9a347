"""What the product says about a customer: names, sentences and number formats of one language.

Every word lives in the section ``reasons`` of a language's catalog. Places to fill are written ``{days}``, or
``{days:day|days}`` where a noun follows whose number depends on the figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from kizuna.wording.catalog import catalog

# The figure behind every place of a sentence, by the place's name.
UNITS: Mapping[str, str] = {
    "w": "whole",
    "months": "whole",
    "days": "whole",
    "usual_days": "whole",
    "count": "whole",
    "count_before": "whole",
    "points": "whole",
    "share": "share",
    "share_before": "share",
    "amount": "money",
    "amount_before": "money",
    "score": "number",
    "score_before": "number",
    "ratio": "ratio",
    "number": "number",
}

# ISO 4217 currencies without a smaller unit.
_WITHOUT_CENTS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
# Nothing that a shop counts is longer; such a number is an accident of its source.
_LONGEST = 1e21
_PLACE = re.compile(r"\{(\w+)(?::([^|{}]*)\|([^|{}]*))?\}")
_WINDOW = re.compile(r"_(\d+)d$")


@dataclass(frozen=True)
class Wording:
    """The words of one language. ``reasons`` and ``facts`` hold templates by driver or fact, then by key."""

    language: str
    drivers: Mapping[str, str]
    features: Mapping[str, str]
    reasons: Mapping[str, Mapping[str, str]]
    facts: Mapping[str, Mapping[str, str]]
    currencies: Mapping[str, str]
    level: str
    beside: str
    tail: str
    counters: str


@cache
def load_wording(language: str) -> Wording:
    """The words of a language; ConfigError where there is no catalog of it."""
    return Wording(language, **catalog(language)["reasons"])


def stem_of(name: str) -> tuple[str, int | None]:
    """A column's name with its window left open, and the window: ``orders_90d`` gives ``orders_{w}d`` and 90."""
    match = _WINDOW.search(name)
    return (name[: match.start()] + "_{w}d", int(match[1])) if match else (name, None)


def driver_text(driver: str, language: str) -> str:
    """The name of a driver; the code itself where it has none."""
    return load_wording(language).drivers.get(driver, driver)


def feature_text(name: str, language: str) -> str:
    """What a feature column means; a column of the shop's own goes by its own name."""
    words = load_wording(language)
    stem, window = stem_of(name)
    if stem in words.features:
        return fill(words.features[stem], {} if window is None else {"w": float(window)}, language)
    column, sign, level = name.partition("=")
    if sign:
        return fill(words.level, {"feature": words.features.get(column, column), "level": level}, language)
    return name


def fill(template: str, values: Mapping[str, float | str], language: str, currency: str | None = None) -> str:
    """The sentence with its places filled; texts go in as they are and are never read as templates themselves."""

    def shown(match: re.Match[str]) -> str:
        value = values[match[1]]
        text = value if isinstance(value, str) else figure(value, UNITS[match[1]], language, currency)
        if match[2] is None:
            return text
        return f"{text} {match[2] if text == '1' else match[3]}"

    return _PLACE.sub(shown, template)


def places(template: str) -> set[str]:
    """The names of the places that a template leaves open."""
    return {match[1] for match in _PLACE.finditer(template)}


def figure(value: float, unit: str, language: str, currency: str | None = None) -> str:
    """A finite number as it is read: ``1,234``, ``78%``, ``2.4``, ``¥4,200``. Halves are rounded away from zero."""
    if unit == "money":
        return _money(value, language, currency)
    if unit == "share":
        return f"{_rounded(100 * value, 0)}%"
    if unit == "ratio":
        return _rounded(value, 1)
    if unit == "number":
        text = _rounded(value, 2)
        return text.rstrip("0").rstrip(".")
    return _rounded(value, 0)


def _money(value: float, language: str, currency: str | None) -> str:
    whole = currency in _WITHOUT_CENTS or abs(value) >= 1000 or (currency is None and value == round(value))
    number = _rounded(abs(value), 0 if whole else 2)
    formats = load_wording(language).currencies
    template = formats.get(currency or "none", formats["other"])
    sign = "−" if value < 0 and number.strip("0.,") else ""
    return sign + fill(template, {"number": number, "currency": currency or ""}, language)


def _rounded(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        raise ValueError("only finite numbers can be written in a sentence")
    if abs(value) >= _LONGEST:
        return f"{value:.0e}"
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{exact:,f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text
