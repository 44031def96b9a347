"""Bringing the private copy up to what lies in the object store.

Lists come by their pointers: a revision that none has ever shown is not there. What else lies at the address is copied as it
is; where a file was written here and is as it was in the store, it is one that was not sent yet, and is kept.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from kizuna.errors import ResultError
from kizuna.lists.links import ABOUT_TO_SHOW, REVISIONS, link_day, link_latest, linked_days, linked_revision
from kizuna.lists.mirror import Mirror, is_of_a_list, is_sound, lies_in, syncing
from kizuna.lists.pointer import LATEST_POINTER, Pointer, is_pointer, parse_pointer
from kizuna.lists.revision import SUCCESS, read_revision, revision_numbers
from kizuna.whole_file import written_whole

_REVISION_OBJECT = re.compile(
    rf"\{REVISIONS}/(?P<day>[0-9-]{{10}})/(?:{ABOUT_TO_SHOW}(?P<begun>[0-9]{{1,9}})|r(?P<number>[0-9]{{1,9}})/(?P<file>.+))"
)


def pull(
    mirror: Mirror, below: str = "", holds_lock: bool = False, is_busy: Callable[[], bool] = lambda: False
) -> None:
    """The copy, or a folder of it, is as the store afterwards; it is left alone while ``is_busy``.

    ``holds_lock``: what a run that died left half sent is removed from the store as well. ResultError for a pointer that
    cannot be read.
    """
    with syncing(mirror):
        if is_busy():
            return
        found = mirror.remote.listed(below)
        listed = {name: version for name, version in found.items() if is_sound(name)}
        if not below:
            pointers = _pointers(mirror, listed)
            shown = _shown(found, pointers)
            _pull_revisions(mirror, listed, shown)
            _show(mirror.folder, pointers)
            if holds_lock:
                _remove_never_shown(mirror, found, shown)
        _pull_others(mirror, listed, below)


def _pointers(mirror: Mirror, listed: dict[str, str]) -> dict[str, Pointer]:
    """What the pointers say, by name; those of days, and ``latest``."""
    names = [name for name in listed if is_pointer(name)]
    for name in names:
        if mirror.pointers.get(name, ("", ""))[0] != listed[name]:
            mirror.pointers[name] = (listed[name], mirror.remote.read(name).decode("utf-8", errors="replace"))
    for name in mirror.pointers.keys() - set(names):
        mirror.pointers.pop(name)
    return {name: parse_pointer(mirror.pointers[name][1], name, mirror.remote.address) for name in names}


def _shown(found: Iterable[str], pointers: dict[str, Pointer]) -> set[tuple[str, int]]:
    """Day and number of every complete revision, but for those that a run died over before they were shown."""
    names = [match for name in found if (match := _REVISION_OBJECT.fullmatch(name))]
    complete = {(match["day"], int(match["number"])) for match in names if match["file"] == SUCCESS}
    begun = {(match["day"], int(match["begun"])) for match in names if match["begun"]}
    return complete - (begun - {(p.as_of.isoformat(), p.revision) for p in pointers.values()})


def _pull_revisions(mirror: Mirror, listed: dict[str, str], shown: set[tuple[str, int]]) -> None:
    """These revisions are here as in the store, and no others."""
    for day, number in sorted(shown):
        place = f"{REVISIONS}/{day}/r{number}"
        names = {name: version for name, version in listed.items() if name.startswith(f"{place}/")}
        if all(mirror.has(name, version) for name, version in names.items()):
            continue
        if _was_rewritten_here(mirror, names, place):
            # Whoever was forgotten stays so: the next run sends what this one could not.
            mirror.known.update(
                {name: ("", -1, -1) for name, version in names.items() if not mirror.has(name, version)}
            )
        else:
            _pull_revision(mirror, names, place)
    revisions = mirror.folder / REVISIONS
    for home in list(revisions.iterdir()) if revisions.is_dir() else []:
        for number in revision_numbers(home):
            if (home.name, number) not in shown:
                shutil.rmtree(home / f"r{number}")
        for note in home.glob(f"{ABOUT_TO_SHOW}*"):
            note.unlink()
    for name in [name for name in mirror.known if name.startswith(f"{REVISIONS}/") and name not in listed]:
        mirror.known.pop(name)


def _was_rewritten_here(mirror: Mirror, names: dict[str, str], place: str) -> bool:
    """Whether a revision was changed here as a whole, and nowhere else since it was fetched or sent in part."""
    known = {name: mirror.known.get(name, ("unknown",))[0] for name in names}
    if not all(known[name] in (version, "") for name, version in names.items()):
        return False
    try:
        found = read_revision(mirror.folder / place)
        if found is not None:
            found.require_whole()
    except ResultError:
        return False
    return found is not None


def _pull_revision(mirror: Mirror, names: dict[str, str], place: str) -> None:
    target = mirror.folder / place
    aside = target.with_name(f".pulled-{target.name}")
    shutil.rmtree(aside, ignore_errors=True)
    for name in names:
        path = aside / name.removeprefix(f"{place}/")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mirror.remote.download(name, path)
        path.chmod(0o600)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
    for name, version in names.items():
        mirror.note(name, version)


def _show(folder: Path, pointers: dict[str, Pointer]) -> None:
    """The links say what the pointers say."""
    for day in linked_days(folder):
        path = folder / day.isoformat()
        if path.is_symlink() and f"{day}.json" not in pointers:
            path.unlink()
    for name, pointer in pointers.items():
        if name != LATEST_POINTER and _linked(folder, pointer.as_of) != pointer.revision:
            link_day(folder, pointer.as_of, pointer.revision)
    if LATEST_POINTER in pointers:
        link_latest(folder, pointers[LATEST_POINTER].as_of, pointers[LATEST_POINTER].revision)


def _linked(folder: Path, as_of: date) -> int | None:
    try:
        return linked_revision(folder, as_of)
    except ResultError:
        return None


def _remove_never_shown(mirror: Mirror, found: Iterable[str], shown: set[tuple[str, int]]) -> None:
    for match in (match for name in found if (match := _REVISION_OBJECT.fullmatch(name))):
        if match["begun"] or (match["day"], int(match["number"])) not in shown:
            mirror.remote.remove(match[0])


def _pull_others(mirror: Mirror, listed: dict[str, str], below: str) -> None:
    for name, version in listed.items():
        path = mirror.folder / name
        if is_of_a_list(name) or mirror.has(name, version):
            continue
        if path.is_file() and mirror.known.get(name, ("",))[0] == version:
            # Changed here since it was fetched, and nowhere else: not sent yet.
            continue
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written_whole(path) as aside:
            mirror.remote.download(name, aside)
        mirror.note(name, version)
    for name in [name for name in mirror.known if lies_in(name, below) and not is_of_a_list(name)]:
        if name not in listed:
            (mirror.folder / name).unlink(missing_ok=True)
            mirror.known.pop(name)
