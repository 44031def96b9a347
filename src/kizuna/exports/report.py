"""The report for managers: one self-contained page, every text escaped, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from kizuna.exports import charts
from kizuna.exports.figures import (
    PLACES,
    Figures,
    answer_text,
    dated_key,
    economics_text,
    effect_text,
    evaluation_text,
    figures_of,
    gate_checks,
    gate_text,
    has_purchases,
    has_values,
    level_text,
    order_text,
    refused_text,
)
from kizuna.exports.insights import insights
from kizuna.exports.pack import ListPack
from kizuna.exports.page.effects import quarters, verdict_text
from kizuna.exports.page.kpi_trends import IN_SIGHT, kpi_trends
from kizuna.exports.page.markets import markets
from kizuna.exports.page.past_lists import past_rows, share_ticks
from kizuna.exports.page.reasons import behind
from kizuna.exports.page.risk_trend import risk_trend
from kizuna.exports.page.rows import rows
from kizuna.wording.words import Words, load_words, share_text

_STYLES = ("report.css", "page/graphics.css", "page/narrow.css", "page/print.css")


@dataclass(frozen=True)
class Tile:
    """One figure at the top: the number, what it counts, and what it was on the list before."""

    number: str
    label: str
    beside: str = ""


def write_report(pack: ListPack, path: Path) -> None:
    """Writes report.html. Style and script stand in the page and are allowed by their hashes only."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    words, folder = load_words(pack.language), resources.files("kizuna.exports")
    style = "".join((folder / name).read_text(encoding="utf-8") for name in _STYLES)
    script = (folder / "report.js").read_text(encoding="utf-8")
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    environment = Environment(
        loader=PackageLoader("kizuna.exports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Both are files of this package, without a word of the data in them.
    page = environment.get_template("report.html.j2").render(
        **_content(pack, words), style=Markup(style), script=Markup(script), policy=policy
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(page)


def _content(pack: ListPack, words: Words) -> dict[str, Any]:
    figures, listed, read = figures_of(pack), rows(pack, words), quarters(pack, words)
    return {
        "pack": pack,
        "words": words,
        "figures": figures,
        "heading": _heading(pack, words),
        "level": level_text(pack, words),
        "span": words(dated_key(pack, "report.span"), span=words.span(pack.first_day, pack.last_day)),
        "refused": refused_text(pack, words),
        "tiles": _tiles(pack, figures, words),
        "insights": insights(pack, words),
        "drawn_text": _drawn_text(figures, words),
        "scatter": charts.scatter(pack, words),
        "histogram": charts.histogram(pack),
        "bars": charts.bars(pack, words),
        "frame": charts,
        "answer": answer_text(pack, words),
        "answer_title": _answer_title(pack, words),
        "behind": behind(pack, words),
        "markets": markets(pack, words),
        "effect": effect_text(pack, words),
        "economics": economics_text(pack, words),
        "quarters": read,
        "verdict": verdict_text(read, effect_text(pack, words), words),
        "told_in_money": any(len(quarter.whiskers) > 1 for quarter in read),
        "past": past_rows(pack, words),
        "share_ticks": share_ticks(),
        "trend": risk_trend(pack, words),
        "kpis": kpi_trends(pack, words),
        "in_sight": IN_SIGHT,
        "rows": listed,
        "with_value": has_values(pack.at_risk),
        "places": [place for place in PLACES if any(row.place == place for row in listed)],
        "bands": [band for band in ("high", "medium", "low") if any(row.band == band for row in listed)],
        "stages": sorted({row.stage for row in listed if row.stage}),
        "about": _about(pack, words),
    }


def _heading(pack: ListPack, words: Words) -> list[str]:
    week = words("format.week", day=words.day(pack.as_of), weekday=words.day(pack.as_of, weekday=True))
    return [week, order_text(pack, words)]


def _tiles(pack: ListPack, figures: Figures, words: Words) -> list[Tile]:
    none = words("none")
    share = "report.share_inactivity" if pack.definition == "inactivity" else dated_key(pack, "report.share")
    before = _before(pack, words)
    if figures.value_at_risk is None:
        worth = Tile(words("unit.people", count=f"{figures.expected_leavers:,.0f}"), words("report.leavers"))
    else:
        money = words.money(figures.value_at_risk, pack.currency, compact=True)
        worth = Tile(money, words("report.value"), before.get("value_at_risk", ""))
    if figures.new is None or figures.came_back is None:
        changes = Tile(none, words("report.changes_none"))
    elif pack.definition != "inactivity" and not has_purchases(pack.at_risk):
        changes = Tile("+" + words("unit.people", count=f"{figures.new:,}"), words("report.changes_none"))
    else:
        changes = Tile(
            "+" + words("unit.people", count=f"{figures.new:,}"),
            words("report.changes", count=f"{figures.came_back:,}"),
        )
    expected = words(share, days=pack.horizon_days, eligible=f"{figures.eligible:,}")
    contact = words("unit.people", count=f"{figures.contact:,}")
    return [
        Tile(contact, words("report.contact"), before.get("to_contact", "")),
        worth,
        Tile(
            share_text(figures.expected_share) if figures.eligible else none, expected, before.get("expected_share", "")
        ),
        changes,
        Tile(words("unit.people", count=f"{figures.service:,}"), words("report.service")),
    ]


def _before(pack: ListPack, words: Words) -> dict[str, str]:
    """What the figures of the top were on the list before, where there is one."""
    if pack.past is None or len(pack.past.trend) < 2:
        return {}
    row = pack.past.trend.sort_values("as_of", kind="stable").iloc[-2]

    def money(amount: float) -> str:
        return words.money(amount, pack.currency, compact=True)

    said: dict[str, Callable[[float], str]] = {
        "to_contact": lambda count: words("unit.people", count=f"{count:,.0f}"),
        "value_at_risk": money,
        "expected_share": share_text,
    }
    return {
        name: words("page.beside", value=text(float(row[name]))) for name, text in said.items() if pd.notna(row[name])
    }


def _drawn_text(figures: Figures, words: Words) -> str:
    """What the first drawing shows, for those who cannot see it."""
    counts = {name: f"{getattr(figures, name):,}" for name in ("eligible", "listed", "contact", "control", "paused")}
    return words("page.drawn", **counts)


def _answer_title(pack: ListPack, words: Words) -> str:
    if pack.answer is None or not pack.answer.capacity:
        return words("note.answer")
    return words("report.bars_title", day=words.day(pack.answer.named_on), capacity=f"{pack.answer.capacity:,}")


def _about(pack: ListPack, words: Words) -> list[str]:
    grade = pack.evaluation.get("grade") or words("none")
    models = " / ".join(pack.models[key] for key in sorted(pack.models))
    definition = words(
        dated_key(pack, "report.definition"),
        outcome=words.code("outcome_ahead", pack.definition),
        span=words.span(pack.first_day, pack.last_day),
        days=pack.horizon_days,
        high=share_text(pack.bands[0]),
        medium=share_text(pack.bands[1]),
    )
    noted = [words("report.money_note")] if has_values(pack.at_risk) else []
    lines = [definition, *noted, words("report.grade", models=models, grade=grade, how=evaluation_text(pack, words))]
    if gate_checks(pack):
        lines.append(words("report.gate", gate=gate_text(pack, words)))
    return [*lines, words("report.personal")]


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
