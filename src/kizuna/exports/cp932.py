"""Texts in cp932, the Shift_JIS of Windows, and what is done with the characters that it lacks.

``error``: the export is refused. ``replace``: each such character becomes the mark 〓, which Japanese printing uses for a
letter that is not at hand. ``translit``: the nearest text that cp932 has (é becomes e, 𠮷 becomes 吉), else the mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from kizuna.errors import ResultError

MARK = "〓"
# What Unicode's own decompositions do not say. A variation selector asks for another shape of the same letter.
_NEAREST = {
    **{"–": "-", "—": "―", "•": "・", "·": "・", "¥": "\\", "‾": "~", "₩": "KRW", "€": "EUR", "₹": "INR", "£": "GBP"},
    **{"𠮷": "吉", "𠮟": "叱", "𩸽": "ほっけ", "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"},
    **{"\u200b": "", "\u200d": "", "\ufeff": "", "\u00a0": " ", "\u2009": " ", "\u202f": " "},
}


@dataclass(frozen=True)
class Unencodable:
    """One cell that cannot be written as it is: its row, its column, the characters, and the text that is written.

    ``lacking``: whether cp932 lacks one of them, or all come back as their full-width twins.
    """

    row: int
    column: int
    characters: str
    written: str
    lacking: bool


def encodable_cells(
    rows: Sequence[Sequence[str | None]], policy: str, file_name: str
) -> tuple[list[list[str | None]], list[Unencodable]]:
    """The cells as cp932 can hold them, and those that had to change.

    A wave dash or a minus sign that comes back as its full-width twin counts as changed, and is never refused.
    ResultError with the policy ``error`` where a character is lacking.
    """
    found, kept = [], []
    for number, row in enumerate(rows):
        cells = []
        for column, text in enumerate(row):
            lost = "" if text is None else _altered(text)
            if text is not None and lost:
                text = _as_cp932(text, policy == "translit")
                found.append(Unencodable(number, column, lost, text, not all(_has(c) for c in lost)))
            cells.append(text)
        kept.append(cells)
    lacking = [cell for cell in found if cell.lacking]
    if policy == "error" and lacking:
        shown = "".join(dict.fromkeys(c for cell in lacking for c in cell.characters if not _has(c)))[:10]
        raise ResultError(
            f"{file_name} asks for cp932, which lacks {shown}: they stand in {len({cell.row for cell in lacking}):,} of "
            f"{len(rows):,} lines. Set unencodable of that export to replace or translit."
        )
    return kept, found


def _altered(text: str) -> str:
    """The characters of a text, each once, that do not come back from cp932 as they were."""
    if text.isascii():
        return ""
    return "".join(c for c in dict.fromkeys(text) if not _has(c) or c.encode("cp932").decode("cp932") != c)


def _has(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _as_cp932(text: str, translit: bool) -> str:
    return "".join(c if _has(c) else _nearest(c) if translit else MARK for c in text)


def _nearest(character: str) -> str:
    """The nearest text that cp932 has, or the mark."""
    if "VARIATION SELECTOR" in unicodedata.name(character, ""):
        return ""
    if character in _NEAREST:
        return _NEAREST[character]
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return plain if plain and all(_has(c) for c in plain) else MARK
