"""What a feature is, and the plan that a model carries: families, windows, columns, vocabularies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNITS = ("count", "days", "money", "share", "ratio", "points", "score", "flag", "years", "number")
_WINDOW = re.compile(r"_(\d+)d$")


class Feature(NamedTuple):
    """One column as a family yields it; ``values`` has one float64 per row.

    ``driver``: the business cause that it belongs to. ``unit``: one of ``UNITS``.
    """

    name: str
    driver: str
    unit: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """What is known of a feature without its values. ``window_days`` is read off the name."""

    name: str
    family: str
    driver: str
    unit: str

    @property
    def window_days(self) -> int | None:
        """90 for ``orders_90d``; None where the name has no window."""
        match = _WINDOW.search(self.name)
        return int(match[1]) if match else None


IS_TREATED = Column("is_treated", "lists", "LIST_ARM", "flag")
"""Whether a training row's customer was of the target arm while lists ran: no family yields it, and at scoring it is 0."""


@dataclass(frozen=True)
class FeaturePlan:
    """Everything needed to build the same columns again; it travels with the model.

    ``vocabularies``: for each text column (``customers.market``) the levels that have a column of their own.
    ``left_out``: what was asked for and is not built, each with the reason. ``history_days``: no window is longer.
    ``extras``: for each file of the user's own families its sha256. ``meanings``: what their columns mean, by language;
    a name may leave its window open (``loud_complaints_{w}d``).
    """

    windows_days: tuple[int, ...]
    families: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    history_days: int | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """What families may know of the plan."""
        return Settings(self.windows_days, self.vocabularies, self.history_days)

    @property
    def names(self) -> list[str]:
        """Column names in their order."""
        return [column.name for column in self.columns]

    def to_json(self) -> dict[str, Any]:
        """A JSON tree that ``from_json`` reads back."""
        return {
            "windows_days": list(self.windows_days),
            "families": list(self.families),
            "columns": [[c.name, c.family, c.driver, c.unit] for c in self.columns],
            "vocabularies": {name: list(levels) for name, levels in sorted(self.vocabularies.items())},
            "left_out": list(self.left_out),
            "history_days": self.history_days,
            "extras": dict(sorted(self.extras.items())),
            "meanings": {name: dict(words) for name, words in sorted(self.meanings.items())},
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> FeaturePlan:
        """The plan that ``to_json`` wrote."""
        return cls(
            windows_days=tuple(tree["windows_days"]),
            families=tuple(tree["families"]),
            columns=tuple(Column(*column) for column in tree["columns"]),
            vocabularies={name: tuple(levels) for name, levels in tree["vocabularies"].items()},
            left_out=tuple(tree["left_out"]),
            history_days=tree["history_days"],
            extras=tree["extras"],
            meanings=tree["meanings"],
        )


@dataclass(frozen=True)
class Settings:
    """What a family may know beside its History: the config's windows, the levels that have columns, the shop's age."""

    windows_days: tuple[int, ...]
    vocabularies: Mapping[str, tuple[str, ...]]
    history_days: int | None = None

    def fits(self, window_days: int) -> bool:
        """Whether a window is no longer than the shop's history."""
        return self.history_days is None or window_days <= self.history_days
