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

from kizuna.lists.links import REVISIONS, STAGING
from kizuna.lists.output import LockedOutput
from kizuna.lists.revision import MANIFEST, SUCCESS, Publication, complete
from kizuna.whole_file import sync

# Begins the name of a folder that is complete, and perhaps the only copy: it is put into its place, and never thrown away
# without a look.
_REWRITTEN = ".erased-"
_AT_WORKING_FOLDER, _EXCHANGE = -100, 2


def rewrite_revision(publication: Publication, contents: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """The revision has these contents by relative path, its other files as they were, and this manifest afterwards."""
    folder = publication.folder
    staging = folder.with_name(f"{STAGING}erased-{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            (staging / name).mkdir(mode=0o700)
        elif name not in (MANIFEST, SUCCESS):
            (staging / name).write_bytes(contents[name] if name in contents else path.read_bytes())
    complete(staging, manifest)
    _take_place(staging, folder)


def finish_rewriting(output: LockedOutput) -> None:
    """What a killed run left between two steps is put into its place."""
    for rewritten in sorted((output.folder / REVISIONS).glob(f"*/{_REWRITTEN}*")):
        place = rewritten.with_name(rewritten.name.removeprefix(_REWRITTEN))
        if place.exists():
            shutil.rmtree(rewritten)
        else:
            rewritten.rename(place)


def _take_place(staging: Path, folder: Path) -> None:
    if _exchanged(staging, folder):
        sync(folder.parent)
        shutil.rmtree(staging)
        return
    rewritten, old = folder.with_name(f"{_REWRITTEN}{folder.name}"), folder.with_name(f"{STAGING}old-{folder.name}")
    staging.rename(rewritten)
    folder.rename(old)
    rewritten.rename(folder)
    sync(folder.parent)
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
