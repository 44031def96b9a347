"""What the lists of each quarter have earned: the verdict in a sentence, both effects on a line around nought, the groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kizuna.exports.figures import action_text
from kizuna.exports.pack import ListPack, PastLists
from kizuna.exports.page.risk_trend import day_of
from kizuna.exports.proof import quarter_text
from kizuna.wording.words import Words, money_decimals, share_text

WIDTH, LEFT, RIGHT = 360.0, 14.0, 346.0
_EFFECTS = ("value", "kept")
_ORDER = ("net_value", "kept")
_SEAMS = re.compile(r"(?<=−)|(?<=\d)(?=[^\x00-\x7f])")


@dataclass(frozen=True)
class Whisker:
    """An effect on its line: estimate and ends of its interval, the place of nought, texts of all, and whether it is clear."""

    name: str
    at: float
    low: float
    high: float
    nought: float
    texts: tuple[str, str, str]
    is_clear: bool


@dataclass(frozen=True)
class GroupRow:
    """One action or market and one outcome."""

    by: str
    group: str
    outcome: str
    difference: str
    p: str
    result: str
    is_clear: bool


@dataclass(frozen=True)
class Quarter:
    """One quarter of one experiment. ``tone``: earned, lost, not_clear, or waiting; ``sentences``: the verdict first."""

    title: str
    tone: str
    sentences: tuple[str, ...]
    small: str
    whiskers: tuple[Whisker, ...]
    groups: tuple[GroupRow, ...]


def quarters(pack: ListPack, words: Words) -> tuple[Quarter, ...]:
    """Every quarter that has listings, newest first; () where no list was published before."""
    if pack.past is None or pack.past.effects.empty:
        return ()
    effects = pack.past.effects.sort_values(["period", "experiment"], kind="stable", ascending=[False, True])
    rows: list[dict[str, Any]] = effects.to_dict("records")  # type: ignore[assignment]
    measured = [row for row in rows if row["state"] == "measured"]
    scales = {name: _scale(measured, name) for name in _EFFECTS}
    several = effects["experiment"].nunique() > 1
    # What is known first, then what is still to come.
    rows = [*measured, *(row for row in rows if row["state"] != "measured")]
    return tuple(_quarter(row, pack, pack.past, words, scales, several) for row in rows)


def verdict_text(read: tuple[Quarter, ...], effect: str, words: Words) -> str:
    """The newest verdict with its quarter, or, while there is none, when there will be: ``effect``."""
    if not read or read[0].tone == "waiting":
        return effect
    return words("page.proof.newest", quarter=read[0].title, sentence=read[0].sentences[0])


def _quarter(
    row: Mapping[str, Any],
    pack: ListPack,
    past: PastLists,
    words: Words,
    scales: Mapping[str, tuple[float, float]],
    several: bool,
) -> Quarter:
    period = quarter_text(str(row["period"]), words)
    counts = {arm: f"{int(row[arm]):,}" for arm in ("target", "control")}
    is_measured = row["state"] == "measured"
    if is_measured:
        sentences = _sentences(row, pack, past.basis, words)
    else:
        day = words.day(day_of(row["verdict_on"]))
        sentences = [words(f"page.proof.{row['state']}", day=day, **counts)]
    small = [words("page.proof.counts", **counts)] if is_measured else []
    if not pd.isna(row["executed_target"]):
        shares = {arm: _share(row[f"executed_{arm}"], words) for arm in ("target", "control")}
        small.append(words("page.proof.executed", **shares))
    verdict = row["verdict"] if isinstance(row["verdict"], str) else "not_clear" if is_measured else "waiting"
    return Quarter(
        title=f"{period}  {row['experiment']}" if several else period,
        tone=verdict,
        sentences=tuple(sentences),
        small=words("page.proof.join").join(small),
        whiskers=tuple(
            _whisker(row, name, pack, words, scales[name], past.basis)
            for name in _EFFECTS
            if is_measured and not pd.isna(row[name])
        ),
        groups=_groups(row, pack, past, words),
    )


def _sentences(row: Mapping[str, Any], pack: ListPack, basis: str, words: Words) -> list[str]:
    """The headline's verdict, what is still needed, then what of those who stayed."""
    found = []
    if not pd.isna(row["value"]):
        is_loss = row["verdict"] == "lost"
        low, high = (-row["value_high"], -row["value_low"]) if is_loss else (row["value_low"], row["value_high"])
        sign = not (is_loss or row["verdict"] == "earned")
        amounts = {"value": abs(row["value"]) if not sign else row["value"], "low": low, "high": high}
        texts = {name: _money(amount, pack, words, with_plus=sign) for name, amount in amounts.items()}
        found.append(words(f"page.proof.{row['verdict']}", **texts, gained=words(f"page.proof.gained.{basis}")))
        if not pd.isna(row["more_customers"]):
            found.append(words("page.proof.more_customers", count=f"{int(row['more_customers']):,}"))
    if not pd.isna(row["kept"]):
        key = "kept_more" if row["kept_low"] > 0 else "kept_less" if row["kept_high"] < 0 else "kept_unclear"
        points = {name: _points(row[f"kept{end}"]) for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
        found.append(words(f"page.proof.{key}", **points))
    return found


def _whisker(
    row: Mapping[str, Any], name: str, pack: ListPack, words: Words, scale: tuple[float, float], basis: str
) -> Whisker:
    low, high = scale

    def at(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * (RIGHT - LEFT), 1)

    values = [float(row[f"{name}{end}"]) for end in ("_low", "", "_high")]
    texts = [_money(value, pack, words, with_plus=True) if name == "value" else _points(value) for value in values]
    return Whisker(
        name=words(f"page.proof.{name}_unit", basis=words(f"basis.{basis}")),
        at=at(values[1]),
        low=at(values[0]),
        high=at(values[2]),
        nought=at(0.0),
        texts=(texts[0], texts[1], texts[2]),
        is_clear=values[0] > 0 or values[2] < 0,
    )


def _scale(rows: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """The lowest and highest end over all quarters and nought, so that quarters can be read one below the other."""
    ends = [float(row[f"{name}{end}"]) for row in rows for end in ("_low", "_high") if not pd.isna(row[f"{name}{end}"])]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    air = 0.04 * (high - low) or 1.0
    return low - air, high + air


def _groups(row: Mapping[str, Any], pack: ListPack, past: PastLists, words: Words) -> tuple[GroupRow, ...]:
    groups = past.groups
    mine = groups[(groups["experiment"] == row["experiment"]) & (groups["period"] == row["period"])]
    found = []
    records: list[dict[str, Any]] = mine.to_dict("records")
    for group in sorted(records, key=lambda group: (group["by"], str(group["group"]), _ORDER.index(group["outcome"]))):
        is_value = group["outcome"] == "net_value"
        texts = {
            name: _money(group[name], pack, words, with_plus=True) if is_value else _points(group[name])
            for name in ("estimate", "low", "high")
        }
        span = words("page.range", low=texts["low"], high=texts["high"])
        name = str(group["group"])
        is_clear = bool(group["is_clear"])
        found.append(
            GroupRow(
                by=words.code("page.proof.by", group["by"]),
                group=action_text(name, words) if group["by"] == "action" else name,
                outcome=words.code("page.proof", group["outcome"]),
                difference=words("page.proof.with_interval", value=texts["estimate"], interval=span),
                p=f"{group['p_holm']:.3f}",
                result=words("page.proof.clear" if is_clear else "page.proof.unclear"),
                is_clear=is_clear,
            )
        )
    return tuple(found)


def _money(amount: float, pack: ListPack, words: Words, *, with_plus: bool) -> str:
    text = words.money(amount, pack.currency, decimals=money_decimals(amount, pack.currency))
    # A sign and a unit stay with their number at the end of a line.
    text = _SEAMS.sub("\u2060", text)
    return "+" + text if with_plus and amount > 0 else text


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _share(share: Any, words: Words) -> str:
    return words("none") if pd.isna(share) else share_text(float(share))
