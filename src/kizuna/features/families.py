"""The list of families. A new one is a file with ``TABLE`` and ``features(h, settings)``, and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kizuna.features import (
    complaints,
    engagement,
    loyalty,
    outreach,
    profile,
    purchases,
    referrals,
    subscriptions,
    supplied,
    surveys,
)
from kizuna.features.history import History
from kizuna.features.plan import Feature, Settings


@dataclass(frozen=True)
class Family:
    """A group of features of one table."""

    name: str
    table: str
    features: Callable[[History, Settings], Iterator[Feature]]
    text_columns: Callable[[History], list[str]] | None = None


FAMILIES = [
    Family("purchases", purchases.TABLE, purchases.features),
    Family("complaints", complaints.TABLE, complaints.features),
    Family("engagement", engagement.TABLE, engagement.features),
    Family("outreach", outreach.TABLE, outreach.features),
    Family("surveys", surveys.TABLE, surveys.features),
    Family("loyalty", loyalty.TABLE, loyalty.features),
    Family("referrals", referrals.TABLE, referrals.features),
    Family("subscriptions", subscriptions.TABLE, subscriptions.features),
    Family("profile", profile.TABLE, profile.features, profile.text_columns),
    Family("supplied", supplied.TABLE, supplied.features, supplied.text_columns),
]
