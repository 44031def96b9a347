"""Which group each customer belongs to in each period: everybody, a market, a language, a stage, as at the period's start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import UNDATED
from kizuna.data.sources import quote
from kizuna.data.store import Store
from kizuna.features.history import History
from kizuna.features.rows import every_pair
from kizuna.kpi.facts import Facts
from kizuna.kpi.periods import Grid
from kizuna.kpi.standing import STAGES, Standing

ALL, SEGMENT = "all", "segment"
OTHER, UNKNOWN = "other", "unknown"
TEXTS = ("market", "language")
_MOST_LEVELS = 30


@dataclass(frozen=True)
class Groups:
    """The groups of each dimension, in one order for all blocks: ``levels["market"] == ("de", "jp", "other", "unknown")``."""

    levels: Mapping[str, tuple[str, ...]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many groups each dimension has."""
        return np.array([len(levels) for levels in self.levels.values()], dtype=np.int64)


def groups_of(store: Store, known_before: int) -> Groups:
    """Everybody; the markets and languages of most customers, the rest as ``other`` and ``unknown``; the stages."""
    levels: dict[str, tuple[str, ...]] = {ALL: (ALL,)}
    for column in TEXTS:
        if store.has("customers", column):
            levels[column] = _levels(store, column, known_before)
    return Groups(levels | {SEGMENT: STAGES})


def group_codes(facts: Facts, groups: Groups, grid: Grid, standing: Standing) -> NDArray[np.int16]:
    """(dimensions, periods, customers): the place of each customer's group among its dimension's levels.

    As at the period's start; who came later goes by what was first said of him in the period.
    """
    low = [low for low, _ in grid.spans]
    codes = [
        np.zeros((len(low), facts.customers), dtype=np.int16)
        if dimension == ALL
        else standing.stage[low].astype(np.int16)
        if dimension == SEGMENT
        else _text_codes(facts, dimension, levels, grid)
        for dimension, levels in groups.levels.items()
    ]
    return np.stack(codes)


def texts_on(facts: Facts, column: str, days: NDArray[np.int32]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(days, customers): the place of the customers' text in force on the morning of each day, −1 for none; and the texts."""
    events = facts.table("customers")
    coded = events.texts[column]
    if not len(events.day):
        return np.full((len(days), facts.customers), -1), coded.levels
    values = coded.codes.astype(np.float64)
    if (events.day == UNDATED).all():
        one = np.full(facts.customers, -1, dtype=np.int64)
        one[events.customer] = coded.codes
        return np.broadcast_to(one, (len(days), facts.customers)), coded.levels
    distinct, place = np.unique(days, return_inverse=True)
    # What is known by now is dated by its own day, so that only days decide what was in force.
    settled = replace(events, known=events.day, lag_days=0)
    past = History(settled, every_pair(facts.customers, distinct.tolist()), {"customers": settled})
    found = np.nan_to_num(past.current(values), nan=-1).astype(np.int64)
    return found.reshape(facts.customers, len(distinct)).T[place], coded.levels


def _levels(store: Store, column: str, known_before: int) -> tuple[str, ...]:
    (rows,) = store.select(
        f"SELECT CAST({quote(column)} AS VARCHAR), count(DISTINCT customer) FROM {store.relation('customers')} "
        f"WHERE day < {known_before} AND known < {known_before} GROUP BY 1"
    )
    counts: dict[str, int] = {}
    for text, count in rows:
        if text is not None:
            counts[text] = counts.get(text, 0) + int(count)
    most = sorted(sorted(counts, key=str.encode), key=lambda text: -counts[text])[:_MOST_LEVELS]
    named = sorted((text for text in most if text not in (OTHER, UNKNOWN)), key=str.encode)
    return (*named, OTHER, UNKNOWN)


def _text_codes(facts: Facts, column: str, levels: tuple[str, ...], grid: Grid) -> NDArray[np.int16]:
    """Places among the levels of all blocks."""
    at_start, texts = texts_on(facts, column, grid.starts)
    at_end, _ = texts_on(facts, column, grid.ends)
    place = {text: number for number, text in enumerate(levels)}
    # Code −1, the null, finds the last place.
    known = [place.get(text, place[OTHER]) for text in texts]
    ours = np.array([*known, place[UNKNOWN]], dtype=np.int16)
    return np.asarray(ours[np.where(at_start < 0, at_end, at_start)])
