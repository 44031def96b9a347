"""Who is to be forgotten: a keyed record that holds no id, and the rows that loading leaves out because of it.

``<output.dir>/.forgotten/record.json`` has a random salt and, for each forgotten customer, the sha256 of salt and id. It
tells whether an id is meant, and not which ids there are; whoever has both the file and a list of ids can try them all,
so it is private like the lists.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from kizuna.data.sources import literal
from kizuna.errors import ResultError, Transient
from kizuna.whole_file import text_of, written_whole

FOLDER = ".forgotten"
FILE = "record.json"
_SALT_BYTES = 32


@dataclass(frozen=True)
class Forgotten:
    """The salt, and the hashes of the customers who are left out of everything."""

    salt: str = ""
    hashes: frozenset[str] = frozenset()

    def hash_of(self, customer_id: str) -> str:
        """The hash of an id, as the record keeps it."""
        return hashlib.sha256((self.salt + customer_id).encode()).hexdigest()

    def __contains__(self, customer_id: str) -> bool:
        return self.hash_of(customer_id) in self.hashes

    def condition(self, text: str) -> str:
        """The SQL condition under which a text expression is the id of somebody forgotten; false for null."""
        if not self.hashes:
            return "false"
        listed = ", ".join(literal(value) for value in sorted(self.hashes))
        return f"coalesce(sha256({literal(self.salt)} || {text}) IN ({listed}), false)"


def read_forgotten(output_dir: Path) -> Forgotten:
    """The record below an output folder, empty where there is none.

    ResultError where it cannot be read: going on would write of those who asked to be forgotten.
    """
    path = output_dir / FOLDER / FILE
    try:
        tree = json.loads(text_of(path))
        found = Forgotten(str(tree["salt"]), frozenset(map(str, tree["sha256"])))
        if len(found.salt) != 2 * _SALT_BYTES or not all(len(value) == 64 for value in found.hashes):
            raise ValueError
    except FileNotFoundError:
        return Forgotten()
    except (OSError, ValueError, KeyError, TypeError):
        raise ResultError(
            f"{path} says who is forgotten, but it cannot be read, and nothing may be written of them. "
            "Put it back from a backup, or forget those customers again after removing it."
        ) from None
    return found


def require_none_since(output_dir: Path, forgotten: Forgotten) -> None:
    """Transient where somebody was forgotten since ``forgotten`` was read: what was loaded by it must not be written."""
    if read_forgotten(output_dir) != forgotten:
        raise Transient(
            "A customer was forgotten while this run had the tables open, so what it made of them is not written. Run again."
        )


def remember_forgotten(output_dir: Path, customer_id: str) -> bool:
    """Whether the record is longer now: who is forgotten already stays so. For the holder of the output folder's lock."""
    before = read_forgotten(output_dir)
    record = before if before.salt else Forgotten(secrets.token_hex(_SALT_BYTES))
    if customer_id in record:
        return False
    (output_dir / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    hashes = sorted(record.hashes | {record.hash_of(customer_id)})
    with written_whole(output_dir / FOLDER / FILE) as aside:
        aside.write_text(json.dumps({"salt": record.salt, "sha256": hashes}, indent=1) + "\n", encoding="utf-8")
    return True
