"""The workbook for people: typed cells in their own language, no formula, no hyperlink, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from kizuna.exports.pack import ListPack
from kizuna.exports.sheets.changes import write_changes
from kizuna.exports.sheets.cover import write_cover
from kizuna.exports.sheets.evidence import write_quality, write_results
from kizuna.exports.sheets.groups import write_groups
from kizuna.exports.sheets.guide import write_guide
from kizuna.exports.sheets.how_many import write_how_many
from kizuna.exports.sheets.kpi import write_kpi
from kizuna.exports.sheets.kpi_groups import write_kpi_groups
from kizuna.exports.sheets.lists import write_apart, write_list, write_service
from kizuna.exports.sheets.matrix import write_matrix
from kizuna.exports.sheets.paper import FONT_SIZE, Paper
from kizuna.exports.sheets.past import write_past
from kizuna.wording.words import load_words


@contextmanager
def _system_errors() -> Iterator[None]:
    """What the system refuses, a full disk for instance, comes as its own error and not as the library's."""
    from xlsxwriter.exceptions import FileCreateError

    try:
        yield
    except FileCreateError as error:
        cause = error.args[0] if error.args else error
        raise cause if isinstance(cause, OSError) else error from None


def write_workbook(pack: ListPack, path: Path) -> None:
    """Writes at_risk.xlsx, its sheets in the order of SHEETS; those of which nothing is known add none.

    The custom properties kizuna_name, kizuna_as_of and kizuna_language say which list a filled copy belongs to.
    """
    import xlsxwriter

    words = load_words(pack.language)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
        "default_format_properties": {"font_name": words("font"), "font_size": FONT_SIZE},
    }
    with _system_errors(), xlsxwriter.Workbook(str(path), options) as book:
        # The clock would otherwise stand in the file.
        created = datetime(pack.as_of.year, pack.as_of.month, pack.as_of.day)
        book.set_properties(
            {"title": words("cover.title"), "subject": pack.name, "author": "kizuna", "created": created}
        )
        for name, value in (("name", pack.name), ("as_of", pack.as_of.isoformat()), ("language", pack.language)):
            book.set_custom_property(f"kizuna_{name}", value, "text")
        paper = Paper(book, pack, words)
        for write_sheet in SHEETS:
            write_sheet(paper)


SHEETS: list[Callable[[Paper], None]] = [
    write_cover,
    write_list,
    write_service,
    write_apart,
    write_changes,
    write_groups,
    write_matrix,
    write_how_many,
    write_past,
    write_kpi,
    write_kpi_groups,
    write_results,
    write_quality,
    write_guide,
]
