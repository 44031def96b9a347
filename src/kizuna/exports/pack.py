"""What every export receives: one published list with all that is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from kizuna.kpi.pack import KpiPack


@dataclass(frozen=True)
class AnswerCheck:
    """What the same recipe would have named on the newest test day, knowing nothing later, and what then happened.

    ``until`` is the last day of the label window. ``churned`` says how many of the ``capacity`` named customers
    churned, by recipe: kizuna, rfm_logistic, recency_rule, rate_rule, random (fractions where ties are shared).
    ``auc`` has the same keys without random. ``said`` and ``happened``: mean probability and churn rate of all
    eligible that day. ``ranked_by``: what kizuna's list was ranked by; where that is not churn_probability, ``churned``
    has kizuna_probability, too.
    """

    named_on: date
    until: date
    capacity: int
    churned: dict[str, float]
    auc: dict[str, float]
    said: float
    happened: float
    ranked_by: str = "churn_probability"


@dataclass(frozen=True)
class PastLists:
    """What became of the lists published before this one, as the rows known before ``known_before`` tell it.

    ``lists``, ``bins``, ``effects`` and ``groups`` are the frames of the monitor: its ``LIST_COLUMNS``,
    ``CALIBRATION_COLUMNS``, ``EFFECT_COLUMNS`` and ``PERIOD_GROUP_COLUMNS``; a list that has not matured has no quality.
    ``trend``: a row per list, oldest first and this one last: as_of, eligible, listed, to_contact, expected_share (mean
    churn probability of the eligible), high_share (share of them in the band high), value_at_risk (of those to contact).
    ``basis``: what the money of effects is: revenue, margin, or net (of the costs of contact, too).
    """

    known_before: date
    lists: pd.DataFrame
    bins: pd.DataFrame
    effects: pd.DataFrame
    groups: pd.DataFrame
    trend: pd.DataFrame
    basis: str = "revenue"


@dataclass(frozen=True)
class ListPack:
    """One list, ready to be printed. Shares lie in 0..1, money is in ``currency``.

    ``at_risk`` has the columns of at_risk.csv, ``scores`` those of scores.parquet (every eligible customer),
    ``removed`` has customer_id and why (None: there was no earlier list), ``findings`` is the data report: name,
    state, step, table, column, count, details. ``evaluation`` holds evaluation (out_of_time or in_time), model and
    baselines (metric -> value), grade, gate_checks (name, status, value, limit of each) and season (unseen; level_spread:
    how far past levels were off, a share; level_most: what that is at most where noise hides it). ``smallest_effect`` is
    the smallest difference in churn that one list can show. ``dated``: whether the labels name days; where they do not,
    there is no window of prediction, no past list, and no later result. ``part``: which part of the list this is, where it
    is split. ``left_out``: how many eligible customers are not listed, by reason. ``past``: None where nothing was published
    before; ``kpi``: the KPIs of the last two years, None where the tables have no days. ``margin``: what values were
    multiplied by; at 1 they are revenue.
    """

    name: str
    as_of: date
    language: str
    currency: str | None
    timezone: str
    simulated: bool
    horizon_days: int
    gap_days: int
    definition: str
    active_within_days: int
    cltv_horizon_days: int | None
    rank_by: str
    at_risk: pd.DataFrame
    scores: pd.DataFrame
    removed: pd.DataFrame | None
    answer: AnswerCheck | None
    evaluation: dict[str, Any]
    first_result: date
    smallest_effect: float
    models: dict[str, str]
    findings: pd.DataFrame
    bands: tuple[float, float]
    min_probability: float
    economics: dict[str, Any]
    dated: bool = True
    part: str | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    past: PastLists | None = None
    kpi: KpiPack | None = None
    margin: float = 1.0

    @property
    def title(self) -> str:
        """The shop's name, and the part of its list."""
        return self.name if self.part is None else f"{self.name}: {self.part}"

    @property
    def first_day(self) -> date:
        """First day of the prediction window."""
        return self.as_of + timedelta(days=self.gap_days)

    @property
    def last_day(self) -> date:
        """Last day of the prediction window."""
        return self.as_of + timedelta(days=self.gap_days + self.horizon_days - 1)
