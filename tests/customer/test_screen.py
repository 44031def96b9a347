"""The lines of the timeline in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kizuna.customer.events import Event
from kizuna.customer.screen import NOT_SHOWN, event_line
from kizuna.data.contract import CONTRACTS
from kizuna.wording.words import load_words

DAY = date(2026, 1, 5)
MAIL = {"channel": "email", "cost": 1.0, "kind": "newsletter", "purpose": "information"}
SALE = {"amount": 7397.0, "discount_amount": 0.0, "is_return": 0.0, "order_id": "O1", "quantity": 2.0}


@pytest.mark.parametrize(
    ("table", "values", "english", "japanese"),
    [
        (
            "outreach",
            MAIL,
            "Contact: newsletter (E-mail, cost 1, purpose information)",
            "連絡：メールマガジン(メール, 費用 1, 目的 情報提供)",
        ),
        ("purchases", SALE, "purchases (amount 7,397, quantity 2)", "購入(金額 7,397, 数量 2)"),
        ("purchases", SALE | {"is_return": 1.0}, "purchases: return (amount 7,397, quantity 2)", None),
        # What the shop calls its own is printed as it is.
        ("engagement", {"kind": "webinar", "topic": "=1+1"}, "engagement: webinar (topic =1+1)", None),
        ("engagement", {}, "engagement", "行動"),
        # A score of nought is the worst there is, and a refusal is no gap.
        ("surveys", {"kind": "nps", "score": 0.0}, "surveys: NPS (score 0)", "調査：NPS(点数 0)"),
        ("customers", {"consent_email": 0.0}, "customers (consent to e-mail no)", "顧客(メールの同意 不可)"),
        # The line begins with its day.
        ("subscriptions", {"started_at": DAY, "price": 9.5}, "subscriptions (price 9.5)", "契約(価格 9.5)"),
        ("engagement", {"topic": "\x1b[31mred"}, "engagement (topic  [31mred)", None),
    ],
)
def test_a_row_in_words(table: str, values: dict[str, Any], english: str, japanese: str | None) -> None:
    event = Event(table, DAY, values)
    assert (
        event_line(event, load_words("en")).lower() == f"2026-01-05  {english.replace('Contact', 'outreach')}".lower()
    )
    if japanese is not None:
        assert event_line(event, load_words("ja")) == f"2026-01-05  {japanese}"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_column_of_the_contract_has_a_name(language: str) -> None:
    words = load_words(language)
    names = {field.name for contract in CONTRACTS.values() for field in contract.fields} - NOT_SHOWN
    assert [name for name in sorted(names) if not words.knows("event_column", name)] == []
