"""One customer searched, and erased where that is asked for, in everything kizuna has written: lists, other files, databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kizuna.config import Config
from kizuna.config_exports import DatabaseExport
from kizuna.delivery.handing import FOLDER as HANDED
from kizuna.errors import DestinationFailed
from kizuna.lists.links import REVISIONS, days_with_revisions
from kizuna.lists.publication import Publication, revisions_of
from kizuna.privacy.databases import rows_in_table
from kizuna.privacy.files import Found, files_below, found_in, other_files, rank_in
from kizuna.privacy.places import Places, places_of
from kizuna.privacy.revisions import erase_from
from kizuna.whole_file import written_whole


@dataclass
class Search:
    """What was looked at, and what was found there.

    ``rows``: of the customer, by the kind of place; ``revisions``: how many had some. ``unread``: files that could not be
    searched. ``told``: destinations that were handed rows of the customer. ``failed``: databases that could not be asked.
    """

    files: int = 0
    tables: int = 0
    revisions: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def note(self, name: Path, found: Found) -> None:
        """Counts one file. ``name``: what it is called below the output folder."""
        self.files += 1
        if not found.is_read:
            self.unread.append(name.as_posix())
        if found.count:
            self.rows["lists" if name.parts[0] == REVISIONS else name.parts[0].lstrip(".")] += found.count


def search(config: Config, customer_id: str, erase: bool) -> Search:
    """What is there of the customer, in files and tables; gone afterwards where ``erase`` says so."""
    output, done = config.output_dir, Search()
    publications = [one for day in days_with_revisions(output) for one in revisions_of(output, day)]
    folders = [one.folder for one in publications]
    places = places_of(config, customer_id, folders)
    for publication in publications:
        _search_revision(publication, output, places, done, erase)
    for path, name in other_files(config, folders):
        found = found_in(path, places.in_file(name))
        done.note(name, found)
        if found.count and name.parts[0] == HANDED and len(name.parts) > 2:
            done.told.add(name.parts[1])
        if found.count and erase:
            with written_whole(path) as aside:
                aside.write_bytes(found.content)
    _search_databases(config, customer_id, done, erase)
    return done


def _search_revision(publication: Publication, output_dir: Path, places: Places, done: Search, erase: bool) -> None:
    folder = publication.folder
    rank = rank_in(folder, places.customer_id)
    found = {}
    for path in files_below(folder):
        name = path.relative_to(folder)
        found[name.as_posix()] = found_in(path, places.in_file(name, rank))
        done.note(path.relative_to(output_dir), found[name.as_posix()])
    done.told |= _told(found)
    if any(item.count for item in found.values()):
        done.revisions += 1
        if erase:
            erase_from(publication, found, rank is not None)


def _told(found: Mapping[str, Found]) -> set[str]:
    """The destinations whose files in a revision held rows to hand over."""
    held = (Path(name) for name, item in found.items() if item.count and name.startswith(f"{HANDED}/"))
    return {path.stem for path in held if path.name.count(".") == 1}


def _search_databases(config: Config, customer_id: str, done: Search, erase: bool) -> None:
    for export in config.exports:
        if not isinstance(export, DatabaseExport):
            continue
        done.tables += 1
        try:
            count = rows_in_table(export, customer_id, erase)
        except DestinationFailed as error:
            done.failed.append(f"database {export.table}: {error}.")
            continue
        if count:
            done.rows["databases"] += count
