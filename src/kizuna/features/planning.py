"""Making a plan: the windows that a shop's history fills, the columns that its tables give, the levels that its rows hold."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kizuna.config import Config
from kizuna.data.blocks import Block
from kizuna.data.events import UNDATED
from kizuna.data.store import Store
from kizuna.features.families import families_for, families_of, with_extras
from kizuna.features.frame import Select, features_of, selected_rows
from kizuna.features.history import History
from kizuna.features.plan import IS_TREATED, Column, FeaturePlan
from kizuna.features.rows import every_pair
from kizuna.features.vocabulary import choose_levels, current_codes
from kizuna.timeline import date_of

_MAX_DISTINCT_LEVELS = 200


def make_plan(store: Store, config: Config, days: Sequence[int], select: Select) -> FeaturePlan:
    """The columns that this shop can have on these days: windows that its history fills, levels that its rows hold.

    Only what was known on those days is looked at, so that rows of a later time change nothing.
    """
    asked = config.features.families
    families = [f for f in families_of(config) if f.table in store.tables and (asked == "all" or f.name in asked)]
    history_days = _history_days(store, max(days)) if days else None
    windows = [w for w in config.features.windows_days if history_days is None or w <= history_days]
    left_out = [
        f"windows of {w} days: longer than the {history_days} days of history at {date_of(max(days))}"
        for w in config.features.windows_days
        if w not in windows
    ]
    plan = FeaturePlan(tuple(windows), tuple(family.name for family in families), history_days=history_days)
    plan = with_extras(plan, config)
    vocabularies, unlike = _vocabularies(store, plan, days, select)
    plan = replace(plan, vocabularies=vocabularies)
    columns = columns_of(store, plan)
    left_out += _reaching_too_far(store, plan, columns, max(days, default=0))
    kept = [c for c in columns if not any(fnmatch.fnmatchcase(c.name, pattern) for pattern in config.features.exclude)]
    left_out += unlike + [f"{column.name}: features.exclude" for column in columns if column not in kept]
    kept += [IS_TREATED] if config.training.treated == "flag" else []
    return replace(plan, columns=tuple(kept), left_out=tuple(left_out))


def _reaching_too_far(store: Store, plan: FeaturePlan, columns: Sequence[Column], newest: int) -> list[str]:
    """Columns of windows that the history fills, but not with the window before, which they look at too."""
    if plan.history_days is None:
        return []
    built = {column.name for column in columns}
    named = [
        column.name
        for column in columns_of(store, replace(plan, history_days=None))
        if column.name not in built and (column.window_days or plan.history_days + 1) <= plan.history_days
    ]
    reason = f"reaches further back than the {plan.history_days} days of history at {date_of(newest)}"
    return [f"{name}: {reason}" for name in named]


def earliest_day(store: Store) -> int | None:
    """The first day on which anything is dated; None where nothing is."""
    days = [info.first_day for info in store.tables.values() if info.first_day is not None and info.first_day > UNDATED]
    return min(days) if days else None


def columns_of(store: Store, plan: FeaturePlan) -> list[Column]:
    """Columns by name, from a block without customers: what a family yields depends on tables, never on rows."""
    tables, rows = store.block(0, 0).tables, every_pair(0, [0])
    found = features_of(tables, rows, plan, families_for(plan, store.config))
    owners: dict[str, str] = {}
    columns = []
    for family, feature in found:
        # A column of the shop's own making may bear the name of one of ours, or two texts one name: the first keeps it,
        # with all its levels (market=JP belongs to market).
        if owners.setdefault(feature.name.partition("=")[0], family) == family:
            columns.append(Column(feature.name, family, feature.driver, feature.unit))
    return list({column.name: column for column in columns}.values())


def _history_days(store: Store, as_of: int) -> int | None:
    """Days from the shop's first row, of those known by then, to ``as_of``; None where nothing is dated."""
    names: list[str] = [name for name in ("purchases", "subscriptions") if name in store.tables]
    names = names or list(store.tables)
    first = [day for name in names if (day := store.first_known_day(name, as_of)) is not None]
    return as_of - min(first) if first else None


def _vocabularies(
    store: Store, plan: FeaturePlan, days: Sequence[int], select: Select
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Levels of each text column on the selected rows, and the columns with too many, with the reason."""
    families = [f for f in families_for(plan, store.config) if f.text_columns is not None]
    if not families or not days:
        return {}, []

    def count(block: Block) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
        rows = selected_rows(block, days, select)
        counts: dict[str, Counter[str]] = {}
        holders: dict[str, Counter[str]] = {}
        for family in families:
            history = History(block.tables[family.table], rows, block.tables)
            for column in family.text_columns(history) if family.text_columns else []:
                codes, levels = current_codes(history, family.table, column), history.texts(column).levels
                known, name = codes >= 0, f"{family.table}.{column}"
                pairs = np.unique(np.stack([codes[known].astype(np.int64), rows.customer[known]]), axis=1)
                counts[name] = _counter(levels, codes[known].astype(np.int64))
                # A block holds all rows of its customers, so those of several blocks add up.
                holders[name] = _counter(levels, pairs[0])
        return counts, holders

    counts: dict[str, Counter[str]] = {}
    holders: dict[str, Counter[str]] = {}
    for part in store.map(count, "levels of text columns"):
        for total, found in zip((counts, holders), part, strict=True):
            for column, counter in found.items():
                total.setdefault(column, Counter()).update(counter)
    many = {column: len(counter) for column, counter in counts.items() if len(counter) > _MAX_DISTINCT_LEVELS}
    unlike = [f"{column}: {number:,} different texts, like an identifier" for column, number in sorted(many.items())]
    chosen = {
        column: () if column in many else choose_levels(dict(counter), dict(holders[column]))
        for column, counter in counts.items()
    }
    return chosen, unlike


def _counter(levels: Sequence[str], codes: NDArray[np.int64]) -> Counter[str]:
    found = np.bincount(codes, minlength=len(levels))
    return Counter({level: int(n) for level, n in zip(levels, found, strict=True) if n})
