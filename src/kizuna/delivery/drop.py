"""A file put where another system takes it in: a folder, or an address such as ``s3://…`` through fsspec.

It appears whole, under the name that it has here. Put twice it is there once; a name is never used for other bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kizuna.config import Config
from kizuna.errors import DestinationFailed

_TAKEN = "in its drop lies another file named {}. Move that one away"


def drop_of(drop: str, config: Config) -> str | Path:
    """The folder, or the address elsewhere, that the config names."""
    if drop.startswith("file://"):
        return Path(drop.removeprefix("file://"))
    return drop if "://" in drop else config.resolve(drop)


def put(content: bytes, name: str, drop: str | Path) -> None:
    """The file lies in the drop afterwards; DestinationFailed where it cannot be put there.

    A folder is not made: one that is missing may be a share that is not mounted. An address is never repeated in messages,
    for it may hold a password.
    """
    if isinstance(drop, Path):
        _put_in_folder(content, name, drop)
    else:
        _put_at_address(content, name, drop)


def _put_in_folder(content: bytes, name: str, folder: Path) -> None:
    if not folder.is_dir():
        raise DestinationFailed("its drop is no folder, or not there. Make it, or mount it")
    path, aside = folder / name, folder / f".{name}.part"
    if path.exists():
        if path.read_bytes() != content:
            raise DestinationFailed(_TAKEN.format(name))
        return
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _put_at_address(content: bytes, name: str, address: str) -> None:
    try:
        import fsspec
    except ImportError:
        raise DestinationFailed("its drop is an address, which needs fsspec. Install it: pip install fsspec") from None
    try:
        system: Any
        system, root = fsspec.core.url_to_fs(address)
        path = f"{root.rstrip('/')}/{name}"
        system.invalidate_cache()
        if system.exists(path):
            if system.cat_file(path) != content:
                raise DestinationFailed(_TAKEN.format(name))
            return
        system.pipe_file(path, content)
    except DestinationFailed:
        raise
    except Exception as error:
        raise DestinationFailed(
            f"its drop could not be written ({type(error).__name__}). Check its address, the rights, and the network"
        ) from None
