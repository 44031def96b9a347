"""Writes docs/kpi.md: the rules, and every KPI and stage with its definition in English and Japanese, from the code."""

from __future__ import annotations

from pathlib import Path

from kizuna.config import Config
from kizuna.kpi.catalog import KPIS, Kpi
from kizuna.kpi.pack import words_of
from kizuna.kpi.standing import STAGES, Base
from kizuna.kpi.wording import Wording, load_wording

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "kpi.md"
_METHODS = {
    "share": "share, Wilson",
    "rate": "rate, by customers",
    "total": "total, by customers",
    "net_promoters": "adjusted Wald",
    "median": "Kaplan and Meier",
    "derived": "from others",
}


def build_page() -> str:
    """The whole page as Markdown. Definitions stand with the default settings."""
    settings = words_of(Config.model_validate({"name": "shop", "data": {"tables": {}}}), Base("inactivity", 180, 4))
    english, japanese = (load_wording(language, settings) for language in ("en", "ja"))
    parts = [(FOLDER / "notes.md").read_text(encoding="utf-8").strip(), "## The KPIs", _intro()]
    parts += [_entry(kpi, english, japanese) for kpi in KPIS]
    parts += ["## The stages", english.tree["stage_note"], japanese.tree["stage_note"], _stages(english, japanese)]
    return "\n\n".join(parts) + "\n"


def _intro() -> str:
    return (
        "Definitions as they read with the default settings. `waits`: how many days after a period's end it is known; "
        "`better`: + more, − less."
    )


def _entry(kpi: Kpi, english: Wording, japanese: Wording) -> str:
    better = {1: "+", -1: "−", 0: "neither"}[kpi.better]
    facts = [f"unit: {english.word('unit', kpi.unit)}", f"better: {better}", f"interval: {_METHODS[kpi.method]}"]
    facts.append(f"needs: {', '.join(kpi.needs)}")
    if kpi.waits_days:
        facts.append(f"waits: {kpi.waits_days}")
    lines = [
        f"### `{kpi.code}` · {english.name(kpi.code)} · {japanese.name(kpi.code)}",
        "",
        english.definition(kpi.code),
        "",
    ]
    return "\n".join([*lines, japanese.definition(kpi.code), "", f"*{'; '.join(facts)}*"])


def _stages(english: Wording, japanese: Wording) -> str:
    rows = ["| stage | English | 日本語 |", "| --- | --- | --- |"]
    for stage in STAGES:
        told = (
            f"{words.group('segment', stage)}: {words.filled(words.tree['stage'][stage]['text'])}"
            for words in (english, japanese)
        )
        rows.append(f"| `{stage}` | {' | '.join(told)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
