"""Who of the list belongs where, and the figures that stand at the top of both documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, share_text

# How a reader sees a row: contact, service (owed an answer first), control (left alone to measure), paused (not now).
PLACES = ("contact", "service", "control", "paused")

# In what order those who name customers stand side by side.
RECIPES = (
    "kizuna",
    "kizuna_probability",
    "rfm_logistic",
    "bgnbd",
    "recency_rule",
    "rate_rule",
    "logistic_all",
    "base_rate",
    "random",
)

# A level further than five points from what happened is called high or low: the default limit of the gate.
_LEVEL_TOLERANCE = 0.05


@dataclass(frozen=True)
class Figures:
    """Counts of customers and sums over the rows to contact. None: unknown (no value model, or no earlier list)."""

    listed: int
    contact: int
    service: int
    control: int
    paused: int
    due: int
    value_at_risk: float | None
    expected_leavers: float
    eligible: int
    expected_share: float
    new: int | None
    came_back: int | None


def places(frame: pd.DataFrame) -> pd.Series:
    """The place of every row of the list, in the list's order."""
    refused = frame["contact_allowed"].map(lambda value: not pd.isna(value) and not bool(value)).astype(bool)
    place = np.select(
        [frame["arm"] == "exempt", frame["arm"] == "control", refused], ["service", "control", "paused"], "contact"
    )
    return pd.Series(place, index=frame.index, dtype=object)


def rows_of(frame: pd.DataFrame, *wanted: str) -> pd.DataFrame:
    """The rows of some places, by rank."""
    return frame[places(frame).isin(wanted)].sort_values(["list_rank", "customer_id"], kind="stable")


def has_values(frame: pd.DataFrame) -> bool:
    """Whether there is any value at risk to show; without a value model there is none."""
    return bool(frame["value_at_risk"].notna().any())


def has_purchases(frame: pd.DataFrame) -> bool:
    """Whether anything is known of the listed customers' purchases."""
    return bool(frame["days_since_purchase"].notna().any())


def dated_key(pack: ListPack, key: str) -> str:
    """The key of a text that names days, or of what is said in its place where the labels have none."""
    return key if pack.dated else f"{key}_undated"


def evaluation_text(pack: ListPack, words: Words) -> str:
    """How the model was tested."""
    return words.code("evaluation", pack.evaluation.get("evaluation") if pack.dated else "undated")


def figures_of(pack: ListPack) -> Figures:
    """The figures of one list. Due: to be done before seven days from ``as_of`` have passed."""
    place = places(pack.at_risk)
    contact = pack.at_risk[place == "contact"]
    act_by = pd.to_datetime(contact["act_by"])
    first_run = pack.removed is None
    values = has_values(pack.scores) or has_values(pack.at_risk)
    return Figures(
        listed=len(pack.at_risk),
        contact=len(contact),
        service=int((place == "service").sum()),
        control=int((place == "control").sum()),
        paused=int((place == "paused").sum()),
        due=int((act_by < pd.Timestamp(pack.as_of + timedelta(days=7))).sum()),
        value_at_risk=float(contact["value_at_risk"].astype(float).sum()) if values else None,
        expected_leavers=float(contact["churn_probability"].astype(float).sum()),
        eligible=len(pack.scores),
        expected_share=float(pack.scores["churn_probability"].mean()) if len(pack.scores) else float("nan"),
        new=None if first_run else int((pack.at_risk["list_status"] == "new").sum()),
        came_back=None if pack.removed is None else int((pack.removed["why"] == "purchased").sum()),
    )


def facts_text(facts: object, words: Words) -> str:
    """The facts of one row in words; codes without a word, and whole sentences, are kept as they are."""
    if not isinstance(facts, str) or not facts.strip():
        return ""
    codes = [code for code in re.split(r"[;|,\s]+", facts) if code]
    if not all(re.fullmatch(r"[A-Z][A-Z0-9_]*", code) for code in codes):
        return facts
    return words("fact.join").join(words.code("fact", code) for code in codes)


def warning_text(warning: object, words: Words) -> str:
    """The data warnings of one row in words: ``stale_purchases;slow_rhythm`` has one of a table and one of the customer."""
    if not isinstance(warning, str):
        return ""
    said = []
    for code in warning.split(";"):
        kind, _, table = code.partition("_")
        if words.knows("warning", kind) and table:
            said.append(words(f"warning.{kind}", table=words.code("table", table)))
        else:
            said.append(words.code("warning", code))
    return words("fact.join").join(said)


def why_text(row: pd.Series, words: Words) -> str:
    """The first reason of one row, or its facts, or that no single sign stands out."""
    reason = row["reason_1_text"]
    return reason if isinstance(reason, str) and reason else facts_text(row["facts"], words) or words("no_sign")


def outcome_text(pack: ListPack, words: Words) -> str:
    """What a churned customer did, in the past tense: did not buy, cancelled, left."""
    return words.code("outcome", pack.definition)


def action_text(code: str, words: Words) -> str:
    """An action's code and short name; the code alone where the playbook has actions of its own."""
    return f"{code} {words.code('action_name', code)}" if words.knows("action_name", code) else code


def answer_text(pack: ListPack, words: Words) -> str:
    """The answer check in one or two sentences, or why there is none yet."""
    answer = pack.answer
    if not pack.dated:
        return words("answer.undated")
    if answer is None or not answer.capacity:
        return words("answer.none", day=words.day(pack.first_result))
    named = answer.churned["kizuna"]
    text = words(
        "answer.named",
        day=words.day(answer.named_on),
        until=words.day(answer.until),
        capacity=f"{answer.capacity:,}",
        rank_by=words.code("rank_by", answer.ranked_by),
        churned=f"{named:,.0f}",
        share=share_text(named / answer.capacity),
        outcome=outcome_text(pack, words),
        days=pack.horizon_days,
    )
    if "random" not in answer.churned:
        return text
    chance = answer.churned["random"]
    return text + words("answer.random", churned=f"{chance:,.0f}", share=share_text(chance / answer.capacity))


def effect_text(pack: ListPack, words: Words) -> str:
    """When the effect can first be read and how large it must be, or that nobody was left alone to compare with.

    Of a part of a list it speaks as of the whole, for the controls may stand in other parts.
    """
    nobody_apart = pack.part is None and not (pack.at_risk["arm"] == "control").any()
    if not np.isfinite(pack.smallest_effect) or nobody_apart:
        return words("effect.none")
    if not pack.dated:
        return words("effect.undated")
    points = f"{100 * pack.smallest_effect:.0f}"
    return words("effect.waiting", day=words.day(pack.first_result), points=points)


def left_out_text(pack: ListPack, words: Words) -> str:
    """How many eligible customers are not listed, and why; nothing where everybody is."""
    reasons = [(reason, count) for reason, count in pack.left_out.items() if count]
    if not reasons:
        return ""
    parts = [
        words("left_out.part", why=words.code("left_out", reason), count=f"{count:,}") for reason, count in reasons
    ]
    total = f"{sum(count for _, count in reasons):,}"
    return words(
        "left_out.line", count=total, eligible=f"{len(pack.scores):,}", parts=words("left_out.join").join(parts)
    )


def order_text(pack: ListPack, words: Words) -> str:
    """How far the order of the list can be trusted, from the AUC on later days."""
    auc = pack.evaluation.get("model", {}).get("auc")
    if not pack.dated:
        return words("order.undated")
    if pack.evaluation.get("evaluation") != "out_of_time" or not isinstance(auc, (int, float)) or not np.isfinite(auc):
        return words("order.unchecked")
    return words("order.reliable" if auc >= 0.7 else "order.useful" if auc >= 0.6 else "order.weak")


def level_text(pack: ListPack, words: Words) -> str:
    """Whether the probabilities came true the last time that is known, and how far off they may be this time."""
    answer, season = pack.answer, pack.evaluation.get("season")
    parts = [words("level.unchecked")]
    if answer is not None:
        off = answer.said - answer.happened
        key = "level.seen" if abs(off) <= _LEVEL_TOLERANCE else "level.high" if off > 0 else "level.low"
        said, happened = share_text(answer.said, 1), share_text(answer.happened, 1)
        parts = [words(key, day=words.day(answer.named_on), said=said, happened=happened)]
    if season and pack.dated:
        parts.append(_season_text(season, words))
    return words("level.join").join(parts)


def _season_text(season: dict[str, Any], words: Words) -> str:
    spread, most = season["level_spread"], season.get("level_most")
    if spread is None:
        return words("level.unknown")
    off = words("level.about", points=f"{100 * spread:.1f}")
    # Where the noise of past days hides the spread, only what it is at most is known.
    if most is not None:
        off = words("level.most", points=f"{100 * most:.1f}")
    return words("level.unseen" if season["unseen"] else "level.anchored", off=off)


def gate_checks(pack: ListPack) -> list[dict[str, Any]]:
    """The gate's checks on the model in use: name, status (pass, warn, fail), value and limit; [] where none is known."""
    return list(pack.evaluation.get("gate_checks") or [])


def gate_text(pack: ListPack, words: Words) -> str:
    """What the gate decided, with the checks that failed or warned by name."""
    checks = gate_checks(pack)
    if not checks:
        return words("none")
    failed, warned = (_named(checks, status, words) for status in ("fail", "warn"))
    decided = words("gate.refused", checks=failed) if failed else words("gate.passed")
    return decided + (words("gate.warned", checks=warned) if warned else "")


def refused_text(pack: ListPack, words: Words) -> str:
    """That the gate refused the model in use, and by which checks; "" where it did not."""
    failed = _named(gate_checks(pack), "fail", words)
    return words("gate.in_use", checks=failed) if failed else ""


def _named(checks: list[dict[str, Any]], status: str, words: Words) -> str:
    return words("fact.join").join(words.code("gate_check", one["name"]) for one in checks if one["status"] == status)


def economics_text(pack: ListPack, words: Words) -> str:
    """What contacting would leave under the shop's own assumptions; "" unless costs and save rate are all given."""
    economics = pack.economics
    costs = [economics.get("contact_cost"), economics.get("offer_cost")]
    rate = economics.get("assumed_save_rate")
    figures = figures_of(pack)
    if rate is None or any(cost is None for cost in costs) or figures.value_at_risk is None:
        return ""
    cost = figures.contact * sum(float(part) for part in costs if part is not None)
    return words(
        "economics",
        rate=share_text(rate),
        kept=words.money(figures.value_at_risk * rate, pack.currency),
        cost=words.money(cost, pack.currency),
        left=words.money(figures.value_at_risk * rate - cost, pack.currency),
    )
