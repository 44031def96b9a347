"""The files of a KPI run: ``kpi.csv``, ``migration.csv``, ``restated.csv``, ``definitions.csv``, and what is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.kpi.frozen import read_published, with_new, write_published
from kizuna.kpi.pack import KpiPack
from kizuna.lists.publication import locked
from kizuna.plain import plain
from kizuna.whole_file import write_csv

if TYPE_CHECKING:
    import pandas as pd


def publish_kpis(make: Callable[[], KpiPack], folder: Path) -> tuple[KpiPack, list[Path]]:
    """The pack that ``make`` gives, and the files it was written to in a folder: the same rows, the same bytes.

    What is published is read, added to and written by one run at a time; LockHeld while another one is at it.
    """
    with locked(folder):
        pack = make()
        write_published(pack.published, folder)
        tables = {
            "kpi": pack.numbers,
            "migration": pack.migration,
            "restated": pack.restated,
            "definitions": pack.definitions,
        }
        return pack, [write_csv(frame, folder / f"{name}.csv") for name, frame in tables.items()]


def freeze(pack: KpiPack, folder: Path) -> None:
    """Keeps what was published first of each finished period, in a folder; LockHeld while another run is at it."""
    with locked(folder):
        kept = with_new(read_published(folder), pack.numbers, pack.known_before, pack.basis)
        write_published(kept, folder)


def to_json(pack: KpiPack) -> dict[str, Any]:
    """The pack as a JSON tree; days as ISO texts, null where there is no value."""
    return {
        "name": pack.name,
        "known_before": pack.known_before.isoformat(),
        "currency": pack.currency,
        "basis": pack.basis,
        "numbers": _records(pack.numbers),
        "migration": _records(pack.migration),
        "restated": _records(pack.restated),
        "definitions": _records(pack.definitions),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    days = frame.select_dtypes("datetime").columns
    texts = {name: frame[name].dt.strftime("%Y-%m-%d").astype(object) for name in days}
    plainly = frame.assign(**texts).astype(object)
    rows: list[dict[str, Any]] = plain(plainly.where(frame.notna(), None).to_dict("records"))
    return rows
