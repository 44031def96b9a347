"""Values of the shop's rows as messages may show them: numbers and dates to mend them by, of anything else only its size.

A column that should hold numbers may hold a name or a telephone number where a file has slipped by a column.
"""

from __future__ import annotations

import re

_ERA = r"(明治|大正|昭和|平成|令和|[㍾㍽㍼㍻㋿]|[MTSHRmtshrＭＴＳＨＲ])\s*(\d{1,2}|元)\s*[-年./．／－]"
_REST_OF_ERA = r"\s*\d{1,2}\s*[-月./．／－]\s*\d{1,2}\s*日?"
_YEAR = r"([012]\d{3}|\d{1,2})"
_CLOCK = (
    r"([T ]\s*\d{1,2}[:時]\s*\d{1,2}[:分]?(\s*\d{1,2}秒?([.,]\d{1,9})?)?)?\s*([APap][Mm]|[Zz]|UTC|[-+]\d{2}:?\d{2})?"
)
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_SIGN, _UNIT = r"[-+−(]?\s*[¥$€£￥]?\s*", r"\s*[)%円¥$€£]?"
_SHOWN = [
    _ERA + _REST_OF_ERA + _CLOCK,
    rf"{_YEAR}\s*[-/.年]\s*\d{{1,2}}\s*[-/.月]\s*\d{{1,2}}\s*日?{_CLOCK}",
    rf"\d{{1,2}}\s*[-/.]\s*\d{{1,2}}\s*[-/.]\s*{_YEAR}{_CLOCK}",
    rf"\d{{1,2}}[ -]{_MONTH}\.?[ -]\d{{2,4}}|{_MONTH}\.? \d{{1,2}},? \d{{2,4}}",
    rf"{_SIGN}\d{{1,3}}([,.'’_ ]\d{{3}}){{1,5}}([.,]\d{{1,4}})?{_UNIT}",
    rf"{_SIGN}\d{{1,9}}([.,]\d{{1,9}})?([eE][-+]?\d{{1,4}})?{_UNIT}",
    r"[1-9](\d{9}|\d{12}|\d{15})",  # seconds and their parts since 1970
    r"(9{10,}|0{10,})",
    r"[-+]?(nan|inf|infinity)|null|none|nil|n/?a|-{1,3}|\?|なし|不明|未定",
]
_PATTERN = re.compile("|".join(f"({pattern})" for pattern in _SHOWN), re.IGNORECASE)
_LETTERS = 40


def shown_value(value: str | None) -> str:
    """A value as a message shows it: ``(empty)``, a number or date as it stands, or how long the text is."""
    if value is None or not value.strip():
        return "(empty)"
    if _PATTERN.fullmatch(value.strip()):
        return value if len(value) <= _LETTERS else value[:_LETTERS] + "…"
    return f"(text of {len(value):,} letters)" if len(value) > 1 else "(text of 1 letter)"


def without_values(message: str) -> str:
    """What a database says of a value that it could not convert, the value left out."""
    begins = re.search("could not convert|invalid input", message, re.IGNORECASE)
    if begins is None:
        return message
    head, tail = message[: begins.start()], message[begins.start() :]
    converting = tail.lower().startswith("could")
    named = re.sub(r"[\"'].*[\"'] to ", "'…' to ", tail, flags=re.DOTALL)
    return head + (named if converting and named != tail else re.sub(r"[\"'].*", "'…'", tail, flags=re.DOTALL))
