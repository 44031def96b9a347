"""One customer's explanation as lines in a language, and as a JSON tree."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

from kizuna.customer.change import Change, Move
from kizuna.customer.events import Event
from kizuna.customer.explained import Explanation
from kizuna.data.contract import CONSENTS
from kizuna.explain.wording import driver_text, feature_text
from kizuna.plain import plain
from kizuna.wording.words import Words, load_words, share_text

_EVENTS_SHOWN = 40


def screen_lines(found: Explanation, language: str) -> list[str]:
    """State, probability, value, reasons, facts, action, what changed, and the newest rows of the timeline."""
    words = load_words(language)
    lines = [words("explain.title", customer=_printable(found.customer_id), day=words.day(found.as_of))]
    lines.append(words(f"explain.{found.state}", rank=found.plan.get("list_rank")))
    if found.state != "not_eligible":
        lines += _numbers(found, words)
    if found.reasons:
        lines += [
            "",
            words("explain.reasons"),
            *(f"  {text}" for _, text in found.reasons),
            f"  {words('explain.note')}",
        ]
    if found.facts:
        lines += ["", words("explain.facts"), *(f"  {text}" for _, text in found.facts)]
    lines += _plan(found, words)
    if found.change is not None:
        lines += ["", *_change(found.change, found.numbers.get("churn_probability"), words)]
    lines += ["", words("explain.events")]
    lines += [f"  {event_line(event, words)}" for event in found.events[:_EVENTS_SHOWN]]
    if len(found.events) > _EVENTS_SHOWN:
        lines.append("  " + words("explain.more", count=f"{len(found.events) - _EVENTS_SHOWN:,}"))
    return lines


def to_json(found: Explanation) -> dict[str, Any]:
    """The whole explanation as plain values; days as ISO texts."""
    change = found.change
    told = {
        "customer_id": found.customer_id,
        "as_of": found.as_of,
        "state": found.state,
        "churn_model": found.model,
        "hindsight": found.hindsight,
        "currency": found.currency,
        "numbers": found.numbers,
        "reasons": [{"driver": code, "text": text} for code, text in found.reasons],
        "facts": [{"fact": code, "text": text} for code, text in found.facts],
        "plan": found.plan,
        "change": None if change is None else {**vars(change), "moves": [vars(move) for move in change.moves]},
        "timeline": [{"table": event.table, "day": event.day, "values": dict(event.values)} for event in found.events],
    }
    tree: dict[str, Any] = plain(_iso(told))
    return tree


def _numbers(found: Explanation, words: Words) -> list[str]:
    numbers, currency = found.numbers, found.currency
    lines = []
    if "horizon_days" in numbers:
        lines.append(
            words(
                "explain.probability",
                probability=share_text(numbers["churn_probability"]),
                days=numbers["horizon_days"],
                band=words.code("band", numbers["risk_band"]),
                model=found.model,
            )
        )
    if numbers.get("cltv") is not None and "cltv_horizon_days" in numbers:
        amounts = {"cltv": "cltv", "kept": "value_if_kept", "lost": "value_if_churned", "at_risk": "value_at_risk"}
        money = {name: words.money(numbers[column], currency) for name, column in amounts.items()}
        lines.append(words("explain.value", days=numbers["cltv_horizon_days"], **money))
    return [*lines, words("explain.hindsight")] if found.hindsight else lines


def _plan(found: Explanation, words: Words) -> list[str]:
    plan = found.plan
    if not plan.get("action"):
        return []
    due = words("none") if plan["act_by"] is None else words.day(plan["act_by"])
    channel = words.code("channel", plan["channel"]) or words("none")
    lines = ["", words("explain.action", text=plan["action_text"], action=plan["action"], channel=channel, due=due)]
    lines.append(words(f"explain.arm.{plan['arm']}"))
    if plan["contact_allowed"] is False:
        lines.append(words("explain.not_allowed", why=words.code("suppressed", plan["suppressed_reason"])))
    return lines


def _change(change: Change, now: float | None, words: Words) -> list[str]:
    lines = [words("explain.change", day=words.day(change.since), model=change.model)]
    lines.append("  " + words(f"explain.was.{'listed' if change.was_listed else 'not_listed'}"))
    if change.before is None or now is None:
        return [*lines, "  " + words("explain.unknown")]
    lines.append("  " + words("explain.moved", before=share_text(change.before, 1), now=share_text(now, 1)))
    if change.of_data is None or change.of_model is None:
        lines.append("  " + words("explain.gone", model=change.model))
    else:
        lines.append("  " + words("explain.split", data=_points(change.of_data), model=_points(change.of_model)))
    return [*lines, *(f"  {_move(move, words)}" for move in change.moves)]


def _move(move: Move, words: Words) -> str:
    return words(
        "explain.moves",
        driver=driver_text(move.driver, words.language),
        points=_points(move.points),
        feature=feature_text(move.feature, words.language),
        before=_figure(move.before, words),
        now=_figure(move.now, words),
    )


# Keys of other systems, the line's own day, and what is understood where nothing else is said.
NOT_SHOWN = frozenset(
    {"customer_id", "kind", "order_id", "currency", "is_return", "known_at", "valid_from"}
    | {"occurred_at", "started_at", "from", "as_of"}
)
# Of these 0 says nothing; a score of 0 says much.
_NOUGHT_IS_NOTHING = frozenset({"discount_amount", "cost", "compensation", "bounced"})
_CODED = {"kind": "event_kind", "purpose": "event_kind", "channel": "channel", "arm": "arm"}


def event_line(event: Event, words: Words) -> str:
    """``2025-09-25  Contact: newsletter (E-mail, language en)``."""
    day = words("explain.always") if event.day is None else event.day.isoformat()
    returned = event.values.get("is_return") == 1
    kind = "return" if returned else event.values.get("kind")
    table = words.code("table", event.table)
    head = table if kind is None else words("event", table=table, kind=_printable(words.code("event_kind", kind)))
    told = [
        _detail(name, value, words)
        for name, value in event.values.items()
        if name not in NOT_SHOWN and not (name in _NOUGHT_IS_NOTHING and value == 0)
    ]
    details = words("event_detail", details=", ".join(told)) if told else ""
    return f"{day:<10}  {head}{details}"


def _detail(name: str, value: Any, words: Words) -> str:
    if name in CONSENTS:
        shown = words("allowed.yes" if value else "allowed.no")
    else:
        shown = words.code(_CODED[name], value) if name in _CODED else _figure(value, words)
    shown = _printable(shown)
    return shown if name == "channel" else f"{words.code('event_column', name)} {shown}"


def _figure(value: Any, words: Words) -> str:
    if isinstance(value, float):
        return words("none") if value != value else f"{value:,.2f}".rstrip("0").rstrip(".")
    return value.isoformat() if isinstance(value, date) else str(value)


def _printable(text: str) -> str:
    """A text of the data without control characters, which a terminal would obey."""
    return "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _iso(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _iso(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_iso(value) for value in tree]
    return tree.isoformat() if isinstance(tree, date) else tree
