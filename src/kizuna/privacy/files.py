"""The files below an output folder: what each holds of one customer, and its bytes without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kizuna.data.forgotten import FOLDER as RECORD
from kizuna.privacy.csv_rows import column_pairs
from kizuna.privacy.csv_rows import without_rows as without_csv_rows
from kizuna.privacy.outbox_keys import without_keys
from kizuna.privacy.page_rows import without_rows as without_page_rows
from kizuna.privacy.parquet_rows import without_rows as without_parquet_rows
from kizuna.privacy.sought import ID, Places, Sought
from kizuna.privacy.workbook_rows import without_rows as without_workbook_rows

Without = Callable[[bytes, Sought], tuple[int, bytes]]
_DESTINATIONS = ("destinations", ".outbox")
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


def found_in(path: Path, name: Path, places: Places, sought: Sought) -> Found:
    """What a file holds of the customer. ``name``: what it is called below the output folder, or in its revision."""
    content = path.read_bytes()
    suffix = path.suffix.lower()
    if suffix in _NO_ROWS or (not suffix and not content):
        return Found(0, content)
    without = next((without for suffixes, without in BY_SUFFIX if suffix in suffixes), None)
    if without is None:
        return Found(0, content, is_read=not content or path.name in _OF_THE_RUN)
    try:
        count, after = without(content, _sought_in(name, places, sought))
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


def destination_keys(revisions: list[Path], customer_id: str) -> dict[str, frozenset[str]]:
    """What each destination calls the customer, as the revisions tell it, by the destination's name."""
    keys: dict[str, set[str]] = {}
    for folder in revisions:
        for path in sorted(folder.glob("destinations/*.customers.csv")):
            pairs = column_pairs(path.read_bytes(), ID, "key")
            found = {key for name, key in pairs if name == customer_id}
            keys.setdefault(path.name.removesuffix(".customers.csv"), set()).update(found)
    return {name: frozenset(found) for name, found in keys.items()}


def _sought_in(relative: Path, places: Places, sought: Sought) -> Sought:
    """The customer as this file names them, by where it lies."""
    parts = relative.parts
    if parts[0] in _DESTINATIONS and len(parts) > 1:
        name = parts[1] if len(parts) > 2 else parts[1].split(".")[0]
        return replace(places.of_destination(name, sought.customer_id), rank=sought.rank)
    if parts[:2] == ("check", "quarantine"):
        return places.of_table(relative.stem, sought.customer_id)
    return sought


BY_SUFFIX: list[tuple[tuple[str, ...], Without]] = [
    ((".csv",), without_csv_rows),
    ((".parquet",), without_parquet_rows),
    ((".xlsx",), without_workbook_rows),
    ((".html",), without_page_rows),
    ((".json",), without_keys),
]
