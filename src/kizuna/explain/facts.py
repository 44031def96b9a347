"""Facts: plain truths about a customer that need no model, from one row of what was known on the day.

A fact is stated only where it is known: a column that is absent (its table is not configured) or null states nothing.
The two exceptions are contact and thanks, where null means never; they are stated once the relationship is old
enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kizuna.explain.wording import fill, load_wording

Known = Mapping[str, NDArray[np.float64]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Fact:
    """A code, when it holds, and how it is said: wording keys with the columns of their places, the first known wins.

    ``columns``: all that ``holds`` must find; where one is absent the fact is unknown and not stated.
    """

    code: str
    columns: tuple[str, ...]
    holds: Callable[[Known], Mask]
    says: tuple[tuple[str, Mapping[str, str]], ...]


def _at_least(column: str, least: float) -> Callable[[Known], Mask]:
    return lambda known: known[column] >= least


def _silence(column: str, days: float) -> Callable[[Known], Mask]:
    """Our own silence of more than ``days`` days, or no word ever; never held against us where consent was refused."""

    def holds(known: Known) -> Mask:
        never = np.isnan(known[column]) & (known["tenure_days"] > days)
        silent: Mask = ((known[column] > days) | never) & (known["consent"] != 0)
        return silent

    return holds


FACTS = (
    Fact(
        "OPEN_COMPLAINT",
        ("open_complaints",),
        _at_least("open_complaints", 1),
        (
            ("waiting", {"count": "open_complaints", "days": "oldest_open_complaint_days"}),
            ("plain", {"count": "open_complaints"}),
        ),
    ),
    Fact(
        "UNANSWERED_FEEDBACK",
        ("unanswered_feedback", "days_since_unanswered"),
        # An answer after half a year has lost its moment.
        lambda known: (known["unanswered_feedback"] >= 1) & (known["days_since_unanswered"] <= 180),
        (("plain", {"count": "unanswered_feedback"}),),
    ),
    Fact("NOTICE_GIVEN", ("notice_given",), _at_least("notice_given", 1), (("plain", {}),)),
    Fact("DETRACTOR", ("nps_last",), lambda known: known["nps_last"] <= 6, (("plain", {"score": "nps_last"}),)),
    Fact(
        "LATE_DELIVERY_90D",
        ("late_deliveries_90d",),
        _at_least("late_deliveries_90d", 1),
        (("plain", {"count": "late_deliveries_90d"}),),
    ),
    Fact(
        "LANG_MISMATCH",
        ("language_mismatch_share_180d",),
        _at_least("language_mismatch_share_180d", 0.5),
        (("plain", {"share": "language_mismatch_share_180d"}),),
    ),
    Fact(
        "POINTS_EXPIRE_30D",
        ("points_expiring_30d",),
        _at_least("points_expiring_30d", 1),
        (("plain", {"points": "points_expiring_30d"}),),
    ),
    Fact(
        "CONTACT_GAP_60D",
        ("days_since_contact",),
        _silence("days_since_contact", 60),
        (("days", {"days": "days_since_contact"}), ("never", {})),
    ),
    Fact(
        "NO_THANKS_180D",
        ("days_since_thanks",),
        _silence("days_since_thanks", 180),
        (("days", {"days": "days_since_thanks"}), ("never", {})),
    ),
    Fact(
        "CONTACTED_7D",
        ("days_since_contact",),
        lambda known: known["days_since_contact"] <= 7,
        (("plain", {"days": "days_since_contact"}),),
    ),
    Fact(
        "DISCOUNT_DEPENDENT",
        ("discount_share_365d",),
        # One order at a discount is an occasion, not a habit.
        lambda known: (known["discount_share_365d"] >= 0.8) & ~(known["orders_365d"] < 2),
        (("plain", {"share": "discount_share_365d"}),),
    ),
    Fact("ONE_TIME_BUYER", ("orders",), lambda known: known["orders"] == 1, (("plain", {}),)),
    Fact("PROMOTER", ("nps_last",), _at_least("nps_last", 9), (("plain", {"score": "nps_last"}),)),
)
CODES = tuple(fact.code for fact in FACTS)
# Owed service: answered first, outside the experiment.
OWED_SERVICE = ("OPEN_COMPLAINT", "UNANSWERED_FEEDBACK", "NOTICE_GIVEN")

_COLUMNS = tuple(
    sorted(
        {
            column
            for fact in FACTS
            for column in (*fact.columns, *(c for _, places in fact.says for c in places.values()))
        }
        | {"tenure_days", "consent", "orders_365d"}
    )
)


def fact_flags(context: pd.DataFrame) -> pd.DataFrame:
    """One bool column per fact, in the fixed order of ``CODES``, on the index of ``context``."""
    known = _known(context)
    flags = {
        fact.code: fact.holds(known)
        if all(column in context for column in fact.columns)
        else np.zeros(len(context), dtype=np.bool_)
        for fact in FACTS
    }
    return pd.DataFrame(flags, index=context.index, columns=list(CODES), dtype=bool)


def fact_codes(flags: pd.DataFrame) -> pd.Series:
    """The codes that hold, joined by ``;`` in their fixed order; null where none does."""
    rows = flags[list(CODES)].to_numpy(dtype=bool)
    joined = [";".join(code for code, holds in zip(CODES, row, strict=True) if holds) or None for row in rows]
    return pd.Series(joined, index=flags.index, dtype="str", name="facts")


def fact_sentences(context: pd.DataFrame, language: str, currency: str | None = None) -> pd.DataFrame:
    """customer_id, fact, text: one row per customer and fact that holds, in the order of ``context`` and ``CODES``."""
    templates = load_wording(language).facts
    known, flags = _known(context), fact_flags(context).to_numpy(dtype=bool)
    rows = []
    for row, customer in enumerate(context["customer_id"]):
        for fact, holds in zip(FACTS, flags[row], strict=True):
            if holds:
                key, values = _say(fact, {column: float(known[column][row]) for column in _COLUMNS})
                rows.append((customer, fact.code, fill(templates[fact.code][key], values, language, currency)))
    return pd.DataFrame(rows, columns=["customer_id", "fact", "text"], dtype="str")


def _say(fact: Fact, row: Mapping[str, float]) -> tuple[str, dict[str, float]]:
    pairs = ((key, {place: row[column] for place, column in places.items()}) for key, places in fact.says)
    return next((key, values) for key, values in pairs if all(np.isfinite(value) for value in values.values()))


def _known(context: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """The columns that facts read, as numbers; an absent column is unknown on every row. Infinite is unknown, too."""
    missing = np.full(len(context), np.nan)
    known = {}
    for column in _COLUMNS:
        values = missing
        if column in context:
            numbers = pd.to_numeric(context[column], errors="coerce")
            values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        known[column] = np.where(np.isfinite(values), values, np.nan)
    return known
