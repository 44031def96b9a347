"""What a day is scored from: each table's rows, those that could be used, and those that came too late for it."""

from __future__ import annotations

from typing import Any

from kizuna.data.events import UNDATED
from kizuna.data.store import Store
from kizuna.timeline import date_of


def inputs_of(store: Store, as_of: int) -> list[dict[str, Any]]:
    """One entry per table, by name: rows, rows_used, late_rows, newest.

    ``rows_used``: known before the day, undated ones included. ``late_rows``: of days before it, and not known then.
    ``newest``: the last day of those used, as ISO text, null where none is dated.
    """
    names = sorted(store.tables)
    before = f"day < {as_of}"
    used, late = f"{before} AND known < {as_of}", f"{before} AND known >= {as_of}"
    dated = f"day > {UNDATED}"
    found = store.select(
        *(
            f"SELECT count(*), count(*) FILTER ({used}), count(*) FILTER ({late} AND {dated}), "
            f"max(day) FILTER ({used} AND {dated}) FROM {store.relation(name)}".replace("FILTER (", "FILTER (WHERE ")
            for name in names
        )
    )
    return [_entry(name, rows) for name, rows in zip(names, found, strict=True)]


def late_line(inputs: list[dict[str, Any]]) -> str:
    """How many rows of which tables came too late, in words; "" where none did."""
    late = [f"{entry['late_rows']:,} of {entry['table']}" for entry in inputs if entry["late_rows"]]
    return f"rows not known yet on the day, and not used: {', '.join(late)}" if late else ""


def _entry(table: str, parts: list[tuple[Any, ...]]) -> dict[str, Any]:
    """An engine that holds the shop in parts counts each."""
    rows, used, late = (sum(int(part[place]) for part in parts) for place in range(3))
    newest = max((part[3] for part in parts if part[3] is not None), default=None)
    day = None if newest is None else date_of(newest).isoformat()
    return {"table": table, "rows": rows, "rows_used": used, "late_rows": late, "newest": day}
