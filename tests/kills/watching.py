"""What readers find: each published list whole and unchanged, looked at all the while, or what was wrong; a day's files."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

_PAUSE_SECONDS = 0.002


@dataclass
class Reader:
    """``wrong``: what no reader may ever see. ``seen``: each revision's manifest by the path that its link led to."""

    exports: Path
    drop: Path | None = None
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    looks: int = 0

    def look(self) -> None:
        """Every link followed once, and what it leads to read whole."""
        self.looks += 1
        names = [name for name in self._names() if name == "latest" or name[:2] == "20"]
        for name in names:
            try:
                target = os.readlink(self.exports / name)
            except OSError as error:
                self.wrong.append(f"{name} is no link: {error}")
                continue
            self.shown[name] = target
            self._read(name, target)
        for name in self.shown.keys() - names:
            self.wrong.append(f"{name} was shown, and is lost")
        if self.drop is not None:
            self._look_at_drop(self.drop)

    def look_again(self) -> None:
        """Everything that was ever seen is what it was."""
        manifests, self.seen = self.seen, {}
        for target, manifest in manifests.items():
            self._read(target, target)
            if self.seen.get(target) != manifest:
                self.wrong.append(f"{target} has another manifest than before")

    def _names(self) -> list[str]:
        return [entry.name for entry in os.scandir(self.exports)] if self.exports.is_dir() else []

    def _read(self, name: str, target: str) -> None:
        if target in self.seen:
            return
        folder = self.exports / target
        try:
            text = (folder / "manifest.json").read_bytes()
            if not (folder / "_SUCCESS").is_file():
                self.wrong.append(f"{name} has no _SUCCESS")
            for item in json.loads(text)["files"]:
                content = (folder / item["path"]).read_bytes()
                if hashlib.sha256(content).hexdigest() != item["sha256"]:
                    self.wrong.append(f"{name}: {item['path']} is not what its manifest says")
        except (OSError, ValueError) as error:
            self.wrong.append(f"{name} cannot be read: {error}")
            return
        self.seen[target] = hashlib.sha256(text).hexdigest()

    def _look_at_drop(self, drop: Path) -> None:
        for entry in os.scandir(drop):
            # What is written aside has a name of its own, which nobody takes up.
            if entry.name.startswith("."):
                continue
            found = hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
            if self.dropped.setdefault(entry.name, found) != found:
                self.wrong.append(f"the drop's {entry.name} has changed")


@contextmanager
def reading(reader: Reader) -> Iterator[Reader]:
    """The reader looks on within this, again and again."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            reader.look()
            time.sleep(_PAUSE_SECONDS)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        stop.set()
        thread.join()
        reader.look()


def published_bytes(exports: Path, day: date) -> dict[str, bytes]:
    """Every file of a day by name, but the manifest."""
    folder = (exports / day.isoformat()).resolve()
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
