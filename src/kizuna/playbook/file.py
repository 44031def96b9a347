"""Reading a playbook: a YAML file, checked like the config, as actions, rules and calendars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from kizuna.config_at_risk import market_key
from kizuna.errors import ConfigError, nearest
from kizuna.explain.consent import CHANNELS
from kizuna.explain.facts import CODES
from kizuna.explain.reasons import NEVER_A_REASON, OUR_CONDUCT
from kizuna.explain.wording import load_wording
from kizuna.playbook.actions import ADVOCACY, BANDS, INCENTIVE, OWED, STAGES, Action, Playbook, Rule
from kizuna.playbook.calendar import Calendar, parse_calendar
from kizuna.wording.catalog import catalog, languages


def load_playbook(path: Path | None = None) -> Playbook:
    """The checked playbook of a file, or the one that kizuna brings along. ConfigError says what to mend and where."""
    where = "playbook" if path is None else str(path)
    try:
        source = resources.files("kizuna.playbook") / "builtin.yaml" if path is None else path
        tree = yaml.safe_load(source.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(f"The playbook {where} was asked for, but it cannot be read. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"The playbook {where} is not a YAML file in UTF-8. Mend its quotes and indents.") from None
    return parse_playbook(tree, where)


def parse_playbook(tree: Any, where: str = "playbook") -> Playbook:
    """The checked playbook of a plain tree; ConfigError says what to mend and where."""
    _check_keys(tree, ("actions", "by_fact", "by_reason", "otherwise"), ("calendar",), where)
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
    if tree["otherwise"] == ADVOCACY:
        raise ConfigError(
            f"{where}: otherwise is {ADVOCACY}, which a detractor is never asked for. Choose another action."
        )
    return Playbook(actions, tuple(by_fact), tuple(by_reason), tree["otherwise"], _calendars(tree, where))


def _calendars(tree: Mapping[str, Any], where: str) -> dict[str, Calendar]:
    node = tree.get("calendar", {})
    if not isinstance(node, dict):
        raise ConfigError(f"{where}: calendar must be a section of markets, or default; found {node!r}.")
    markets = _texts(list(node), f"{where}: calendar") if node else ()
    keys = [market_key(market) for market in markets]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigError(f"{where}: calendar has {twice[0]} twice but for case. Keep one of them.")
    return {market_key(market): parse_calendar(node[market], f"{where}: calendar.{market}") for market in markets}


def _action(code: str, node: Any, where: str) -> Action:
    _check_keys(node, ("name", "within_days", "channels"), ("text", "offer"), where)
    days, offer = node["within_days"], node.get("offer", code == INCENTIVE)
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 366:
        raise ConfigError(f"{where}.within_days must be a whole number of days from 0 to 366; found {days!r}.")
    if not isinstance(offer, bool):
        raise ConfigError(f"{where}.offer must be true or false; found {offer!r}.")
    channels = _names(node["channels"], CHANNELS, f"{where}.channels", "channel")
    return Action(code, str(node["name"]), days, channels, _text(node.get("text", code), f"{where}.text"), offer)


def _text(node: Any, where: str) -> dict[str, str]:
    """A text in every language that there are words for; a name stands for the text of that name in the catalogs."""
    if isinstance(node, str):
        own = {language: catalog(language)["playbook"] for language in languages()}
        _check_known(node, own["en"], where, "text of kizuna's own")
        return {language: texts[node] for language, texts in own.items()}
    _check_keys(node, languages(), (), where)
    for language, text in node.items():
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{where}.{language} must be a text; found {text!r}. Say what is to be done.")
    return {language: str(node[language]) for language in node}


def _rule(node: Any, where: str, actions: Mapping[str, Action]) -> Rule:
    _check_keys(node, ("action",), [item.name for item in fields(Rule)], where)
    _check_known(node["action"], actions, where, "action")
    drivers = [driver for driver in load_wording("en").drivers if driver not in NEVER_A_REASON - OUR_CONDUCT]
    known = {"facts": CODES, "without": CODES, "reasons": drivers, "bands": BANDS, "stages": STAGES}
    lists = {
        key: _names(node[key], names, f"{where}.{key}", key.rstrip("s")) for key, names in known.items() if key in node
    }
    share, week = node.get("top_share", 1.0), node.get("from_week", 1)
    if not _is_number(share) or not 0 < share <= 1:
        raise ConfigError(f"{where}.top_share must be a share of the list above 0 and up to 1; found {share!r}.")
    if not isinstance(week, int) or isinstance(week, bool) or week < 1:
        raise ConfigError(f"{where}.from_week must be a whole number from 1; found {week!r}.")
    most_days = node.get("max_days_since_purchase")
    if most_days is not None and (not isinstance(most_days, int) or isinstance(most_days, bool) or most_days < 1):
        raise ConfigError(
            f"{where}.max_days_since_purchase must be a whole number of days from 1; found {most_days!r}."
        )
    value, channel = node.get("min_value_at_risk"), node.get("channel")
    if value is not None and (not _is_number(value) or value < 0):
        raise ConfigError(f"{where}.min_value_at_risk must be an amount of money from 0; found {value!r}.")
    if channel is not None:
        _check_known(channel, CHANNELS, f"{where}.channel", "channel")
    return Rule(
        action=node["action"],
        channel=channel,
        top_share=float(share),
        min_value_at_risk=value,
        from_week=week,
        max_days_since_purchase=most_days,
        markets=tuple(market_key(name) for name in _texts(node["markets"], f"{where}.markets"))
        if "markets" in node
        else (),
        languages=tuple(name.lower() for name in _texts(node["languages"], f"{where}.languages"))
        if "languages" in node
        else (),
        text=_text(node["text"], f"{where}.text") if "text" in node else {},
        **lists,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


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


def _texts(node: Any, where: str) -> tuple[str, ...]:
    """Names that only the shop knows; YAML reads NO, the code of Norway, as false."""
    if not isinstance(node, list) or not node or not all(isinstance(name, str) and name.strip() for name in node):
        raise ConfigError(f"{where} must name texts, such as JP; found {node!r}. Put quotes around 'NO' and numbers.")
    return tuple(node)


def _check_known(name: Any, known: Iterable[str], where: str, what: str) -> None:
    if not isinstance(name, str) or name not in known:
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
