"""The files of a monitor run: ``lists``, ``calibration``, ``effects``, ``groups``, ``drivers`` and ``drift``, each ``.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.lists.publication import locked
from kizuna.monitor.drift import DRIFT_TABLE_COLUMNS, Drift
from kizuna.monitor.pack import MonitorPack
from kizuna.plain import plain
from kizuna.whole_file import write_csv


def write_monitor(pack: MonitorPack, folder: Path) -> list[Path]:
    """Writes the pack's frames into a folder, each at once or not at all; the same pack gives the same bytes.

    LockHeld while another run writes there.
    """
    with locked(folder):
        return [write_csv(frame, folder / f"{name}.csv", float_format="%.6g") for name, frame in _tables(pack).items()]


def to_json(pack: MonitorPack) -> dict[str, Any]:
    """The pack as a JSON tree; days as ISO texts, null where there is no value."""
    return {
        "name": pack.name,
        "as_of": pack.as_of.isoformat(),
        "known_before": pack.known_before.isoformat(),
        "currency": pack.currency,
        "basis": pack.basis,
        "left_out": pack.left_out,
        **{name: _records(frame) for name, frame in _tables(pack).items()},
        "drift_measured": _measured(pack.drift),
    }


def _tables(pack: MonitorPack) -> dict[str, pd.DataFrame]:
    return {
        "lists": pack.lists,
        "calibration": pack.bins,
        "effects": pack.effects,
        "groups": pack.groups,
        "drivers": pack.proofs,
        "drift": pack.drift.features if pack.drift else pd.DataFrame(columns=DRIFT_TABLE_COLUMNS),
    }


def _measured(drift: Drift | None) -> dict[str, Any] | None:
    """What the table of drift was measured on."""
    if drift is None:
        return None
    names = ("model", "trained_on", "customers", "why_not")
    return {name: _iso(getattr(drift, name)) for name in names} | {"limit": drift.limit, "moved": len(drift.moved)}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    told: list[dict[str, Any]] = plain([{key: _iso(value) for key, value in row.items()} for row in rows])
    return told


def _iso(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
