"""What a monitor run notes, as plain numbers, for whoever watches it."""

from __future__ import annotations

import math

from kizuna import journal
from kizuna.monitor.drift import Drift
from kizuna.monitor.pack import MonitorPack


def note_monitor(pack: MonitorPack) -> None:
    """Notes what is promised of the newest list, what the newest matured one promised and kept, and drift."""
    expected = pack.lists[pack.lists["predicted"].notna()]
    if len(expected):
        journal.note(expected_precision=float(expected["predicted"].iloc[-1]))
    promises = pack.promises
    if len(promises):
        journal.note(
            promised_precision=float(promises["predicted"].iloc[-1]),
            realised_precision=float(promises["precision"].iloc[-1]),
            lists_below_promise=pack.below_promise,
        )
    if pack.drift is not None and pack.drift.why_not is None:
        _note_drift(pack.drift)


def _note_drift(drift: Drift) -> None:
    # Of those that moved, as the gate has it; else of all.
    of = drift.moved if len(drift.moved) else drift.measured
    most = float(of["psi"].max()) if len(of) else math.nan
    found = [("feature_drift", most, len(drift.moved) > 0)]
    if drift.probability is not None:
        found.append(("score_drift", float(drift.probability["psi"]), bool(drift.probability["moved"])))
    journal.note(
        gates=[
            {"name": name, "status": "warn" if moved else "pass", "value": value}
            for name, value, moved in found
            if math.isfinite(value)
        ]
    )
