"""How far every list is on its way, for whoever watches: read without the lock, and nothing is delivered."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from kizuna.config import Config
from kizuna.config_exports import CsvExport, Receiver
from kizuna.delivery.outbox import Delivery, read_entry
from kizuna.exports.failed import failed_exports, failure
from kizuna.exports.people_csv import FILE_STEMS
from kizuna.lists.publication import Publication


def delivery_states(config: Config) -> list[Delivery]:
    """The newest delivery of each destination of the config, and older ones that are still owed; by name, then by day.

    Errors: DestinationFailed for a file of the outbox that was changed by hand.
    """
    found = []
    for name in sorted(export.file_stem for export in config.exports if isinstance(export, Receiver)):
        deliveries = read_entry(config.output_dir, name).deliveries
        found += [item for item in deliveries if item is deliveries[-1] or item.state != "delivered"]
    return found


def failed_files(publication: Publication, config: Config) -> list[Delivery]:
    """The files for people that the config asks for and the publication is without, as failed deliveries."""
    stems = {FILE_STEMS[export.encoding] for export in config.exports if isinstance(export, CsvExport)}
    found = failed_exports(item["path"] for item in publication.manifest["files"])
    names = [name for name in found if any(name == stem or name.startswith(f"{stem}_") for stem in stems)]
    return [_failed(publication, name) for name in names]


def _failed(publication: Publication, name: str) -> Delivery:
    why = "It could not be written"
    with suppress(OSError):
        why = failure(publication.folder, name).removesuffix(".")
    content = hashlib.sha256(name.encode()).hexdigest()
    error = f"{why}. Then add a revision with --republish."
    return Delivery(name, publication.as_of, publication.revision, content, "failed", error=error)
