"""The files of one destination: what it is to take in, what it then holds, and the rows that it could not take.

``<name>.csv`` has a row for each customer to contact (with ``changed_only`` for those whose row differs from the last
delivered file), then one with clearing values for each customer whom the last file held and this one does not, whether
they have left the list (removed.csv) or may not be contacted any more. Nobody who was never sent is named: neither
controls nor those without consent. ``<name>.state.csv`` has key and hash of every row that the destination holds
afterwards; ``<name>.refused.csv`` the rows held back, and why.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kizuna.config_exports import DestinationExport
from kizuna.errors import KizunaError
from kizuna.exports.csv import csv_text
from kizuna.exports.destinations.contacts import read_contacts
from kizuna.exports.destinations.mapping import Mapped, mapped, rows_to_send, scalar_text
from kizuna.exports.destinations.settings import CONTACTS, clears, key_of, to_clear
from kizuna.exports.outgoing import Outgoing

FOLDER = "destinations"


def write_destination(out: Outgoing, asked: DestinationExport, folder: Path) -> dict[str, int]:
    """Writes the three files under ``destinations``; rows by path.

    Where contacts cannot be read the list does not wait for them: ``<name>.failed.txt`` then says why there are none.
    """
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    try:
        files = _files(out, asked)
    except KizunaError as error:
        name = failed_file(asked)
        (folder / name).write_text(f"{error}\n", encoding="utf-8")
        return {name: 0}
    for path, (header, rows) in files.items():
        (folder / path).write_text(csv_text(header, _without_null(rows)), encoding="utf-8", newline="")
    return {path: len(rows) for path, (_, rows) in files.items()}


def failed_file(asked: DestinationExport) -> str:
    """The path of the file that says why a destination has none."""
    return f"{FOLDER}/{asked.file_stem}.failed.txt"


def _files(out: Outgoing, asked: DestinationExport) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Header and rows of each file by path."""
    sent = rows_to_send(out.pack.at_risk, asked, out.config.at_risk.consent_missing, out.consent)
    found = mapped(_with_more(out, asked, sent), asked, out.pack.timezone)
    held = {key: _digest(row) for key, row in zip(found.keys, found.rows, strict=True)}
    # A day published again has to undo what its earlier revisions sent, too.
    before = [_last_state(out.earlier_folders, asked), *(_state(folder, asked) or {} for folder in out.same_day)]
    rows = [
        row
        for key, row in zip(found.keys, found.rows, strict=True)
        if not asked.changed_only or any(state.get(key) != held[key] for state in before)
    ]
    if clears(asked):
        gone = set[str]().union(*before) - held.keys()
        rows += _clearing_rows(found, asked, sorted(gone), list(out.pack.at_risk.columns))
    refused = [[str(item.list_rank), item.customer_id, item.column, item.why] for item in found.refused]
    stem = f"{FOLDER}/{asked.file_stem}"
    return {
        f"{stem}.csv": (found.header, rows),
        f"{stem}.state.csv": (["key", "row_sha256"], [list(item) for item in sorted(held.items())]),
        f"{stem}.refused.csv": (["list_rank", "customer_id", "column", "why"], refused),
    }


def _with_more(out: Outgoing, asked: DestinationExport, sent: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns of customers and of contacts that the config names."""
    named = [ours for ours in dict.fromkeys(asked.columns.values()) if ours not in sent]
    more = {ours: out.profile[ours] for ours in named if not ours.startswith(CONTACTS)}
    wanted = [ours.removeprefix(CONTACTS) for ours in named if ours.startswith(CONTACTS)]
    if wanted and asked.contacts:
        found = read_contacts(out.config, asked.contacts, wanted, asked.file_stem)
        more |= {f"{CONTACTS}{name}": found[name] for name in wanted}
    joined = {name: column.reindex(sent["customer_id"]).to_numpy() for name, column in more.items()}
    return sent.assign(**joined)


def _last_state(folders: Sequence[Path], asked: DestinationExport) -> dict[str, str]:
    """Hash of each row by key that the destination held after the newest file of these folders; empty without one."""
    return next((state for folder in folders if (state := _state(folder, asked)) is not None), {})


def _state(folder: Path, asked: DestinationExport) -> dict[str, str] | None:
    path = folder / FOLDER / f"{asked.file_stem}.state.csv"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return {row["key"]: row["row_sha256"] for row in csv.DictReader(file)}


def _clearing_rows(
    found: Mapped, asked: DestinationExport, gone: Sequence[str], list_columns: Sequence[str]
) -> list[list[str]]:
    """A row for each key: the clearing values of what was made of the list, constants, and else blanks."""
    cleared = to_clear(asked, list_columns)
    same = {name: scalar_text(value) for name, value in asked.constants.items()}
    same |= {name: scalar_text(asked.clear[name]) for name in cleared if name in asked.clear}
    return [[(same | {key_of(asked): key}).get(name, "") for name in found.header] for key in gone]


def _digest(row: list[str]) -> str:
    return hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:32]


def _without_null(rows: list[list[str]]) -> list[list[str | None]]:
    """Blank cells as nothing at all, not as a quoted empty text."""
    return [[text or None for text in row] for row in rows]
