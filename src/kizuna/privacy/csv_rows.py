"""A customer's rows in a CSV file: found by the heading of the column, cut out, all others left to the byte."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator

from kizuna.privacy.sought import Sought, people_headings

_BOM = "\ufeff"


def without_rows(content: bytes, sought: Sought) -> tuple[int, bytes]:
    """How many rows were the customer's, and the file without them.

    ValueError where the bytes are neither UTF-8 nor cp932.
    """
    encoding = "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp932"
        text = content.decode(encoding)
    records = _records(text)
    header, first = next(records, ([], ""))
    names = [name.removeprefix(_BOM) for name in header]
    people = people_headings()
    exact = [place for place, name in enumerate(names) if name in sought.headings]
    spelled = [place for place, name in enumerate(names) if name in people.ids and place not in exact]
    if not exact and not spelled:
        return 0, content
    ranks = [place for place, name in enumerate(names) if name in people.ranks]

    def theirs(cells: list[str]) -> bool:
        if any(place < len(cells) and cells[place] in sought.names for place in exact):
            return True
        if not any(place < len(cells) and cells[place] in sought.spellings for place in spelled):
            return False
        return sought.rank is None or not ranks or cells[ranks[0]] == sought.rank

    kept, count = [first], 0
    for cells, raw in records:
        if theirs(cells):
            count += 1
        else:
            kept.append(raw)
    return count, "".join(kept).encode(encoding) if count else content


def column_pairs(content: bytes, first: str, second: str) -> Iterator[tuple[str, str]]:
    """The cells of two columns of a UTF-8 file, row by row; nothing where it lacks one of them. What is damaged is no UTF-8."""
    records = _records(content.decode("utf-8", errors="replace"))
    header, _ = next(records, ([], ""))
    if first in header and second in header:
        one, two = header.index(first), header.index(second)
        yield from ((cells[one], cells[two]) for cells, _ in records if len(cells) > max(one, two))


def _records(text: str) -> Iterator[tuple[list[str], str]]:
    """The cells of each record, and the text that they were read from, line end included."""
    csv.field_size_limit(sys.maxsize)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    for cells in csv.reader(lines()):
        raw = "".join(taken)
        taken.clear()
        yield cells, raw
