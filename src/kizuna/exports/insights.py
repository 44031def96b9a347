"""Two sentences about the list by plain rules: where the money sits, and which matter stands behind it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from kizuna.exports.figures import has_purchases, has_values
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, share_text

# What a shop can put right itself, and the facts that say the same, save those that hold of half the customers anyway.
# Silence alone is a sign, not a matter.
MATTERS: dict[str, tuple[str, ...]] = {
    "COMPLAINT_OPEN": ("OPEN_COMPLAINT",),
    "CONTACT_GAP": (),
    "CONTRACT": (),
    "CSAT_DOWN": (),
    "DISCOUNT_DEP": ("DISCOUNT_DEPENDENT",),
    "FATIGUE": (),
    "FEEDBACK_IGNORED": ("UNANSWERED_FEEDBACK",),
    "LANG_MISMATCH": ("LANG_MISMATCH",),
    "LOYALTY_INACTIVE": (),
    "NO_THANKS": (),
    "NPS_LOW": ("DETRACTOR",),
    "POINTS_EXPIRING": ("POINTS_EXPIRE_30D",),
    "RETURN_DELIVERY": ("LATE_DELIVERY_90D",),
    "SERVICE_SLOW": (),
}

# One order at a discount is a reason, but no dependence: here the fact alone counts.
_BY_FACT_ALONE = frozenset({"DISCOUNT_DEP"})
# A matter behind less than a tenth of the list is not worth a manager's sentence.
_LEAST_SHARE = 0.1
# From here on "silent for longer than usual" is a plain statement.
_CLEARLY_OVERDUE = 1.2


def insights(pack: ListPack, words: Words) -> list[str]:
    """One sentence about where the weight of the list sits and one about its largest matter; [] for an empty list.

    The weight is value at risk, or customers where no value is known. It counts all listed customers, contacted or not.
    Where no reason is known, nothing is said about matters.
    """
    listed = pack.at_risk
    if listed.empty:
        return []
    money = has_values(listed)
    weight = listed["value_at_risk"].astype(float).fillna(0.0) if money else pd.Series(1.0, index=listed.index)
    if weight.sum() <= 0:
        money, weight = False, pd.Series(1.0, index=listed.index)
    of_what = words("insight.money" if money else "insight.list")
    sentences = [_where(listed, weight, of_what, words)]
    return [*sentences, _matter(listed, weight, words)] if listed["reason_1"].notna().any() else sentences


def _where(listed: pd.DataFrame, weight: pd.Series, of_what: str, words: Words) -> str:
    group, rows = _heaviest(listed, weight, words)
    share = float(weight[rows].sum() / weight.sum())
    how = _silence(listed[rows], words)
    key = "insight.most" if share > 0.5 else "insight.largest"
    return words(key, of_what=of_what, share=share_text(share), count=f"{int(rows.sum()):,}", who=group, how=how)


def _heaviest(listed: pd.DataFrame, weight: pd.Series, words: Words) -> tuple[str, pd.Series]:
    stages = listed["lifecycle_stage"]
    column, group = ("lifecycle_stage", "stage_many") if stages.notna().any() else ("risk_band", "band_many")
    sums = weight.groupby(listed[column].astype(object), sort=True).sum()
    name = str(sums.idxmax())
    rows = (listed[column] == name).fillna(False).astype(bool)
    return words.code(group, name) if words.knows(group, name) else words("insight.other", name=name), rows


def _silence(rows: pd.DataFrame, words: Words) -> str:
    ratio = rows["overdue_ratio"].astype(float).median()
    if np.isfinite(ratio) and ratio >= _CLEARLY_OVERDUE:
        shown = f"{ratio:.0f}" if ratio >= 2.75 else f"{ratio:.1f}"
        return words("insight.overdue", ratio=shown)
    days = rows["days_since_purchase"].astype(float).median()
    return words("insight.silent", days=f"{days:,.0f}") if np.isfinite(days) else ""


def _matter(listed: pd.DataFrame, weight: pd.Series, words: Words) -> str:
    shares = {driver: float(weight[_touched(listed, driver)].sum() / weight.sum()) for driver in sorted(MATTERS)}
    driver = max(shares, key=lambda name: shares[name])
    if shares[driver] < _LEAST_SHARE:
        # Silence is a sign only where purchases tell of it.
        key = "insight.no_matter" if has_purchases(listed) else "insight.no_matter_known"
        return words(key, share=share_text(_LEAST_SHARE))
    return words("insight.matter", share=share_text(shares[driver]), matter=words(f"matter.{driver}"))


def _touched(listed: pd.DataFrame, driver: str) -> pd.Series:
    found = pd.Series(False, index=listed.index)
    for column in () if driver in _BY_FACT_ALONE else ("reason_1", "reason_2", "reason_3"):
        found |= (listed[column] == driver).fillna(False).astype(bool)
    for fact in MATTERS[driver]:
        found |= listed["facts"].map(lambda text, fact=fact: isinstance(text, str) and fact in re.findall(r"\w+", text))
    return found
