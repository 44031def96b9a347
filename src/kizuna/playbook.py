"""What is done for every listed customer, over which channel and by when: facts first, reasons second.

Contributions of a model are not causes, so what is known of a customer decides before what the model made of it.
Every row gets its planned action, whatever its arm; the arm says whether it is done. The rules are data:
``playbook/builtin.yaml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from kizuna.errors import ConfigError, nearest
from kizuna.explain.consent import CHANNELS, open_channels
from kizuna.explain.facts import CODES
from kizuna.explain.reasons import NEVER_A_REASON
from kizuna.explain.wording import languages, load_wording

# Service that is owed, in this order; a playbook cannot say otherwise.
OWED = {"OPEN_COMPLAINT": "A02", "UNANSWERED_FEEDBACK": "A03", "NOTICE_GIVEN": "A15"}
BANDS = ("high", "medium", "low")
STAGES = ("first", "second", "regular", "loyal", "lapsing")
_ADVOCACY, _INCENTIVE = "A11", "A06"
_EXPIRY = "points_expire_in_days"


@dataclass(frozen=True)
class Action:
    """One thing to do: its text by language, how soon, and the channels that suit it, best first."""

    code: str
    name: str
    within_days: int
    channels: tuple[str, ...]
    text: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """An action and what must hold for it; an empty condition always holds."""

    action: str
    facts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    channel: str | None = None
    top_share: float = 1.0
    from_week: int = 1


@dataclass(frozen=True)
class Playbook:
    """Actions by code, the rules in their order, and what is done where no rule fits."""

    actions: Mapping[str, Action]
    by_fact: tuple[Rule, ...]
    by_reason: tuple[Rule, ...]
    otherwise: str


@dataclass(frozen=True)
class _Row:
    facts: frozenset[str]
    reasons: tuple[str, ...]
    band: str
    stage: str
    channels: frozenset[str]
    position: float
    week: int


def plan_actions(listed: pd.DataFrame, context: pd.DataFrame, playbook: Playbook, language: str) -> pd.DataFrame:
    """action, action_text, channel, act_by (datetime64[s]) for every listed row, on the index of ``listed``.

    ``listed``: as_of, list_rank, customer_id, facts, reason_1 …, risk_band, lifecycle_stage, weeks_on_list,
    expected_next_purchase. ``context``: the consent columns and, where known, points_expire_in_days, by customer_id.
    ``channel`` is the first consented one that suits the action, null where none was agreed to. ``act_by`` is the
    first of the expected next purchase, the day on which points expire and the end of the action's time, and never before
    ``as_of``. ConfigError: no text in this language.
    """
    load_wording(language)
    known, customers = context.set_index(context["customer_id"].astype("str")), listed["customer_id"].astype("str")
    agreed = open_channels(known.drop(columns="customer_id")).reindex(customers, fill_value=False)
    expiring = known.get(_EXPIRY, pd.Series(float("nan"), known.index)).reindex(customers)
    reason_columns = [column for column in ("reason_1", "reason_2", "reason_3") if column in listed]
    planned = []
    rows = zip(listed.to_dict("records"), agreed.to_numpy(dtype=bool), expiring.tolist(), strict=True)
    for row, consented, expire_in_days in rows:
        facts = row["facts"] if isinstance(row["facts"], str) else ""
        said = _Row(
            facts=frozenset(facts.split(";")) - {""},
            reasons=tuple(row[column] for column in reason_columns if isinstance(row[column], str)),
            band=row["risk_band"],
            stage=row["lifecycle_stage"] if isinstance(row["lifecycle_stage"], str) else "",
            channels=frozenset(channel for channel, is_open in zip(CHANNELS, consented, strict=True) if is_open),
            position=(row["list_rank"] - 1) / len(listed),
            week=row["weeks_on_list"],
        )
        action = playbook.actions[_choose(said, playbook)]
        channel = next((channel for channel in action.channels if channel in said.channels), None)
        planned.append((action.code, action.text[language], channel, _act_by(row, action, expire_in_days)))
    frame = pd.DataFrame(planned, columns=["action", "action_text", "channel", "act_by"], index=listed.index)
    return frame.astype({"action": "str", "action_text": "str", "channel": "str", "act_by": "datetime64[s]"})


def _choose(row: _Row, playbook: Playbook) -> str:
    for fact, action in OWED.items():
        if fact in row.facts:
            return action
    fitting = [action for action in _fitting(row, playbook) if action != _ADVOCACY or "DETRACTOR" not in row.facts]
    if "DISCOUNT_DEPENDENT" in row.facts:
        return next((action for action in fitting if action != _INCENTIVE), _INCENTIVE)
    return fitting[0]


def _fitting(row: _Row, playbook: Playbook) -> Iterator[str]:
    yield from (rule.action for rule in playbook.by_fact if _holds(rule, row))
    for reason in row.reasons:
        yield from (rule.action for rule in playbook.by_reason if reason in rule.reasons and _holds(rule, row))
    yield playbook.otherwise


def _holds(rule: Rule, row: _Row) -> bool:
    return (
        (not rule.facts or not row.facts.isdisjoint(rule.facts))
        and row.facts.isdisjoint(rule.without)
        and (not rule.bands or row.band in rule.bands)
        and (not rule.stages or row.stage in rule.stages)
        and (rule.channel is None or rule.channel in row.channels)
        and row.position < rule.top_share
        and row.week >= rule.from_week
    )


def _act_by(row: Mapping[Any, Any], action: Action, expire_in_days: float) -> pd.Timestamp:
    today, expected = pd.Timestamp(row["as_of"]), row["expected_next_purchase"]
    days = [action.within_days] if math.isnan(expire_in_days) else [action.within_days, int(expire_in_days)]
    if not pd.isna(expected):
        days.append((pd.Timestamp(expected) - today).days)
    return today + timedelta(days=max(min(days), 0))


def load_playbook(path: Path | None = None) -> Playbook:
    """The checked playbook of a file, or the one that kizuna brings along. ConfigError says what to mend and where."""
    where = "playbook" if path is None else str(path)
    try:
        source = resources.files("kizuna") / "playbook" / "builtin.yaml" if path is None else path
        tree = yaml.safe_load(source.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(f"The playbook {where} was asked for, but it cannot be read. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"The playbook {where} is not a YAML file in UTF-8. Mend its quotes and indents.") from None
    return parse_playbook(tree, where)


def parse_playbook(tree: Any, where: str = "playbook") -> Playbook:
    """The checked playbook of a plain tree; ConfigError says what to mend and where."""
    _check_keys(tree, ("actions", "by_fact", "by_reason", "otherwise"), (), where)
    actions = {code: _action(code, node, f"{where}: actions.{code}") for code, node in _section(tree, "actions", where)}
    for code in OWED.values():
        _check_known(code, actions, f"{where}: actions", "action")
    by_fact = [_rule(node, f"{where}: by_fact[{k}]", actions) for k, node in _section(tree, "by_fact", where)]
    by_reason = [_rule(node, f"{where}: by_reason[{k}]", actions) for k, node in _section(tree, "by_reason", where)]
    for k, rule in enumerate(by_reason):
        if not rule.reasons:
            raise ConfigError(f"{where}: by_reason[{k}] names no reason. Add reasons, or move the rule to by_fact.")
    for k, rule in enumerate(by_fact):
        if rule.reasons:
            raise ConfigError(f"{where}: by_fact[{k}] names reasons. Facts decide first: move the rule to by_reason.")
    _check_known(tree["otherwise"], actions, f"{where}: otherwise", "action")
    if tree["otherwise"] == _ADVOCACY:
        raise ConfigError(
            f"{where}: otherwise is {_ADVOCACY}, which a detractor is never asked for. Choose another action."
        )
    return Playbook(actions, tuple(by_fact), tuple(by_reason), tree["otherwise"])


def _action(code: str, node: Any, where: str) -> Action:
    _check_keys(node, ("name", "within_days", "channels", "text"), (), where)
    days, text = node["within_days"], node["text"]
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 366:
        raise ConfigError(f"{where}.within_days must be a whole number of days from 0 to 366; found {days!r}.")
    _check_keys(text, languages(), (), f"{where}.text")
    channels = _names(node["channels"], CHANNELS, f"{where}.channels", "channel")
    return Action(code, str(node["name"]), days, channels, {language: str(text[language]) for language in text})


def _rule(node: Any, where: str, actions: Mapping[str, Action]) -> Rule:
    _check_keys(node, ("action",), [item.name for item in fields(Rule)], where)
    _check_known(node["action"], actions, where, "action")
    drivers = [driver for driver in load_wording("en").drivers if driver not in NEVER_A_REASON]
    known = {"facts": CODES, "without": CODES, "reasons": drivers, "bands": BANDS, "stages": STAGES}
    lists = {
        key: _names(node[key], names, f"{where}.{key}", key.rstrip("s")) for key, names in known.items() if key in node
    }
    share, week = node.get("top_share", 1.0), node.get("from_week", 1)
    if not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise ConfigError(f"{where}.top_share must be a share of the list above 0 and up to 1; found {share!r}.")
    if not isinstance(week, int) or week < 1:
        raise ConfigError(f"{where}.from_week must be a whole number from 1; found {week!r}.")
    channel = node.get("channel")
    if channel is not None:
        _check_known(channel, CHANNELS, f"{where}.channel", "channel")
    return Rule(action=node["action"], channel=channel, top_share=float(share), from_week=week, **lists)


def _section(tree: Mapping[str, Any], name: str, where: str) -> list[tuple[Any, Any]]:
    wanted = dict if name == "actions" else list
    if not isinstance(tree[name], wanted):
        raise ConfigError(f"{where}: {name} must be a {'section' if wanted is dict else 'list'}; found {tree[name]!r}.")
    return list(tree[name].items() if wanted is dict else enumerate(tree[name]))


def _names(node: Any, known: Sequence[str], where: str, what: str) -> tuple[str, ...]:
    if not isinstance(node, list) or not node:
        raise ConfigError(f"{where} must be a list such as [{known[0]}]; found {node!r}.")
    for name in node:
        _check_known(name, known, where, what)
    return tuple(node)


def _check_known(name: Any, known: Iterable[str], where: str, what: str) -> None:
    if name not in known:
        all_known = ", ".join(known) or "none"
        raise ConfigError(f"{where}: there is no {what} '{name}'.{nearest(str(name), known)} Known are {all_known}.")


def _check_keys(node: Any, needed: Sequence[str], allowed: Sequence[str], where: str) -> None:
    if not isinstance(node, dict):
        raise ConfigError(f"{where} must hold {', '.join(needed)}; found {node!r}.")
    known = [*dict.fromkeys([*needed, *allowed])]
    for key in node:
        if key not in known:
            raise ConfigError(
                f"{where}: unknown key '{key}'.{nearest(str(key), known)} Keys here are {', '.join(known)}."
            )
    for key in needed:
        if key not in node:
            raise ConfigError(f"{where}: '{key}' is missing. Add it.")
