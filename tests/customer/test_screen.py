"""The lines of the timeline in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kizuna.customer.events import Event
from kizuna.customer.screen import event_line
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
    ],
)
def test_a_row_in_words(table: str, values: dict[str, Any], english: str, japanese: str | None) -> None:
    event = Event(table, DAY, values)
    assert (
        event_line(event, load_words("en")).lower() == f"2026-01-05  {english.replace('Contact', 'outreach')}".lower()
    )
    if japanese is not None:
        assert event_line(event, load_words("ja")) == f"2026-01-05  {japanese}"
