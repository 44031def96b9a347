"""A published revision written anew without somebody, under the same number and behind the same links.

It is the one change that a revision ever sees. The new folder is complete before it takes the place of the old one, in one
step where the system can exchange two folders; where it cannot, the old one is moved aside for a moment first.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kizuna.lists.publication import MANIFEST, SUCCESS, LockedOutput, Publication
from kizuna.lists.revision import manifest_text

_REVISIONS = ".revisions"
# Whoever holds the lock removes what is called so; it never is the only copy.
_STAGING = ".staging-"
# Complete, and perhaps the only copy: it is put into its place, and never thrown away without a look.
_COMPLETE = ".erased-"
_AT_WORKING_FOLDER, _EXCHANGE = -100, 2


def rewrite_revision(publication: Publication, contents: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """The revision has these contents by relative path, its other files as they were, and this manifest afterwards."""
    folder = publication.folder
    staging = folder.with_name(f"{_STAGING}erased-{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir():
            (staging / name).mkdir(mode=0o700)
        elif name.as_posix() not in (MANIFEST, SUCCESS):
            _write(staging / name, contents[key] if (key := name.as_posix()) in contents else path.read_bytes())
    _write(staging / MANIFEST, manifest_text(manifest).encode())
    _write(staging / SUCCESS, b"")
    for path in (*(path for path in staging.rglob("*") if path.is_dir()), staging):
        _sync(path)
    _take_place(staging, folder)


def finish_rewriting(output: LockedOutput) -> None:
    """What a killed run left between two steps is put into its place, and what it threw away is gone."""
    for complete in sorted((output.folder / _REVISIONS).glob(f"*/{_COMPLETE}*")):
        place = complete.with_name(complete.name.removeprefix(_COMPLETE))
        if place.exists():
            shutil.rmtree(complete)
        else:
            complete.rename(place)
    for staging in (output.folder / _REVISIONS).glob(f"*/{_STAGING}*"):
        shutil.rmtree(staging)


def _take_place(staging: Path, folder: Path) -> None:
    if _exchanged(staging, folder):
        _sync(folder.parent)
        shutil.rmtree(staging)
        return
    complete, old = folder.with_name(f"{_COMPLETE}{folder.name}"), folder.with_name(f"{_STAGING}old-{folder.name}")
    staging.rename(complete)
    folder.rename(old)
    complete.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether both have changed places, in one step; not every system and file system can do it."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        return bool(library.renamex_np(*names, _EXCHANGE) == 0)
    if not hasattr(library, "renameat2"):
        return False
    here = ctypes.c_int(_AT_WORKING_FOLDER)
    return bool(library.renameat2(here, names[0], here, names[1], ctypes.c_uint(_EXCHANGE)) == 0)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
