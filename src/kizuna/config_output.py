"""Where results are published: a folder, or an address in an object store with a private copy of it on this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, field_validator, model_validator


class Output(BaseModel):
    """Where results are published.

    ``dir``: a folder, or an address such as ``s3://bucket/exports``. ``mirror``: the folder that keeps a private copy of what
    lies at an address (default: below the user's cache folder).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    dir: str = "../exports"
    mirror: str | None = None

    @property
    def address(self) -> str | None:
        """The address in an object store, without a slash at its end; None for a folder."""
        return self.dir.rstrip("/") if "://" in self.dir else None

    @property
    def cache(self) -> Path:
        """The default place of the private copy: another for each address, and for each server behind it."""
        servers = [os.environ.get(name, "") for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")]
        key = hashlib.sha256("\n".join([self.address or "", *servers]).encode()).hexdigest()[:16]
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(root) / "kizuna" / key

    @field_validator("dir")
    @classmethod
    def _is_reachable(cls, value: str) -> str:
        if "://" not in value:
            return value
        parts = urlsplit(value)
        if parts.scheme in ("file", "local", "memory"):
            raise ValueError("is a place on this machine; write it as a path, without ://")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("must hold neither credentials nor options; the environment names them")
        if not parts.netloc or not parts.path.strip("/"):
            raise ValueError("needs a bucket and a folder in it, such as s3://bucket/exports")
        if any(part in ("", ".", "..") for part in parts.path.strip("/").split("/")):
            raise ValueError("must not hold empty or dotted parts")
        return value

    @model_validator(mode="after")
    def _mirror_of_something(self) -> Output:
        if self.mirror is not None and self.address is None:
            raise ValueError("has a mirror, but dir is a folder, which needs none. Take it out")
        return self
