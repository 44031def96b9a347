"""The headline KPIs on one screen: the last months side by side, with what changed clearly."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

import pandas as pd

from kizuna.kpi.catalog import BY_CODE, KPIS
from kizuna.kpi.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.kpi.pack import KpiPack

_MONTHS = 6
_DIFFERENCE = {
    "crr_formula": "formula",
    "crr_cohort": "cohort",
    "crr_from_reactivated": "back",
    "crr_from_new_lost": "gone",
}
_ARROWS = {"up": "↑", "down": "↓", "not_clear": "~", "": ""}
_WITHOUT_DECIMALS = 1000
_LARGE = 1_000_000
_LINE_LETTERS = 110


def screen_lines(pack: KpiPack, language: str) -> list[str]:
    """The headline KPIs of the last six months as lines, in a language; below, what the marks mean and what is missing."""
    words = load_wording(language, pack.settings)
    every = pack.numbers[(pack.numbers["dimension"] == "all") & (pack.numbers["kind"] == "month")]
    months = every["period"].drop_duplicates().tail(_MONTHS).tolist()
    screen = words.tree["screen"]
    rows = [[screen["columns"]["kpi"], *months, screen["columns"]["change"], screen["columns"]["year"]]]
    missing: list[str] = []
    marks: set[str] = set()
    for kpi in KPIS:
        if not kpi.headline:
            continue
        mine = every[(every["kpi"] == kpi.code) & every["period"].isin(months)]
        told: list[dict[str, Any]] = [dict(row) for _, row in mine.iterrows()]
        if all(row["state"] == "no_table" for row in told):
            missing.append(words.name(kpi.code))
            continue
        newest = next((row for row in reversed(told) if row["direction"] or row["direction_year"]), None)
        changes = [_change(newest, "", words), _change(newest, "_year", words)]
        rows.append([words.name(kpi.code), *(_cell(row, words, marks) for row in told), *changes])
    lines = [words.filled(screen["title"], name=pack.name, day=pack.known_before.isoformat()), ""]
    lines += [*_table(rows), "", screen["arrows"]]
    lines += [words.filled(screen[mark]) for mark in ("partial", "few", "open") if mark in marks]
    lines += _difference(every[every["period"].isin(months)], words)
    if missing:
        lines.append(words.filled(screen["missing"], names=", ".join(missing)))
    if len(pack.restated):
        lines.append(_restated(pack.restated, words))
    complaints = words.name("complaints_per_100_orders") not in missing
    notes = [words.tree["note"][name] for name in ("complement", *(["complaints"] if complaints else []))]
    return [*lines, "", *(line for note in notes for line in textwrap.wrap(note, _LINE_LETTERS))]


def figure(value: float, unit: str, words: Wording, size: float | None = None) -> str:
    """A KPI's value as it is read: ``85.0%``, ``14.3``, ``12,340``, ``28.3M``. ``size``: of a change, the figure changed."""
    if pd.isna(value):
        return str(words.tree["screen"]["none"])
    size = abs(value if size is None or pd.isna(size) else size)
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "money" and size >= _LARGE:
        large = words.tree["screen"]["large"]
        return str(large["text"].format(value=value / large["unit"]))
    if unit in ("customers", "orders", "days") or (unit == "money" and size >= _WITHOUT_DECIMALS):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if unit in ("rating", "years", "per_year", "money") else f"{value:,.1f}"


def _cell(row: Mapping[str, Any], words: Wording, marks: set[str]) -> str:
    """A value with the mark of its state."""
    screen = words.tree["screen"]
    text = figure(row["value"], row["unit"], words)
    if row["state"] == "reference":
        marks.add("few")
        return f"{text} {screen['few_mark']}"
    if row["state"] != "censored":
        return text
    if row["finished"] and row["open"] > 0:
        marks.add("open")
        said = screen["not_yet"] if pd.isna(row["value"]) else text
        return f"{said} ({row['open']:.0f})"
    marks.add("partial")
    return f"{text}*"


def _change(row: Mapping[str, Any] | None, suffix: str, words: Wording) -> str:
    if row is None or not row[f"direction{suffix}"]:
        return str(words.tree["screen"]["none"])
    change, unit = row[f"change{suffix}"], row["unit"]
    sign = "+" if change > 0 else ""
    size = f"{sign}{100 * change:.1f}pt" if unit == "share" else sign + figure(change, unit, words, row["value"])
    return f"{_ARROWS[row[f'direction{suffix}']]} {size}"


def _difference(numbers: pd.DataFrame, words: Wording) -> list[str]:
    """Why the two retention rates of the newest finished month differ; nothing where there is none."""
    table = (
        numbers[numbers["finished"]].pivot(index="period", columns="kpi", values="value")[list(_DIFFERENCE)].dropna()
    )
    if table.empty:
        return []
    parts = {place: figure(table[code].iloc[-1], "share", words) for code, place in _DIFFERENCE.items()}
    return [str(words.tree["screen"]["difference"].format(period=table.index[-1], **parts))]


def _restated(restated: pd.DataFrame, words: Wording) -> str:
    first = restated[restated["dimension"] == "all"]
    row = (first if len(first) else restated).iloc[-1]
    unit = BY_CODE[row["kpi"]].unit
    example = words.tree["screen"]["example"].format(
        kpi=words.name(row["kpi"]),
        period=f"{row['start']:%Y-%m-%d} – {row['end']:%Y-%m-%d}",
        group=words.group(row["dimension"], row["group"]),
        old=figure(row["published_value"], unit, words),
        new=figure(row["value"], unit, words),
    )
    return str(words.tree["screen"]["restated"].format(count=len(restated), example=example))


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    out = []
    for row in rows:
        first = row[0] + " " * (widths[0] - _width(row[0]))
        rest = [" " * (width - _width(text)) + text for text, width in zip(row[1:], widths[1:], strict=True)]
        out.append("  ".join([first, *rest]).rstrip())
    return out


def _width(text: str) -> int:
    """Columns that a text takes on a terminal, where Japanese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
