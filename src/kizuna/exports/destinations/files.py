"""The files of one destination in a published revision: the rows that it should hold, and those that it could not take.

``<name>.csv`` has a row for each customer to contact, under the destination's headings, by rank; ``<name>.customers.csv``
says line by line whose it is and by which key the destination knows them; ``<name>.refused.csv`` has the rows held back, and
why. What a destination holds already plays no part: that is known when the list is delivered (``kizuna.delivery``).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from kizuna.config import Config
from kizuna.config_exports import DestinationExport
from kizuna.errors import KizunaError
from kizuna.exports.csv import csv_lines, csv_text
from kizuna.exports.destinations.contacts import read_contacts
from kizuna.exports.destinations.mapping import Mapped, mapped, rows_to_send
from kizuna.exports.destinations.settings import CONTACTS
from kizuna.exports.failed import failed_file, write_failure
from kizuna.exports.outgoing import ListOut, Outgoing

FOLDER = "destinations"
_WHO = ["customer_id", "key"]


def write_destination(out: Outgoing, asked: DestinationExport, folder: Path) -> dict[str, int]:
    """See ``write_wanted``."""
    return write_wanted(out.listed, asked, folder)


def write_wanted(listed: ListOut, asked: DestinationExport, folder: Path) -> dict[str, int]:
    """Writes the three files under ``destinations``; rows by path.

    Where contacts cannot be read the list does not wait for them: ``<name>.failed.txt`` then says why there are none.
    """
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    path = wanted_file(asked)
    try:
        found = wanted(listed, asked)
    except KizunaError as error:
        return write_failure(folder, failed_file(path), str(error))
    refused = [[str(item.list_rank), item.customer_id, item.column, item.why] for item in found.refused]
    files = {
        path: destination_text(found.header, found.rows),
        who_file(asked): csv_text(_WHO, zip(found.customers, found.keys, strict=True)),
        path.replace(".csv", ".refused.csv"): csv_text(["list_rank", "customer_id", "column", "why"], refused),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return dict(zip(files, (len(found.rows), len(found.rows), len(refused)), strict=True))


def wanted(listed: ListOut, asked: DestinationExport) -> Mapped:
    """The rows that the destination should hold after this list. Errors: those of ``read_contacts``."""
    sent = rows_to_send(listed.at_risk, asked, listed.config.at_risk.consent_missing, listed.consent)
    return mapped(_with_more(listed, asked, sent), asked, listed.config.data.timezone)


def read_wanted(folder: Path, asked: DestinationExport) -> Mapped:
    """The same as a revision's folder holds it; who was held back is not told."""
    header, *rows = csv_lines(folder / wanted_file(asked))
    _, *who = csv_lines(folder / who_file(asked))
    return Mapped(header, [line[0] for line in who], [line[1] for line in who], rows, [])


def wanted_file(asked: DestinationExport) -> str:
    """The path of the rows that a destination should hold, in a revision."""
    return f"{FOLDER}/{asked.file_stem}.csv"


def who_file(asked: DestinationExport) -> str:
    """The path of the file that says whose those rows are."""
    return f"{FOLDER}/{asked.file_stem}.customers.csv"


def settings_sha256(asked: DestinationExport, config: Config) -> str:
    """A short text that changes when the config would make other rows of the same list. Addresses play no part."""
    settings = asked.model_dump(mode="json", exclude={"drop": True, "changed_only": True, "contacts": {"uri"}})
    settings |= {"consent_missing": config.at_risk.consent_missing, "timezone": config.data.timezone}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def settings_of(config: Config) -> dict[str, str]:
    """``settings_sha256`` of every destination by its name."""
    asked = (export for export in config.exports if isinstance(export, DestinationExport))
    return {export.file_stem: settings_sha256(export, config) for export in asked}


def destination_text(header: list[str], rows: list[list[str]]) -> str:
    """A destination's file. Blank cells are nothing at all, not a quoted empty text."""
    return csv_text(header, ([text or None for text in row] for row in rows))


def _with_more(listed: ListOut, asked: DestinationExport, sent: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns of customers and of contacts that the config names."""
    named = [ours for ours in dict.fromkeys(asked.columns.values()) if ours not in sent]
    more = {ours: listed.profile[ours] for ours in named if not ours.startswith(CONTACTS)}
    contacts = [ours.removeprefix(CONTACTS) for ours in named if ours.startswith(CONTACTS)]
    if contacts and asked.contacts:
        found = read_contacts(listed.config, asked.contacts, contacts, asked.file_stem)
        more |= {f"{CONTACTS}{name}": found[name] for name in contacts}
    joined = {name: column.reindex(sent["customer_id"]).to_numpy() for name, column in more.items()}
    return sent.assign(**joined)
