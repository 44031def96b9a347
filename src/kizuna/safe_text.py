"""Texts of a shop's rows as spreadsheets may have them: nothing that would be taken for a formula."""

from __future__ import annotations

# Full-width signs count as well: Japanese spreadsheets read them as their narrow twins.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def safe_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before a sign that begins one; no NUL."""
    text = text.replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
