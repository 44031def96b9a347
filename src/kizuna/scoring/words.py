"""What a backfill did, as lines for the terminal and as a JSON tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kizuna.timeline import date_of

if TYPE_CHECKING:
    from kizuna.scoring.backfill import Asked, Backfilled


def backfill_lines(done: Sequence[Backfilled]) -> list[str]:
    """A line for each day, and how many there are of each kind."""
    count = Counter(one.state for one in done)
    told = [
        f"{count['published']} published",
        f"{count['left']} published before and left",
        f"{count['skipped']} before the first champion",
    ]
    return [*(_line(one) for one in done), f"{', '.join(told)}; nothing was delivered"]


def backfill_json(asked: Asked, done: Sequence[Backfilled]) -> dict[str, Any]:
    """The days asked for, and what became of each."""
    count = Counter(one.state for one in done)
    return {
        "from": date_of(asked.first).isoformat(),
        "to": date_of(asked.last).isoformat(),
        "every_days": asked.every_days,
        **{state: count[state] for state in ("published", "left", "skipped")},
        "days": [_row(one) for one in done],
    }


def _line(one: Backfilled) -> str:
    day = date_of(one.day).isoformat()
    if one.publication is None:
        return f"{day}  skipped    no version was champion yet"
    manifest = one.publication.manifest
    counts, model = manifest["counts"], manifest["models"]["churn"]
    listed = f"{counts['eligible']:,} eligible, {counts['listed']:,} listed" if counts else ""
    return f"{day}  {one.state:<9}  r{one.publication.revision}  {model}  {listed}".rstrip()


def _row(one: Backfilled) -> dict[str, Any]:
    found = one.publication
    row: dict[str, Any] = {"as_of": date_of(one.day).isoformat(), "state": one.state}
    if found is None:
        return row | {"revision": None, "models": None, "counts": None, "folder": None}
    told = {key: found.manifest.get(key) for key in ("models", "counts")}
    return row | {"revision": found.revision, **told, "folder": str(found.folder)}
