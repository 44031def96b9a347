"""What the list says of a customer beside the model: a fixed set of plain figures, whatever features the model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kizuna.data.contract import CONSENTS
from kizuna.data.events import NEVER
from kizuna.features.families import FAMILIES
from kizuna.features.frame import Columns, Tables, days_to_dates, features_of
from kizuna.features.history import History
from kizuna.features.loyalty import points_expire_in_days
from kizuna.features.outreach import contacts_about
from kizuna.features.plan import FeaturePlan
from kizuna.features.rows import Rows
from kizuna.features.surveys import owed_an_answer

if TYPE_CHECKING:
    import pandas as pd

_WINDOWS_DAYS = (30, 90, 180, 365)
_FIGURES = (
    *("orders", "orders_365d", "revenue_365d", "tenure_days", "usual_gap_days", "overdue_ratio"),
    *("discount_share_365d", "late_deliveries_90d", "open_complaints", "oldest_open_complaint_days"),
    *("unanswered_feedback", "points_expiring_30d", "points_balance", "days_since_thanks", "days_since_contact"),
    *("language_mismatch_share_180d", "nps_last", "notice_given"),
)

_TEXTS = ("market", "language", "suppressed_reason")


@dataclass(frozen=True)
class Pauses:
    """Which outreach makes a pause: its kinds, and only rows that did not come from one of our lists."""

    kinds: tuple[str, ...]


def context_columns(tables: Tables, rows: Rows, pauses: Pauses) -> dict[str, NDArray[Any]]:
    """The context of a block's rows: figures, consents, texts as objects, the last purchase as datetime64[s].

    Columns whose table is not configured are absent. ``suppressed_reason`` is text or None.
    """
    out = _columns(tables, rows, pauses)
    if "days_since_purchase" in out:
        since = out["days_since_purchase"]
        day = np.where(np.isnan(since), 0, rows.as_of - since).astype(np.int32)
        out["last_purchase"] = np.where(np.isnan(since), np.datetime64("NaT", "s"), days_to_dates(day))
    return out


def context_frame(ids: NDArray[np.object_], columns: Columns) -> pd.DataFrame:
    """The context as pandas: customer_id, then the columns; texts as str."""
    import pandas as pd

    context = pd.DataFrame({"customer_id": pd.array(ids, dtype="str"), **columns})
    for name in _TEXTS:
        if name in context:
            context[name] = pd.array(context[name].to_numpy(), dtype="str")
    return context


def market_of(tables: Tables, rows: Rows) -> NDArray[np.object_]:
    """The market of each row's customer on its day, None where it is unknown."""
    profile = History(tables["customers"], rows, tables) if "customers" in tables else None
    if profile is None or not profile.has("market"):
        return np.full(len(rows), None, dtype=object)
    return current_text(profile, "market")


def _columns(tables: Tables, rows: Rows, pauses: Pauses) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {}
    families = [family for family in FAMILIES if family.name != "supplied"]
    for _, feature in features_of(tables, rows, FeaturePlan(_WINDOWS_DAYS, ()), families):
        if feature.name == "days_since_order":
            out["days_since_purchase"] = feature.values
        elif feature.name in _FIGURES:
            out[feature.name] = feature.values
    if "customers" in tables:
        profile = History(tables["customers"], rows, tables)
        for name in ("market", "language"):
            if profile.has(name):
                out[name] = current_text(profile, name)
        for name in CONSENTS:
            if profile.has(name):
                out[name] = profile.current(profile.numbers(name))
    if "outreach" in tables:
        outreach = History(tables["outreach"], rows, tables)
        ours = contacts_about(outreach, pauses.kinds)
        addressed = ours
        if outreach.has("list_as_of"):
            from_list = outreach.days("list_as_of") != NEVER
            addressed, ours = ours | from_list, ours & ~from_list
        # A newsletter to all is no contact with this customer.
        out["days_since_personal_contact"] = outreach.days_since_last(addressed)
        out["days_since_pause_contact"] = outreach.days_since_last(ours)
    if "loyalty" in tables:
        points = History(tables["loyalty"], rows, tables)
        if points.has("kind", "points", "expires_at"):
            out["points_expire_in_days"] = points_expire_in_days(points)
    if "surveys" in tables:
        answers = History(tables["surveys"], rows, tables)
        if answers.has("followed_up_at"):
            out["days_since_unanswered"] = answers.days_since_last(owed_an_answer(answers), still="followed_up_at")
    if "suppressions" in tables:
        out["suppressed_reason"] = History(tables["suppressions"], rows, tables).in_force(
            "until", "reason", "suppressed"
        )
    return out


def current_text(history: History, column: str) -> NDArray[np.object_]:
    """The text of a column in the row in force on each row's day, None where there is none."""
    coded = history.texts(column)
    codes = history.current(coded.codes.astype(np.float64))
    levels = np.array([*coded.levels, None], dtype=object)
    return levels[np.where(np.isnan(codes) | (codes < 0), len(coded.levels), codes).astype(np.int64)]
