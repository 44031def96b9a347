"""The list, row by row, as the page shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from kizuna.exports.figures import facts_text, has_values, places, why_text
from kizuna.exports.pack import ListPack
from kizuna.exports.page.reasons import told_reasons
from kizuna.wording.words import Words, money_decimals, share_text


@dataclass(frozen=True)
class Row:
    """One customer of the list, as shown; the sort keys of its cells are plain numbers or ISO days.

    ``reasons``: all of them with the words for their strength; () where the first is all there is to say.
    """

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
    reasons: tuple[tuple[str, str], ...]
    facts: str
    what: str
    how: str
    by_when: str
    by_when_text: str


def rows(pack: ListPack, words: Words) -> list[Row]:
    """Every listed customer by rank."""
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
    reasons = [(text, words.code("strength", strength)) for text, strength in told_reasons(customer)]
    facts = facts_text(customer["facts"], words)
    why = why_text(customer, words)
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
        why=why,
        reasons=tuple(reasons) if len(reasons) > 1 or (facts and facts != why) else (),
        facts="" if facts == why else facts,
        what=customer["action_text"] if isinstance(customer["action_text"], str) else words("none"),
        how=_how(customer, place, words, money),
        by_when="9999" if act_by is None else act_by.isoformat(),
        by_when_text=words("none") if act_by is None else words.day(act_by, weekday=True, year=False),
    )


def _how(customer: pd.Series, place: str, words: Words, money: Callable[[float | None], str]) -> str:
    """Channel, hours of calls and the most that an offer may cost, of those who are contacted."""
    if place not in ("contact", "service"):
        return ""
    parts = []
    if isinstance(customer["channel"], str) and customer["channel"]:
        parts.append(words.code("channel", customer["channel"]))
    if isinstance(customer.get("call_hours"), str) and customer["call_hours"]:
        parts.append(customer["call_hours"])
    offer = customer.get("offer_max_cost")
    if offer is not None and not pd.isna(offer):
        parts.append(words("page.row.offer", amount=money(float(offer))))
    return words("page.row.join").join(parts)
