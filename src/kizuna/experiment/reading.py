"""What the lists of a quarter have earned: one headline, fixed beforehand, and no verdict before the quarter has matured.

Headline: net value per listed customer over the label window, target less control with the same planned action, adjusted by
the list day's ``cltv`` and ``churn_probability``. Second: the share kept. Actions and markets are exploratory: their
p values are corrected together (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from kizuna.errors import ContractError
from kizuna.experiment.difference import (
    Difference,
    FloatArray,
    adjusted_difference,
    comparable_rows,
    customers_needed,
    winsorised,
)
from kizuna.experiment.listings import Cohort, executed_shares, first_listings
from kizuna.timeline import LabelWindow, date_of, day_of

COVARIATES = ("cltv", "churn_probability")
OUTCOMES = ("net_value", "kept")
GROUP_COLUMNS = [
    *("by", "group", "outcome", "estimate", "low", "high", "p_value", "p_holm", "is_clear"),
    *("target_rows", "control_rows"),
]
State = Literal["maturing", "measured", "not_enough_data"]
Verdict = Literal["earned", "lost", "not_clear"]


@dataclass(frozen=True)
class ReadingPlan:
    """How effects are read: fixed before the first list.

    ``window``: of churn and of the value that is counted, about a quarter. ``by``: which first listings are read together;
    the verdict is by quarter, a list of its own shows less. ``first_month``: of the year's first quarter.
    ``worthwhile_value``: the net value per listed customer that would pay for the contact; the sample still needed is that
    for it, or, where it is None, for an effect as large as the one seen.
    """

    window: LabelWindow
    by: Literal["quarter", "list"] = "quarter"
    first_month: int = 1
    worthwhile_value: float | None = None


@dataclass(frozen=True)
class Reading:
    """One period of one experiment: a quarter such as 2026-Q1, or the day of a list.

    ``verdict_on``: the day from which it may be read. ``counts``: target, control, no_comparison (the action had too few
    customers in an arm), no_outcome. ``value``, ``kept``: the two effects, None while maturing or without enough data;
    ``value_winsorised``: the headline's check, with the highest and lowest hundredth drawn in. ``groups``: one row per
    action or market and outcome, ``GROUP_COLUMNS``. ``more_customers``: how many more the headline needs to be clear,
    None where it is or cannot be said. ``executed``: the share of each arm whose action was carried out, where known.
    """

    experiment: str
    period: str
    state: State
    verdict_on: date
    counts: dict[str, int]
    value: Difference | None
    kept: Difference | None
    value_winsorised: Difference | None
    groups: pd.DataFrame
    more_customers: int | None
    executed: dict[str, float] | None

    @property
    def verdict(self) -> Verdict | None:
        """What the headline says; None before it may say anything."""
        if self.value is None:
            return None
        if not self.value.is_clear:
            return "not_clear"
        return "earned" if self.value.estimate > 0 else "lost"


def read_lists(
    lists: pd.DataFrame,
    outcomes: pd.DataFrame,
    plan: ReadingPlan,
    today: date,
    executions: pd.DataFrame | None = None,
) -> list[Reading]:
    """One reading per experiment and period of first listings, in their order.

    ``lists``: see ``first_listings``; besides cltv, churn_probability and, where known, market. ``outcomes``: customer_id,
    as_of, kept (1 or 0) and net_value of listings that have matured. ``executions``: see ``executed_shares``. ContractError:
    a column is missing, or an outcome is given twice.
    """
    cohort = first_listings(lists)
    rows = with_outcomes(cohort, outcomes)
    if rows.empty:
        return []
    days = rows["as_of"]
    period = quarter_of(days, plan.first_month) if plan.by == "quarter" else days.dt.strftime("%Y-%m-%d")
    groups = rows.groupby([rows["experiment"], period], sort=True)
    return [_read(part, str(name), plan, today, executions) for (_, name), part in groups]


def with_outcomes(cohort: Cohort, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The rows that count with kept and net_value beside them, null where no outcome is given."""
    missing = [column for column in ("customer_id", "as_of", *OUTCOMES) if column not in outcomes]
    key = ["customer_id", "as_of"]
    twice = 0 if missing else int(outcomes.duplicated(key).sum())
    if missing or twice:
        raise ContractError(
            "The effect of lists needs one outcome per customer and list day, with kept and net_value; "
            f"{', '.join(missing) or 'no column'} cannot be found and {twice:,} are given twice."
        )
    known = outcomes[[*key, *OUTCOMES]].assign(as_of=pd.to_datetime(outcomes["as_of"]))
    known["customer_id"] = known["customer_id"].astype("str")
    rows = cohort.rows.drop(columns=[name for name in OUTCOMES if name in cohort.rows])
    rows = rows.assign(customer_id=rows["customer_id"].astype("str"))
    return rows.merge(known, on=key, how="left", validate="many_to_one")


def effect_of(rows: pd.DataFrame, outcome: str, *, drawn_in: bool = False) -> Difference | None:
    """The adjusted effect on ``kept`` or ``net_value``, target against control of the same action.

    ``rows``: of one experiment, in an order of their own. Actions with too few rows in an arm are left out; None where too
    few remain, or an outcome is not known. ``drawn_in``: winsorised.
    """
    compared = rows[comparable_rows(rows["arm"] == "target", rows["action"])]
    values = compared[outcome].to_numpy(dtype=np.float64)
    if not len(values) or np.isnan(values).any():
        return None
    actions = pd.factorize(compared["action"], sort=True)[0]
    treated = (compared["arm"] == "target").to_numpy()
    return adjusted_difference(winsorised(values) if drawn_in else values, treated, _covariates(compared), actions)


def group_effects(rows: pd.DataFrame) -> pd.DataFrame:
    """``GROUP_COLUMNS`` of every action and market: exploratory, their p values corrected together over each outcome."""
    found = []
    for by in ("action", "market"):
        parts = rows.groupby(by, sort=True) if by in rows else ()
        for group, part in parts:
            for outcome in OUTCOMES:
                effect = effect_of(part, outcome)
                if effect is not None:
                    found.append({"by": by, "group": str(group), "outcome": outcome, **_numbers(effect)})
    if not found:
        return pd.DataFrame(columns=GROUP_COLUMNS)
    frame = pd.DataFrame(found)
    together = frame.groupby("outcome")["p_value"]
    frame["p_holm"] = together.transform(lambda values: holm(values.to_numpy(dtype=np.float64)))
    frame["is_clear"] = frame["p_holm"] < 0.05
    return frame[GROUP_COLUMNS]


def holm(p_values: FloatArray) -> FloatArray:
    """p values corrected for being looked at together (Holm 1979, "A simple sequentially rejective multiple test procedure")."""
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def quarter_of(days: pd.Series, first_month: int) -> pd.Series:
    """Names such as 2026-Q1 of the quarters that days lie in; a year is named by the calendar year in which it begins."""
    months = (days.dt.year * 12 + days.dt.month - first_month).to_numpy()
    names = [f"{month // 12}-Q{month % 12 // 3 + 1}" for month in months.tolist()]
    return pd.Series(names, index=days.index, dtype="str")


def _read(rows: pd.DataFrame, period: str, plan: ReadingPlan, today: date, executions: pd.DataFrame | None) -> Reading:
    """The reading of the rows of one experiment and period."""
    verdict_on = _verdict_day(rows["as_of"], plan, today)
    matured = today >= verdict_on
    known = rows[_has_outcome(rows)] if matured else rows
    compared = known[comparable_rows(known["arm"] == "target", known["action"])]
    counts = {arm: int((compared["arm"] == arm).sum()) for arm in ("target", "control")}
    counts |= {"no_comparison": len(known) - len(compared), "no_outcome": len(rows) - len(known)}
    value = effect_of(compared, "net_value") if matured else None
    kept = effect_of(compared, "kept") if matured else None
    return Reading(
        experiment=str(rows["experiment"].iloc[0]),
        period=period,
        state="maturing" if not matured else "measured" if value or kept else "not_enough_data",
        verdict_on=verdict_on,
        counts=counts,
        value=value,
        kept=kept,
        value_winsorised=None if value is None else effect_of(compared, "net_value", drawn_in=True),
        groups=group_effects(compared) if matured else pd.DataFrame(columns=GROUP_COLUMNS),
        more_customers=None if value is None else _more_customers(value, plan),
        executed=None if executions is None else executed_shares(rows, executions),
    )


def _verdict_day(listed_on: pd.Series, plan: ReadingPlan, today: date) -> date:
    """The day on which the last listing of the period matures; while a quarter runs, that of a listing on its last day."""
    last = day_of(listed_on.max().date())
    if plan.by == "quarter":
        quarter_end = _last_day_of_quarter(listed_on.max(), plan.first_month)
        last = quarter_end if day_of(today) <= quarter_end else last
    return date_of(plan.window.matured_on(last))


def _last_day_of_quarter(day: pd.Timestamp, first_month: int) -> int:
    months = day.year * 12 + day.month - first_month
    after = (months // 3 + 1) * 3 + first_month - 1
    return day_of(date(after // 12, after % 12 + 1, 1)) - 1


def _has_outcome(rows: pd.DataFrame) -> pd.Series:
    """Where kept is known, and the value too if any is: a shop without purchases has none."""
    if rows["net_value"].isna().all():
        return rows["kept"].notna()
    return rows["kept"].notna() & rows["net_value"].notna()


def _covariates(rows: pd.DataFrame) -> FloatArray:
    """What was known on the list's day; where a value is unknown, the mean of the others, which says nothing."""
    columns = []
    for name in COVARIATES:
        column = pd.to_numeric(rows[name]).to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(column)
        columns.append(np.where(known, column, column[known].mean() if known.any() else 0.0))
    return np.column_stack(columns)


def _more_customers(value: Difference, plan: ReadingPlan) -> int | None:
    wanted = value.estimate if plan.worthwhile_value is None else plan.worthwhile_value
    if value.is_clear or not wanted:
        return None
    return max(0, customers_needed(value, wanted) - value.target_rows - value.control_rows)


def _numbers(effect: Difference) -> Mapping[str, float | int]:
    names = ("estimate", "low", "high", "p_value", "target_rows", "control_rows")
    return {name: getattr(effect, name) for name in names}
