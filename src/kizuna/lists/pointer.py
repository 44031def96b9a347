"""The pointer of a published day in an object store: one small object, put in one step, that says which revision is shown.

``<as_of>.json`` and ``latest.json`` are there what links are in a folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kizuna.errors import ResultError
from kizuna.lists.links import LATEST, REVISIONS
from kizuna.lists.revision import MANIFEST

LATEST_POINTER = f"{LATEST}.json"
_POINTER = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}|latest)\.json")
_REVISION = re.compile(r"\.revisions/([0-9]{4}-[0-9]{2}-[0-9]{2})/r([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Pointer:
    """What a pointer says: the day, and the revision that is shown."""

    as_of: date
    revision: int


def is_pointer(name: str) -> bool:
    """Whether an object of this name is a pointer."""
    return _POINTER.fullmatch(name) is not None


def parse_pointer(text: str, name: str, address: str) -> Pointer:
    """What a pointer says; ResultError where it cannot be read, or is not this day's."""
    try:
        told = json.loads(text)
        match = _REVISION.fullmatch(told["revision"])
        if match and told["as_of"] == match[1] and name in (f"{match[1]}.json", LATEST_POINTER):
            return Pointer(date.fromisoformat(match[1]), int(match[2]))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ResultError(
        f"{address}/{name} should point to a published list, but it cannot be read. Somebody changed it by hand: "
        "put it back, or remove it and publish the day again."
    )


def pointer_text(revision: Path, as_of: date, number: int) -> str:
    """The pointer to a revision that lies in a folder."""
    told = {
        "as_of": as_of.isoformat(),
        "revision": f"{REVISIONS}/{as_of}/r{number}",
        "manifest_sha256": hashlib.sha256((revision / MANIFEST).read_bytes()).hexdigest(),
    }
    return json.dumps(told, sort_keys=True, indent=2) + "\n"
