"""What is done for every listed customer, over which channel and by when: facts first, reasons second.

Contributions of a model are not causes, so what is known of a customer decides before what the model made of it.
Every row gets its planned action, whatever its arm; the arm says whether it is done. The rules are data:
``builtin.yaml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from kizuna.config_at_risk import market_key
from kizuna.explain.consent import CHANNELS, open_channels
from kizuna.explain.wording import load_wording
from kizuna.playbook.actions import ADVOCACY, OWED, Action, Playbook, Rule
from kizuna.playbook.calendar import DAYTIME, Calendar

PLANNED = {
    "action": "str",
    "action_text": "str",
    "channel": "str",
    "act_by": "datetime64[s]",
    "call_hours": "str",
    "offer_max_cost": "float64",
}
_EXPIRY = "points_expire_in_days"
# What rings in the customer's pocket keeps to the hours of calls.
_AT_ONCE = ("phone", "sms", "line")


@dataclass(frozen=True)
class _Row:
    facts: frozenset[str]
    reasons: tuple[str, ...]
    band: str
    stage: str
    market: str
    language: str
    channels: frozenset[str]
    position: float
    value: float
    week: int
    silent_days: float


def plan_actions(
    listed: pd.DataFrame, context: pd.DataFrame, playbook: Playbook, language: str, save_rate: float | None = None
) -> pd.DataFrame:
    """action, action_text, channel, act_by (datetime64[s]), call_hours, offer_max_cost of every listed row, on its index.

    ``listed``: as_of, list_rank, customer_id, facts, reason_1 …, risk_band, lifecycle_stage, weeks_on_list,
    expected_next_purchase, and where known days_since_purchase, market, language, value_at_risk. ``context``: the consent
    columns and, where known, points_expire_in_days, by customer_id. ``channel`` is the first consented one that suits the
    action, null where none was agreed to; nobody is called in a market whose calendar has no hours for it. ``act_by`` is the
    first of the expected next purchase, the day on which points expire and the end of the action's time, never before
    ``as_of``, moved to the working day before. ``call_hours``: of the customer's market, where the channel is phone, sms or
    line; by day, where nobody is called there.
    ``offer_max_cost``: value_at_risk × ``save_rate`` for actions that offer something, else null. ConfigError: no text in
    this language.
    """
    load_wording(language)
    known, customers = context.set_index(context["customer_id"].astype("str")), listed["customer_id"].astype("str")
    agreed = open_channels(known.drop(columns="customer_id")).reindex(customers, fill_value=False)
    expiring = known.get(_EXPIRY, pd.Series(float("nan"), known.index)).reindex(customers)
    planned = []
    rows = zip(listed.to_dict("records"), agreed.to_numpy(dtype=bool), expiring.tolist(), strict=True)
    for row, consented, expire_in_days in rows:
        calendar = playbook.calendar(_text(row, "market"))
        channels = {channel for channel, is_open in zip(CHANNELS, consented, strict=True) if is_open}
        said = _said(row, channels if calendar.call_hours else channels - {"phone"}, len(listed))
        rule = _choose(said, playbook)
        action = playbook.actions[rule.action]
        channel = next((channel for channel in action.channels if channel in said.channels), None)
        due = _act_by(row, action, expire_in_days, calendar)
        hours = (calendar.call_hours or DAYTIME) if channel in _AT_ONCE else None
        text = (rule.text or action.text)[language]
        planned.append((action.code, text, channel, due, hours, _ceiling(action, said.value, save_rate)))
    frame = pd.DataFrame(planned, columns=list(PLANNED), index=listed.index)
    return frame.astype(PLANNED)


def _said(row: Mapping[Any, Any], channels: set[str], count: int) -> _Row:
    reasons = (_text(row, name) for name in ("reason_1", "reason_2", "reason_3"))
    value, silent = row.get("value_at_risk"), row.get("days_since_purchase")
    return _Row(
        facts=frozenset((_text(row, "facts") or "").split(";")) - {""},
        reasons=tuple(reason for reason in reasons if reason is not None),
        band=row["risk_band"],
        stage=_text(row, "lifecycle_stage") or "",
        market=market_key(_text(row, "market") or ""),
        language=(_text(row, "language") or "").strip().lower(),
        channels=frozenset(channels),
        position=(row["list_rank"] - 1) / count,
        value=math.nan if value is None else float(value),
        week=row["weeks_on_list"],
        silent_days=math.nan if silent is None else float(silent),
    )


def _text(row: Mapping[Any, Any], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


def _choose(row: _Row, playbook: Playbook) -> Rule:
    for fact, action in OWED.items():
        if fact in row.facts:
            return Rule(action)
    fitting = [rule for rule in _fitting(row, playbook) if rule.action != ADVOCACY or "DETRACTOR" not in row.facts]
    if "DISCOUNT_DEPENDENT" in row.facts:
        return next((rule for rule in fitting if not playbook.actions[rule.action].is_offer), fitting[0])
    return fitting[0]


def _fitting(row: _Row, playbook: Playbook) -> Iterator[Rule]:
    yield from (rule for rule in playbook.by_fact if _holds(rule, row))
    for reason in row.reasons:
        yield from (rule for rule in playbook.by_reason if reason in rule.reasons and _holds(rule, row))
    yield Rule(playbook.otherwise)


def _holds(rule: Rule, row: _Row) -> bool:
    return (
        (not rule.facts or not row.facts.isdisjoint(rule.facts))
        and row.facts.isdisjoint(rule.without)
        and (not rule.bands or row.band in rule.bands)
        and (not rule.stages or row.stage in rule.stages)
        and (not rule.markets or row.market in rule.markets)
        and (not rule.languages or row.language in rule.languages)
        and (rule.channel is None or rule.channel in row.channels)
        and row.position < rule.top_share
        and (rule.min_value_at_risk is None or row.value >= rule.min_value_at_risk)
        and row.week >= rule.from_week
        and (rule.max_days_since_purchase is None or row.silent_days <= rule.max_days_since_purchase)
    )


def _act_by(row: Mapping[Any, Any], action: Action, expire_in_days: float, calendar: Calendar) -> pd.Timestamp:
    today, expected = pd.Timestamp(row["as_of"]), row["expected_next_purchase"]
    days = [action.within_days] if math.isnan(expire_in_days) else [action.within_days, int(expire_in_days)]
    if not pd.isna(expected):
        days.append((pd.Timestamp(expected) - today).days)
    last = today + timedelta(days=max(min(days), 0))
    return pd.Timestamp(calendar.last_working_day(today.date(), last.date()))


def _ceiling(action: Action, value: float, save_rate: float | None) -> float:
    if not action.is_offer or save_rate is None or math.isnan(value):
        return math.nan
    return round(max(value, 0.0) * save_rate, 2)
