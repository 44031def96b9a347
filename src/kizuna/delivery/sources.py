"""What a publication wants a destination to have, read from its files as they were published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from kizuna.config import Config
from kizuna.config_exports import DestinationExport, Receiver
from kizuna.data.store import Store
from kizuna.delivery.consent_now import consent_now, refused_since
from kizuna.delivery.outbox import Delivery
from kizuna.exports.database import read_list
from kizuna.exports.destinations.files import read_wanted, settings_sha256, wanted, wanted_file, who_file
from kizuna.exports.destinations.mapping import Mapped
from kizuna.exports.outgoing import ListOut
from kizuna.lists.publication import Publication

if TYPE_CHECKING:
    import pyarrow as pa

LIST = "at_risk.csv"


@dataclass(frozen=True)
class Shop:
    """The config and the tables of today, which are opened when something is to be delivered and not before."""

    config: Config
    opened: Callable[[], Store]
    _now: dict[date, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def store(self) -> Store:
        """The tables."""
        return self.opened()

    def refused(self, publication: Publication, customers: list[str], asked: Receiver) -> set[str]:
        """Those of the customers of a publication who may not be contacted any more."""
        if publication.as_of not in self._now:
            self._now[publication.as_of] = consent_now(self.store, publication.as_of)
        return refused_since(customers, self._now[publication.as_of], asked, self.config.at_risk.consent_missing)


def asked_of(publication: Publication, asked: Receiver, config: Config) -> Delivery:
    """The delivery that a publication asks for, told from its manifest alone."""
    settings, path = "", LIST
    if isinstance(asked, DestinationExport):
        settings = settings_sha256(asked, config)
        path = wanted_file(asked) if _is_made(publication, asked, config) else LIST
    content = hashlib.sha256(f"{settings} {publication.hashes.get(path)}".encode()).hexdigest()
    return Delivery(asked.file_stem, publication.as_of, publication.revision, content)


def wanted_rows(publication: Publication, asked: DestinationExport, shop: Shop) -> Mapped:
    """The rows that the destination should hold: as they were published, or, where the destination was not asked for then,
    was asked for otherwise or had no contacts, made of the published list now.

    Errors: ListDamaged for files changed since they were published; those of reading contacts.
    """
    if _is_made(publication, asked, shop.config):
        for name in (wanted_file(asked), who_file(asked)):
            publication.file(name)
        return read_wanted(publication.folder, asked)
    rows: pd.DataFrame = list_rows(publication).to_pandas()
    return wanted(ListOut(rows, publication.as_of, shop.config, shop.store), asked)


def list_rows(publication: Publication) -> pa.Table:
    """The published list, typed; ListDamaged where its file was changed since."""
    return read_list(publication.file(LIST))


def list_columns(publication: Publication) -> list[str]:
    """The columns of the published list."""
    with (publication.folder / LIST).open(encoding="utf-8") as file:
        return file.readline().rstrip("\n").split(",")


def _is_made(publication: Publication, asked: DestinationExport, config: Config) -> bool:
    made = publication.manifest.get("destinations", {})
    return made.get(asked.file_stem) == settings_sha256(asked, config) and wanted_file(asked) in publication.hashes
