"""Sending what was written into the private copy to the object store.

The files of a revision go first, ``_SUCCESS`` last of them, then the pointers, ``latest.json`` last of those. A pointer is put
in one step, so whoever reads the store through pointers sees the old list or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from kizuna.lists.links import ABOUT_TO_SHOW, LATEST, REVISIONS, home_of, linked_days, linked_revision
from kizuna.lists.mirror import Mirror, files_here, lies_in, mirror_of, syncing, write_record
from kizuna.lists.pointer import LATEST_POINTER, pointer_text
from kizuna.lists.revision import MANIFEST, SUCCESS, read_revision


def push_lists(mirror: Mirror, require: Callable[[], None]) -> None:
    """The store shows the days as the copy does. ``require`` is asked when all files are there, before a day is shown."""
    with syncing(mirror):
        told = _told(mirror)
        files = [name for name in files_here(mirror, REVISIONS) if not mirror.is_unchanged(name)]
        if not files and told == {name: text for name, (_, text) in mirror.pointers.items()}:
            return
        last, begun = {MANIFEST: 1, SUCCESS: 2}, _begin(mirror, files)
        # Should this run die here, the next one knows that the copy is the newer one.
        mirror.known.update({name: ("", -1, -1) for name in files})
        write_record(mirror)
        for name in sorted(files, key=lambda name: (os.path.dirname(name), last.get(Path(name).name, 0), name)):
            _send(mirror, name)
        require()
        for name, text in told.items():
            if mirror.pointers.get(name, ("", ""))[1] != text:
                mirror.pointers.pop(name, None)
                mirror.remote.write(name, text.encode())
                mirror.pointers[name] = ("", text)
        for name in mirror.pointers.keys() - told.keys():
            mirror.remote.remove(name)
            mirror.pointers.pop(name)
        for note in begun:
            mirror.remote.remove(note)
        _remove_gone(mirror, REVISIONS)
        mirror.note_sent("")


def push_others(mirror: Mirror, below: str = "") -> None:
    """The store holds what else lies in the copy, or in a folder of it; what is gone here is gone there."""
    with syncing(mirror):
        here = [name for name in files_here(mirror, below) if not lies_in(name, REVISIONS)]
        changed = [name for name in here if not mirror.is_unchanged(name)]
        for name in changed:
            _send(mirror, name)
        _remove_gone(mirror, below)
        if changed:
            mirror.note_sent(below)


def share(folder: Path) -> None:
    """What was written into a folder of an output is at its address afterwards, if it has one; not for lists."""
    if found := mirror_of(folder):
        push_others(*found)


def _begin(mirror: Mirror, files: list[str]) -> list[str]:
    """The notes that are put before new revisions: what a run that dies before the pointer leaves is known by them."""
    new = {Path(name).parent for name in files if Path(name).name == SUCCESS and name not in mirror.known}
    notes = [f"{home.parent.as_posix()}/{ABOUT_TO_SHOW}{home.name.removeprefix('r')}" for home in sorted(new)]
    for note in notes:
        mirror.remote.write(note, b"")
    return notes


def _send(mirror: Mirror, name: str) -> None:
    # By the time that the file had before: one that is changed meanwhile is sent again.
    found = (mirror.folder / name).stat()
    mirror.remote.upload(mirror.folder / name, name)
    mirror.known[name] = ("", found.st_size, found.st_mtime_ns)


def _remove_gone(mirror: Mirror, below: str) -> None:
    for name in [name for name in mirror.known if lies_in(name, below) and not (mirror.folder / name).exists()]:
        if below or not lies_in(name, REVISIONS):
            mirror.remote.remove(name)
            mirror.known.pop(name)


def _told(mirror: Mirror) -> dict[str, str]:
    """What the pointers should say, by name, ``latest`` last."""
    folder, told = mirror.folder, {}
    for day in linked_days(folder):
        number = linked_revision(folder, day)
        found = None if number is None else read_revision(home_of(folder, day) / f"r{number}")
        if found is not None:
            told[f"{day}.json"] = pointer_text(found.folder, day, found.revision)
    latest = folder / LATEST
    pointed = f"{Path(os.readlink(latest)).parent.name}.json" if latest.is_symlink() else ""
    return told | ({LATEST_POINTER: told[pointed]} if pointed in told else {})
