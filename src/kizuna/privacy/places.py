"""How one customer is named in each place: under which headings, and by which key where a destination knows no id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kizuna.config import Config
from kizuna.config_exports import DestinationExport
from kizuna.delivery.handing import FOLDER
from kizuna.delivery.outbox import OUTBOX
from kizuna.errors import KizunaError
from kizuna.exports.destinations.contacts import read_contacts
from kizuna.exports.destinations.settings import CONTACTS, key_of
from kizuna.privacy.csv_rows import column_pairs
from kizuna.privacy.sought import ID, Sought

# A destination that the config no longer has may have called its column anything.
_USUAL = frozenset({ID, "key", "external_id", "id"})


@dataclass(frozen=True)
class Places:
    """The customer, and the headings of customers in the files of each destination and the rows set aside of each table.

    ``keys``: by destination, what it calls the customer.
    """

    customer_id: str
    destinations: Mapping[str, frozenset[str]]
    tables: Mapping[str, str]
    keys: Mapping[str, frozenset[str]]

    def in_file(self, name: Path, rank: str | None = None) -> Sought:
        """The customer as a file names them. ``name``: what it is called below the output folder, or in its revision."""
        parts = name.parts
        if parts[0] in (FOLDER, OUTBOX) and len(parts) > 1:
            asked = parts[1] if len(parts) > 2 else parts[1].split(".")[0]
            headings = _USUAL | self.destinations.get(asked, frozenset())
            return Sought(self.customer_id, headings, self.keys.get(asked, frozenset()), rank)
        if parts[:2] == ("check", "quarantine"):
            return Sought(self.customer_id, frozenset({self.tables.get(name.stem, ID)}))
        return Sought(self.customer_id, frozenset({ID}), rank=rank)


def places_of(config: Config, customer_id: str, revisions: Sequence[Path]) -> Places:
    """The places of a config. Keys are those that the published ``revisions`` tell, and those of its contacts now."""
    asked = [export for export in config.exports if isinstance(export, DestinationExport)]
    headings = {
        export.file_stem: frozenset(
            {key_of(export), *(theirs for theirs, ours in export.columns.items() if ours == ID)}
        )
        for export in asked
    }
    tables = {name: source.columns.get(ID, ID) for name, source in config.data.tables.items()}
    keys: dict[str, set[str]] = defaultdict(set)
    for folder in revisions:
        for path in sorted(folder.glob(f"{FOLDER}/*.customers.csv")):
            pairs = column_pairs(path.read_bytes(), ID, "key")
            keys[path.name.removesuffix(".customers.csv")] |= {key for name, key in pairs if name == customer_id}
    for export in asked:
        keys[export.file_stem] |= _contact(config, export, customer_id)
    return Places(customer_id, headings, tables, {name: frozenset(found) for name, found in keys.items()})


def _contact(config: Config, export: DestinationExport, customer_id: str) -> set[str]:
    """What a destination calls the customer by its contacts, where its key comes from there."""
    ours = export.columns.get(key_of(export), "")
    if export.contacts is None or not ours.startswith(CONTACTS):
        return set()
    name, value = ours.removeprefix(CONTACTS), None
    with suppress(KizunaError):
        value = read_contacts(config, export.contacts, [name], export.file_stem)[name].get(customer_id)
    return {value} if isinstance(value, str) and value else set()
