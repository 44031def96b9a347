"""What the list says of a customer beside the model: a fixed set of plain figures, whatever features the model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import CONSENTS
from kizuna.data.events import NEVER
from kizuna.data.store import Store
from kizuna.engines.local import run_blocks
from kizuna.features.families import FAMILIES
from kizuna.features.frame import Frame, Tables, days_to_dates, tables_of
from kizuna.features.history import History, Rows, rows_of
from kizuna.features.plan import Settings

if TYPE_CHECKING:
    import pandas as pd

_WINDOWS_DAYS = (30, 90, 180, 365)
_FIGURES = (
    *("orders", "orders_365d", "revenue_365d", "tenure_days", "usual_gap_days", "overdue_ratio"),
    *("discount_share_365d", "late_deliveries_90d", "open_complaints", "oldest_open_complaint_days"),
    *("unanswered_feedback", "points_expiring_30d", "points_balance", "days_since_thanks", "days_since_contact"),
    *("language_mismatch_share_180d", "nps_last", "notice_given"),
)


@dataclass(frozen=True)
class Pauses:
    """Which outreach makes a pause: its kinds, and only rows that did not come from one of our lists."""

    kinds: tuple[str, ...]


def build_context(store: Store, frame: Frame, pauses: Pauses) -> pd.DataFrame:
    """One row per row of the frame: customer_id, last_purchase, days_since_purchase, figures, consent, suppression.

    Columns whose table is not configured are absent. ``suppressed_reason`` is text or None, ``last_purchase``
    datetime64[s].
    """
    import pandas as pd

    def block(low: int, high: int) -> tuple[NDArray[np.int64], dict[str, NDArray[np.object_] | NDArray[np.float64]]]:
        index = np.flatnonzero((frame.customer >= low) & (frame.customer < high))
        index = index[np.lexsort((frame.as_of[index], frame.customer[index]))]
        rows = rows_of(frame.customer[index] - np.int32(low), frame.as_of[index], high - low)
        return index, _columns(tables_of(store, low, high), rows, pauses)

    parts = run_blocks(block, store.blocks(), store.config.engine.threads)
    order = np.concatenate([index for index, _ in parts])
    columns: dict[str, object] = {"customer_id": pd.array(store.ids()[frame.customer], dtype="str")}
    for name in parts[0][1]:
        joined = np.concatenate([part[name] for _, part in parts])
        values = np.empty_like(joined)
        values[order] = joined
        columns[name] = values
    context = pd.DataFrame(columns)
    if "days_since_purchase" in context:
        since = context["days_since_purchase"].to_numpy()
        day = np.where(np.isnan(since), 0, frame.as_of - since).astype(np.int32)
        context["last_purchase"] = np.where(np.isnan(since), np.datetime64("NaT", "s"), days_to_dates(day))
    for name in ("market", "language", "suppressed_reason"):
        if name in context:
            context[name] = pd.array(context[name].to_numpy(), dtype="str")
    return context


def _columns(tables: Tables, rows: Rows, pauses: Pauses) -> dict[str, NDArray[np.object_] | NDArray[np.float64]]:
    out: dict[str, NDArray[np.object_] | NDArray[np.float64]] = {}
    settings = Settings(_WINDOWS_DAYS, {})
    for family in FAMILIES:
        if family.table in tables:
            for feature in family.features(History(tables[family.table], rows, tables), settings):
                if feature.name == "days_since_order":
                    out["days_since_purchase"] = feature.values
                elif feature.name in _FIGURES and family.name != "supplied":
                    out[feature.name] = feature.values
    if "customers" in tables:
        profile = History(tables["customers"], rows, tables)
        for name in ("market", "language"):
            if profile.has(name):
                out[name] = _current_text(profile, name)
        for name in CONSENTS:
            if profile.has(name):
                out[name] = profile.current(profile.numbers(name))
    if "outreach" in tables:
        outreach = History(tables["outreach"], rows, tables)
        ours = outreach.kinds(*pauses.kinds) if outreach.has("kind") else ~outreach.all_events()
        if outreach.has("list_as_of"):
            ours &= outreach.days("list_as_of") == NEVER
        out["days_since_pause_contact"] = outreach.days_since_last(ours)
    if "suppressions" in tables:
        out["suppressed_reason"] = History(tables["suppressions"], rows, tables).in_force(
            "until", "reason", "suppressed"
        )
    return out


def _current_text(history: History, column: str) -> NDArray[np.object_]:
    coded = history.texts(column)
    codes = history.current(coded.codes.astype(np.float64))
    levels = np.array([*coded.levels, None], dtype=object)
    return levels[np.where(np.isnan(codes) | (codes < 0), len(coded.levels), codes).astype(np.int64)]
