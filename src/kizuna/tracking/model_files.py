"""The files of a registered model on this machine: copied from a folder, and checked against what is recorded."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from kizuna.fingerprint import folder_sha256

_MOST_BYTES = 4 << 30
# Written by MLflow beside a model that another tool loads from a local store; it says the name and the version again.
_NOTES_OF_MLFLOW = ("registered_model_meta",)


def copy_folder(source: Path, target: Path) -> None:
    """``target`` with a copy of every file below ``source``, links followed.

    OSError where something cannot be read, is neither file nor folder (a pipe would never end), or is too large.
    """
    total = 0
    target.mkdir(mode=0o700, parents=True)
    for path in sorted(source.iterdir()):
        if path.is_dir() and not path.is_symlink():
            copy_folder(path, target / path.name)
        elif path.is_file():
            total += path.stat().st_size
            if total > _MOST_BYTES:
                raise OSError(errno.EFBIG, "it is larger than 4 GiB, and no model of kizuna's is", str(path))
            shutil.copyfile(path, target / path.name)
        else:
            raise OSError(errno.EINVAL, "it is no file", str(path))


def stored_sha256(folder: Path) -> str:
    """The sha256 of everything that lies in the store for one model: its files, and MLflow's description of them."""
    for name in _NOTES_OF_MLFLOW:
        (folder / name).unlink(missing_ok=True)
    return folder_sha256(folder)
