"""Every feature that tables with all the contract's columns give, with its windows and what it needs.

Families are asked on tables without rows: which columns there are depends on tables and settings, never on rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kizuna.config import Features
from kizuna.data.contract import CONTRACTS, Kind
from kizuna.data.events import Coded, Events
from kizuna.explain.wording import stem_of
from kizuna.features.families import FAMILIES
from kizuna.features.family import Family
from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings
from kizuna.features.rows import rows_of

DEFAULT_WINDOWS_DAYS = tuple(Features().windows_days)
TABLES = tuple(dict.fromkeys([*(family.table for family in FAMILIES), "customers"]))
# Columns that a shop names itself: a number and a text of each name, so that both show.
OWN = {"customers": "{attribute}", "features": "{column}"}
_LEVELS = {
    **{f"customers.{name}": ("{level}",) for name in ("market", "language", "acquisition_channel", "{attribute}")},
    **{"features.{column}": ("{level}",), "loyalty.tier": ("{level}",)},
}
_ODD_WINDOW = 11


@dataclass(frozen=True)
class Stem:
    """One feature with its windows: ``orders_{w}d`` for 7, 30, 90, 180 and 365 days.

    ``of_config``: the windows are the config's. ``needs``: what must be there beside the family's table and its required
    columns, one of each group.
    """

    key: str
    family: str
    driver: str
    unit: str
    windows_days: tuple[int, ...]
    of_config: bool
    needs: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The column's name, its window open only where there are several."""
        return self.filled(self.key)

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return [self.key.replace("{w}", str(w)) for w in self.windows_days] or [self.key]

    @property
    def is_pattern(self) -> bool:
        """Whether its columns depend on the shop's own texts or columns."""
        return "{" in self.key.replace("{w}", "")

    def filled(self, text: str) -> str:
        """A text about it, the window filled in where there is one alone."""
        return text.replace("{w}", str(self.windows_days[0])) if len(self.windows_days) == 1 else text


def all_stems() -> list[Stem]:
    """Every feature in the order of families; a level stands for all levels of its column."""
    return [stem for family in FAMILIES for stem in stems_of(family)]


def stems_of(family: Family) -> list[Stem]:
    """The features of one family, in its order."""
    items = all_items(family.table)
    first: dict[str, Feature] = {}
    windows: dict[str, list[int]] = {}
    for feature in features_of(family, items):
        stem, window = stem_of(feature.name)
        first.setdefault(stem, feature)
        windows.setdefault(stem, []).extend([] if window is None else [window])
    odd = {stem_of(f.name) for f in features_of(family, items, windows_days=(_ODD_WINDOW,))}
    needs = _needs(family, items, list(first))
    return [
        Stem(
            key=stem,
            family=family.name,
            driver=feature.driver,
            unit=feature.unit,
            windows_days=tuple(sorted(windows[stem])),
            of_config=(stem, _ODD_WINDOW) in odd,
            needs=needs[stem],
        )
        for stem, feature in first.items()
    ]


def features_of(
    family: Family,
    items: Iterable[str],
    windows_days: tuple[int, ...] = DEFAULT_WINDOWS_DAYS,
    history_days: int | None = None,
) -> Iterator[Feature]:
    """What a family yields where these tables (``engagement``) and columns (``engagement.kind``) are there."""
    tables = _empty_tables({family.table, *items})
    nobody = rows_of(np.empty(0, np.int32), np.empty(0, np.int32), 0)
    settings = Settings(windows_days, _LEVELS, history_days)
    return family.features(History(tables[family.table], nobody, tables), settings)


def all_items(own: str) -> frozenset[str]:
    """All other tables, and every column that its table may lack."""
    columns = {f"{t}.{c}" for t in TABLES for c in _kinds(t) if c not in CONTRACTS[t].required}
    return frozenset(columns | {table for table in TABLES if table != own})


def _needs(family: Family, items: frozenset[str], stems: list[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """For each stem what must be there: items that nothing replaces, then a group of which one suffices."""
    without = {item: _stems(family, _less(items, item)) for item in items}
    alone: dict[frozenset[str], dict[str, set[str]]] = {}
    out: dict[str, tuple[tuple[str, ...], ...]] = {}
    for stem in stems:
        must = frozenset(item for item in items if stem not in without[item])
        if must not in alone:
            alone[must] = {"": _stems(family, must)} | {item: _stems(family, must | {item}) for item in items - must}
        groups: list[tuple[str, ...]] = [
            (item,) for item in _in_order(family, must) if not any(other.startswith(item + ".") for other in must)
        ]
        if stem not in alone[must][""]:
            enough = {item for item in items - must if stem in alone[must][item]}
            groups.append(
                tuple(item for item in _in_order(family, enough) if item.partition(".")[0] not in enough - {item})
            )
        out[stem] = tuple(groups)
    return out


def _stems(family: Family, items: frozenset[str]) -> set[str]:
    return {stem_of(feature.name)[0] for feature in features_of(family, items)}


def _less(items: frozenset[str], item: str) -> frozenset[str]:
    return frozenset(other for other in items if other != item and not other.startswith(item + "."))


def _in_order(family: Family, items: Iterable[str]) -> list[str]:
    """Items as the contract has them, the family's own table first."""
    places = [*(f"{table}.{column}" for table in TABLES for column in _kinds(table)), *TABLES]
    return sorted(items, key=lambda item: (not item.startswith(family.table + "."), places.index(item)))


def _kinds(table: str) -> dict[str, Kind | None]:
    """The columns of a table that features may read, by kind; None for one of the shop's own, a number and a text."""
    known: dict[str, Kind | None] = {
        f.name: f.kind for f in CONTRACTS[table].fields if f.name not in ("customer_id", "known_at")
    }
    return known | ({OWN[table]: None} if table in OWN else {})


def _empty_tables(items: set[str]) -> dict[str, Events]:
    tables = {item.partition(".")[0] for item in items}
    return {
        table: _empty(
            {c: kind for c, kind in _kinds(table).items() if c in CONTRACTS[table].required or f"{table}.{c}" in items}
        )
        for table in TABLES
        if table in tables
    }


def _empty(kinds: dict[str, Kind | None]) -> Events:
    day = np.empty(0, np.int32)
    text = Coded(np.empty(0, np.int32), pa.array([], pa.string()))
    return Events(
        customer=day,
        day=day,
        known=day,
        starts=np.zeros(1, np.int64),
        numbers={name: np.empty(0) for name, kind in kinds.items() if kind in ("number", "flag", None)},
        days={name: day for name, kind in kinds.items() if kind == "time"},
        texts={name: text for name, kind in kinds.items() if kind in ("text", "code", None)},
    )
