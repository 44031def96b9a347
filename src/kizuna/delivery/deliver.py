"""Every destination brought to what is published, each delivery once: what failed or was cut off is tried again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kizuna import journal
from kizuna.config import Config
from kizuna.config_exports import DatabaseExport, Receiver
from kizuna.data.store import Store
from kizuna.delivery.databases import target_of, write_day
from kizuna.delivery.handing import hand_over
from kizuna.delivery.outbox import Delivery, Entry, forget_others, read_entry, write_entry
from kizuna.delivery.sources import Shop, asked_of
from kizuna.delivery.states import failed_files
from kizuna.errors import DestinationFailed, KizunaError, LockHeld
from kizuna.lists.publication import LockedOutput, Publication, lists_before, published


def deliver(
    output: LockedOutput,
    config: Config,
    publication: Publication,
    opened: Callable[[], Store],
    say: Callable[[str], None],
) -> list[Delivery]:
    """How far each destination of the config is afterwards, the failed files of the publication among them.

    Databases get the day of the publication, and days that are still owed to them. Destinations that hold the present list
    get the newest published day and no other. What was delivered is not delivered again. ``opened``: the tables, as
    they are now. One that fails keeps none of the others back; DestinationFailed then names all that did.
    """
    shop, asked = Shop(config, opened), _asked(config)
    newest = _newest(output.folder)
    told: dict[str, list[Delivery]] = {}
    forget_others(output, [export.file_stem for export in asked])
    for export in asked:
        try:
            told[export.label] = _deliver(output, _Published(publication, newest), export, shop, say)
        except (DestinationFailed, OSError) as error:
            told[export.label] = [
                replace(asked_of(publication, export, config), state="failed", error=_sentence(error))
            ]
    told |= {item.name: [item] for item in failed_files(publication, config)}
    everything = [item for items in told.values() for item in items]
    failed = {label: [item for item in items if item.state == "failed"] for label, items in told.items()}
    journal.note(deliveries={items[0].name: bool(failed[label]) for label, items in told.items() if items})
    lines = [f"{_day(label, item, publication)}: {item.error}" for label, items in failed.items() for item in items]
    if lines:
        raise DestinationFailed(
            f"{publication.as_of} is published, but {sum(map(bool, failed.values()))} of {len(told)} destinations failed. "
            f"{' '.join(lines)}\nMend it and run the same command again: "
            "it delivers what failed, and the list stays as it is.",
            [item.to_json() for item in everything],
        )
    return everything


def owed(output_dir: Path, publication: Publication, config: Config) -> bool:
    """Whether a destination of the config has yet to get this publication; one made for the record is owed to nobody."""
    if publication.is_for_the_record:
        return False
    newest = _newest(output_dir)
    for export in _asked(config):
        if not isinstance(export, DatabaseExport) and publication.as_of != newest:
            continue
        with suppress(DestinationFailed):
            found = _entry(output_dir, export).of(publication.as_of)
            if not (found and found.is_of(asked_of(publication, export, config)) and found.state == "delivered"):
                return True
    return False


def _asked(config: Config) -> list[Receiver]:
    return [export for export in config.exports if isinstance(export, Receiver)]


@dataclass(frozen=True)
class _Published:
    """The publication of the run, and the newest day that is delivered at all."""

    publication: Publication
    newest: date | None


def _deliver(
    output: LockedOutput, lists: _Published, asked: Receiver, shop: Shop, say: Callable[[str], None]
) -> list[Delivery]:
    """What this run delivers to one destination, or, where that is nothing, what it has.

    The publication comes before older days that are owed, and these wait where it fails: a server that is away is asked once.
    """
    entry = _entry(output.folder, asked)
    due = {item.as_of for item in entry.deliveries if item.state != "delivered"} | {lists.publication.as_of}
    if not isinstance(asked, DatabaseExport):
        if lists.publication.as_of != lists.newest:
            say(f"{asked.label}: {lists.publication.as_of} is not the newest day, so nothing of it is handed over")
        due = {day for day in due if day == lists.newest}
    made: list[Delivery] = []
    for day in sorted(due, key=lambda day: (day != lists.publication.as_of, day)):
        item = published(output.folder, day)
        if item and not item.is_for_the_record and not (made and made[-1].state == "failed"):
            made.append(_deliver_one(output, item, asked, shop, say))
    return made or list(entry.deliveries[-1:])


def _deliver_one(
    output: LockedOutput, publication: Publication, asked: Receiver, shop: Shop, say: Callable[[str], None]
) -> Delivery:
    """The delivery of one publication to one destination, made now or found made."""
    entry, wanted = _entry(output.folder, asked), asked_of(publication, asked, shop.config)
    before = entry.of(publication.as_of)
    if before and before.is_of(wanted):
        if before.state == "delivered":
            say(f"{asked.label}: has {before.as_of} r{before.revision} already")
            return before
        wanted = replace(wanted, attempts=before.attempts + 1)
    with journal.stage(f"deliver {asked.file_stem}"):
        # What is handed over replaces what older days wanted; a database has every day.
        others = entry if isinstance(asked, DatabaseExport) else replace(entry, deliveries=())
        entry = write_entry(output, others.with_delivery(wanted))
        try:
            if isinstance(asked, DatabaseExport):
                done = write_day(publication, asked, shop, wanted)
                entry = entry.with_delivery(done)
            else:
                entry = hand_over(output, publication, asked, shop, entry)
                done = entry.deliveries[-1]
            out = f", {done.opted_out:,} may not be contacted any more" if done.opted_out else ""
            say(f"{asked.label}: {done.rows:,} rows of {done.as_of} r{done.revision}{out}")
        except LockHeld:
            # Another run has taken over: the outbox is its own now.
            raise
        except (KizunaError, OSError) as error:
            done = replace(wanted, state="failed", error=_sentence(error))
            # What was planned meanwhile is on disk.
            entry = read_entry(output.folder, asked.file_stem).with_delivery(done)
        with journal.stage("note"):
            write_entry(output, entry)
    return done


def _entry(output_dir: Path, asked: Receiver) -> Entry:
    """What the outbox has of it; where the config now means another database, what is owed alone."""
    entry = read_entry(output_dir, asked.file_stem)
    if isinstance(asked, DatabaseExport) and entry.target != target_of(asked):
        waiting = tuple(item for item in entry.deliveries if item.state != "delivered")
        return replace(entry, target=target_of(asked), deliveries=waiting)
    return entry


def _newest(output_dir: Path) -> date | None:
    days = [item.as_of for item in lists_before(output_dir, date.max) if not item.is_for_the_record]
    return days[-1] if days else None


def _day(label: str, item: Delivery, publication: Publication) -> str:
    return label if item.as_of == publication.as_of else f"{label} ({item.as_of})"


def _sentence(error: Exception) -> str:
    said = f"{error.filename or 'a file'}: {error.strerror}" if isinstance(error, OSError) else str(error)
    return f"{said.strip().removesuffix('.')}."
