"""One customer, as files name them: the id, the spellings that exports make of it, and the headings it stands under.

An id is a whole cell in a column that names customers. What merely looks like it, such as the rank 7 beside the customer 7,
or the customer 1007, is somebody or something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kizuna.exports.cp932 import encodable_cells
from kizuna.exports.people_csv import column_header
from kizuna.safe_text import safe_text
from kizuna.wording.catalog import languages
from kizuna.wording.words import load_words

ID = "customer_id"
_RANK = "list_rank"


@dataclass(frozen=True)
class Sought:
    """The customer in one file. ``headings``: of the columns that name customers. ``keys``: what they are called there.

    ``rank``: the customer's rank on the list that the file belongs to, None where that is not known. It tells customers
    apart whose ids look alike once an export has spelled them for people.
    """

    customer_id: str
    headings: frozenset[str]
    keys: frozenset[str] = frozenset()
    rank: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """What the customer is called in files for machines."""
        return self.keys | {self.customer_id}

    @cached_property
    def spellings(self) -> frozenset[str]:
        """The id as exports for people write it, itself among them."""
        safe = safe_text(self.customer_id)
        altered = {encodable_cells([[safe]], policy, "")[0][0][0] or "" for policy in ("replace", "translit")}
        return frozenset({self.customer_id, safe} | altered | {safe_text(text) for text in altered})


@dataclass(frozen=True)
class Headings:
    """The headings under which customers stand, and those under which ranks do, in files for people in any language."""

    ids: frozenset[str]
    ranks: frozenset[str]


def people_headings() -> Headings:
    """What the columns of ids and of ranks are called in workbooks and CSV for people."""
    words = [load_words(language) for language in languages()]
    ids = {column_header(ID, word) for word in words}
    ids |= {word(key) for word in words for key in (f"column.{ID}", "top.customer")}
    ranks = {column_header(_RANK, word) for word in words} | {word(f"column.{_RANK}") for word in words}
    return Headings(frozenset(ids), frozenset(ranks | {_RANK}))
