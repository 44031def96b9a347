"""What a promotion records: who made which files champion, when; and that two promotions do not mix."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kizuna.errors import Transient
from kizuna.file_lock import locked_within
from kizuna.tracking.sqlite_file import unusable
from kizuna.tracking.uri import database_of

if TYPE_CHECKING:
    from kizuna.tracking.runs import MlflowClient

PROMOTED_SHA256 = "promoted_sha256"
_PATIENCE_SECONDS = 45.0


@dataclass(frozen=True)
class Promotion:
    """When a churn version became champion."""

    version: str
    at: datetime


def moment(when: datetime) -> str:
    """The moment in UTC, as tags hold it."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def record_promotion(client: MlflowClient, name: str, version: str, sha256: str, promoted_at: datetime) -> None:
    """The hash that was verified, who promoted it and when, as tags of the version and as a line of its description."""
    at, by = moment(promoted_at), _user()
    for key, value in ((PROMOTED_SHA256, sha256), ("promoted_at", at), ("promoted_by", by)):
        client.set_model_version_tag(name, version, key, value)
    said = client.get_model_version(name, version).description or ""
    line = f"Promoted to champion on {at.replace('T', ' ').replace('Z', ' UTC')} by {by}; sha256 of its files {sha256}."
    client.update_model_version(name, version, f"{said.rstrip()}\n\n{line}".strip())


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """The only promotion in a SQLite store, as long as it is open; Transient where another one does not end.

    A server has nothing to lock: there the last promotion wins, and ``Registry.promote`` looks at what came of it.
    """
    database = database_of(uri)
    if database is None or not database.exists():
        yield
        return
    lock = database.with_name(f".{database.name}.promoting")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(lock, "written", error) from None
    with os.fdopen(descriptor):
        if not locked_within(_PATIENCE_SECONDS, descriptor):
            raise Transient(
                f"A promotion was asked for, but another one is at work in {database}. Wait until it ends, and run again."
            )
        yield


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
