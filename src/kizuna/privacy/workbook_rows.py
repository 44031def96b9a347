"""A customer's rows in a workbook that kizuna wrote: emptied and hidden where they stand, their texts taken out of the file.

The parts of the file are changed as text and everything else in them stays to the byte: sheets keep their order, widths,
filters and drop-downs, and no row changes its number. Rows are emptied and not closed up, for references to those below
them would all have to move.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from html import unescape as xml_unescape

from kizuna.privacy.sought import Sought, people_headings

_STRINGS = "xl/sharedStrings.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_ROW = re.compile(r'<row r="(\d+)"([^>]*?)(?:/>|>(.*?)</row>)', re.DOTALL)
_CELL = re.compile(r'<c r="([A-Z]+)\d+"([^>]*?)(?:/>|>(.*?)</c>)', re.DOTALL)
_ITEM = re.compile(r"<si>.*?</si>|<si/>", re.DOTALL)
_TEXT = re.compile(r"<t[^>]*>(.*?)</t>", re.DOTALL)
_VALUE = re.compile(r"<v>(\d+)</v>")
_NOTHING = "<si><t/></si>"


def without_rows(content: bytes, sought: Sought) -> tuple[int, bytes]:
    """How many rows were the customer's, and the workbook without them; ValueError for bytes that are no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = [(item, book.read(item)) for item in book.infolist()]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(type(error).__name__) from None
    texts = {item.filename: data.decode("utf-8") for item, data in parts if _is_edited(item.filename)}
    items = _ITEM.findall(texts.get(_STRINGS, ""))
    strings = [_text_of(item) for item in items]
    count = 0
    for name in [name for name in texts if name != _STRINGS]:
        texts[name], emptied = _emptied(texts[name], strings, sought)
        count += emptied
    if not count:
        return 0, content
    used = Counter(place for name, text in texts.items() if name != _STRINGS for place in _references(text))
    kept = iter([item if used[place] else _NOTHING for place, item in enumerate(items)])
    written = re.sub(r' count="\d+"', f' count="{used.total()}"', texts[_STRINGS], count=1)
    texts[_STRINGS] = _ITEM.sub(lambda _: next(kept), written)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        for item, data in parts:
            book.writestr(item, texts[item.filename].encode() if item.filename in texts else data, item.compress_type)
    return count, target.getvalue()


def _is_edited(name: str) -> bool:
    return name == _STRINGS or _SHEET.fullmatch(name) is not None


def _text_of(item: str) -> str:
    from openpyxl.utils.escape import unescape

    # A carriage return of the data stands as a reference; what is not referred to was put there by the writer.
    return str(unescape(xml_unescape("".join(_TEXT.findall(item)))))


def _references(sheet: str) -> list[int]:
    return [place for _, attributes, inner in _CELL.findall(sheet) if (place := _place(attributes, inner)) is not None]


def _place(attributes: str, inner: str) -> int | None:
    """The number of the shared string that a cell shows."""
    found = _VALUE.search(inner) if 't="s"' in attributes else None
    return int(found[1]) if found else None


def _emptied(sheet: str, strings: list[str], sought: Sought) -> tuple[str, int]:
    """The sheet with the customer's rows emptied and hidden, and how many they are.

    A table of customers begins below a heading that names them, and ends at the first row without one.
    """
    headings, columns, count, last = people_headings().ids | sought.headings, set[str](), 0, 0

    def row_after(match: re.Match[str]) -> str:
        nonlocal columns, count, last
        number, attributes, inner = match[1], match[2], match[3] or ""
        # A row in which nothing was ever written is not there at all.
        columns, last = columns if int(number) == last + 1 else set(), int(number)
        if not inner and 'hidden="1"' in attributes:
            return match[0]
        shown = {}
        for column, how, what in _CELL.findall(inner):
            place = _place(how, what)
            if place is not None and place < len(strings):
                shown[column] = strings[place]
        if begun := {column for column, text in shown.items() if text in headings}:
            columns = begun
            return match[0]
        columns = {column for column in columns if column in shown}
        if not any(shown[column] in sought.spellings for column in columns):
            return match[0]
        count += 1
        return f'<row r="{number}" hidden="1"/>'

    return _ROW.sub(row_after, sheet), count
