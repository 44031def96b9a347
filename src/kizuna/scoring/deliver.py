"""What is done with a list once it is published: the databases that hold it, and the files that destinations take in."""

from __future__ import annotations

from collections.abc import Callable

from kizuna.config import Config
from kizuna.config_exports import DatabaseExport, DestinationExport
from kizuna.errors import DestinationFailed
from kizuna.exports.database import read_list, upsert_list
from kizuna.exports.destinations.files import FOLDER, failed_file
from kizuna.exports.destinations.kinds import rules_of
from kizuna.lists.publication import Publication


def deliver(config: Config, publication: Publication, say: Callable[[str], None] = lambda line: None) -> None:
    """Every database has the list afterwards, and every destination's file was found fit; done twice it changes nothing.

    One that fails keeps none of the others back. DestinationFailed then names all that did.
    """
    failed, count = [], 0
    for export in config.exports:
        if not isinstance(export, (DatabaseExport, DestinationExport)):
            continue
        count += 1
        name = f"database {export.table}" if isinstance(export, DatabaseExport) else export.file_stem
        try:
            if isinstance(export, DatabaseExport):
                rows = read_list(publication.folder / "at_risk.csv")
                upsert_list(rows, publication.as_of, export)
                say(f"{name}: {rows.num_rows:,} rows")
            else:
                say(f"{name}: {_checked_file(export, publication)}")
        except DestinationFailed as error:
            failed.append(f"{name}: {str(error).removesuffix('.')}.")
    if failed:
        raise DestinationFailed(
            f"{publication.as_of} is published, but {len(failed)} of {count} destinations failed. {' '.join(failed)}\n"
            "Mend it and run the same command again: the list stays as it is."
        )


def _checked_file(asked: DestinationExport, publication: Publication) -> str:
    """What the destination's file holds; DestinationFailed where there is none, or it is larger than they take."""
    rows = {item["path"]: item["rows"] for item in publication.manifest["files"]}
    path, largest = f"{FOLDER}/{asked.file_stem}.csv", rules_of(asked).largest_mb
    if failed_file(asked) in rows:
        why = (publication.folder / failed_file(asked)).read_text(encoding="utf-8").strip()
        raise DestinationFailed(f"{why} Then add a revision with --republish")
    if path not in rows:
        raise DestinationFailed(
            f"r{publication.revision} of that day was published without it. Add a revision with --republish"
        )
    size_mb = (publication.folder / path).stat().st_size / 1e6
    if largest is not None and size_mb > largest:
        raise DestinationFailed(
            f"its file has {size_mb:,.1f} MB, and {asked.to} takes {largest:g} at most. "
            "Map fewer columns, or send changed rows only"
        )
    refused = rows.get(f"{FOLDER}/{asked.file_stem}.refused.csv")
    return f"{rows[path]:,} rows in {path}" + (f", {refused:,} held back" if refused else "")
