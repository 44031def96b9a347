"""One order for the rows of a customer's day, so that the order in which a source gives them changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kizuna.data.events import Coded, Events

Kept = TypeVar("Kept", bound=np.generic)


def in_one_order(events: Events, columns: Sequence[str]) -> Events:
    """The same rows, those of one customer, day and known day by these columns, the first column first.

    Nulls and then the smallest come first, texts by their UTF-8 bytes. Put columns that fill in after their row last:
    then the order of what was known never tells what came later. Rows that are equal in all columns are alike.
    """
    place, group = _ties(events)
    source = place.copy()
    rows = np.arange(len(place))
    for column in columns:
        if not len(rows):
            break
        value = _comparable(events, column, source[rows])
        order = np.lexsort((value, group[rows]))
        source[rows], value = source[rows][order], value[order]
        # Rows stay tied to a neighbour of their group with the same value.
        begins = np.concatenate([[True], (group[rows][1:] != group[rows][:-1]) | (value[1:] != value[:-1])])
        group[rows] = np.cumsum(begins)
        rows = rows[_repeated(begins)]
    moved = source != place
    if not moved.any():
        return events
    place, source = place[moved], source[moved]
    coded = {name: replace(text, codes=_moved(text.codes, place, source)) for name, text in events.texts.items()}
    return replace(
        events,
        numbers=_all_moved(events.numbers, place, source),
        days=_all_moved(events.days, place, source),
        texts=coded,
    )


def _ties(events: Events) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the rows that share customer, day and known day with another, and the number of their group."""
    new = np.ones(len(events.day), dtype=np.bool_)
    new[1:] = events.day[1:] != events.day[:-1]
    new[1:] |= events.customer[1:] != events.customer[:-1]
    if events.lag_days is None:
        new[1:] |= events.known[1:] != events.known[:-1]
    place = np.flatnonzero(_repeated(new))
    return place, np.cumsum(new[place])


def _repeated(begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of groups of two and more; ``begins`` marks the first row of each group."""
    repeated: NDArray[np.bool_] = ~(begins & np.append(begins[1:], True))
    return repeated


def _comparable(events: Events, column: str, rows: NDArray[np.intp]) -> NDArray[Any]:
    """A column's values of some rows as numbers in their order, nulls before all others."""
    if column in events.numbers:
        return np.nan_to_num(events.numbers[column][rows], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    if column in events.days:
        return events.days[column][rows]
    coded = events.texts[column]
    if coded.ascending:
        return coded.codes[rows]
    codes, where = np.unique(coded.codes[rows], return_inverse=True)
    texts = _texts(coded, codes)
    order = np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.intp)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[where]


def _texts(coded: Coded, codes: NDArray[np.int32]) -> list[bytes]:
    """The UTF-8 bytes of some codes; a null is before every text."""
    known = coded.dictionary.take(codes[codes >= 0]).to_pylist()
    return [b""] * int(np.sum(codes < 0)) + [b"." + text.encode() for text in known]


def _all_moved(
    columns: Mapping[str, NDArray[Kept]], place: NDArray[np.intp], source: NDArray[np.intp]
) -> dict[str, NDArray[Kept]]:
    return {name: _moved(values, place, source) for name, values in columns.items()}


def _moved(values: NDArray[Kept], place: NDArray[np.intp], source: NDArray[np.intp]) -> NDArray[Kept]:
    """A column whose rows at ``place`` are those that lay at ``source``."""
    out = values.copy()
    out[place] = values[source]
    return out
