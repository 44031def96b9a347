"""The rows of a list in words: reasons, actions, warnings, and the names of the models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.config import Config
from kizuna.data.report import freshness
from kizuna.data.store import Store
from kizuna.features.frame import build_frame
from kizuna.features.sample import Listed
from kizuna.scoring.champion import LoadedModels
from kizuna.timeline import day_of

AT_RISK_COLUMNS = [
    *("as_of", "list_rank", "customer_id", "churn_probability", "horizon_days", "risk_band", "risk_percentile"),
    *("churn_probability_prev", "list_status", "weeks_on_list", "lifecycle_stage", "market", "language"),
    *("last_purchase", "days_since_purchase", "usual_gap_days", "overdue_ratio", "expected_next_purchase"),
    *("orders_365d", "revenue_365d", "currency", "cltv", "cltv_horizon_days", "cltv_formula"),
    *("value_if_kept", "value_if_churned", "value_at_risk"),
    *(f"reason_{k}{part}" for k in (1, 2, 3) for part in ("", "_text", "_strength")),
    *("facts", "action", "action_text", "channel", "call_hours", "act_by", "offer_max_cost"),
    *("contact_allowed", "suppressed_reason", "arm"),
    *("data_warning", "churn_model", "cltv_model"),
]

_SLOW = "slow_rhythm"

# Enough for medians of what customers at low risk are like.
_LOW_RISK_SAMPLE = 2000


@dataclass(frozen=True)
class Manner:
    """How reasons are found. ``low_risk``: ids of eligible customers unlikely to leave, by whose features better ones are told
    (``low_risk_ids``). ``proven``: drivers of our own conduct that past lists have shown to act.
    """

    low_risk: pd.Series[str]
    proven: frozenset[str] = frozenset()


def features_of_listed(store: Store, models: LoadedModels, as_of: int, ids: pd.Series[str]) -> pd.DataFrame:
    """The day's features of some customers, in the order of their ids given; gaps for who is not eligible."""
    frame = build_frame(store, models.plan, [as_of], models.definition.eligible, Listed(frozenset(ids)))
    position = pd.Index(frame.customer_ids).get_indexer(pd.Index(ids.astype(object)))
    return frame.columns().reindex(position).reset_index(drop=True)


def said_of(
    store: Store,
    config: Config,
    models: LoadedModels,
    listed: pd.DataFrame,
    context: pd.DataFrame,
    manner: Manner,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``AT_RISK_COLUMNS`` of listed customers, with reasons and actions; and what each feature adds to their risk.

    ``listed``: rows of one day, see ``Selection``. ``context``: what was known of them.
    """
    from kizuna.explain.better import Model
    from kizuna.explain.contributions import explanations
    from kizuna.explain.reasons import Telling, reasons
    from kizuna.playbook import load_playbook, plan_actions

    as_of = day_of(listed["as_of"].iloc[0]) if len(listed) else 0
    both = features_of_listed(store, models, as_of, pd.concat([listed["customer_id"], manner.low_risk]))
    features, beside = both.iloc[: len(listed)], both.iloc[len(listed) :]
    contributions = models.churn.contributions(features)
    rows = pd.concat([listed[["customer_id"]], features], axis=1)
    columns = models.plan.columns
    language = config.at_risk.language
    telling = Telling(language, config.at_risk.reasons, config.data.currency, manner.proven)
    judge = Model(lambda frame: models.churn.predict_proba(frame)[:, 1], beside.median().to_numpy(dtype=np.float64))
    said = reasons(rows, contributions, columns, telling, judge)
    listed = pd.concat([listed, said], axis=1)
    planned = plan_actions(
        listed, context, load_playbook(config.playbook_path), language, config.economics.assumed_save_rate
    )
    listed = pd.concat([listed, planned], axis=1)
    horizon = models.contract["cltv_horizon_days"]
    listed = listed.assign(
        horizon_days=models.definition.horizon_days,
        currency=pd.Series(config.data.currency, index=listed.index, dtype="str"),
        cltv_horizon_days=pd.Series(horizon, index=listed.index, dtype="Int64"),
        data_warning=_data_warnings(listed, _data_warning(store, as_of), models.definition.horizon_days),
        churn_model=models.names["churn"],
        cltv_model=pd.Series(models.names.get("cltv"), index=listed.index, dtype="str"),
    )
    return listed[AT_RISK_COLUMNS], explanations(rows, contributions, columns)


def low_risk_ids(scores: pd.DataFrame) -> pd.Series[str]:
    """Customers of the quarter that is least likely to leave, evenly chosen by id where they are many."""
    p = scores["churn_probability"]
    safe = scores.loc[p <= p.quantile(0.25), "customer_id"]
    return safe.iloc[:: len(safe) // _LOW_RISK_SAMPLE + 1]


def _data_warnings(listed: pd.DataFrame, shared: str | None, horizon_days: int) -> pd.Series[str]:
    """Codes joined by ``;``: what is late or missing for all, and where the usual gap is longer than the horizon."""
    slow = (listed["usual_gap_days"] > horizon_days).tolist()
    said = [";".join(word for word in (shared, _SLOW if is_slow else None) if word) or None for is_slow in slow]
    return pd.Series(said, index=listed.index, dtype="str")


def _data_warning(store: Store, as_of: int) -> str | None:
    stale = [finding.table for finding in freshness(store, as_of)]
    words = [f"stale_{name}" for name in stale] + [f"missing_{name}" for name in store.missing]
    return ";".join(words) or None
