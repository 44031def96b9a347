"""Which drivers of our own conduct have been shown to act, so that they may be named as reasons and not as facts alone.

Shops stop writing to the silent, so silence predicts churn without causing it. A driver of this kind becomes a reason once
customers of whom its remedy was planned stayed more often where it was done than where the same was planned and left undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from kizuna.experiment.difference import Difference
from kizuna.experiment.reading import effect_of

REMEDIES: Mapping[str, str] = {"CONTACT_GAP": "A01", "NO_THANKS": "A04", "FATIGUE": "A12"}
_LEVEL = 0.95


@dataclass(frozen=True)
class Proof:
    """Whether a driver may be a reason. ``effect``: of its remedy on the share kept; None where it cannot be measured.

    ``low`` to ``high``: the interval that was asked to lie above zero, wide enough for all remedies together.
    """

    driver: str
    action: str
    is_proven: bool
    effect: Difference | None
    low: float | None
    high: float | None


def conduct_proofs(rows: pd.DataFrame, remedies: Mapping[str, str] = REMEDIES) -> list[Proof]:
    """One proof per driver, in the order of ``remedies`` (driver: action code).

    ``rows``: matured first listings of all quarters with their outcomes (``reading.with_outcomes``). All remedies are
    judged together: each interval has the level 1 − 0.05 / their number (Bonferroni).
    """
    proofs = []
    level = 1 - (1 - _LEVEL) / max(len(remedies), 1)
    for driver, action in remedies.items():
        effect = effect_of(rows[(rows["action"] == action) & rows["kept"].notna()], "kept")
        low, high = (None, None) if effect is None else effect.interval(level)
        proofs.append(Proof(driver, action, low is not None and low > 0, effect, low, high))
    return proofs
