"""The pointer of a published day in an object store: one small object, put in one step, that says which revision is shown.

``<as_of>.json`` and ``latest.json`` are there what links are in a folder. ``revisions`` are all that were ever shown; objects
of another one are what a killed run left.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kizuna.errors import ResultError
from kizuna.lists.links import LATEST, REVISIONS
from kizuna.lists.revision import MANIFEST, SUCCESS, revision_numbers

LATEST_POINTER = f"{LATEST}.json"
_POINTER = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}|latest)\.json")


@dataclass(frozen=True)
class Pointer:
    """What a pointer says: the day, the revision shown, and all that ever were."""

    as_of: date
    revision: int
    revisions: tuple[int, ...]


def is_pointer(name: str) -> bool:
    """Whether an object of this name is a pointer."""
    return _POINTER.fullmatch(name) is not None


def parse_pointer(text: str, name: str, address: str) -> Pointer:
    """What a pointer says; ResultError where it cannot be read, or is not this day's."""
    try:
        told = json.loads(text)
        numbers = (told["shown"], *told["revisions"])
        if all(type(number) is int and number > 0 for number in numbers) and told["shown"] in told["revisions"]:
            pointer = Pointer(date.fromisoformat(told["as_of"]), told["shown"], tuple(sorted(set(told["revisions"]))))
            if name in (f"{pointer.as_of}.json", LATEST_POINTER):
                return pointer
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ResultError(
        f"{address}/{name} should point to a published list, but it cannot be read. Somebody changed it by hand: "
        "put it back, or remove it and publish the day again."
    )


def pointer_text(revision: Path, as_of: date, number: int) -> str:
    """The pointer to a revision that lies in a folder beside the others of its day."""
    home = revision.parent
    told: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "revision": f"{REVISIONS}/{as_of}/r{number}",
        "manifest_sha256": hashlib.sha256((revision / MANIFEST).read_bytes()).hexdigest(),
        "shown": number,
        "revisions": [n for n in revision_numbers(home) if (home / f"r{n}" / SUCCESS).is_file()],
    }
    return json.dumps(told, sort_keys=True, indent=2) + "\n"
