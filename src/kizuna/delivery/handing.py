"""Files for destinations that hold the present list: each is the difference between what they hold and the newest list.

``<output.dir>/destinations/crm/crm-000007-2026-11-16-r1.csv`` is the seventh file handed over, of r1 of that day. A file never
changes. It is noted in the outbox before it appears, so that a run that was cut off in between writes the same file again, or,
where the list has changed since, takes every row of which nobody knows whether it arrived as unknown and says it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kizuna import journal
from kizuna.config_exports import DestinationExport
from kizuna.delivery.drop import drop_of, put
from kizuna.delivery.outbox import UNKNOWN, Entry, Planned, write_entry
from kizuna.delivery.sources import Shop, list_columns, wanted_rows
from kizuna.errors import DestinationFailed
from kizuna.exports.csv import csv_lines
from kizuna.exports.destinations.files import destination_text
from kizuna.exports.destinations.kinds import rules_of
from kizuna.exports.destinations.mapping import Mapped, scalar_text
from kizuna.exports.destinations.settings import clears, key_of, to_clear
from kizuna.lists.publication import LockedOutput, Publication
from kizuna.whole_file import written_whole

FOLDER = "destinations"


def hand_over(
    output: LockedOutput, publication: Publication, asked: DestinationExport, shop: Shop, entry: Entry
) -> Entry:
    """The entry after the destination was given what differs; ``entry`` has the delivery that is under way.

    Errors: DestinationFailed where the file cannot be made, is too large or cannot be put into the drop; those of contacts.
    """
    delivery = entry.of(publication.as_of)
    assert delivery is not None
    folder = output.folder / FOLDER / asked.file_stem
    with journal.stage("rows"):
        found = wanted_rows(publication, asked, shop)
        refused = shop.refused(publication, found.customers, asked)
        now, cleared = _without(found, refused), to_clear(asked, list_columns(publication))
        if entry.held is None and entry.planned is None:
            entry = _found_again(entry, folder, key_of(asked))
        handing = _handing(publication, now, entry, asked, cleared)
        if entry.planned and entry.planned != handing.planned and (folder / entry.planned.file).exists():
            entry = replace(entry, held=_either(entry.held or {}, entry.planned.held), handed=entry.handed + 1)
            handing = _handing(publication, now, entry, asked, cleared)
        _refuse_large(handing.content, asked)
    with journal.stage("plan"):
        entry = write_entry(output, replace(entry, planned=handing.planned))
    with journal.stage("hand_over"):
        _write(folder, handing.planned.file, handing.content)
    if asked.drop:
        with journal.stage("drop"):
            output.require()
            put(handing.content, handing.planned.file, drop_of(asked.drop, shop.config))
    done = replace(delivery, state="delivered", rows=handing.rows, opted_out=len(refused), error=None)
    return replace(entry, deliveries=(done,), held=handing.planned.held, handed=entry.handed + 1, planned=None)


def difference(
    now: Mapped, held: dict[str, str], asked: DestinationExport, cleared: Sequence[str]
) -> tuple[list[list[str]], dict[str, str]]:
    """The rows to hand over, and the hash of each row that the destination then holds, by key.

    With ``changed_only`` the rows that differ from what it holds, else all; then a row of clearing values, in the
    columns ``cleared``, for each key that it holds and that is no longer wanted, in the order of the keys.
    """
    after = {key: _digest(now.header, row) for key, row in zip(now.keys, now.rows, strict=True)}
    rows = [
        row
        for key, row in zip(now.keys, now.rows, strict=True)
        if not asked.changed_only or held.get(key, UNKNOWN) != after[key]
    ]
    if clears(asked):
        same = {name: scalar_text(value) for name, value in asked.constants.items()}
        same |= {name: scalar_text(asked.clear[name]) for name in cleared if name in asked.clear}
        gone = sorted(held.keys() - after.keys())
        rows += [[(same | {key_of(asked): key}).get(name, "") for name in now.header] for key in gone]
    return rows, after


@dataclass(frozen=True)
class _Handing:
    """A file in memory, its rows, and what the outbox notes of it."""

    content: bytes
    rows: int
    planned: Planned


def _handing(
    publication: Publication, now: Mapped, entry: Entry, asked: DestinationExport, cleared: Sequence[str]
) -> _Handing:
    rows, held = difference(now, entry.held or {}, asked, cleared)
    content = destination_text(now.header, rows).encode()
    name = f"{asked.file_stem}-{entry.handed + 1:06d}-{publication.as_of}-r{publication.revision}.csv"
    return _Handing(content, len(rows), Planned(name, hashlib.sha256(content).hexdigest(), held))


def _without(found: Mapped, refused: set[str]) -> Mapped:
    """The rows of everybody but these customers."""
    kept = [number for number, customer in enumerate(found.customers) if customer not in refused]
    customers, keys = ([column[number] for number in kept] for column in (found.customers, found.keys))
    return Mapped(found.header, customers, keys, [found.rows[number] for number in kept], found.refused)


def _found_again(entry: Entry, folder: Path, key: str) -> Entry:
    """An entry that was lost, as far as the files that were handed over tell it: their count, and whom they name."""
    ours = re.compile(rf"{re.escape(entry.name)}-([0-9]{{6,}})-[0-9-]{{10}}-r[0-9]+\.csv")
    names = sorted(path.name for path in folder.iterdir() if ours.fullmatch(path.name)) if folder.is_dir() else []
    keys = set[str]()
    for name in names:
        header, *rows = csv_lines(folder / name)
        keys |= {row[header.index(key)] for row in rows} if key in header else set()
    handed = max((int(found[1]) for name in names if (found := ours.fullmatch(name))), default=0)
    return replace(entry, held=dict.fromkeys(sorted(keys), UNKNOWN), handed=handed)


def _either(held: dict[str, str], planned: dict[str, str]) -> dict[str, str]:
    """What a destination holds of which nobody knows whether it took in a planned file."""
    both = held.keys() | planned.keys()
    return {key: held[key] if held.get(key) == planned.get(key) else UNKNOWN for key in sorted(both)}


def _digest(header: list[str], row: list[str]) -> str:
    return hashlib.sha256("\x1f".join([*header, *row]).encode()).hexdigest()[:32]


def _refuse_large(content: bytes, asked: DestinationExport) -> None:
    largest_mb = rules_of(asked).largest_mb
    if largest_mb is not None and len(content) > largest_mb * 1e6:
        raise DestinationFailed(
            f"its file has {len(content) / 1e6:,.1f} MB, and {asked.to} takes {largest_mb:g} at most. "
            "Map fewer columns, or send changed rows only"
        )


def _write(folder: Path, name: str, content: bytes) -> None:
    for place in (folder.parent, folder):
        place.mkdir(mode=0o700, exist_ok=True)
    for litter in folder.glob(".*.csv.*"):
        litter.unlink()
    if not (folder / name).exists() or (folder / name).read_bytes() != content:
        with written_whole(folder / name) as aside:
            aside.write_bytes(content)
