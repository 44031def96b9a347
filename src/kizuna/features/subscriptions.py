"""Subscriptions: contracts live, their age, price and end. A contract is live until its end, with or without a notice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kizuna.features.history import Floats, History
from kizuna.features.plan import Feature, Settings

TABLE = "subscriptions"


def features(h: History, settings: Settings) -> Iterator[Feature]:
    """Columns of the contract."""
    ended = h.on("ended_at") if h.has("ended_at") else None
    live = h.count() - (ended.count() if ended else 0)
    has_contract = live > 0
    yield Feature("has_contract", "CONTRACT", "flag", has_contract.astype(np.float64))
    yield Feature("contract_days", "CONTRACT", "days", h.days_since_last(still="ended_at"))
    if h.has("renews_at"):
        yield Feature("contract_days_left", "CONTRACT", "days", h.days_until("renews_at", still="ended_at"))
    if h.has("auto_renew"):
        renewing = h.last(h.numbers("auto_renew"), still="ended_at")
        yield Feature("auto_renew", "CONTRACT", "flag", renewing)
    if h.has("price"):
        yield Feature("contract_price", "CONTRACT", "money", h.last(h.numbers("price")))
    if ended is not None:
        yield Feature("contracts_ended", "CONTRACT", "count", ended.count())
        yield Feature("days_since_contract_end", "CONTRACT", "days", ended.days_since_last())
    if h.has("notice_at"):
        noticed = h.on("notice_at").count() - (_ended_after_notice(h) if ended is not None else 0)
        yield Feature("notice_given", "CONTRACT", "flag", (noticed > 0).astype(np.float64))


def _ended_after_notice(h: History) -> Floats:
    """Contracts with a notice that have ended by as_of."""
    noticed = h.on("notice_at")
    return noticed.on("ended_at").count()
