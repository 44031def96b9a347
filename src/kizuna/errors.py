"""What can go wrong, each with the exit code that the command line ends with."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


class KizunaError(Exception):
    """An expected failure. The text says what was asked, what was found, and what to do."""

    exit_code = 20

    @property
    def told(self) -> dict[str, Any]:
        """What ``--json`` says of it beside text and exit code."""
        return {}


class ConfigError(KizunaError):
    """A wrong argument, config key, zone or date; or a published day whose inputs changed."""

    exit_code = 2


class DataMissing(KizunaError):
    """No file, an empty table, only future rows, or a day before the data begins."""

    exit_code = 10


class ContractError(KizunaError):
    """Data that breaks the contract, or that no model can be learned from."""

    exit_code = 11


class ModelError(KizunaError):
    """No usable model: none promoted, other features, tampered file, trained on a later day."""

    exit_code = 12


class ResultError(KizunaError):
    """The result looks wrong, so nothing was published."""

    exit_code = 13


class ListDamaged(ResultError):
    """A published list is not what it was: nothing is built on it."""


class LockHeld(KizunaError):
    """Another run holds the lock of this output folder."""

    exit_code = 14


class DestinationFailed(KizunaError):
    """Published, but a destination could not take it; running again delivers only what failed.

    ``destinations``: how far each of the config's is, in plain values.
    """

    exit_code = 15

    def __init__(self, text: str, destinations: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(text)
        self.destinations = list(destinations)

    @property
    def told(self) -> dict[str, Any]:
        """How far each destination is."""
        return {"destinations": self.destinations} if self.destinations else {}


class Transient(KizunaError):
    """A server did not answer; the same call may succeed later."""

    exit_code = 75


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the nearest known name, or nothing."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{matches[0]}'?" if matches else ""
