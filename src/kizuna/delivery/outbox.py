"""The outbox: how far each list is on its way to each destination, and what the destination holds now.

``<output.dir>/.outbox/<name>.json``, one file for each destination, written whole by the holder of the output folder's lock.
It holds the keys that a destination knows customers by, and hashes of their rows; it is as private as the list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from kizuna.errors import DestinationFailed
from kizuna.lists.publication import LockedOutput
from kizuna.lists.push import share
from kizuna.whole_file import sync, text_of, written_whole

OUTBOX = ".outbox"
_ENDING = ".json"
UNKNOWN = ""
"""The hash of a row of which nobody knows whether the destination has it."""


@dataclass(frozen=True)
class Delivery:
    """One day's list for one destination. ``sha256``: of what was to be delivered.

    ``state``: pending (begun, and perhaps cut off in the middle), delivered or failed (``error`` says why). ``rows``: handed
    over. ``opted_out``: customers of the published list left out of them, who may not be contacted any more.
    """

    name: str
    as_of: date
    revision: int
    sha256: str
    state: Literal["pending", "delivered", "failed"] = "pending"
    attempts: int = 1
    rows: int | None = None
    opted_out: int = 0
    error: str | None = None

    def is_of(self, other: Delivery) -> bool:
        """Whether both stand for the same list, revision and content."""
        return (self.as_of, self.revision, self.sha256) == (other.as_of, other.revision, other.sha256)

    def to_json(self) -> dict[str, Any]:
        """All of it in plain values."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}


@dataclass(frozen=True)
class Planned:
    """A file about to be handed over: its name, its sha256, and what the destination holds once it has it."""

    file: str
    sha256: str
    held: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A destination's part of the outbox.

    ``target``: which database it is. ``deliveries``: at most one of each day. ``held``: hash of each row by key.
    ``handed``: how many files it was given. ``planned``: one more, of which it is not yet known whether it arrived.
    """

    name: str
    target: str = ""
    deliveries: tuple[Delivery, ...] = ()
    held: dict[str, str] | None = None
    handed: int = 0
    planned: Planned | None = None

    def of(self, as_of: date) -> Delivery | None:
        """The delivery of a day, if there was one."""
        return next((delivery for delivery in self.deliveries if delivery.as_of == as_of), None)

    def with_delivery(self, delivery: Delivery) -> Entry:
        """The entry with this delivery in the place of another of its day."""
        others = (other for other in self.deliveries if other.as_of != delivery.as_of)
        return replace(self, deliveries=tuple(sorted((*others, delivery), key=lambda item: item.as_of)))


def read_entry(output_dir: Path, name: str) -> Entry:
    """The entry of a destination, an empty one where there is none; DestinationFailed for a file that was changed."""
    path = output_dir / OUTBOX / f"{name}{_ENDING}"
    try:
        tree = json.loads(text_of(path))
        if tree["sha256"] != _sha256(tree["entry"]):
            raise ValueError
        return _entry(tree["entry"])
    except FileNotFoundError:
        return Entry(name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DestinationFailed(
            f"{OUTBOX}/{path.name}, which says what it holds, cannot be read or was changed by hand. "
            "Put the file back, or remove it: the whole list is then delivered again"
        ) from None


def write_entry(output: LockedOutput, entry: Entry) -> Entry:
    """The entry, on disk afterwards whole or not at all, and in the object store that the folder copies, if it does.

    Errors: LockHeld where this run has lost its lock.
    """
    output.require()
    folder = output.folder / OUTBOX
    folder.mkdir(mode=0o700, exist_ok=True)
    tree = asdict(entry) | {"deliveries": [delivery.to_json() for delivery in entry.deliveries]}
    with written_whole(folder / f"{entry.name}{_ENDING}") as aside:
        aside.write_text(entry_text(tree), encoding="utf-8")
    sync(folder)
    share(folder)
    return entry


def entry_text(tree: dict[str, Any]) -> str:
    """An entry as it is written: with the sha256 of what it says, so that a change by hand is seen."""
    return json.dumps({"entry": tree, "sha256": _sha256(tree)}, ensure_ascii=False, sort_keys=True) + "\n"


def entry_names(output_dir: Path) -> list[str]:
    """The destinations that have an entry, in the order of their names."""
    found = (output_dir / OUTBOX).glob(f"[!.]*{_ENDING}")
    return sorted(path.name.removesuffix(_ENDING) for path in found)


def forget_others(output: LockedOutput, names: Sequence[str]) -> None:
    """Nothing is owed to destinations but these any more; what the others hold is still known, should they come back.

    What a run left behind that ended in the middle of writing goes, too.
    """
    for litter in (output.folder / OUTBOX).glob(f".*{_ENDING}.*"):
        litter.unlink()
    for name in entry_names(output.folder):
        if name not in names and (entry := _readable(output.folder, name)) and entry.deliveries:
            write_entry(output, replace(entry, deliveries=()))


def _readable(output_dir: Path, name: str) -> Entry | None:
    try:
        return read_entry(output_dir, name)
    except DestinationFailed:
        return None


def _sha256(tree: Any) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _entry(tree: dict[str, Any]) -> Entry:
    planned = Planned(**tree["planned"]) if tree["planned"] else None
    deliveries = tuple(Delivery(**item | {"as_of": date.fromisoformat(item["as_of"])}) for item in tree["deliveries"])
    return Entry(**tree | {"planned": planned, "deliveries": deliveries})
