"""One customer on one day: what was known, what the model says and why, what is planned, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from kizuna.config import Config
from kizuna.customer.change import Change, change_since
from kizuna.customer.events import Event, known_events
from kizuna.data.store import Store
from kizuna.errors import ConfigError
from kizuna.explain.facts import fact_sentences
from kizuna.features.context import Pauses
from kizuna.features.sample import Listed
from kizuna.lists.publication import Publication, lists_before, published
from kizuna.lists.published import as_received, published_rows
from kizuna.lists.selection import plan_for_one, select
from kizuna.scoring.champion import LoadedModels, is_hindsight, load_models, models_of
from kizuna.scoring.day import plan_of
from kizuna.scoring.everyone import score_everyone
from kizuna.scoring.rows import Manner, low_risk_ids, said_of
from kizuna.timeline import date_of

_NUMBERS = (
    *("churn_probability", "risk_band", "cltv", "value_if_kept", "value_if_churned", "value_at_risk"),
    *("lifecycle_stage", "last_purchase", "days_since_purchase", "usual_gap_days", "expected_next_purchase"),
    *("orders_365d", "revenue_365d", "horizon_days", "cltv_horizon_days"),
)
_PLANNED = ("action", "action_text", "channel", "act_by", "contact_allowed", "suppressed_reason", "arm", "list_status")
_ON_LIST = ("list_rank", "risk_percentile", "weeks_on_list")


@dataclass(frozen=True)
class Explanation:
    """One customer on ``as_of``.

    ``state``: listed (on the day's published list), not_listed, suppressed (contact is ruled out altogether) or not_eligible
    (nothing is predicted then). ``model``: printed name; ``hindsight``: it knows later days. ``numbers``: probability,
    value and figures. ``reasons``, ``facts``: (code, sentence) each. ``plan``: what is done, or would be if he were listed.
    ``events``: newest first. ``change``: None before the first list.
    """

    customer_id: str
    as_of: date
    state: str
    model: str
    hindsight: bool
    currency: str | None
    numbers: dict[str, Any]
    reasons: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    plan: dict[str, Any]
    events: Sequence[Event]
    change: Change | None


def explain_customer(store: Store, config: Config, customer_id: str, as_of: int) -> Explanation:
    """The customer as of a day, by the model of that day's list where one is published, else the champion.

    Errors: ConfigError for an id that no table has; ModelError for no usable model; DataMissing before the data begins.
    """
    events = known_events(store, customer_id, as_of)
    if events is None:
        raise ConfigError(
            "A customer was asked for whose id no table has, or who is forgotten. Ids are kept to the letter: "
            "007 is not 7. Look at the id in the list."
        )
    day = date_of(as_of)
    today, earlier = published(config.output_dir, day), lists_before(config.output_dir, day)
    models = (models_of(config, today, store.missing) if today else None) or load_models(config, missing=store.missing)
    row, facts, state = _said(store, config, models, customer_id, as_of, (today, earlier))
    if today is not None and row:
        on_list = _on_list(today, customer_id)
        row, state = row | on_list, "listed" if on_list else state
    now = row.get("churn_probability")
    change = change_since(store, config, models, (customer_id, as_of, now), earlier[-1]) if earlier else None
    reasons = [(row[f"reason_{k}"], row[f"reason_{k}_text"]) for k in (1, 2, 3) if row.get(f"reason_{k}")]
    return Explanation(
        customer_id=customer_id,
        as_of=day,
        state=state,
        model=models.names["churn"],
        hindsight=is_hindsight(models, as_of),
        currency=config.data.currency,
        numbers={name: row[name] for name in _NUMBERS if name in row},
        reasons=reasons,
        facts=facts,
        plan={name: row[name] for name in (*_PLANNED, *_ON_LIST) if name in row},
        events=events,
        change=change,
    )


def _said(
    store: Store,
    config: Config,
    models: LoadedModels,
    customer_id: str,
    as_of: int,
    lists: tuple[Publication | None, Sequence[Publication]],
) -> tuple[dict[str, Any], list[tuple[str, str]], str]:
    """The row that a list of this customer alone would have, his facts in words, and the state.

    ``lists``: the day's published list, and those before it.
    """
    today, earlier = lists
    earlier = as_received(earlier) if today and today.is_for_the_record else earlier
    pauses, only = Pauses(tuple(config.at_risk.pause_kinds)), Listed(frozenset({customer_id}))
    scores, context = score_everyone(store, models, as_of, pauses, only)
    if scores.empty:
        return {}, [], "not_eligible"
    language, currency = config.at_risk.language, config.data.currency
    sentences = fact_sentences(context, language, currency)
    facts = list(zip(sentences["fact"].tolist(), sentences["text"].tolist(), strict=True))
    alone = plan_for_one(plan_of(config, models, as_of))
    selection = select(scores, context, alone, published_rows(earlier, config))
    if selection.listed.empty:
        return _plain(selection.scores), facts, "suppressed"
    if today is None:
        everybody, _ = score_everyone(store, models, as_of, pauses)
    else:
        everybody = pd.read_parquet(today.file("scores.parquet"), columns=["customer_id", "churn_probability"])
    listed, _ = said_of(
        store, config, models, selection.listed, context, Manner(low_risk_ids(everybody), _proven(today, earlier))
    )
    # Of one customer there is no rank, and no percentile.
    return _plain(listed.drop(columns=list(_ON_LIST))), facts, "not_listed"


def _proven(today: Publication | None, earlier: Sequence[Publication]) -> frozenset[str]:
    """The drivers of our own conduct that were reasons on the day's list, or on the last one before it."""
    newest = today or (earlier[-1] if earlier else None)
    return frozenset(newest.manifest.get("proven", ())) if newest else frozenset()


def _on_list(today: Publication, customer_id: str) -> dict[str, Any]:
    """What the published list says of the plan; empty where the customer is not on it."""
    rows = pd.read_csv(today.file("at_risk.csv"), dtype=str, keep_default_na=False)
    mine = rows[rows["customer_id"] == customer_id]
    if mine.empty:
        return {}
    found: dict[str, Any] = {name: mine[name].iloc[0] or None for name in (*_PLANNED, *_ON_LIST)}
    allowed = {"true": True, "false": False}.get(str(found["contact_allowed"]))
    due = date.fromisoformat(found["act_by"]) if found["act_by"] else None
    return found | {name: int(found[name]) for name in _ON_LIST} | {"contact_allowed": allowed, "act_by": due}


def _plain(frame: pd.DataFrame) -> dict[str, Any]:
    """The only row; null is None, days are dates."""
    row = frame.iloc[0]
    values = {str(name): None if pd.isna(value) else value for name, value in row.items()}
    return {name: value.date() if isinstance(value, pd.Timestamp) else value for name, value in values.items()}
