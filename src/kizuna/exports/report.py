"""The report for managers: one self-contained page, every text escaped, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
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
    places,
    refused_text,
    why_text,
)
from kizuna.exports.insights import insights
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, load_words, money_decimals, share_text


@dataclass(frozen=True)
class Tile:
    """One figure at the top: the number and what it counts."""

    number: str
    label: str


@dataclass(frozen=True)
class Row:
    """One customer of the list, as shown; the sort keys of its cells are plain numbers or ISO days."""

    rank: int
    customer_id: str
    place: str
    place_label: str
    band: str
    band_label: str
    probability: float
    probability_text: str
    value: float
    value_text: str
    stage: str
    why: str
    what: str
    by_when: str
    by_when_text: str


def write_report(pack: ListPack, path: Path) -> None:
    """Writes report.html. Style and script stand in the page and are allowed by their hashes only."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    words, folder = load_words(pack.language), resources.files("kizuna.exports")
    style = (folder / "report.css").read_text(encoding="utf-8")
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
    figures, rows = figures_of(pack), _rows(pack, words)
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
        "scatter": charts.scatter(pack, words),
        "histogram": charts.histogram(pack),
        "bars": charts.bars(pack, words),
        "frame": charts,
        "answer": answer_text(pack, words),
        "answer_title": _answer_title(pack, words),
        "effect": effect_text(pack, words),
        "economics": economics_text(pack, words),
        "rows": rows,
        "with_value": has_values(pack.at_risk),
        "places": [place for place in PLACES if any(row.place == place for row in rows)],
        "bands": [band for band in ("high", "medium", "low") if any(row.band == band for row in rows)],
        "stages": sorted({row.stage for row in rows if row.stage}),
        "about": _about(pack, words),
    }


def _heading(pack: ListPack, words: Words) -> list[str]:
    week = words("format.week", day=words.day(pack.as_of), weekday=words.day(pack.as_of, weekday=True))
    return [week, order_text(pack, words)]


def _tiles(pack: ListPack, figures: Figures, words: Words) -> list[Tile]:
    none = words("none")
    share = "report.share_inactivity" if pack.definition == "inactivity" else dated_key(pack, "report.share")
    if figures.value_at_risk is None:
        worth = Tile(words("unit.people", count=f"{figures.expected_leavers:,.0f}"), words("report.leavers"))
    else:
        worth = Tile(words.money(figures.value_at_risk, pack.currency, compact=True), words("report.value"))
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
    return [
        Tile(words("unit.people", count=f"{figures.contact:,}"), words("report.contact")),
        worth,
        Tile(share_text(figures.expected_share) if figures.eligible else none, expected),
        changes,
        Tile(words("unit.people", count=f"{figures.service:,}"), words("report.service")),
    ]


def _answer_title(pack: ListPack, words: Words) -> str:
    if pack.answer is None or not pack.answer.capacity:
        return words("report.bars_none")
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


def _rows(pack: ListPack, words: Words) -> list[Row]:
    listed = pack.at_risk.sort_values(["list_rank", "customer_id"], kind="stable")
    largest = listed["value_at_risk"].astype(float).abs().max() if has_values(listed) else 0.0
    decimals = money_decimals(largest, pack.currency)
    return [
        _row(customer, place, words, lambda value: words.money(value, pack.currency, decimals=decimals))
        for place, (_, customer) in zip(places(listed), listed.iterrows(), strict=True)
    ]


def _row(customer: pd.Series, place: str, words: Words, money: Callable[[float | None], str]) -> Row:
    act_by: date | None = None if pd.isna(customer["act_by"]) else pd.Timestamp(customer["act_by"]).date()
    value = None if pd.isna(customer["value_at_risk"]) else float(customer["value_at_risk"])
    return Row(
        rank=int(customer["list_rank"]),
        customer_id=customer["customer_id"],
        place=place,
        place_label=words(f"place.{place}"),
        band=customer["risk_band"],
        band_label=words.code("band", customer["risk_band"]),
        probability=round(float(customer["churn_probability"]), 4),
        probability_text=share_text(float(customer["churn_probability"])),
        value=-1.0 if value is None else round(value, 2),
        value_text=money(value),
        stage="" if pd.isna(customer["lifecycle_stage"]) else words.code("stage", customer["lifecycle_stage"]),
        why=why_text(customer, words),
        what=customer["action_text"] if isinstance(customer["action_text"], str) else words("none"),
        by_when="9999" if act_by is None else act_by.isoformat(),
        by_when_text=words("none") if act_by is None else words.day(act_by, weekday=True, year=False),
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
