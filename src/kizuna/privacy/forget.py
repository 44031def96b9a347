"""One customer forgotten: erased from everything kizuna has written, left out of all that it will read, and proven gone.

The record of the forgotten is written first. A run that is killed has then left rows behind, which the same command finds
again, and none that a later run could write anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kizuna import journal
from kizuna.config import Config
from kizuna.config_exports import DatabaseExport, DestinationExport
from kizuna.data.forgotten import FOLDER as RECORD
from kizuna.data.forgotten import read_forgotten, remember_forgotten
from kizuna.errors import ConfigError, DestinationFailed, KizunaError
from kizuna.exports.destinations.contacts import read_contacts
from kizuna.exports.destinations.settings import CONTACTS, key_of
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import Publication, clear_leftovers, locked
from kizuna.privacy.databases import rows_in_table
from kizuna.privacy.files import destination_keys, files_below, found_in, rank_in
from kizuna.privacy.revisions import all_revisions, erase_from, holds_rows
from kizuna.privacy.sought import ID, Sought, places_of
from kizuna.whole_file import written_whole

_LEFT_ASIDE = re.compile(r"\..+\.(\d+)")


@dataclass(frozen=True)
class Proof:
    """What was searched, and what was found: nothing in it tells who was sought.

    ``erased``: rows of the customer that were erased, by the kind of place. ``remaining``: rows that are still there, which
    is none unless the run was a trial. ``unread``: files that could not be searched. ``told``: destinations that were handed
    rows of the customer, where kizuna cannot delete them. ``models``: versions that may have learned from the customer.
    """

    files: int
    tables: int
    revisions_rewritten: int
    erased: dict[str, int]
    remaining: int
    unread: tuple[str, ...]
    told: tuple[str, ...]
    models: tuple[str, ...] | None
    already_forgotten: bool
    failed: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """All rows that were erased, or would be."""
        return sum(self.erased.values())

    @property
    def exit_code(self) -> int:
        """0 where everything is gone that kizuna can reach, 15 where a database has to be tried again, 13 else."""
        if self.failed:
            return 15
        return 13 if (self.remaining and not self.dry_run) or self.unread else 0

    def to_json(self) -> dict[str, Any]:
        """All of it in plain values."""
        return asdict(self) | {"rows": self.rows, "exit_code": self.exit_code}


def forget(config: Config, customer_id: str, now: datetime, dry_run: bool = False) -> Proof:
    """The proof that a customer is forgotten, which is also written below ``output.dir``; a trial changes nothing.

    Errors: ConfigError for what cannot be an id; LockHeld; ResultError for a record or manifest that cannot be read.
    """
    _refuse_no_id(customer_id)
    fetch_output(config.output.address, config.output_dir)
    if dry_run:
        known = customer_id in read_forgotten(config.output_dir)
        return replace(_searched(config, customer_id), already_forgotten=known, dry_run=True)
    with locked(config.output_dir) as output:
        with journal.stage("record"):
            is_new = remember_forgotten(output.folder, customer_id)
        with journal.stage("leftovers"):
            clear_leftovers(output)
            _clear_aside(output.folder)
        with journal.stage("erase"):
            found = _erased(config, customer_id)
        with journal.stage("prove"):
            left = _searched(config, customer_id)
        proof = replace(found, files=left.files, remaining=left.rows, unread=left.unread, already_forgotten=not is_new)
        _write_proof(output.folder, proof, now)
    return proof


def _refuse_no_id(customer_id: str) -> None:
    try:
        customer_id.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            "The customer to forget is named by bytes that are no UTF-8. Write the id as it is in the data."
        ) from None
    if not customer_id:
        raise ConfigError("The customer to forget has an empty id, which nobody has. Name the customer's id.")


def _searched(config: Config, customer_id: str) -> Proof:
    """What is there of the customer, in files and tables; nothing is changed."""
    return _walked(config, customer_id, erase=False)


def _erased(config: Config, customer_id: str) -> Proof:
    return _walked(config, customer_id, erase=True)


def _walked(config: Config, customer_id: str, erase: bool) -> Proof:
    publications = list(all_revisions(config.output_dir))
    places = places_of(config, _keys(config, customer_id, [one.folder for one in publications]))
    sought = Sought(customer_id, frozenset({ID}))
    counts: dict[str, int] = {}
    unread: list[str] = []
    seen = rewritten = 0
    told: set[str] = set()

    def note(name: Path, count: int, is_read: bool) -> None:
        nonlocal seen
        seen += 1
        if not is_read:
            unread.append(name.as_posix())
        if count:
            kind = _kind_of(name)
            counts[kind] = counts.get(kind, 0) + count

    for publication in publications:
        rank = rank_in(publication.folder, customer_id)
        mine = replace(sought, rank=rank)
        found = {}
        for path in files_below(publication.folder):
            name = path.relative_to(publication.folder).as_posix()
            if not holds_rows(name):
                seen += 1
                continue
            found[name] = found_in(path, Path(name), places, mine)
            note(path.relative_to(config.output_dir), found[name].count, found[name].is_read)
        told |= _told(found)
        if any(item.count for item in found.values()):
            rewritten += 1
            if erase:
                erase_from(publication, found, rank is not None)
    for path, place in _other_files(config, publications):
        item = found_in(path, place, places, sought)
        note(place, item.count, item.is_read)
        if item.count and erase:
            with written_whole(path) as aside:
                aside.write_bytes(item.content)
    tables, failed = _in_databases(config, customer_id, counts, erase)
    return Proof(
        files=seen,
        tables=tables,
        revisions_rewritten=rewritten,
        erased=dict(sorted(counts.items())),
        remaining=0 if erase else sum(counts.values()),
        unread=tuple(unread),
        told=tuple(sorted(told)),
        models=_models(config),
        already_forgotten=False,
        failed=tuple(failed),
    )


def _keys(config: Config, customer_id: str, revisions: Sequence[Path]) -> dict[str, frozenset[str]]:
    """What each destination calls the customer: as published revisions say, and as contacts do now."""
    keys = destination_keys(list(revisions), customer_id)
    for export in config.exports:
        if not isinstance(export, DestinationExport):
            continue
        ours = export.columns.get(key_of(export), "")
        if export.contacts is None or not ours.startswith(CONTACTS):
            continue
        name = ours.removeprefix(CONTACTS)
        with suppress(KizunaError):
            contacts = read_contacts(config, export.contacts, [name], export.file_stem)
            value = contacts[name].get(customer_id)
            if isinstance(value, str) and value:
                keys[export.file_stem] = keys.get(export.file_stem, frozenset()) | {value}
    return keys


def _told(found: dict[str, Any]) -> set[str]:
    """The destinations whose files in a revision held rows to hand over."""
    held = (Path(name) for name, item in found.items() if item.count and name.startswith("destinations/"))
    return {path.name.split(".")[0] for path in held if path.name.count(".") == 1}


def _other_files(config: Config, publications: Sequence[Publication]) -> Iterator[tuple[Path, Path]]:
    """Every other file below the output folder with its name there; and copies in the drops, named as what they copy."""
    output, folders = config.output_dir, [one.folder for one in publications]
    for path in list(files_below(output)):
        if not any(path.is_relative_to(folder) for folder in folders):
            yield path, path.relative_to(output)
    for export in config.exports:
        drop = getattr(export, "drop", None)
        if isinstance(export, DestinationExport) and drop and "://" not in drop:
            handed = output / "destinations" / export.file_stem
            for path in files_below(handed):
                copy = config.resolve(drop) / path.name
                if copy.is_file():
                    yield copy, path.relative_to(output)


def _in_databases(config: Config, customer_id: str, counts: dict[str, int], erase: bool) -> tuple[int, list[str]]:
    """How many tables were asked, and which could not be; their rows are added to ``counts``."""
    asked = [export for export in config.exports if isinstance(export, DatabaseExport)]
    failed = []
    for export in asked:
        try:
            count = rows_in_table(export, customer_id, erase)
        except DestinationFailed as error:
            failed.append(f"database {export.table}: {error}.")
            continue
        if count:
            counts["databases"] = counts.get("databases", 0) + count
    return len(asked), failed


def _models(config: Config) -> tuple[str, ...] | None:
    """The registered versions, each of which may have learned from the customer; None where the registry cannot be asked."""
    from kizuna.tracking.registry import Registry

    try:
        versions = Registry(config.tracking_uri, config.name).versions()
    except KizunaError:
        return None
    return tuple(f"{version.name} v{version.version}" for version in versions)


def _kind_of(relative: Path) -> str:
    return "lists" if relative.parts[0] == ".revisions" else relative.parts[0].lstrip(".")


def _clear_aside(output_dir: Path) -> None:
    """Removes files that dead processes of this host were still writing."""
    for path in list(files_below(output_dir)):
        match = _LEFT_ASIDE.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _write_proof(output_dir: Path, proof: Proof, now: datetime) -> None:
    folder = output_dir / RECORD / "proofs"
    folder.mkdir(mode=0o700, exist_ok=True)
    taken = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()]
    with written_whole(folder / f"{max(taken, default=0) + 1:06d}.json") as aside:
        tree = {"searched_at": now.isoformat(timespec="seconds")} | proof.to_json()
        aside.write_text(json.dumps(tree, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
