"""The return curve: how likely customers come back after so many silent days, from gaps between purchase days.

A silence begins with each purchase day of a customer and ends with the next one; the last is still open and counts for as
long as it was followed. Everything is computed from two histograms of lengths per segment, so that a shop of any size
fits. Several silences of one customer count as independent of each other: where all orders are pooled, the intervals are
a little too narrow.

Sources: Kaplan and Meier (1958); Greenwood (1926); Kalbfleisch and Prentice (1980) for intervals on the log(-log) scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kizuna.data.blocks import Block
from kizuna.data.events import Events
from kizuna.data.store import Store
from kizuna.evaluation.measures.metrics import NORMAL_95
from kizuna.features.history import History
from kizuna.features.purchases import is_purchase
from kizuna.features.rows import every_pair
from kizuna.features.vocabulary import current_codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EVERYONE = "after any order"
ORDER_SEGMENTS = {"after 1 order": 1, "after 2 orders": 2, "after 3-5 orders": 3, "after 6+ orders": 6}
"""Each segment's fewest orders so far, the one that the silence follows included."""
MOST_MARKETS = 6
FEWEST_SILENCES = 30
STEADY_DAYS = 28


@dataclass(frozen=True)
class Curve:
    """Kaplan-Meier of one segment's lengths in days. ``ended`` and ``still_open``: how many have each length, from 0 on.

    A length that is still open is known to be longer than the days it was followed. Arrays that come back have one value
    per day.
    """

    segment: str
    ended: Ints
    still_open: Ints

    @property
    def silences(self) -> int:
        """How many there are, open ones included."""
        return int(self.ended.sum() + self.still_open.sum())

    @cached_property
    def at_risk(self) -> Ints:
        """Those not ended before the day and followed through it."""
        counts: Ints = np.cumsum((self.ended + self.still_open)[::-1])[::-1]
        return counts

    @cached_property
    def followed_days(self) -> int:
        """The longest time that one was followed; 0 where there is none."""
        followed = np.flatnonzero(self.at_risk)
        return int(followed[-1]) if len(followed) else 0

    @cached_property
    def hazard(self) -> Floats:
        """Share of those at risk that end on the day; NaN where nobody is at risk."""
        out = np.full(len(self.ended), np.nan)
        np.divide(self.ended, self.at_risk, out=out, where=self.at_risk > 0)
        return out

    @cached_property
    def surviving(self) -> Floats:
        """Share longer than so many days: the product of 1 - hazard; NaN beyond what was followed."""
        return np.asarray(np.cumprod(1 - self.hazard), dtype=np.float64)

    @cached_property
    def _variance(self) -> Floats:
        """Greenwood's sum, the variance of the logarithm of ``surviving``; days on which all end add nothing."""
        left = self.at_risk * (self.at_risk - self.ended).astype(np.float64)
        out = np.zeros(len(left))
        np.divide(self.ended, left, out=out, where=left > 0)
        return np.asarray(np.cumsum(out), dtype=np.float64)

    @cached_property
    def _open_before(self) -> Ints:
        """How many were followed for fewer days than each, still open."""
        return np.cumsum(self.still_open) - self.still_open

    def surviving_interval(self) -> tuple[Floats, Floats]:
        """95 % interval of ``surviving``."""
        return _interval(self.surviving, self._variance, self.silences - self._open_before)

    def ends_within(self, horizon_days: int) -> tuple[Floats, Floats, Floats]:
        """(share, low, high) for d = 0, 1, ...: of those longer than d days, the share that end by d + horizon, with 95 %.

        NaN where fewer than 30 are longer than d days, or none is followed to d + horizon.
        """
        days = len(self.ended)
        out = (np.full(days, np.nan), np.full(days, np.nan), np.full(days, np.nan))
        last = self.followed_days - horizon_days
        if last < 0:
            return out
        start, end = slice(0, last + 1), slice(horizon_days, horizon_days + last + 1)
        begun = self.at_risk[1 : last + 2]
        enough = (begun >= FEWEST_SILENCES) & (self.surviving[start] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.where(enough, self.surviving[end] / self.surviving[start], np.nan)
        seen = begun - (self._open_before[end] - self._open_before[1 : last + 2])
        low, high = _interval(kept, self._variance[end] - self._variance[start], seen)
        for array, values in zip(out, (1 - kept, 1 - high, 1 - low), strict=True):
            array[start] = values
        return out

    def falls_below(self, horizon_days: int, level: float) -> int | None:
        """The first day from which the share that ends within the horizon stays below the level.

        For four weeks at least, and never surely at or above it again (95 %): where everybody buys once a year, nobody does
        in the months after an order, and that is not yet the end. None where it does not stay below, as far as it was
        measured.
        """
        share, low, _ = self.ends_within(horizon_days)
        measured = ~np.isnan(share)
        above = np.concatenate([[0], np.cumsum(measured & (share >= level))])
        ahead = np.minimum(np.arange(len(share)) + STEADY_DAYS, len(share))
        below = np.flatnonzero(measured & (above[ahead] == above[:-1]))
        surely_above = np.flatnonzero(measured & (low >= level))
        last = int(surely_above[-1]) if len(surely_above) else -1
        after = below[below > last]
        return int(after[0]) if len(after) else None

    def length_quantile(self, share: float) -> int | None:
        """The shortest length that this share of the ended ones do not exceed; None where none has ended."""
        total = int(self.ended.sum())
        return int(np.searchsorted(np.cumsum(self.ended), share * total)) if total else None

    def longer_than(self, days: int) -> float:
        """The share of the ended ones that took longer; NaN where none has ended."""
        total = int(self.ended.sum())
        return float(self.ended[days + 1 :].sum() / total) if total else float("nan")


def _interval(kept: Floats, variance: Floats, seen: Ints) -> tuple[Floats, Floats]:
    """95 % interval of a Kaplan-Meier share on the log(-log) scale; where it is 0 or 1, the binomial bound of those seen."""
    inside = (kept > 0) & (kept < 1)
    logarithm = np.log(np.where(inside, kept, 0.5))
    width = NORMAL_95 * np.sqrt(np.maximum(variance, 0)) / np.abs(logarithm)
    low, high = np.exp(logarithm * np.exp(width)), np.exp(logarithm * np.exp(-width))
    bound = 0.025 ** (1 / np.maximum(seen, 1))
    low = np.where(inside, low, np.where(kept >= 1, bound, kept))
    high = np.where(inside, high, np.where(kept <= 0, 1 - bound, kept))
    return low, high


def return_curves(store: Store, train_day: int) -> dict[str, list[Curve]]:
    """Curves by kind of segment (``all``, ``orders``, ``market``) of silences as they were known before ``train_day``.

    A silence is followed to the last day whose rows have all arrived (``arrives_after_days``). Markets: the six with most
    customers, as they were known on that day; none where the customers table has no such column, or names fewer than two.
    """
    first = store.first_known_day("purchases", train_day)
    source = store.config.data.tables.get("purchases")
    followed_until = train_day - (source.arrives_after_days if source else 0)
    days = max(followed_until - (followed_until if first is None else first), 1)
    markets = most_common(store, "customers", "market", train_day) if store.has("customers", "market") else []
    segments = len(ORDER_SEGMENTS) + len(markets)

    def count(block: Block) -> Ints:
        customer, order, length, ended = silences(block.tables, block.customers, (train_day, followed_until))
        segment = np.searchsorted(list(ORDER_SEGMENTS.values()), order, side="right") - 1
        market = _market(block, markets, train_day)[customer]
        places = [segment, np.where(market >= 0, len(ORDER_SEGMENTS) + market, -1)]
        by_order, by_market = (histograms((place, length, ended), segments, days) for place in places)
        return by_order + by_market

    counts = np.zeros((segments, 2, days), dtype=np.int64)
    for found in store.map(count, "silences"):
        counts += found
    orders = counts[: len(ORDER_SEGMENTS)]
    return {
        "all": [Curve(EVERYONE, *orders.sum(axis=0))],
        "orders": [Curve(name, *pair) for name, pair in zip(ORDER_SEGMENTS, orders, strict=True)],
        "market": [Curve(name, *pair) for name, pair in zip(markets, counts[len(ORDER_SEGMENTS) :], strict=True)],
    }


def silences(
    tables: Mapping[str, Events], customers: int, until: tuple[int, int]
) -> tuple[NDArray[np.int32], Ints, Ints, NDArray[np.bool_]]:
    """(customer, order, length, ended) of every silence of a block: the order it follows counts from 1.

    ``until``: the day before which rows must have been known, and the day before which all had arrived. An open silence's
    length is the days it was followed.
    """
    train_day, followed_until = until
    events = tables["purchases"]
    bought = is_purchase(History(events, every_pair(customers, [train_day]), tables))
    at = np.flatnonzero(bought & (events.day < followed_until) & (events.known < train_day))
    customer, day = events.customer[at], events.day[at].astype(np.int64)
    new = np.ones(len(at), dtype=np.bool_)
    new[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    customer, day = customer[new], day[new]
    place = np.arange(len(day))
    order = place - np.searchsorted(customer, customer) + 1
    ended = np.zeros(len(day), dtype=np.bool_)
    ended[:-1] = customer[1:] == customer[:-1]
    following = np.where(ended, np.append(day[1:], 0), followed_until - 1)
    return customer, order, following - day, ended


def histograms(silence: tuple[Ints, Ints, NDArray[np.bool_]], segments: int, days: int) -> Ints:
    """(segments, 2, days): how many ended, and how many open, lengths of 0 ... days - 1 each segment has; -1 is in none."""
    segment, length, ended = silence
    mine = segment >= 0
    key = (segment[mine] * 2 + ~ended[mine]) * days + length[mine]
    return np.bincount(key, minlength=segments * 2 * days).reshape(segments, 2, days)


def most_common(store: Store, table: str, column: str, train_day: int) -> list[str]:
    """The at most six commonest texts of a column by customers, ties by name; none where there are fewer than two."""
    (rows,) = store.select(
        f"SELECT {column}, count(DISTINCT customer) FROM {store.relation(table)} WHERE {column} IS NOT NULL "
        f"AND day < {train_day} AND known < {train_day} GROUP BY {column}"
    )
    counts: dict[str, int] = {}
    for name, customers in rows:
        counts[str(name)] = counts.get(str(name), 0) + int(customers or 0)
    ranked = sorted(counts, key=lambda name: (-counts[name], name.encode()))
    return ranked[:MOST_MARKETS] if len(ranked) > 1 else []


def _market(block: Block, markets: list[str], train_day: int) -> Ints:
    """Each customer's market as its place in the list, -1 for another or none."""
    if not markets:
        return np.full(block.customers, -1, dtype=np.int64)
    past = History(block.tables["customers"], every_pair(block.customers, [train_day]), block.tables)
    codes = np.nan_to_num(current_codes(past, "customers", "market"), nan=-1).astype(np.int64)
    place = {name: index for index, name in enumerate(markets)}
    # Code -1, the null, finds the last place.
    places = np.array([*(place.get(level, -1) for level in past.texts("market").levels), -1], dtype=np.int64)
    return places[codes]
