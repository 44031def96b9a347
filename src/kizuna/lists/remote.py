"""An address in an object store, through fsspec: what lies below it, read, written and removed an object at a time.

Whatever a store's client raises comes out as one of three errors: the address or the rights are wrong, the client is not
installed, or the store did not answer.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizuna.errors import ConfigError, KizunaError, Transient

# Names that say that a log-in is missing or refused; stores have no common error for it.
_REFUSED = (
    "PermissionError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ClientAuthenticationError",
    "RefreshError",
)


@dataclass(frozen=True)
class Remote:
    """A prefix in an object store. ``address``: its URL; ``root``: its place there."""

    address: str
    root: str

    @property
    def system(self) -> Any:
        """The store's fsspec file system, one for each process: its connections do not outlive a fork."""
        return _client(self.address, os.getpid())[0]

    def listed(self, below: str = "") -> dict[str, str]:
        """The version of every object below a folder (default: all), by its name from the root."""
        with self._asked():
            self.system.invalidate_cache()
            found = self.system.find(self._place(below), detail=True)
        start = len(self.root) + 1
        return {place[start:]: _version(info) for place, info in sorted(found.items()) if place[start:]}

    def read(self, name: str) -> bytes:
        """An object's bytes; FileNotFoundError where there is none."""
        with self._asked(FileNotFoundError):
            return bytes(self.system.cat_file(self._place(name)))

    def write(self, name: str, content: bytes) -> None:
        """Puts an object in one step in the place of what was there."""
        with self._asked():
            self.system.pipe_file(self._place(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Whether the object was put: it is not where there is one already. The store decides, so only one of two can."""
        try:
            with self._asked(FileExistsError):
                self.system.pipe_file(self._place(name), content, mode="create")
        except FileExistsError:
            return False
        return True

    def upload(self, path: Path, name: str) -> None:
        """Puts a file's bytes as one object; seen when it is whole."""
        with self._asked():
            self.system.put_file(str(path), self._place(name))

    def download(self, name: str, path: Path) -> None:
        """Writes an object's bytes to a file; FileNotFoundError where it has gone."""
        with self._asked(FileNotFoundError):
            self.system.get_file(self._place(name), str(path))

    def remove(self, name: str) -> None:
        """Removes an object, if it is there."""
        try:
            with self._asked(FileNotFoundError):
                self.system.rm_file(self._place(name))
        except FileNotFoundError:
            return

    def _place(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    @contextmanager
    def _asked(self, *passing: type[Exception]) -> Iterator[None]:
        """Within this, what the store's client raises is told in our words, but for the errors that pass."""
        try:
            yield
        except Exception as error:
            if isinstance(error, (*passing, KizunaError)):
                raise
            name = type(error).__name__
            if isinstance(error, FileNotFoundError):
                raise ConfigError(
                    f"output.dir asks for {self.address}, but the store has no such bucket. Make it, or mend output.dir."
                ) from None
            if name in _REFUSED:
                raise ConfigError(
                    f"output.dir asks for {self.address}, but the store refused it ({name}). "
                    "Mend the credentials in the job's environment, or their rights."
                ) from None
            raise Transient(
                f"The object store of {self.address} did not answer ({name}). Readers see what they saw before. "
                "Check its address, or try again later."
            ) from None


def open_remote(address: str) -> Remote:
    """The place of an address, by the client and the credentials that the environment names; ConfigError without a client."""
    try:
        root = _client(address, os.getpid())[1]
    except ImportError as error:
        raise ConfigError(
            f"output.dir asks for {address}, but its client is not installed: {error.name or error}. "
            "Install kizuna[s3], or the fsspec client of that store."
        ) from None
    except ValueError as error:
        raise ConfigError(f"output.dir asks for {address}, which no client knows: {error}. Mend output.dir.") from None
    return Remote(address, root)


@functools.lru_cache(maxsize=8)
def _client(address: str, process: int) -> tuple[Any, str]:
    import fsspec

    system, root = fsspec.url_to_fs(address, use_listings_cache=False, skip_instance_cache=True)
    return system, str(root).rstrip("/")


def _version(info: dict[str, Any]) -> str:
    tag = info.get("ETag") or info.get("etag") or info.get("generation")
    times = [info.get(name) for name in ("LastModified", "updated", "last_modified", "mtime", "created")]
    return f"{info.get('size')} {tag or next((time for time in times if time), '')}"
