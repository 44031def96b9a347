"""The walk down the ranking: who takes a place on the list, and why each of the others does not.

A place is taken by a customer who is target and may be contacted. Everyone else met before the last place (control,
exempt, paused, without consent) is listed and takes none. Limits end a group's places in both arms alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from kizuna.config_at_risk import STAGES, market_key

LISTED = ""
BEYOND = ("beyond_market_capacity", "beyond_silent_share", "beyond_capacity")
_NO_LIMIT = math.inf


@dataclass(frozen=True)
class Limits:
    """How many places there are: in all, at most per market, at least per lifecycle stage, at most for the long silent.

    ``silent_places`` None: no limit.
    """

    size: int
    per_market: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, int] = field(default_factory=dict)
    silent_places: int | None = None


def left_out(walk: pd.DataFrame, limits: Limits) -> pd.Series:
    """For each row ``LISTED``, or the reason of ``BEYOND`` that leaves it out, on the index of ``walk``.

    ``walk``, the most urgent first: takes_place (bool), market and lifecycle_stage (text or null), is_silent (bool).
    Each stage with a quota is walked by itself until its places are taken; then the rest until those that remain are.
    """
    said: list[str | None] = [None] * len(walk)
    rows = _Rows(*(walk[name].tolist() for name in ("takes_place", "market", "lifecycle_stage", "is_silent")))
    keys = {market: market_key(market) for market in set(rows.market) if isinstance(market, str)}
    markets = {market_key(market): float(count) for market, count in limits.per_market.items()}
    silent = _NO_LIMIT if limits.silent_places is None else float(limits.silent_places)
    open_places = limits.size
    for stage, wanted in (*((name, limits.quota.get(name, 0)) for name in STAGES), (None, limits.size)):
        places = min(wanted, open_places)
        for at in rows.of(stage) if places else ():
            if said[at] is not None:
                continue
            market, is_silent = keys.get(rows.market[at]), rows.is_silent[at]
            if market in markets and markets[market] < 1:
                said[at] = BEYOND[0]
            elif is_silent and silent < 1:
                said[at] = BEYOND[1]
            else:
                said[at] = LISTED
                if rows.takes_place[at]:
                    if market in markets:
                        markets[market] -= 1
                    silent -= is_silent
                    open_places -= 1
                    places -= 1
                    if not places:
                        break
    return pd.Series([BEYOND[2] if why is None else why for why in said], index=walk.index, dtype="str")


@dataclass(frozen=True)
class _Rows:
    takes_place: Sequence[bool]
    market: Sequence[str]
    stage: Sequence[str]
    is_silent: Sequence[bool]

    def of(self, stage: str | None) -> Iterator[int]:
        """The rows of a stage, all for None, in their order."""
        return (at for at, mine in enumerate(self.stage) if stage is None or mine == stage)
