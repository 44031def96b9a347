"""The files that kizuna has written: which there are, what each holds of one customer, and its bytes without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kizuna.config import Config
from kizuna.config_exports import DestinationExport
from kizuna.data.forgotten import FOLDER as RECORD
from kizuna.delivery.drop import drop_of
from kizuna.delivery.handing import FOLDER as HANDED
from kizuna.privacy.csv_rows import column_pairs
from kizuna.privacy.csv_rows import without_rows as without_csv_rows
from kizuna.privacy.outbox_keys import without_keys
from kizuna.privacy.page_rows import without_rows as without_page_rows
from kizuna.privacy.parquet_rows import without_rows as without_parquet_rows
from kizuna.privacy.sought import ID, Sought
from kizuna.privacy.workbook_rows import without_rows as without_workbook_rows

_WITHOUT: dict[str, Callable[[bytes, Sought], tuple[int, bytes]]] = {
    ".csv": without_csv_rows,
    ".parquet": without_parquet_rows,
    ".xlsx": without_workbook_rows,
    ".html": without_page_rows,
    ".json": without_keys,
}
_LIST = "at_risk.csv"
_OF_THE_RUN = (".lock", ".syncing")
# Files that hold texts about the run and never a customer.
_NO_ROWS = (".txt", ".log", ".jsonl", ".prom", ".png", ".svg", ".yaml", ".md")


@dataclass(frozen=True)
class Found:
    """What one file holds of the customer: how many rows, and its bytes without them. ``is_read``: whether it could be read."""

    count: int
    content: bytes
    is_read: bool = True


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder in the order of paths; links and the record of the forgotten are not followed."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_symlink() or path.name == RECORD:
            continue
        if path.is_dir():
            yield from files_below(path)
        elif path.is_file():
            yield path


def other_files(config: Config, revisions: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Every file below the output folder but those of the revisions, with its name there; and copies in the drops, named as
    what they copy."""
    output = config.output_dir
    for path in list(files_below(output)):
        if not any(path.is_relative_to(folder) for folder in revisions):
            yield path, path.relative_to(output)
    for export in config.exports:
        if (
            isinstance(export, DestinationExport)
            and export.drop
            and isinstance(drop := drop_of(export.drop, config), Path)
        ):
            for path in files_below(output / HANDED / export.file_stem):
                if (drop / path.name).is_file():
                    yield drop / path.name, path.relative_to(output)


def found_in(path: Path, sought: Sought) -> Found:
    """What a file holds of the customer."""
    try:
        content = path.read_bytes()
    except OSError:
        return Found(0, b"", is_read=False)
    suffix = path.suffix.lower()
    if suffix in _NO_ROWS or (not suffix and not content):
        return Found(0, content)
    without = _WITHOUT.get(suffix)
    if without is None:
        return Found(0, content, is_read=not content or path.name in _OF_THE_RUN)
    try:
        count, after = without(content, sought)
    except (ValueError, KeyError, AttributeError, RecursionError):
        return Found(0, content, is_read=False)
    return Found(count, after)


def rank_in(folder: Path, customer_id: str) -> str | None:
    """The customer's rank on the list of a revision; None where it is not on it."""
    path = folder / _LIST
    if not path.is_file():
        return None
    pairs = column_pairs(path.read_bytes(), ID, "list_rank")
    return next((rank for name, rank in pairs if name == customer_id), None)
