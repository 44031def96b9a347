"""What became of earlier lists: what was said, what happened with its interval, and all others beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kizuna.exports.pack import ListPack
from kizuna.exports.page.risk_trend import day_of
from kizuna.wording.words import Words, share_text

WIDTH, LEFT, RIGHT = 300.0, 8.0, 292.0
IN_SIGHT = 13


@dataclass(frozen=True)
class Dots:
    """Places along the line from 0 to 100 %: what happened and the ends of its interval, what was said, and of all."""

    happened: float
    low: float
    high: float
    said: float | None
    base: float | None


@dataclass(frozen=True)
class ListRow:
    """One list that has come to an end. ``note`` stands where nothing could be measured, and then there are no dots."""

    named: str
    listed: str
    said: str
    happened: str
    base: str
    lift: str
    dots: Dots | None
    note: str


@dataclass(frozen=True)
class Running:
    """One list whose result is not known yet."""

    named: str
    listed: str
    known_on: str


@dataclass(frozen=True)
class PastRows:
    """``newest`` and ``older`` lists that came to an end, newest first; ``running`` ones, the next result first.

    ``unmeasured``: how many ended so long ago that they are not measured for this page.
    """

    newest: tuple[ListRow, ...]
    older: tuple[ListRow, ...]
    running: tuple[Running, ...]
    next_result: str
    unmeasured: int


def past_rows(pack: ListPack, words: Words) -> PastRows | None:
    """The lists before this one; None where there is none."""
    if pack.past is None or pack.past.lists.empty:
        return None
    lists = pack.past.lists.sort_values("as_of", kind="stable")
    rows: list[dict[str, Any]] = lists.to_dict("records")  # type: ignore[assignment]
    ended = [_row(row, words) for row in reversed(rows) if row["state"] not in ("maturing", "not_measured")]
    waiting = sorted((row for row in rows if row["state"] == "maturing"), key=lambda row: day_of(row["matures_on"]))
    running = tuple(
        Running(words.day(day_of(row["as_of"])), f"{row['listed']:,}", words.day(day_of(row["matures_on"])))
        for row in waiting
    )
    return PastRows(
        newest=tuple(ended[:IN_SIGHT]),
        older=tuple(ended[IN_SIGHT:]),
        running=running,
        next_result=running[0].known_on if running else "",
        unmeasured=sum(row["state"] == "not_measured" for row in rows),
    )


def share_ticks() -> tuple[tuple[float, str], ...]:
    """Where the quarters of the line lie, and what they are called."""
    return tuple((_at(k / 4), share_text(k / 4)) for k in range(5))


def _row(row: Mapping[str, Any], words: Words) -> ListRow:
    none, is_known = words("none"), row["state"] == "measured" and not pd.isna(row["precision"])
    happened = ""
    if is_known:
        low, high = f"{100 * row['precision_low']:.0f}", share_text(row["precision_high"])
        happened = words("page.lists.happened", share=share_text(row["precision"]), low=low, high=high)
    return ListRow(
        named=words.day(day_of(row["as_of"])),
        listed=f"{row['listed']:,}",
        said=_share(row["predicted"], none),
        happened=happened or none,
        base=_share(row["base_rate"], none),
        lift=none if pd.isna(row["lift"]) else f"{row['lift']:.1f}",
        dots=_dots(row) if is_known else None,
        note=""
        if is_known
        else words("page.lists.no_control" if row["state"] == "no_control" else "page.lists.nobody"),
    )


def _dots(row: Mapping[str, Any]) -> Dots:
    return Dots(
        happened=_at(row["precision"]),
        low=_at(row["precision_low"]),
        high=_at(row["precision_high"]),
        said=None if pd.isna(row["predicted"]) else _at(row["predicted"]),
        base=None if pd.isna(row["base_rate"]) else _at(row["base_rate"]),
    )


def _share(share: Any, none: str) -> str:
    return none if pd.isna(share) else share_text(float(share))


def _at(share: float) -> float:
    return round(LEFT + float(share) * (RIGHT - LEFT), 1)
