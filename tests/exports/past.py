"""What a pack may hold of the time before: published lists with their results and effects, and KPIs by month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kizuna.exports.pack import PastLists
from kizuna.kpi.catalog import KPIS
from kizuna.kpi.frozen import RESTATED
from kizuna.kpi.migration import COLUMNS as MIGRATION_COLUMNS
from kizuna.kpi.numbers import COLUMNS as NUMBER_COLUMNS
from kizuna.kpi.pack import KpiPack
from kizuna.kpi.wording import definitions_frame
from kizuna.monitor.measured import CALIBRATION_COLUMNS, LIST_COLUMNS
from kizuna.monitor.pack import EFFECT_COLUMNS, PERIOD_GROUP_COLUMNS

AS_OF = date(2026, 1, 1)
_WEEKS = 40
# Weeks without a list: the job stood still over the summer.
_MISSING = (18, 19, 20)
_LEVELS: dict[str, tuple[float, float]] = {
    "crr_cohort": (0.845, 0.01),
    "crr_formula": (0.871, 0.012),
    "churn_rate": (0.155, 0.01),
    "reactivation_rate": (0.041, 0.004),
    "nps": (14.0, 7.0),
    "csat_top2_share": (0.71, 0.05),
    "cltv_formula": (38_400.0, 900.0),
    "repeat_rate_any": (0.631, 0.01),
    "f2_rate_90d": (0.34, 0.03),
    "complaints_per_100_orders": (2.4, 0.3),
    "silent_lapse_share": (0.93, 0.01),
    "resolution_days": (4.0, 1.0),
    "revenue": (28_300_000.0, 0.0),
    "revenue_retained_share": (0.81, 0.01),
    "customers_end": (8_412.0, 0.0),
    "customers_new": (512.0, 0.0),
}
SETTINGS = {
    "active_days": "180",
    "active": "inactivity",
    "regular_orders": "6",
    "horizon_days": "365",
    "margin": "1",
    "reference_below": "30",
    "referral_channels": "referral",
}


def make_past(as_of: date = AS_OF, *, lists: int = _WEEKS, value: bool = True) -> PastLists:
    """Lists of the weeks before ``as_of``, the older ones measured; two quarters read, two still running."""
    random = np.random.default_rng(5)
    weeks = [week for week in range(lists, 0, -1) if week not in _MISSING]
    days = [as_of - timedelta(days=7 * week) for week in weeks]
    rows = [_list_row(day, as_of, week, random) for day, week in zip(days, weeks, strict=True)]
    level = 0.455 + np.cumsum(random.normal(0, 0.004, len(days) + 1))
    at_risk = 4_700_000 + np.cumsum(random.normal(0, 90_000, len(days) + 1))
    trend = pd.DataFrame(
        {
            "as_of": [*days, as_of],
            "eligible": 4000,
            "listed": 300,
            "to_contact": random.integers(196, 214, len(days) + 1),
            "expected_share": level,
            "high_share": level - 0.17 + random.normal(0, 0.004, len(days) + 1),
            "value_at_risk": at_risk if value else np.nan,
        }
    )
    effects = _effects(value)
    return PastLists(
        known_before=as_of,
        lists=pd.DataFrame(rows, columns=LIST_COLUMNS),
        bins=pd.DataFrame(columns=CALIBRATION_COLUMNS),
        effects=effects,
        groups=_groups(value),
        trend=trend,
    )


def _list_row(day: date, as_of: date, week: int, random: np.random.Generator) -> dict[str, Any]:
    matures = day + timedelta(days=91)
    measured = matures <= as_of
    happened, base = 0.76 + random.normal(0, 0.03), 0.45 + random.normal(0, 0.008)
    row: dict[str, Any] = dict.fromkeys(LIST_COLUMNS) | {
        "as_of": day,
        "revision": 1,
        "state": "measured" if measured else "maturing",
        "matures_on": matures,
        "churn_model": "shop-churn v3" if week < 9 else "shop-churn v2",
        "experiment": "shop",
        "control_share": 0.2,
        "listed": 300,
        "target": 232,
        "control": 58,
        "exempt": 10,
    }
    if week == _WEEKS:
        return row | {"state": "no_control", "control": 0, "target": 290}
    if week == _WEEKS - 1:
        return row | {"state": "not_measured"}
    if not measured:
        return row
    return row | {
        "rows": 3180,
        "listed_rows": 58,
        "predicted": happened + random.normal(0.01, 0.02),
        "precision": happened,
        "precision_low": happened - 0.11,
        "precision_high": min(happened + 0.09, 1.0),
        "base_rate": base,
        "lift": happened / base,
        "lift_low": happened / base - 0.2,
        "lift_high": happened / base + 0.2,
        "level_gap": 0.008,
        "level_gap_low": -0.01,
        "level_gap_high": 0.026,
        "auc": 0.81,
        "executed_target": 0.71,
        "executed_control": 0.02,
    }


def _effects(value: bool) -> pd.DataFrame:
    base: dict[str, Any] = dict.fromkeys(EFFECT_COLUMNS) | {"experiment": "shop", "no_comparison": 4, "no_outcome": 0}
    read = {"state": "measured", "executed_target": 0.71, "executed_control": 0.02}
    money = {"value": 1240.0, "value_low": 310.0, "value_high": 2170.0, "value_p": 0.009, "value_control": 8400.0}
    kept = {"kept": 0.062, "kept_low": 0.011, "kept_high": 0.113, "kept_p": 0.017, "kept_control": 0.24}
    unclear = {"value": 420.0, "value_low": -510.0, "value_high": 1350.0, "value_p": 0.37, "value_control": 8100.0}
    rows = [
        base
        | read
        | kept
        | {"period": "2025-Q2", "verdict_on": date(2025, 9, 29), "target": 874, "control": 221}
        | (money | {"verdict": "earned"} if value else {}),
        base
        | read
        | {"kept": 0.018, "kept_low": -0.041, "kept_high": 0.077, "kept_p": 0.55, "kept_control": 0.25}
        | {"period": "2025-Q3", "verdict_on": date(2025, 12, 29), "target": 512, "control": 131}
        | (unclear | {"verdict": "not_clear", "more_customers": 2140} if value else {}),
        base
        | {"period": "2025-Q4", "state": "maturing", "verdict_on": date(2026, 3, 31), "target": 698, "control": 176},
    ]
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def _groups(value: bool) -> pd.DataFrame:
    rows = []
    for by, group in (("action", "A13"), ("action", "A04"), ("market", "JP"), ("market", "US")):
        for outcome, size in (("net_value", 1900.0), ("kept", 0.08))[0 if value else 1 :]:
            row = {
                "by": by,
                "group": group,
                "outcome": outcome,
                "estimate": size,
                "low": -0.2 * size,
                "high": 2.2 * size,
            }
            row |= {"p_value": 0.1, "p_holm": 0.4, "is_clear": group == "A13" and outcome == "kept"}
            rows.append(row | {"target_rows": 90, "control_rows": 24, "experiment": "shop", "period": "2025-Q2"})
    return pd.DataFrame(rows, columns=PERIOD_GROUP_COLUMNS)


def make_kpi(months: int = 15, last: date = date(2025, 12, 1), **changes: Any) -> KpiPack:
    """KPIs by month of everybody: one has no table, one too few answers, two wait, one was restated."""
    random = np.random.default_rng(9)
    starts = [_month(last, back) for back in range(months - 1, -1, -1)]
    rows = [row for kpi in KPIS if kpi.headline for row in _kpi_rows(kpi.code, kpi.unit, starts, random)]
    numbers = pd.DataFrame(rows, columns=[*NUMBER_COLUMNS, "published_value", "published_known_before", "restated"])
    for name in ("start", "end"):
        numbers[name] = pd.to_datetime(numbers[name]).astype("datetime64[s]")
    fields: dict[str, Any] = {
        "name": "shop",
        "known_before": AS_OF,
        "currency": "JPY",
        "basis": "active: bought within 180 days",
        "numbers": numbers,
        "migration": pd.DataFrame(columns=MIGRATION_COLUMNS),
        "restated": pd.DataFrame(columns=RESTATED),
        "definitions": definitions_frame(SETTINGS),
        "published": pd.DataFrame(),
        "settings": SETTINGS,
    }
    return KpiPack(**(fields | changes))


def _month(last: date, back: int) -> date:
    months = last.year * 12 + last.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _kpi_rows(code: str, unit: str, starts: list[date], random: np.random.Generator) -> list[dict[str, Any]]:
    rows, walk = [], 0.0
    for place, start in enumerate(starts):
        level, half = _LEVELS.get(code, (np.nan, np.nan))
        walk += random.normal(0, 0.3)
        value = level + walk * (half or 0.02 * level)
        state = "ok" if code in _LEVELS else "no_table"
        few = code in ("nps", "csat_top2_share") and place % 5 == 2
        waits = code == "f2_rate_90d" and place > len(starts) - 4
        open_now = code == "resolution_days" and place == len(starts) - 1
        state = "reference" if few else "censored" if waits or open_now else state
        clear = place == len(starts) - 1 and code in ("crr_cohort", "churn_rate", "complaints_per_100_orders")
        change, year = walk * half * 0.3, walk * half
        direction = "" if place == 0 or waits or code not in _LEVELS else "not_clear"
        row: dict[str, Any] = dict.fromkeys(NUMBER_COLUMNS) | {
            "kpi": code,
            "kind": "month",
            "period": f"{start:%Y-%m}",
            "start": start,
            "end": _month(start, -1) - timedelta(days=1),
            "dimension": "all",
            "group": "all",
            "value": np.nan if waits else value,
            "low": np.nan if waits or not half else value - half * (3 if few else 1),
            "high": np.nan if waits or not half else value + half * (3 if few else 1),
            "n": 12.0 if few else 812.0,
            "open": 3.0 if open_now else 0.0,
            "unit": unit,
            "state": state,
            "finished": True,
            "change": change if direction else np.nan,
            "direction": ("up" if change > 0 else "down") if clear else direction,
            "change_year": year if place >= 12 and direction else np.nan,
            "direction_year": direction if place >= 12 else "",
        }
        is_restated = code == "crr_cohort" and place == len(starts) - 4
        rows.append(
            row
            | {
                "published_value": value - 0.004 if is_restated else value,
                "published_known_before": pd.Timestamp(AS_OF),
                "restated": is_restated,
            }
        )
    return rows
