"""What became of earlier lists, as the exports receive it: twenty weeks, of which eight have matured."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kizuna.experiment.realised import BIN_COLUMNS
from kizuna.exports.pack import PastLists
from kizuna.monitor.measured import LIST_COLUMNS
from kizuna.monitor.pack import EFFECT_COLUMNS, PERIOD_GROUP_COLUMNS

FIRST, WEEKS, AS_OF = date(2025, 8, 14), 20, date(2026, 1, 1)
_COUNTS = [*("revision", "listed", "target", "control", "exempt", "rows", "listed_rows")]
TREND_COLUMNS = ["as_of", "eligible", "listed", "to_contact", "expected_share", "high_share", "value_at_risk"]


def made_past() -> PastLists:
    """Lists of Thursdays up to 2025-12-25, a window of 90 days: one quarter read, one running."""
    days = [FIRST + timedelta(weeks=week) for week in range(WEEKS)]
    lists = [_list(day, place) for place, day in enumerate(days)]
    measured = [row["as_of"] for row in lists if row["state"] == "measured"]
    return PastLists(
        known_before=AS_OF,
        lists=_frame(lists, LIST_COLUMNS, _COUNTS),
        bins=pd.concat([_bins(day, place) for place, day in enumerate(measured)], ignore_index=True),
        effects=_frame(_effects(), EFFECT_COLUMNS, ["no_comparison", "no_outcome", "more_customers"]),
        groups=pd.DataFrame(_groups(), columns=PERIOD_GROUP_COLUMNS),
        trend=pd.DataFrame([_trend(day, place) for place, day in enumerate([*days, AS_OF])], columns=TREND_COLUMNS),
    )


def _list(day: date, place: int) -> dict[str, Any]:
    known = day + timedelta(days=90)
    row: dict[str, Any] = {
        **{"as_of": day, "revision": 1, "matures_on": known, "churn_model": "shop-churn v3", "experiment": "shop"},
        **{"control_share": 0.2, "listed": 288 + 3 * place, "target": 226 + 2 * place, "control": 55, "exempt": 7},
        "state": "measured" if known <= AS_OF else "maturing",
    }
    if row["state"] == "measured":
        rate, base, gap = 0.74 + 0.01 * (place % 4), 0.452 + 0.004 * place, 0.006 * (place % 3)
        row |= {"rows": 3780, "listed_rows": 55, "predicted": rate + 0.02, "base_rate": base, "auc": 0.81}
        row |= {"precision": rate, "precision_low": rate - 0.11, "precision_high": rate + 0.09}
        row |= {"lift": rate / base, "lift_low": rate / base - 0.2, "lift_high": rate / base + 0.2}
        row |= {"level_gap": gap, "level_gap_low": gap - 0.014, "level_gap_high": gap + 0.014}
        row |= {"executed_target": 0.87, "executed_control": 0.02}
    return row


def _bins(day: date, place: int) -> pd.DataFrame:
    said = np.linspace(0.06, 0.92, 10)
    happened = (said + 0.03 * np.sin(np.arange(10) + place)).clip(0.01, 0.99)
    columns = {
        **{"bin": np.arange(1, 11), "rows": 378, "customers": 400.0, "predicted_mean": said},
        **{"observed_rate": happened, "observed_low": happened - 0.04, "observed_high": happened + 0.04},
    }
    return pd.DataFrame(columns)[BIN_COLUMNS].assign(as_of=day)[["as_of", *BIN_COLUMNS]]


def _effects() -> list[dict[str, Any]]:
    read = {
        **{"experiment": "shop", "period": "2025-Q3", "state": "measured", "verdict": "earned"},
        **{"verdict_on": date(2025, 12, 24), "target": 641, "control": 163, "no_comparison": 6, "no_outcome": 0},
        **{"value": 2140.0, "value_low": 380.0, "value_high": 3900.0, "value_p": 0.018, "value_control": 8120.0},
        **{"value_winsorised": 1980.0, "kept": 0.062, "kept_low": 0.011, "kept_high": 0.113, "kept_p": 0.017},
        **{"kept_control": 0.274, "more_customers": None, "executed_target": 0.87, "executed_control": 0.02},
    }
    running = {
        **{"experiment": "shop", "period": "2025-Q4", "state": "maturing", "verdict": None},
        **{"verdict_on": date(2026, 3, 31), "target": 512, "control": 131, "no_comparison": 4, "no_outcome": 0},
    }
    return [read, running]


def _groups() -> list[tuple[Any, ...]]:
    rows = []
    found = {"action": ("A04", "A05", "A08", "A13"), "market": ("de", "jp", "us")}
    for by, names in found.items():
        for place, name in enumerate(names):
            for outcome, size in (("kept", 0.03), ("net_value", 900.0)):
                estimate = size * (place + 0.5)
                clear = name == "A13" and outcome == "kept"
                ends = (estimate - size * (0.6 if clear else 2.2), estimate + size * 2.2)
                p_values = (0.002, 0.014, True) if clear else (0.21, 0.84, False)
                rows.append(("shop", "2025-Q3", by, name, outcome, estimate, *ends, *p_values, 160, 41))
    return rows


def _trend(day: date, place: int) -> tuple[Any, ...]:
    wave = float(np.sin(place / 3))
    return (
        day,
        3900 + 5 * place,
        288 + 3 * place,
        205 + place,
        0.455 + 0.01 * wave,
        0.31 + 0.02 * wave,
        4.6e6 + 2e5 * wave,
    )


def _frame(rows: list[dict[str, Any]], columns: list[str], counts: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=columns)
    return frame.astype(dict.fromkeys(counts, "Int64"))
