"""One customer forgotten: erased from everything kizuna has written, left out of all that it will read, and proven gone.

The record of the forgotten is written first. A run that is killed has then left rows behind, which the same command finds
again, and none that a later run could write anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kizuna import journal
from kizuna.config import Config
from kizuna.data.forgotten import FOLDER as RECORD
from kizuna.data.forgotten import read_forgotten, remember_forgotten
from kizuna.errors import ConfigError, KizunaError
from kizuna.lists.output import fetch_output
from kizuna.lists.publication import clear_leftovers, locked
from kizuna.privacy.files import files_below
from kizuna.privacy.search import Search, search
from kizuna.whole_file import is_left_aside, written_whole


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
    failed: tuple[str, ...]
    dry_run: bool

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
        known, found = customer_id in read_forgotten(config.output_dir), search(config, customer_id, erase=False)
        return _proof(config, found, found, known, dry_run)
    with locked(config.output_dir) as output:
        with journal.stage("record"):
            is_new = remember_forgotten(output.folder, customer_id)
        with journal.stage("leftovers"):
            clear_leftovers(output)
            for path in list(files_below(output.folder)):
                if is_left_aside(path):
                    path.unlink(missing_ok=True)
        with journal.stage("erase"):
            found = search(config, customer_id, erase=True)
        with journal.stage("prove"):
            left = search(config, customer_id, erase=False)
        proof = _proof(config, found, left, not is_new, dry_run)
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


def _proof(config: Config, found: Search, left: Search, already_forgotten: bool, dry_run: bool) -> Proof:
    """What was ``found``, and what was ``left`` when everything was searched again."""
    return Proof(
        files=left.files,
        tables=found.tables,
        revisions_rewritten=found.revisions,
        erased=dict(sorted(found.rows.items())),
        remaining=left.rows.total(),
        unread=tuple(left.unread),
        told=tuple(sorted(found.told)),
        models=_models(config),
        already_forgotten=already_forgotten,
        failed=tuple(found.failed),
        dry_run=dry_run,
    )


def _models(config: Config) -> tuple[str, ...] | None:
    """The registered versions, each of which may have learned from the customer; None where the registry cannot be asked."""
    from kizuna.tracking.registry import Registry

    try:
        versions = Registry(config.tracking_uri, config.name).versions()
    except KizunaError:
        return None
    return tuple(f"{version.name} v{version.version}" for version in versions)


def _write_proof(output_dir: Path, proof: Proof, now: datetime) -> None:
    folder = output_dir / RECORD / "proofs"
    folder.mkdir(mode=0o700, exist_ok=True)
    taken = [int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()]
    with written_whole(folder / f"{max(taken, default=0) + 1:06d}.json") as aside:
        tree = {"searched_at": now.isoformat(timespec="seconds")} | proof.to_json()
        aside.write_text(json.dumps(tree, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
