"""What stands behind the list: reasons and facts, each with its weight and a bar."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kizuna.explain.wording import driver_text
from kizuna.exports.figures import has_values
from kizuna.exports.pack import ListPack
from kizuna.wording.words import Words, money_decimals, share_text

BAR_WIDTH = 200.0
_MOST_REASONS, _MOST_FACTS = 8, 6
_PLACES = (1, 2, 3)
_CODES = re.compile(r"[A-Z][A-Z0-9_]*(;[A-Z][A-Z0-9_]*)*")

Amount = Callable[[float], str]


@dataclass(frozen=True)
class Weighed:
    """One reason or fact: lengths of its bars, and what stands beside them. A fact has one bar."""

    name: str
    first_length: float
    among_length: float
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Behind:
    """``reasons`` and ``facts``, heaviest first, how many more there are, and whether money is the weight."""

    reasons: tuple[Weighed, ...]
    more_reasons: int
    facts: tuple[Weighed, ...]
    more_facts: int
    in_money: bool


def behind(pack: ListPack, words: Words) -> Behind | None:
    """Reasons by value at risk, or by customers where no value is known, of everybody listed; None for an empty list."""
    listed = pack.at_risk.sort_values(["list_rank", "customer_id"], kind="stable").reset_index(drop=True)
    if listed.empty:
        return None
    weight = listed["value_at_risk"].astype(float).fillna(0.0)
    in_money = has_values(listed) and float(weight.sum()) > 0
    if not in_money:
        weight = pd.Series(1.0, index=listed.index)

    decimals = money_decimals(float(weight.sum()), pack.currency)

    def amount(part: float) -> str:
        if in_money:
            return words.money(part, pack.currency, decimals=decimals)
        return words("unit.people", count=f"{part:,.0f}")

    reasons, facts = _reasons(listed, weight, words, amount), _facts(listed, weight, words, in_money)
    return Behind(
        reasons=tuple(reasons[:_MOST_REASONS]),
        more_reasons=max(len(reasons) - _MOST_REASONS, 0),
        facts=tuple(facts[:_MOST_FACTS]),
        more_facts=max(len(facts) - _MOST_FACTS, 0),
        in_money=in_money,
    )


def told_reasons(row: pd.Series) -> list[tuple[str, str]]:
    """The reasons of one row with their strengths, strongest first; a reason without a sentence is left out."""
    found = []
    for place in _PLACES:
        text, strength = row.get(f"reason_{place}_text"), row.get(f"reason_{place}_strength")
        if isinstance(text, str) and text:
            found.append((text, strength if isinstance(strength, str) else ""))
    return found


def _reasons(listed: pd.DataFrame, weight: pd.Series, words: Words, amount: Amount) -> list[Weighed]:
    columns = [listed[f"reason_{place}"].astype(object) for place in _PLACES]
    named = sorted({code for column in columns for code in column.dropna() if code})
    if not named:
        return []
    total = float(weight.sum())
    first = {code: float(weight[columns[0] == code].sum()) for code in named}
    among = {code: float(weight[np.logical_or.reduce([column == code for column in columns])].sum()) for code in named}

    def weighed(name: str, at_first: float, at_all: float) -> Weighed:
        figures = (amount(at_first), share_text(at_first / total), share_text(at_all / total))
        return Weighed(name, _length(at_first / total), _length(at_all / total), figures)

    heaviest = sorted(named, key=lambda code: (-first[code], -among[code], code))
    rows = [weighed(driver_text(code, words.language), first[code], among[code]) for code in heaviest]
    nothing = float(weight[columns[0].isna()].sum())
    return [*rows, weighed(words("page.reasons.none"), nothing, nothing)] if nothing > 0 else rows


def _facts(listed: pd.DataFrame, weight: pd.Series, words: Words, in_money: bool) -> list[Weighed]:
    rows: dict[str, list[int]] = {}
    for place, facts in enumerate(listed["facts"]):
        for code in sorted(_codes(facts)):
            rows.setdefault(code, []).append(place)
    total, found = float(weight.sum()), []
    for code in sorted(rows, key=lambda code: (-len(rows[code]), code)):
        count, held = len(rows[code]), float(weight.iloc[rows[code]].sum()) / total
        figures = (words("unit.people", count=f"{count:,}"), share_text(count / len(listed)))
        found.append(
            Weighed(
                words.code("fact", code),
                _length(count / len(listed)),
                0.0,
                (*figures, share_text(held)) if in_money else figures,
            )
        )
    return found


def _codes(facts: object) -> set[str]:
    return set(facts.split(";")) if isinstance(facts, str) and _CODES.fullmatch(facts) else set()


def _length(share: float) -> float:
    return round(share * BAR_WIDTH, 1)
