"""The at-risk list of one day: who is listed, in which arm, who is left out and why, who left since the last list.

Walk down the ranking until ``size`` rows are target and may be contacted; control, exempt and paused rows met on the
way are listed and marked. Nobody disappears silently: eligible is listed and ``LEFT_OUT``, reason by reason.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from kizuna.config import Config
from kizuna.config_at_risk import market_key
from kizuna.errors import ResultError
from kizuna.evaluation.baselines.formula import cltv_formula
from kizuna.explain.consent import contact_consent
from kizuna.explain.facts import OWED_SERVICE, fact_codes, fact_flags
from kizuna.lists.history import earlier_lists, removed_since, standing
from kizuna.lists.published import received
from kizuna.lists.walk import BEYOND, LISTED, Limits, left_out

LEFT_OUT = ("suppressed", "below_min_probability", *BEYOND)
LIST_COLUMNS = [
    *("as_of", "list_rank", "customer_id", "churn_probability", "risk_band", "risk_percentile"),
    *(
        "churn_probability_prev",
        "list_status",
        "weeks_on_list",
        "lifecycle_stage",
        "market",
        "language",
        "last_purchase",
    ),
    *("days_since_purchase", "usual_gap_days", "overdue_ratio", "expected_next_purchase", "orders_365d"),
    *("revenue_365d", "cltv", "cltv_formula", "value_if_kept", "value_if_churned", "value_at_risk"),
    *("facts", "contact_allowed", "suppressed_reason", "arm"),
]
# What the list adds to the scores of every eligible customer.
SCORE_COLUMNS = [
    *("risk_band", "risk_percentile", "arm"),
    *("market", "language", "lifecycle_stage", "left_out", "contact"),
]

_VALUES = ("cltv", "value_if_kept", "value_if_churned", "value_at_risk")
# What is read of the context beside facts and consent; null where the table behind it is not configured.
_KNOWN = (
    "days_since_purchase",
    "usual_gap_days",
    "overdue_ratio",
    "orders",
    "orders_365d",
    "revenue_365d",
    "tenure_days",
)


@dataclass(frozen=True)
class ListPlan:
    """How one list is drawn. ``min_probability`` None: the eligible mean. ``cltv_horizon_days`` None: no value model,
    the formula then looks a year ahead. ``per_market``, ``quota``, ``max_silent_share``: see the config; silent are those
    whose last purchase is more than ``silent_after_days`` ago.
    """

    as_of: date
    experiment: str
    rank_by: str = "value_at_risk"
    size: int = 500
    min_probability: float | None = None
    high: float = 0.6
    medium: float = 0.3
    control_share: float = 0.2
    contact_pause_days: int = 14
    cltv_horizon_days: int | None = None
    margin: float = 1.0
    per_market: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, int] = field(default_factory=dict)
    max_silent_share: float | None = None
    silent_after_days: int = 90

    @property
    def limits(self) -> Limits:
        """The places of the list."""
        # The share as it was written: 0.29 of 100 are 29, though the product of the floats is a little less.
        share = None if self.max_silent_share is None else math.floor(self.size * self.max_silent_share + 1e-9)
        return Limits(self.size, self.per_market, self.quota, share)


@dataclass(frozen=True)
class Selection:
    """One list.

    ``listed``: the columns ``LIST_COLUMNS`` in order of list_rank. ``scores``: every eligible customer, sorted by
    customer_id: the columns given, and ``SCORE_COLUMNS``; left_out is why a customer is not listed, "" for who is;
    contact is allowed, refused (by suppression, consent or pause) or unknown. ``counts``: eligible, listed, and the left
    out by reason. ``removed``: see ``removed_since``; None on the first run. ``rank_by`` and ``min_probability``:
    those used. ``unknown_markets``: markets with a limit in which nobody is eligible.
    """

    listed: pd.DataFrame
    scores: pd.DataFrame
    counts: dict[str, int]
    removed: pd.DataFrame | None
    rank_by: str
    min_probability: float
    unknown_markets: tuple[str, ...] = ()


def list_plan(config: Config, as_of: date, cltv_horizon_days: int | None) -> ListPlan:
    """The plan of a config for one day; the horizon is that of the value model in use."""
    asked = config.at_risk
    return ListPlan(
        as_of=as_of,
        experiment=config.experiment,
        rank_by=asked.rank_by,
        size=asked.size,
        min_probability=None if asked.min_probability == "auto" else float(asked.min_probability),
        high=asked.bands.high,
        medium=asked.bands.medium,
        control_share=asked.control_share,
        contact_pause_days=asked.contact_pause_days,
        cltv_horizon_days=cltv_horizon_days,
        margin=config.cltv.margin,
        per_market=asked.per_market,
        quota=asked.quota,
        max_silent_share=asked.max_silent_share,
        silent_after_days=config.churn.horizon_days,
    )


def plan_for_one(plan: ListPlan) -> ListPlan:
    """The plan by which one customer alone is listed, whatever places there are for others; suppressed ones still are not."""
    return replace(plan, size=1, min_probability=0.0, per_market={}, quota={}, max_silent_share=None)


def select(scores: pd.DataFrame, context: pd.DataFrame, plan: ListPlan, history: pd.DataFrame) -> Selection:
    """The list of ``plan.as_of``.

    ``scores``: one row per eligible customer with churn_probability and, where known, the value columns and
    expected_next_purchase. ``context``: what was known of them, one row each. ``history``: customer_id, as_of,
    churn_probability of earlier lists, later ones are not looked at, and nobody rests because of one made for the record.
    Where no value is known the ranking is by churn_probability. ResultError: duplicates, or no probabilities.
    """
    table, flags = _eligible(scores, context, plan)
    rank_by = plan.rank_by if table[plan.rank_by].notna().any() else "churn_probability"
    probability = table["churn_probability"]
    least = _eligible_mean(probability) if plan.min_probability is None else plan.min_probability
    earlier = earlier_lists(history, plan.as_of)
    suppressed = table["suppressed_reason"].notna()
    table["left_out"] = np.select([suppressed, probability < least], ["suppressed", "below_min_probability"], "")

    stand = standing(table["customer_id"], earlier, plan.as_of, plan.contact_pause_days)
    if len(sent := received(history)) < len(history):
        resting = earlier_lists(sent, plan.as_of)
        stand["paused"] = standing(table["customer_id"], resting, plan.as_of, plan.contact_pause_days)["paused"]
    marked = table.join(stand)
    marked = _mark_contact(marked, plan)
    table["contact"] = _contact_word(marked["contact_allowed"].mask(suppressed, False))
    ranking = ([rank_by, "churn_probability", "customer_id"], [False, False, True])
    order = marked.sort_values(ranking[0], ascending=ranking[1], na_position="last", kind="stable")
    walk = order[order["left_out"] == ""].copy()
    walk["takes_place"] = ((walk["arm"] == "target") & walk["contact_allowed"].fillna(True)).astype(bool)
    walk["is_silent"] = walk["days_since_purchase"] > plan.silent_after_days
    beyond = left_out(walk, plan.limits)
    table.loc[walk.index, "left_out"] = beyond

    listed = walk[beyond == LISTED].copy()
    listed = listed.assign(list_rank=np.arange(1, len(listed) + 1), as_of=pd.Timestamp(plan.as_of))
    listed["as_of"] = listed["as_of"].astype("datetime64[s]")
    listed["facts"] = fact_codes(flags.loc[listed.index])
    markets = {market_key(market) for market in table["market"].dropna().unique()}
    reasons = {reason: int((table["left_out"] == reason).sum()) for reason in LEFT_OUT}
    return Selection(
        listed=listed[LIST_COLUMNS].reset_index(drop=True),
        scores=table[[*scores.columns, *SCORE_COLUMNS]],
        counts={"eligible": len(table), "listed": len(listed), **reasons},
        removed=removed_since(table, listed["customer_id"], earlier),
        rank_by=rank_by,
        min_probability=float(least),
        unknown_markets=tuple(market for market in plan.per_market if market_key(market) not in markets),
    )


def arm_of(customer_id: str, experiment: str, control_share: float) -> str:
    """``control`` for a fixed share of customers, else ``target``: drawn once and for all from experiment and id."""
    digest = hashlib.sha256(f"{experiment}|{customer_id}".encode()).digest()
    return "control" if int.from_bytes(digest[:8], "big") / 2**64 < control_share else "target"


def risk_percentile(probability: pd.Series) -> pd.Series:
    """1–100 over the rows, 100 riskiest: ``ceil(100 · rank / n)``, where ties share the mean rank."""
    doubled = (2 * probability.rank(method="average")).round().astype("int64")
    return -(-50 * doubled // max(len(probability), 1))


def lifecycle_stage(context: pd.DataFrame) -> pd.Series:
    """first (one order), lapsing (silent for twice the usual gap), second, loyal (5 orders, a year), or regular.

    The first of these that applies; null where orders are unknown or there was none. ``context``: orders,
    overdue_ratio, tenure_days.
    """
    orders, overdue, tenure = context["orders"], context["overdue_ratio"], context["tenure_days"]
    stages = np.select(
        [~(orders >= 1), orders < 2, overdue >= 2, orders < 3, (orders >= 5) & (tenure >= 365)],
        ["", "first", "lapsing", "second", "loyal"],
        "regular",
    )
    return pd.Series(stages, index=context.index, dtype="str").replace("", None)


def _eligible(scores: pd.DataFrame, context: pd.DataFrame, plan: ListPlan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per eligible customer, sorted by customer: scores, context, risk, arm; and the flags of their facts."""
    table = scores.assign(customer_id=scores["customer_id"].astype("str"))
    table = table.sort_values("customer_id", ignore_index=True)
    probability = table["churn_probability"].astype("float64")
    twice = int(table["customer_id"].duplicated().sum()) + int(context["customer_id"].duplicated().sum())
    if twice or not probability.between(0, 1).all():
        wrong = int((~probability.between(0, 1)).sum())
        raise ResultError(
            f"A probability between 0 and 1 was asked for every eligible customer, once; of {len(table):,} rows "
            f"{wrong:,} have none and {twice:,} repeat a customer. Run 'kizuna check', and train again."
        )
    fresh = [column for column in context if column not in table]
    known = context.assign(customer_id=context["customer_id"].astype("str")).set_index("customer_id")[fresh]
    known = known.reindex(table["customer_id"]).reset_index(drop=True)
    flags = fact_flags(known)
    table = table.assign(
        **{column: table[column].astype("float64") if column in table else np.nan for column in _VALUES}
    )
    table = table.assign(**{column: _numbers(known, column) for column in _KNOWN})
    exempt = flags[list(OWED_SERVICE)].any(axis=1)
    drawn = [arm_of(customer, plan.experiment, plan.control_share) for customer in table["customer_id"].tolist()]
    table = table.assign(
        last_purchase=_dates(known, "last_purchase"),
        expected_next_purchase=_dates(table, "expected_next_purchase"),
        suppressed_reason=_texts(known, "suppressed_reason"),
        market=_texts(known, "market"),
        language=_texts(known, "language"),
        last_contact=_days_before(plan.as_of, _numbers(known, "days_since_personal_contact")),
        days_since_pause_contact=_numbers(known, "days_since_pause_contact"),
        consent=contact_consent(known),
        risk_band=np.select([probability >= plan.high, probability >= plan.medium], ["high", "medium"], "low"),
        risk_percentile=risk_percentile(probability),
        lifecycle_stage=lifecycle_stage(table),
        cltv_formula=cltv_formula(table, plan.cltv_horizon_days or 365, plan.margin),
        arm=np.where(exempt, "exempt", drawn),
    )
    return table, flags


def _mark_contact(walk: pd.DataFrame, plan: ListPlan) -> pd.DataFrame:
    """The walk with contact_allowed, suppressed_reason (no_consent, paused) and list_status marked.

    Service that is owed does not wait for a pause.
    """
    paused = walk["paused"] | (walk["days_since_pause_contact"] < plan.contact_pause_days)
    paused &= walk["arm"] != "exempt"
    refused = walk["consent"].eq(False).fillna(False).astype(bool)
    return walk.assign(
        contact_allowed=walk["consent"].mask(paused, False),
        suppressed_reason=pd.Series(
            np.select([refused, paused], ["no_consent", "paused"], ""), index=walk.index, dtype="str"
        ).replace("", None),
        list_status=walk["list_status"].mask(paused, "continuing"),
    )


def _contact_word(allowed: pd.Series) -> pd.Series:
    words = allowed.map({True: "allowed", False: "refused"}).astype(object)
    return pd.Series(words.where(allowed.notna(), "unknown"), index=allowed.index, dtype="str")


def _eligible_mean(probability: pd.Series) -> float:
    """The mean, exact in any order of rows; never above the largest value, so that equals are not all left out."""
    return min(math.fsum(probability) / len(probability), float(probability.max())) if len(probability) else 0.0


def _numbers(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(np.nan, index=frame.index)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(values, index=frame.index)


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame[column] if column in frame else pd.Series(None, index=frame.index, dtype="str")


def _days_before(day: date, days_ago: pd.Series) -> pd.Series:
    return (pd.Timestamp(day) - pd.to_timedelta(days_ago, unit="D")).astype("datetime64[s]")


def _dates(frame: pd.DataFrame, column: str) -> pd.Series:
    dates = frame[column] if column in frame else pd.Series(pd.NaT, index=frame.index)
    return pd.to_datetime(dates).astype("datetime64[s]")
