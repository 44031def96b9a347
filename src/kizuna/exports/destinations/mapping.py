"""The list in another system's columns: whom it may contact, each cell as the system can take it, and who is held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from kizuna.config_exports import DestinationExport, Scalar
from kizuna.exports.csv import cell_text, decimals_of
from kizuna.exports.destinations.kinds import rules_of
from kizuna.exports.destinations.rules import Rules
from kizuna.exports.destinations.settings import key_of


@dataclass(frozen=True)
class Refused:
    """A row that the destination could not take. ``why``: empty, duplicate_key, duplicate, or a code of the destination's own."""

    list_rank: int
    customer_id: str
    column: str
    why: str


@dataclass(frozen=True)
class Mapped:
    """Rows in the order of ranks under the destination's headings, whose each is, its key there, and the rows held back."""

    header: list[str]
    customers: list[str]
    keys: list[str]
    rows: list[list[str]]
    refused: list[Refused]


def rows_to_send(
    at_risk: pd.DataFrame, asked: DestinationExport, consent_missing: str, consent: pd.DataFrame
) -> pd.DataFrame:
    """The rows of arm target that may be contacted, by rank; those of unknown consent where the config allows it.

    With ``channels``, asked for or the destination's own: only customers who may be contacted over one of them, and, where
    asked for, whose action is not planned over another. ``consent``: per channel, by customer_id (``Outgoing.consent``).
    """
    allowed = at_risk["contact_allowed"].astype("boolean").fillna(consent_missing == "allow").astype(bool)
    sent = at_risk[(at_risk["arm"] == "target") & allowed]
    channels = asked.channels or rules_of(asked).channels
    if channels:
        agreed = consent[list(channels)].reindex(sent["customer_id"]).fillna(consent_missing == "allow").astype(bool)
        # Asked for, they are those of the action as well; a destination's own say whose address it may hold.
        planned = sent["channel"].isna() | sent["channel"].isin(asked.channels or sent["channel"])
        sent = sent[agreed.any(axis=1).to_numpy() & planned.to_numpy()]
    return sent.sort_values(["list_rank", "customer_id"], kind="stable", ignore_index=True)


def mapped(rows: pd.DataFrame, asked: DestinationExport, timezone: str) -> Mapped:
    """The rows in the destination's columns. ``rows``: every column of ours that the config names, and list_rank."""
    key = key_of(asked)
    text_of, once = _texts(asked, rules_of(asked), timezone), rules_of(asked).once
    columns = [rows[ours].tolist() for ours in asked.columns.values()]
    constants = [scalar_text(value) for value in asked.constants.values()]
    kept: dict[str, list[str]] = {}
    customers, refused = [], []
    seen = set[tuple[str, str]]()
    ranks, ids = rows["list_rank"].tolist(), rows["customer_id"].tolist()
    for rank, customer, values in zip(ranks, ids, zip(*columns, strict=True), strict=True):
        cells, why = {}, None
        for (theirs, ours), value in zip(asked.columns.items(), values, strict=True):
            cells[theirs], fault = text_of(theirs, ours, value)
            why = why or ((theirs, fault) if fault else None)
        if why is None and cells[key] in kept:
            why = (key, "duplicate_key")
        alone = {(theirs, cells[theirs].casefold()) for theirs in once if cells.get(theirs)}
        if why is None and alone & seen:
            why = (min(alone & seen)[0], "duplicate")
        if why is not None:
            refused.append(Refused(int(rank), customer, *why))
            continue
        seen |= alone
        kept[cells[key]] = [*cells.values(), *constants]
        customers.append(customer)
    return Mapped([*asked.columns, *asked.constants], customers, list(kept), list(kept.values()), refused)


def scalar_text(value: Scalar) -> str:
    """A constant of the config as it stands in a file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(asked: DestinationExport, rules: Rules, timezone: str) -> Callable[[str, str, Any], tuple[str, str | None]]:
    """A function of their column, ours and a value: the cell, and why the destination cannot take it."""
    blank, key = asked.blank or rules.blank, key_of(asked)

    def text_of(theirs: str, ours: str, value: Any) -> tuple[str, str | None]:
        text: str | None
        if isinstance(value, (date, datetime)) and not pd.isna(value):
            text = rules.day_text(value, timezone, asked.date_format)
        else:
            text = cell_text(value, decimals_of(ours))
        if not text:
            if theirs == key or blank == "refuse":
                return "", "empty"
            return (scalar_text(asked.clear[theirs]) if blank == "clear" and theirs in asked.clear else ""), None
        return text, rules.refusal(theirs, text)

    return text_of
